"""What happened to a conversation, as sentences with people's names: never a login, never a field's name."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import format_datetime, get_system_timezone

from khalifa_whatsapp.core import reply_loops, snooze
from khalifa_whatsapp.core.phones import from_gateway
from khalifa_whatsapp.services.outbound.first_contact import BEGUN

MAX = 300
EVENT_FIELDS = (
	"name",
	"event",
	"at_ms",
	"actor_name",
	"from_agent",
	"to_agent",
	"from_branch",
	"to_branch",
	"is_automatic",
	"is_late",
	"reason",
)
DELAY_FIELDS = ("name", "kind", "agent", "at_ms", "closed_ms", "cause", "is_escalated", "objection_status")
# What a page may use to draw the line: good, bad, or neither
# Around a name or a reason in another script than the sentence: its direction stays its own
ISOLATE = "\u2068{}\u2069"
GOOD = frozenset({"closed", "no_reply_needed"})
CLOSE_REASONS = frozenset({"resolved", "no_reply_needed", "spam", "inactive", "merged", "new_holder"})


def history(ticket: str) -> list[dict[str, Any]]:
	"""Events and delays of a ticket, oldest first.

	The caller has asked whether the user may read the ticket.
	"""
	events = frappe.get_list(
		"Khalifa Ticket Event",
		filters={"ticket": ticket},
		fields=list(EVENT_FIELDS),
		order_by="at_ms, name",
		limit=MAX,
	)
	delays = frappe.get_list(
		"Khalifa Delay Event",
		filters={"ticket": ticket},
		fields=list(DELAY_FIELDS),
		order_by="at_ms, name",
		limit=MAX,
	)
	for row in events:
		row.actor_name = row.actor_name and ISOLATE.format(row.actor_name)
	names = agent_names(
		{row.get(field) for row in (*events, *delays) for field in ("from_agent", "to_agent", "agent")}
	)
	lines = [_line(row, event_text(row, names), _tone_of(row)) for row in events]
	lines += [_line(row, delay_text(row, names), "bad") for row in delays]
	return sorted(lines, key=lambda line: line["at_ms"])


def agent_names(agents: set[Any]) -> dict[str, str]:
	"""The employees' names; one query."""
	wanted = sorted(filter(None, agents))
	if not wanted:
		return {}
	rows = frappe.get_all("Khalifa Agent", {"name": ("in", wanted)}, ["name", "employee_name"], limit=0)
	return {row.name: ISOLATE.format(row.employee_name) for row in rows}


def shown_number(value: str) -> str:
	"""A stored number as people read it, in its own direction in any sentence."""
	is_number = value.startswith("+") and value[1:].isdigit()
	return ISOLATE.format(from_gateway(value[1:]).display() if is_number else value)


def shown_time(at_ms: int) -> str:
	"""An instant by the company's clock, in the reader's language."""
	zone = ZoneInfo(get_system_timezone())
	moment = datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None)
	return ISOLATE.format(format_datetime(moment, "d MMM HH:mm"))


def event_text(row: Any, names: dict[str, str]) -> str:
	"""One event in people's words."""
	maker = _TEXTS.get(row.event)
	return maker(row, names) if maker is not None else _("The conversation changed.")


def delay_text(row: Any, names: dict[str, str]) -> str:
	"""A delay in people's words."""
	if row.kind == "Agent":
		text = _("{0} took longer than allowed to answer.").format(names.get(row.agent, ""))
	else:
		text = _("The customer waited longer than allowed.")
	if row.objection_status == "Accepted":
		text = f"{text} {_('The objection was accepted: it does not count.')}"
	return text


def _line(row: Any, text: str, tone: str) -> dict[str, Any]:
	return {"name": row.name, "at_ms": row.at_ms, "text": text, "tone": tone}


def _tone_of(row: Any) -> str:
	if row.is_late:
		return "bad"
	return "good" if row.event in GOOD else ""


def _created(row: Any, names: dict[str, str]) -> str:
	if row.reason == BEGUN:
		return _("{0} began the conversation.").format(row.actor_name or "")
	return _("The customer wrote and the conversation began.")


def _assigned(row: Any, names: dict[str, str]) -> str:
	receiver = names.get(row.to_agent, "")
	if row.is_automatic:
		return _with_reason(_("Given to {0} automatically").format(receiver), _first_part(row.reason))
	if row.actor_name == receiver:
		return _("{0} took the conversation.").format(receiver)
	return _("{0} gave the conversation to {1}.").format(row.actor_name or "", receiver)


def _requeued(row: Any, names: dict[str, str]) -> str:
	text = _("Back to the queue from {0}").format(names.get(row.from_agent, ""))
	return _with_reason(text, row.reason)


def _transferred(row: Any, names: dict[str, str]) -> str:
	receiver = names.get(row.to_agent) or ISOLATE.format(row.to_branch or "")
	giver = names.get(row.from_agent)
	who = row.actor_name or giver or ""
	if giver and giver != who:
		text = _("{0} transferred the conversation from {1} to {2}").format(who, giver, receiver)
	else:
		text = _("{0} transferred the conversation to {1}").format(who, receiver)
	text = _with_reason(text, row.reason)
	return f"{text} {_('It was a late transfer.')}" if row.is_late else text


def _on_behalf(row: Any, names: dict[str, str]) -> str:
	holder = names.get(row.to_agent)
	if not holder:
		return _("{0} answered the customer.").format(row.actor_name or "")
	return _("{0} answered on behalf of {1}.").format(row.actor_name or "", holder)


