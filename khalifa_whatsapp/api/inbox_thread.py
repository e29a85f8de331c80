"""A conversation as the inbox shows it: messages and events in their order, a page at a time,
plain data only.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import frappe
from frappe import _
from frappe.query_builder import Criterion
from pypika.terms import Tuple

from khalifa_whatsapp.api import lateness
from khalifa_whatsapp.api.history import EVENT_FIELDS, agent_names, event_text
from khalifa_whatsapp.api.message_text import label, last_line, line, whole
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.content import content_of, load
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.service_window import is_window_open, window_until_ms
from khalifa_whatsapp.jobs import device_problems
from khalifa_whatsapp.site_devices import get_device, problem_of

MESSAGE, EVENT = "Khalifa Message", "Khalifa Ticket Event"
MAX_EVENTS = 300
FIELDS = (
	"name",
	"direction",
	"origin",
	"content_type",
	"status",
	"body",
	"sender_name",
	"on_behalf_of",
	"sent_ms",
	"received_ms",
	"sequence",
	"is_edited",
	"is_revoked",
	"message_key",
	"reply_to",
	"reactions",
	"file_url",
	"file_name",
	"mime_type",
	"media_state",
	"media_error",
	"data",
	"error_text",
	"error_kind",
	"next_retry_ms",
	"attempts",
	"provider",
	"resent_as",
	"identity",
)
QUOTED = (
	"message_key",
	"name",
	"body",
	"sender_name",
	"content_type",
	"is_revoked",
	"data",
	"file_name",
	"direction",
)
DOWNLOAD = "/api/method/khalifa_whatsapp.api.media.download"
MAX_CHANGED = 200
MAX_BACK = 1_000  # messages that are read at once to reach an older one
BEFORE_IT = 15  # and so many before it
OVERLAP_MS = 2_000  # a change that was committed late is not missed


def head(actor: Actor, row: Any) -> dict[str, Any]:
	"""The conversation's own facts, and what the reader may do with it."""
	fields = (
		"customer",
		"customer_name",
		"status",
		"agent",
		"agent_name",
		"branch",
		"device",
		"unread_count",
		*lateness.FIELDS,
		"last_message_ms",
		"is_branch_only",
		"opened_ms",
		"closed_ms",
		"close_reason",
		"cycle",
		"version",
		"is_missed",
		"snoozed_ms",
		"snoozed_until_ms",
		"snooze_reason",
	)
	return {
		"ticket": row.name,
		**{field: row.get(field) for field in fields},
		"is_mine": ticket_access.holds(actor, row),
		"preview": last_line(row.preview, row.preview_label),
		"waited": lateness.Clock(now_ms()).waited(row),
		"campaign": _campaign_title(row.campaign),
		"rights": dataclasses.asdict(ticket_access.rights(actor, row)),
	}


def _campaign_title(campaign: str | None) -> str:
	"""Of the campaign that the customer answered: all that agents learn of it."""
	return frappe.db.get_value("Khalifa Campaign", campaign, "title") or "" if campaign else ""


def abilities(row: Any, window_from_ms: Callable[[], int | None]) -> dict[str, Any]:
	"""What can be sent on the conversation's number now; the window is that of whom an answer goes to."""
	device = get_device(row.device)
	if device is None:
		held = device_problems.text_for_agents(problem_of(row.device))
		return {
			"can": {
				"text": False,
				"media": [],
				"template": False,
				"reaction": False,
				"reply_to": False,
				"held": held,
			},
			"service_window": None,
		}
	can = device.driver.capabilities
	window = None
	if can.has_window:
		from_ms = window_from_ms()
		window = {"is_open": is_window_open(from_ms, now_ms()), "until_ms": window_until_ms(from_ms)}
	return {
		"service_window": window,
		"can": {
			"text": "text" in can.kinds,
			"media": sorted(can.media_kinds),
			"template": can.has_templates,
			"reaction": "reaction" in can.kinds,
			"reply_to": True,
			"max_text": can.max_text,
			"hints_joining": can.is_charged and bool(on_site().rules().settings.hint_joining),
			"max_media_bytes": can.max_media_bytes,
			"held": device_problems.text_for_agents(device.problem) if device.is_held else "",
		},
	}


def page(ticket: str, before: str, limit: int) -> tuple[list[dict[str, Any]], str]:
	"""The latest items before a cursor, oldest first, and the cursor of what is older (empty: nothing is)."""
	message = frappe.qb.DocType(MESSAGE)
	place = _read_cursor(before) if before else ()
	is_older = [Tuple(message.sent_ms, message.sequence, message.name) < place] if place else []
	messages = _messages(ticket, is_older, limit + 1)
	has_more, messages = len(messages) > limit, messages[:limit][::-1]
	from_ms = messages[0].sent_ms if has_more and messages else 0
	events = _events(ticket, from_ms, place[0] if place else None)
	cursor = _cursor(messages[0]) if has_more else ""
	return _items(messages, events), cursor


