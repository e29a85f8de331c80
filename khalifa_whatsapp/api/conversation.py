"""What people do with conversations. Rights are the use cases' own: each checks the locked ticket."""

from __future__ import annotations

import dataclasses
from typing import Any

import frappe

from khalifa_whatsapp.api.door import actor, door
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.guards import agent_only, manager_only
from khalifa_whatsapp.jobs import wake
from khalifa_whatsapp.services import assignment, close_all, conversation
from khalifa_whatsapp.stores.base import TicketFilter


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def reply(
	ticket: str, body: str, client_key: str, reply_to: str | None = None, seen_ms: int | None = None,
	take_over: bool = False,
) -> dict[str, Any]:  # fmt: skip
	"""Queue an answer. `client_key` makes a repeated click one message; `seen_ms` is the newest message you saw."""
	message = conversation.reply(
		on_site(), actor(), ticket, body, client_key, now_ms(), reply_to=reply_to,
		seen_ms=int(seen_ms) if seen_ms else None, take_over=bool(take_over),
	)  # fmt: skip
	wake.wake_outbox(message.device)
	return {"message": message.name, "status": message.status, "sender_name": message.sender_name}


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def note(ticket: str, body: str) -> dict[str, Any]:
	"""Write an internal note."""
	return {"message": conversation.note(on_site(), actor(), ticket, body, now_ms()).name}


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def transfer(
	ticket: str, reason: str, to_agent: str | None = None, to_branch: str | None = None
) -> dict[str, Any]:
	"""Hand a conversation to an agent or to a branch."""
	done = conversation.transfer(on_site(), actor(), ticket, now_ms(), reason, to_agent, to_branch)
	return _shown(done)


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def assign(ticket: str, agent: str) -> dict[str, Any]:
	"""Take a waiting conversation, or (managers) give it to somebody."""
	return _shown(conversation.assign(on_site(), actor(), ticket, agent, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def close(ticket: str, reason: str = "resolved") -> dict[str, Any]:
	"""Close a conversation."""
	return _shown(conversation.close(on_site(), actor(), ticket, now_ms(), reason))


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def reopen(ticket: str, reason: str = "") -> dict[str, Any]:
	"""Open a closed conversation again."""
	return _shown(conversation.reopen(on_site(), actor(), ticket, now_ms(), reason))


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def no_reply_needed(ticket: str) -> dict[str, Any]:
	"""The customer's last words want no answer."""
	return _shown(conversation.no_reply_needed(on_site(), actor(), ticket, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def mark_read(ticket: str) -> dict[str, Any]:
	"""The holder has seen the conversation."""
	conversation.mark_read(on_site(), actor(), ticket, now_ms())
	return {"ticket": ticket}


@frappe.whitelist()
@manager_only
@door
def count_open(**filters: Any) -> dict[str, int]:
	"""How many open conversations «close all» would mean with these filters."""
	return {"count": on_site().count_open_tickets(_filter(filters))}


@frappe.whitelist(methods=["POST"])
@manager_only
@door
def close_all_start(reason: str, **filters: Any) -> dict[str, Any]:
	"""Begin to close all open conversations that the filters mean; progress comes by realtime and `close_all_status`."""
	batch = close_all.start(on_site(), actor(), _filter(filters), reason, now_ms())
	wake.enqueue_close_all(batch.name)
	return dataclasses.asdict(batch)


@frappe.whitelist(methods=["POST"])
@manager_only
@door
def close_all_undo(batch: str) -> dict[str, Any]:
	"""Open the conversations of a batch again."""
	first = close_all.undo(on_site(), actor(), batch, now_ms())
	if first.status == "Undoing":
		wake.enqueue_close_all(batch)
	return dataclasses.asdict(first)


@frappe.whitelist()
@manager_only
@door
def close_all_status(batch: str) -> dict[str, Any]:
	"""How far a batch is."""
	return frappe.get_doc("Khalifa Close Batch", batch).as_dict()


def _filter(given: dict[str, Any]) -> TicketFilter:
	"""The known filters among what was sent; others are ignored."""
	names = given.get("names") or ()
	return TicketFilter(
		branch=given.get("branch") or None, agent=given.get("agent") or None, device=given.get("device") or None,
		status=given.get("status") or None, names=tuple(frappe.parse_json(names)) if names else (),
		opened_before_ms=int(given["opened_before_ms"]) if given.get("opened_before_ms") else None,
	)  # fmt: skip


def _shown(ticket: r.Ticket) -> dict[str, Any]:
	"""The ticket's state after the change; a ticket made free wakes the queue."""
	assignment.assign_queue(on_site(), now_ms(), wait_seconds=1)
	fields = ("name", "status", "agent", "agent_name", "branch", "version")
	return {field: getattr(ticket, field) for field in fields}
