"""What people do with conversations. Rights are the use cases' own: each checks the locked ticket."""

from __future__ import annotations

import dataclasses
from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_replies, sending
from khalifa_whatsapp.api.decorators import actor, endpoint, hand_out
from khalifa_whatsapp.api.filters import ticket_filter
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import NotFound
from khalifa_whatsapp.guards import agent_only, manager_only
from khalifa_whatsapp.jobs import receipts, wake
from khalifa_whatsapp.services.outbound import answers, user_decisions
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets import actions, bulk_close, snoozing


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def reply(
	ticket: str,
	body: str,
	client_key: str,
	reply_to: str | None = None,
	seen_ms: int | None = None,
	take_over: bool = False,
	quick_reply: str | None = None,
) -> dict[str, Any]:
	"""Queue an answer.

	`client_key` makes a repeated click one message; `seen_ms` is the newest message you saw; `quick_reply`
	names the one that the text came from, whose file goes with it.
	"""
	if not quick_reply:
		return _send(ticket, Draft(body, reply_to=reply_to), client_key, seen_ms, take_over)
	asked_ms = now_ms()
	draft = sending.quick_reply_draft(ticket, quick_reply, body, reply_to)
	message = _queue(ticket, draft, client_key, seen_ms, take_over)
	if message.sent_ms >= asked_ms:  # a repeated click counts once
		inbox_replies.count_use(quick_reply)
	return _queued(message)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def send_file(
	ticket: str,
	file_url: str,
	kind: str,
	client_key: str,
	caption: str = "",
	reply_to: str | None = None,
	seen_ms: int | None = None,
	take_over: bool = False,
) -> dict[str, Any]:
	"""Queue a file that was uploaded to this conversation before."""
	draft = sending.file_draft(ticket, file_url, kind, caption, reply_to)
	return _send(ticket, draft, client_key, seen_ms, take_over)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def send_template(
	ticket: str,
	template: str,
	client_key: str,
	values: Any = None,
	seen_ms: int | None = None,
	take_over: bool = False,
	file_url: str = "",
) -> dict[str, Any]:
	"""Queue an approved template with its values, in the order in which `api.inbox.templates` names them.

	`file_url`: uploaded to this conversation before, in the place of the header's file.
	"""
	draft = sending.template_draft(ticket, template, values, file_url)
	return _send(ticket, draft, client_key, seen_ms, take_over)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def react(ticket: str, message: str, emoji: str = "", client_key: str = "") -> dict[str, Any]:
	"""Put an emoji on a message; an empty one takes it back."""
	key = client_key or f"{message}:{emoji}:{now_ms()}"
	can = sending.capabilities(ticket)
	return _queued(answers.react(on_site(), actor(), ticket, message, emoji, key, now_ms(), can))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def retry_message(message: str, client_key: str = "") -> dict[str, Any]:
	"""Say a failed or doubtful message again. What was in doubt may then arrive twice: a person decides."""
	can = sending.capabilities(sending.ticket_of_message(message))
	key = client_key or f"again:{message}"
	return _queued(user_decisions.resend(on_site(), actor(), message, key, now_ms(), can))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def discard_message(message: str) -> dict[str, Any]:
	"""Take back what has not gone, or say that a doubtful message did not go."""
	return _fate(user_decisions.settle(on_site(), actor(), message, False, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def confirm_message(message: str) -> dict[str, Any]:
	"""Say that a doubtful message did go: somebody saw it on the phone."""
	return _fate(user_decisions.settle(on_site(), actor(), message, True, now_ms()))


def _send(ticket: str, draft: Draft, client_key: str, seen_ms: int | None, take_over: bool) -> dict[str, Any]:
	return _queued(_queue(ticket, draft, client_key, seen_ms, take_over))


def _queue(
	ticket: str, draft: Draft, client_key: str, seen_ms: int | None, take_over: bool
) -> records.Message:
	can = sending.capabilities(ticket)
	return answers.send(
		on_site(),
		actor(),
		ticket,
		draft,
		client_key,
		now_ms(),
		seen_ms=seen_ms,
		take_over=take_over,
		can=can,
	)


def _queued(message: records.Message) -> dict[str, Any]:
	wake.wake_outbox(message.device)
	return _fate(message)


def _fate(message: records.Message) -> dict[str, Any]:
	return {"message": message.name, "status": message.status, "sender_name": message.sender_name}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def note(ticket: str, body: str, client_key: str = "") -> dict[str, Any]:
	"""Write an internal note; `client_key` makes a repeated click one note."""
	return {"message": answers.note(on_site(), actor(), ticket, body, now_ms(), client_key).name}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def transfer(
	ticket: str, reason: str, to_agent: str | None = None, to_branch: str | None = None
) -> dict[str, Any]:
	"""Hand a conversation to an agent or to a branch."""
	done = actions.transfer(on_site(), actor(), ticket, now_ms(), reason, to_agent, to_branch)
	return _shown(done)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def assign(ticket: str, agent: str) -> dict[str, Any]:
	"""Take a waiting conversation, or (managers) give it to somebody."""
	return _shown(actions.assign(on_site(), actor(), ticket, agent, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def snooze(ticket: str, until_ms: int | None = None, reason: str = "") -> dict[str, Any]:
	"""Put a conversation aside until a time; without one, until the customer writes.

	While the customer waits for us only with a reason; the clock goes on.
	"""
	return _shown(snoozing.snooze_ticket(on_site(), actor(), ticket, now_ms(), until_ms or None, reason))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def unsnooze(ticket: str) -> dict[str, Any]:
	"""Take a conversation back before its time."""
	return _shown(snoozing.wake(on_site(), actor(), ticket, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def close(ticket: str, reason: str = "resolved") -> dict[str, Any]:
	"""Close a conversation."""
	return _shown(actions.close(on_site(), actor(), ticket, now_ms(), reason))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def reopen(ticket: str, reason: str = "") -> dict[str, Any]:
	"""Open a closed conversation again."""
	return _shown(actions.reopen(on_site(), actor(), ticket, now_ms(), reason))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def no_reply_needed(ticket: str) -> dict[str, Any]:
	"""The customer's last words want no answer."""
	return _shown(actions.no_reply_needed(on_site(), actor(), ticket, now_ms()))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def mark_read(ticket: str) -> dict[str, Any]:
	"""The holder has seen the conversation."""
	who = actor()
	actions.mark_read(on_site(), who, ticket, now_ms())
	fields = ["name", "agent", "device", "last_in_ms"]
	receipts.note_read(who, frappe.db.get_value("Khalifa Ticket", ticket, fields, as_dict=True))
	return {"ticket": ticket}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def mark_unread(ticket: str) -> dict[str, Any]:
	"""The holder wants to come back to the conversation."""
	actions.mark_unread(on_site(), actor(), ticket, now_ms())
	return {"ticket": ticket}


@frappe.whitelist()
@manager_only
@endpoint
def count_open(**filters: Any) -> dict[str, int]:
	"""How many open conversations «close all» would mean with these filters."""
	return {"count": on_site().count_open_tickets(ticket_filter(filters))}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def close_all_start(reason: str, **filters: Any) -> dict[str, Any]:
	"""Begin to close all open conversations that the filters mean;
	progress comes by realtime and `close_all_status`.
	"""
	batch = bulk_close.start(on_site(), actor(), ticket_filter(filters), reason, now_ms())
	wake.enqueue_close_all(batch.name)
	return dataclasses.asdict(batch)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def close_all_undo(batch: str) -> dict[str, Any]:
	"""Open the conversations of a batch again."""
	first = bulk_close.undo(on_site(), actor(), batch, now_ms())
	if first.status == "Undoing":
		wake.enqueue_close_all(batch)
	return dataclasses.asdict(first)


@frappe.whitelist()
@manager_only
@endpoint
def close_all_status(batch: str) -> dict[str, Any]:
	"""How far a batch is."""
	if not frappe.db.exists("Khalifa Close Batch", batch):
		raise NotFound("no_such_batch", "There is no such run of «close all».")
	return frappe.get_doc("Khalifa Close Batch", batch).as_dict()


def _shown(ticket: records.Ticket) -> dict[str, Any]:
	"""The ticket's state after the change; a ticket made free wakes the queue."""
	hand_out()
	fields = ("name", "status", "agent", "agent_name", "branch", "version")
	return {field: getattr(ticket, field) for field in fields}