def page_back_to(ticket: str, name: str, least: int) -> tuple[list[dict[str, Any]], str] | None:
	"""A page that reaches from the end back to this message and some before it; None: it is not in the
	conversation, or too far back.
	"""
	message = frappe.qb.DocType(MESSAGE)
	at = frappe.db.get_value(MESSAGE, {"name": name, "ticket": ticket}, ["sent_ms", "sequence", "name"])
	if at is None:
		return None
	is_later = Tuple(message.sent_ms, message.sequence, message.name) >= at
	later = frappe.qb.from_(message).select(message.name).where((message.ticket == ticket) & is_later)
	newer = later.limit(MAX_BACK + 1).run()
	return page(ticket, "", max(least, len(newer) + BEFORE_IT)) if len(newer) <= MAX_BACK else None


def since(ticket: str, after_ms: int) -> list[dict[str, Any]]:
	"""Messages and events written or changed since then."""
	from_ms = max(after_ms - OVERLAP_MS, 0)
	messages = _messages(ticket, [frappe.qb.DocType(MESSAGE).changed_ms >= from_ms], MAX_CHANGED)[::-1]
	return _items(messages, _events(ticket, from_ms, None))


def _messages(ticket: str, conditions: list[Criterion], limit: int) -> list[Any]:
	"""A ticket's messages, the latest first."""
	message = frappe.qb.DocType(MESSAGE)
	shown = [message.ticket == ticket, message.content_type != "reaction", *conditions]
	query = frappe.qb.from_(message).select(*FIELDS).where(Criterion.all(shown)).limit(limit)
	order = (message.sent_ms, message.sequence, message.name)
	return query.orderby(*order, order=frappe.qb.desc).run(as_dict=True)


def _events(ticket: str, from_ms: int, to_ms: int | None) -> list[Any]:
	event = frappe.qb.DocType(EVENT)
	until = [event.at_ms < to_ms] if to_ms else []
	shown = Criterion.all([event.ticket == ticket, event.at_ms >= from_ms, *until])
	query = frappe.qb.from_(event).select(*EVENT_FIELDS).where(shown)
	return query.orderby(event.at_ms, event.name).limit(MAX_EVENTS).run(as_dict=True)


def _items(messages: list[Any], events: list[Any]) -> list[dict[str, Any]]:
	quoted = _quoted({row.reply_to for row in messages if row.reply_to})
	agents = {row.on_behalf_of for row in messages}
	agents |= {event.get(field) for event in events for field in ("from_agent", "to_agent")}
	names = agent_names(agents)
	shown = [(row.sent_ms, 1, _message(row, quoted, names)) for row in messages]
	shown += [(event.at_ms, 0, _event(event, names)) for event in events]
	return [item for _at, _rank, item in sorted(shown, key=lambda one: one[:2])]


def _message(row: Any, quoted: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
	plain = (
		"name",
		"direction",
		"origin",
		"content_type",
		"status",
		"sender_name",
		"sent_ms",
		"sequence",
		"is_edited",
		"is_revoked",
		"error_kind",
		"next_retry_ms",
		"attempts",
		"provider",
		"resent_as",
		"message_key",
		"identity",
	)
	one, file = content_of(row), _file(row)
	return {
		"kind": "message",
		**{field: row[field] for field in plain},
		"body": "" if row.is_revoked else row.body or "",
		"is_note": row.origin == records.NOTE,
		"on_behalf_of_name": names.get(row.on_behalf_of),
		"reply_to": quoted.get(row.reply_to),
		"reactions": _reactions(row.reactions),
		"file": file,
		"parts": whole(one, file is not None),
		"line": line(one),
		"label": label(one),
		"error_text": _(row.error_text) if row.error_text else "",
	}


def _event(row: Any, names: dict[str, str]) -> dict[str, Any]:
	return {
		"kind": "event",
		"name": row.name,
		"event": row.event,
		"at_ms": row.at_ms,
		"text": event_text(row, names),
	}


def _quoted(keys: Iterable[str]) -> dict[str, Any]:
	wanted = tuple(keys)
	if not wanted:
		return {}
	message = frappe.qb.DocType(MESSAGE)
	query = frappe.qb.from_(message).select(*QUOTED).where(message.message_key.isin(wanted))
	return {
		row.message_key: {"name": row.name, "sender_name": row.sender_name, "body": line(content_of(row))}
		for row in query.run(as_dict=True)
	}


def _reactions(stored: str | None) -> list[dict[str, Any]]:
	by_emoji: dict[str, list[str]] = {}
	for author, emoji in load(stored).items():
		by_emoji.setdefault(str(emoji), []).append("me" if author == "me" else "customer")
	return [{"emoji": emoji, "count": len(by), "by": sorted(set(by))} for emoji, by in by_emoji.items()]


def _file(row: Any) -> dict[str, Any] | None:
	if not (row.file_url or row.media_state) or row.is_revoked:
		return None
	url = f"{DOWNLOAD}?{urlencode({'message': row.name})}" if row.file_url else ""
	return {
		"url": url,
		"mime_type": row.mime_type,
		"name": row.file_name,
		"state": row.media_state or "Stored",
		"error": _(row.media_error) if row.media_error else "",
	}


def _cursor(row: Any) -> str:
	return base64.urlsafe_b64encode(json.dumps([row.sent_ms, row.sequence, row.name]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, int, str]:
	try:
		at, sequence, name = json.loads(base64.urlsafe_b64decode(cursor.encode()))
		return int(at), int(sequence), str(name)
	except (ValueError, TypeError) as error:
		raise UserError("bad_cursor", "The list has changed. Load it again.") from error
