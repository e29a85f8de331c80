"""The survey of a ticket's cycle: planned when a person closes it, moved on by the fate of its question."""

from __future__ import annotations

from khalifa_whatsapp.core import records, satisfaction
from khalifa_whatsapp.core.keys import survey_key
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

ARRIVED = frozenset({records.DELIVERED, records.READ, records.PLAYED})


def plan(work: UnitOfWork, ticket: records.Ticket, reason: str, is_bulk: bool) -> None:
	"""A ticket has just been closed: ask in a while, unless it was asked about in this cycle already."""
	settings = work.rules.settings
	if not satisfaction.may_ask(ticket, reason, is_bulk, work.actor.user is not None, settings):
		return
	survey = of_cycle(work, ticket)
	if survey.state == satisfaction.PLANNED and survey.message is None:
		survey.due_ms = satisfaction.due_ms(work.now_ms, settings)


def of_cycle(work: UnitOfWork, ticket: records.Ticket) -> records.Satisfaction:
	"""The survey about the ticket's present cycle, made where there is none, with who gets the credit."""
	key = survey_key(ticket.name, ticket.cycle)
	known = work.store.survey_of_cycle(key)
	if known is not None:
		work.touch(known)
		return known
	agent = satisfaction.credited(work.current(work.store.human_replies(ticket.name)), ticket.cycle_replies)
	record = work.agent(agent) if agent else None
	return work.add(
		records.Satisfaction(
			work.new_name(),
			key,
			ticket.name,
			ticket.customer,
			ticket.device,
			ticket.cycle,
			branch=ticket.branch or (record.branch if record else None),
			agent=agent,
			agent_name=record.employee_name if record else None,
			planned_ms=work.now_ms,
		)
	)


def question_changed(work: UnitOfWork, message: records.Message) -> None:
	"""What became of a survey's question. An answer is stronger than any receipt."""
	survey = work.store.survey_of_message(message.name)
	if survey is None:
		return  # it asked for a comment, or thanked
	survey = work.current([survey])[0]
	if message.status in ARRIVED:
		survey.delivered_ms = survey.delivered_ms or work.now_ms
	if survey.state in satisfaction.AWAITED:
		survey.state = _state(survey, message.status)
		survey.why = satisfaction.NOT_DELIVERED if survey.state == satisfaction.SKIPPED else ""
	work.touch(survey)


def _state(survey: records.Satisfaction, status: str) -> str:
	if survey.delivered_ms is not None:
		return satisfaction.DELIVERED
	if status == records.FAILED:
		return satisfaction.SKIPPED
	return satisfaction.SENT if status == records.SENT else survey.state
