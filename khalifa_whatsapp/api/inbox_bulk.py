"""Several conversations at once, from the inbox's list: agents their own, managers any.

Each is done by the use case that does it to one, with its rights; what could not be done is in the answer,
with the reason. The page sends long choices in pieces, so that it can show how far it is.
"""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_customer, inbox_filters, inbox_rows
from khalifa_whatsapp.api.decorators import endpoint, hand_out
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.guards import agent_only, current_actor
from khalifa_whatsapp.jobs.one_by_one import one_by_one
from khalifa_whatsapp.jobs.reassign import transfer_each
from khalifa_whatsapp.permissions import is_row_visible
from khalifa_whatsapp.services.tickets import actions

AT_ONCE = 50
MAX = 1_000
MAX_REASON = 500
TICKET = "Khalifa Ticket"


@frappe.whitelist()
@agent_only
@endpoint
def names(view: str = "mine", search: str = "", filters: Any = None, sort: str = "") -> dict[str, Any]:
	"""All conversations that a list holds, at most `limit`; `is_cut`: there are more."""
	narrowed, order = inbox_filters.read(filters), inbox_filters.sort_of(sort)
	asked = inbox_rows.ListQuery(view, search, "", MAX + 1, narrowed, order)
	listed = inbox_rows.all_names(current_actor(), asked, now_ms())
	return {"tickets": listed[:MAX], "is_cut": len(listed) > MAX, "limit": MAX}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def close(tickets: Any, reason: str = "resolved", with_waiting: bool = False) -> dict[str, Any]:
	"""Close each; where a customer waits for an answer only `with_waiting`."""
	if reason not in actions.CLOSE_REASONS:
		raise UserError("bad_reason", "Choose a reason: {reasons}.", reasons=", ".join(actions.CLOSE_REASONS))
	store, actor = on_site(), current_actor()
	return _each(
		"bulk close",
		tickets,
		lambda ticket: actions.close(store, actor, ticket, now_ms(), reason, not with_waiting),
	)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def reopen(tickets: Any) -> dict[str, Any]:
	"""Open each again: what was closed by mistake."""
	store, actor = on_site(), current_actor()
	return _each("bulk reopen", tickets, lambda ticket: actions.reopen(store, actor, ticket, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def transfer(
	tickets: Any, reason: str, to_agent: str | None = None, to_branch: str | None = None
) -> dict[str, Any]:
	"""Hand each to an agent or to a branch."""
	if bool(to_agent) == bool(to_branch):
		raise UserError("no_receiver", "Choose the agent or the branch that takes the conversation.")
	if len(reason) > MAX_REASON:
		raise UserError(
			"reason_too_long", "The reason is too long: at most {limit} characters fit.", limit=MAX_REASON
		)
	chosen = _chosen(tickets)
	results = transfer_each(on_site(), current_actor(), chosen, reason.strip(), to_agent, to_branch)
	hand_out()
	return {"results": _named(results)}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def tag(tickets: Any, tag: str, is_added: bool = True) -> dict[str, Any]:
	"""Put a tag on the customer of each, or take it off."""

	def change(ticket: str) -> None:
		if not is_row_visible(TICKET, ticket):
			raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")
		customer = frappe.db.get_value(TICKET, ticket, "customer")
		inbox_customer.change_tag(customer, tag, is_added=is_added)

	return _each("bulk tag", tickets, change)


def _each(task: str, tickets: Any, act: Any) -> dict[str, Any]:
	results = one_by_one(task, _chosen(tickets), act)
	hand_out()
	return {"results": _named(results)}


def _chosen(tickets: Any) -> list[str]:
	chosen = list(dict.fromkeys(inbox_rows.names_from(tickets)))
	if not chosen:
		raise UserError("no_tickets", "Choose at least one conversation.")
	if len(chosen) > AT_ONCE:
		raise UserError("too_many", "Choose at most {limit} conversations at once.", limit=AT_ONCE)
	return chosen


def _named(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""With the customer of what was not done, as far as the reader may see the conversation."""
	left = [one["ticket"] for one in results if not one["is_done"]]
	seen = inbox_rows.by_name(current_actor(), left, inbox_rows.ListQuery("mine", "", "", 1), now_ms())
	customers = {row["ticket"]: row["customer_name"] for row in seen}
	return [{**one, "customer_name": customers.get(one["ticket"], "")} for one in results]
