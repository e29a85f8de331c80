"""Many conversations at once, for managers. «Close all» has its own endpoints in `api.conversation`."""

from __future__ import annotations

from typing import Any

import frappe
import redis

from khalifa_whatsapp.api.decorators import actor, endpoint, hand_out
from khalifa_whatsapp.api.filters import ticket_filter
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.guards import manager_only
from khalifa_whatsapp.jobs import reassign as job

AT_ONCE = 50  # more would keep the browser waiting: a worker takes them
MAX = 1000
MAX_REASON = 500


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def reassign(
	tickets: Any, reason: str, to_agent: str | None = None, to_branch: str | None = None
) -> dict[str, Any]:
	"""Hand conversations to an agent or a branch: what came of each,
	or the `run` to ask `reassign_status` for.
	"""
	names = _names(tickets)
	reason = _reason(reason)
	if bool(to_agent) == bool(to_branch):
		raise UserError("no_receiver", "Choose the agent or the branch that takes the conversation.")
	if len(names) > AT_ONCE:
		return _in_background(names, reason, to_agent, to_branch)
	results = job.transfer_each(on_site(), actor(), names, reason, to_agent, to_branch)
	hand_out()
	return {"run": None, "status": "Done", "done": len(results), "total": len(names), "results": results}


@frappe.whitelist()
@manager_only
@endpoint
def reassign_status(run: str) -> dict[str, Any]:
	"""How far one's own run is; its results when it is done."""
	state = job.state_of(run)
	if state is None or state.get("user") != frappe.session.user:
		raise NotFound(
			"no_such_run", "Nothing is known of this run any more. The list shows what was transferred."
		)
	return {"run": run, **{key: value for key, value in state.items() if key != "user"}}


def _names(tickets: Any) -> list[str]:
	names = list(dict.fromkeys(ticket_filter({"names": tickets}).names))
	if not names:
		raise UserError("no_tickets", "Choose at least one conversation.")
	if len(names) > MAX:
		raise UserError("too_many", "Choose at most {limit} conversations at once.", limit=MAX)
	return names


def _reason(reason: str) -> str:
	if not reason.strip():
		raise UserError("no_reason", "Say why you transfer the conversation: the next one will need it.")
	if len(reason) > MAX_REASON:
		raise UserError(
			"reason_too_long", "The reason is too long: at most {limit} characters fit.", limit=MAX_REASON
		)
	return reason.strip()


def _in_background(
	names: list[str], reason: str, to_agent: str | None, to_branch: str | None
) -> dict[str, Any]:
	run = frappe.generate_hash(length=20)
	try:
		job.enqueue(run, names, reason, to_agent, to_branch)
	except redis.exceptions.RedisError as error:
		raise UserError(
			"no_workers",
			"So many conversations need a worker, and none can be reached. Choose at most {limit}.",
			limit=AT_ONCE,
		) from error
	return {"run": run, "status": "Running", "done": 0, "total": len(names), "results": []}
