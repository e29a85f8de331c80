"""What would answer this text, now, for this customer, and why not the others? Asked by managers; nothing is
sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from khalifa_whatsapp.core import assignment, records
from khalifa_whatsapp.core.auto_replies import Verdict, explain, filled
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.services.care.auto_replies import Asked, History, facts_of_ticket
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, working
from khalifa_whatsapp.stores.base import Store


@dataclass(frozen=True, slots=True)
class Trial:
	"""Every enabled rule with its reason, and what the customer would read; `text` empty: nothing."""

	verdicts: list[Verdict]
	text: str = ""
	is_stopped: bool = False  # this conversation's automatic replies have stopped


def try_text(
	store: Store, text: str, device: str, branch: str, customer: str, now_ms: int, newcomer: str = ""
) -> Trial:
	"""Decide as if the customer wrote this text now. Without one: somebody new called `newcomer`."""
	with working(store, now_ms) as work:
		ticket = _ticket(work, device, branch, customer, newcomer)
		facts = replace(
			facts_of_ticket(work, ticket),
			text=text,
			message_ms=now_ms,
			is_new=ticket.first_message_ms is None and ticket.last_out_ms is None,
			is_anyone_here=assignment.is_anyone_here(store.roster(), ticket, now_ms, work.rules.settings),
		)
		asked, rules = Asked(ticket, facts, ""), work.rules.auto_replies.rules
		history = History(work, [asked], {rule.name for rule in rules})
		history.read_messages([asked])
		facts = history.completed(asked)
		verdicts = explain(rules, facts)
		is_stopped = ticket.auto_stop is not None
		answers = (verdict.rule for verdict in verdicts if not verdict.reason and not is_stopped)
		return Trial(verdicts, next((filled(rule, facts) for rule in answers), ""), is_stopped)


def _ticket(work: UnitOfWork, device: str, branch: str, customer: str, newcomer: str) -> records.Ticket:
	"""The conversation in which the message would be: open, opened again by it, or a new one."""
	latest = work.store.latest_tickets([(customer, device)]).get((customer, device)) if customer else None
	if latest is not None and _goes_on(work, latest):
		return latest
	known = work.read_customers([customer]).get(customer) if customer else None
	return records.Ticket(
		"",
		customer,
		device,
		customer_name=known.customer_name if known is not None else newcomer,
		branch=branch or (known.branch if known is not None else None),
	)


def _goes_on(work: UnitOfWork, ticket: records.Ticket) -> bool:
	window = work.rules.settings.reopen_window_hours * HOUR_MS
	return ticket.open_key is not None or work.now_ms - (ticket.closed_ms or 0) <= window
