"""Failures at the endpoints, told without anything of the call: Frappe logs the form, the variables and the
address of a call that fails, and in ours stand customers' words, phones and the webhook's key.
"""

from __future__ import annotations

from collections.abc import Callable

import frappe
import pymysql

from khalifa_whatsapp.jobs.alerts import database_may_be_away
from khalifa_whatsapp.jobs.steps import TITLE, log_file, said_of


def give_up(step: str, error: Exception) -> None:
	"""Write down what failed.

	A connection that may be dead is let go of, or Frappe fails at its own commit later.
	"""
	log_file(f"{step}: {said_of(error)}")
	try:
		frappe.db.rollback()
		if not isinstance(error, pymysql.err.OperationalError | pymysql.err.InterfaceError):
			# Without variables. Frappe inserts it later, for the request's own transaction is lost
			frappe.log_error(title=f"{TITLE}: {step}", message=said_of(error), defer_insert=True)
	except Exception:  # whatever a database that may be away makes of it: nobody asks it for anything more
		let_go_of_database()


def let_go_of_database() -> None:
	"""Nothing more is asked of it in this request, not even by Frappe."""
	with database_may_be_away():
		frappe.db.close()
	frappe.local.db = None


def forget_call() -> None:
	"""What was sent is done with: nothing that fails after us, and no log of requests,
	shall have it to tell.
	"""
	frappe.local.form_dict.clear()
	frappe.local.flags.disable_traceback = True
	frappe.local.request.full_path = frappe.local.request.path


def run(act: Callable[[], object]) -> None:
	"""After the response has left, whatever fails would be logged with the call's address."""
	try:
		act()
	except Exception as error:  # see above; what was to be done is found again by the minute job
		log_file(f"after the answer: {said_of(error)}")
