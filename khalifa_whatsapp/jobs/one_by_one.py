"""One act on many conversations, each by the use case that does it to a single one.

There is no batch to finish: with each conversation it is either done or it is not, and the answer says which
and why. What is left of a run that broke off is simply chosen again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from frappe import _

from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.jobs.steps import log_error
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable

Result = dict[str, Any]


def one_by_one(
	task: str,
	tickets: Sequence[str],
	act: Callable[[str], object],
	report_progress: Callable[[int], None] = lambda done: None,
) -> list[Result]:
	"""Do it to each of the tickets; one result per ticket, refusals in the user's language.

	`task`: the name under which a fault of ours is written down.
	"""
	results = []
	for number, ticket in enumerate(tickets, 1):
		why = _why_not(task, ticket, act)
		results.append({"ticket": ticket, "is_done": not why, "why": why})
		report_progress(number)
	return results


def _why_not(task: str, ticket: str, act: Callable[[str], object]) -> str:
	"""Empty: it is done."""
	try:
		act(ticket)
	except UserError as error:
		return str(_(error.text).format(**error.values))
	except Conflict:
		return str(_("The server is busy. Try again in a moment; nothing was changed."))
	except StoreUnavailable:
		raise
	except Exception as error:
		# one conversation with which it can't be done holds up no other; it is written down
		log_error(task, error)
		return str(_("It could not be done. The administrator finds it in the Error Log."))
	return ""