def _no_reply_needed(row: Any, names: dict[str, str]) -> str:
	return _("{0} marked that no reply was needed.").format(row.actor_name or "")


def _closed(row: Any, names: dict[str, str]) -> str:
	return _with_reason(
		_("{0} closed the conversation").format(row.actor_name or _("The system")), row.reason
	)


def _reopened(row: Any, names: dict[str, str]) -> str:
	return _with_reason(_("The conversation was reopened"), row.reason)


def _settled(row: Any, names: dict[str, str]) -> str:
	if row.reason == "sent":
		return _("{0} confirmed that a doubtful message was sent.").format(row.actor_name or "")
	return _("{0} confirmed that a message was not sent.").format(row.actor_name or "")


def _number_changed(row: Any, names: dict[str, str]) -> str:
	old, _space, new = (row.reason or "").partition(" ")
	return _("The customer changed the number from {0} to {1}.").format(shown_number(old), shown_number(new))


def _number_added(row: Any, names: dict[str, str]) -> str:
	return _("{0} added the customer's number {1}.").format(
		row.actor_name or "", shown_number(row.reason or "")
	)


def _joined(row: Any, names: dict[str, str]) -> str:
	return _("Joined with the conversation {0}: it was the same customer.").format(
		ISOLATE.format(row.reason or "")
	)


def _other_account(row: Any, names: dict[str, str]) -> str:
	return _("The number {0} now belongs to another WhatsApp account: it may be a new person.").format(
		shown_number(row.reason or "")
	)


def _same_person(row: Any, names: dict[str, str]) -> str:
	return _("{0} said that it is the same person.").format(row.actor_name or "")


def _new_person(row: Any, names: dict[str, str]) -> str:
	return _(
		"{0} said that the number {1} belongs to a new person. What was said before is not shown here."
	).format(row.actor_name or "", shown_number(row.reason or ""))


def _auto_stopped(row: Any, names: dict[str, str]) -> str:
	why = reply_loops.REASONS.get(row.reason or "", "")
	stopped = _("Automatic replies stopped here until a person answers.")
	return f"{stopped} {_(why)}" if why else stopped


def _promotions(row: Any, names: dict[str, str]) -> str:
	is_stop = row.event == "promotions_stopped"
	if not row.actor_name:
		said = _("The customer stopped promotions") if is_stop else _("The customer resumed promotions")
	elif is_stop:
		said = _("{0} wrote down that the customer wants no promotions").format(row.actor_name)
	else:
		said = _("{0} wrote down that the customer wants promotions again").format(row.actor_name)
	return _with_reason(said, row.reason)


def _snoozed(row: Any, names: dict[str, str]) -> str:
	until_ms, reason = snooze.read(row.reason or "")
	who = row.actor_name or ""
	if until_ms is None:
		said = _("{0} snoozed the conversation until the customer writes").format(who)
	else:
		said = _("{0} snoozed the conversation until {1}").format(who, shown_time(until_ms))
	return _with_reason(said, reason)


def _unsnoozed(row: Any, names: dict[str, str]) -> str:
	causes = {
		snooze.TIME: _("The conversation is back: its time has come."),
		snooze.CUSTOMER: _("The conversation is back: the customer wrote."),
		snooze.OWED: _("The conversation is back: the customer waits for an answer again."),
	}
	return causes.get(row.reason) or _("{0} took the conversation back before its time.").format(
		row.actor_name or ""
	)


def _macro(row: Any, names: dict[str, str]) -> str:
	return _("{0} ran the macro {1}.").format(row.actor_name or "", ISOLATE.format(row.reason or ""))


def _rated(row: Any, names: dict[str, str]) -> str:
	return _("The customer rated the conversation {0} of 5.").format(row.reason or "")


_TEXTS = {
	"created": _created,
	"assigned": _assigned,
	"requeued": _requeued,
	"transferred": _transferred,
	"on_behalf": _on_behalf,
	"no_reply_needed": _no_reply_needed,
	"closed": _closed,
	"reopened": _reopened,
	"settled": _settled,
	"number_changed": _number_changed,
	"number_added": _number_added,
	"joined": _joined,
	"other_account": _other_account,
	"same_person": _same_person,
	"new_person": _new_person,
	"auto_stopped": _auto_stopped,
	"promotions_stopped": _promotions,
	"promotions_resumed": _promotions,
	"rated": _rated,
	"snoozed": _snoozed,
	"unsnoozed": _unsnoozed,
	"macro": _macro,
}


def _first_part(reason: str | None) -> str:
	"""Why this agent, without the figures behind it."""
	known = {
		"knows the customer": _("knows the customer"),
		"least loaded": _("least loaded"),
		"least loaded of the branch": _("least loaded of the branch"),
	}
	first = (reason or "").partition(";")[0]
	return known.get(first, first)


def _with_reason(text: str, reason: str | None) -> str:
	reason = (reason or "").strip()
	if not reason:
		return f"{text}."
	return f"{text}: {ISOLATE.format(close_reason(reason) if reason in CLOSE_REASONS else _(reason))}"


def close_reason(reason: str) -> str:
	"""A reason for closing as people read it; what a person wrote stays as it is."""
	labels = {
		"resolved": _("Resolved"),
		"no_reply_needed": _("No Reply Needed"),
		"spam": _("Spam"),
		"inactive": _("Customer Is Silent"),
		"merged": _("Merged"),
		"new_holder": _("The Number Has a New Holder"),
	}
	return labels.get(reason, reason)
