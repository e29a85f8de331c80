"""Asking customers how it was: what is due is asked, what nobody answers expires, agents ask by hand."""

from __future__ import annotations

from collections.abc import Callable

from khalifa_whatsapp.core import records, satisfaction, template_state, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import Changed, UserError
from khalifa_whatsapp.core.keys import template_key
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.core.templates import filled, stored_shape
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.isolation import check, each_alone
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft, template_draft
from khalifa_whatsapp.services.tickets import surveys
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

CanOf = Callable[[str], Capabilities | None]  # what a device's gateway takes; None: it is off
LIMIT = 500  # surveys of one minute
# Why a question did not go, by the refusal's code
SKIPPED_FOR = {"window_closed": satisfaction.WINDOW, "opted_out": satisfaction.OPTED_OUT}


def ask_due(store: Store, now_ms: int, can_of: CanOf, limit: int = LIMIT) -> set[str]:
	"""Ask what is due, each in a transaction of its own. Devices that have something to send now.

	A device that is off keeps its surveys until it is on again, or they are too old. Raises `RowsFailed`
	after all others.
	"""
	due = {row.name: row for row in store.due_surveys(now_ms, limit)}
	devices = {row.device for row in due.values()}
	can = {device: can_of(device) for device in devices}
	outcome = each_alone(due, lambda name: _ask_due(store, due[name], now_ms, can[due[name].device]))
	check(outcome.failed)
	return {device for device in outcome.done if device}


def _ask_due(store: Store, seen: records.Satisfaction, now_ms: int, can: Capabilities | None) -> str:
	with working(store, now_ms) as work:
		ticket = store.tickets([seen.ticket]).get(seen.ticket)  # first, the lock
		survey = store.surveys([seen.name]).get(seen.name)
		if ticket is None or survey is None or survey.state != satisfaction.PLANNED or survey.message:
			return ""
		why = satisfaction.why_not(survey, ticket, now_ms)
		if not why and can is None:
			return ""
		if not why:
			why = _skipped_for(work, survey, ticket, can)
		work.touch(survey)
		if why:
			survey.state, survey.why, survey.due_ms = satisfaction.SKIPPED, why, None
			return ""
		notify_owner(work, ticket, "changed")
		return ticket.device


def _skipped_for(
	work: UnitOfWork, survey: records.Satisfaction, ticket: records.Ticket, can: Capabilities | None
) -> str:
	"""Ask; why it could not be asked, or nothing."""
	try:
		_ask(work, survey, ticket, can)
	except UserError as error:
		return SKIPPED_FOR.get(error.code, satisfaction.NOT_SENDABLE)
	return ""


def _ask(
	work: UnitOfWork, survey: records.Satisfaction, ticket: records.Ticket, can: Capabilities | None
) -> None:
	"""Queue the question: freely, or outside the window by the template for it."""
	cause = automatic.Cause(records.SURVEY, f"survey:{survey.name}")
	try:
		message = automatic.queue(work, ticket, _question(work, survey, can), cause, can)
	except UserError as error:
		template = _template(work, ticket) if error.code == "window_closed" else None
		if template is None:
			raise
		draft = template_draft(filled(template, ()))
		is_promotion = template.category == template_state.MARKETING
		cause = automatic.Cause(records.SURVEY, cause.client_key, is_promotion=is_promotion)
		message = automatic.queue(work, ticket, draft, cause, can)
	settings = work.rules.settings
	survey.message, survey.sent_ms, survey.due_ms = message.name, work.now_ms, None
	survey.expires_ms = work.now_ms + round(settings.survey_expiry_hours * HOUR_MS)


def _question(work: UnitOfWork, survey: records.Satisfaction, can: Capabilities | None) -> Draft:
	"""A list to choose from where the gateway has one; else a text that asks for a number."""
	text = work.rules.settings.survey_text
	if can is not None and "choices" in can.kinds:
		return Draft(text, "choices", data={"choices": satisfaction.choices(survey.name)})
	return Draft(f"{text}\n{satisfaction.HOW_TO_REPLY}")


def _template(work: UnitOfWork, ticket: records.Ticket) -> records.ProviderTemplate | None:
	"""The template of the settings, or the one of the same name and language on the ticket's own number."""
	name = work.rules.settings.survey_template
	chosen = work.store.provider_template(name) if name else None
	if chosen is not None and chosen.device != ticket.device:
		key = template_key(ticket.device, chosen.template_name, chosen.language)
		chosen = next(iter(work.store.provider_templates(ticket.device, [key], ())), None)
	is_usable = (
		chosen is not None and not template_state.why_not_sent(chosen) and not stored_shape(chosen).variables
	)
	return chosen if is_usable else None


def ask(
	store: Store, actor: Actor, ticket: str, now_ms: int, can: Capabilities | None
) -> records.Satisfaction:
	"""Ask now, because a person wants it: its holder or a manager, of an open conversation, too."""

	def run() -> records.Satisfaction:
		with working(store, now_ms, actor) as work:
			row = ticket_of(work, ticket)
			require(ticket_access.can_settle(actor, row))
			if row.turn is not None:
				raise UserError("customer_waits_first", "The customer waits for an answer. Answer first.")
			if can is None:
				raise UserError("device_off", "This number can't send now. A manager sees why in its form.")
			survey = surveys.of_cycle(work, row)
			if survey.message is not None:
				raise Changed("asked_already", "The customer was already asked about this conversation.")
			_ask_by_hand(work, survey, row, can)
			survey.state, survey.why, survey.is_by_hand = satisfaction.PLANNED, "", 1
			notify_owner(work, row, "changed")
			return survey

	return retrying(run)


def _ask_by_hand(
	work: UnitOfWork, survey: records.Satisfaction, ticket: records.Ticket, can: Capabilities
) -> None:
	try:
		_ask(work, survey, ticket, can)
	except UserError as error:
		if error.code != "window_closed":
			raise
		raise UserError(
			"no_survey_template",
			"More than 24 hours have passed since the customer wrote, "
			"and no approved template for surveys is chosen in the settings.",
		) from None


def expire(store: Store, now_ms: int, limit: int = LIMIT) -> int:
	"""Give up on answers that did not come in time; how many."""

	def run() -> int:
		with working(store, now_ms) as work:
			late = store.expired_surveys(now_ms, limit)
			for survey in late:
				survey.state = satisfaction.EXPIRED
				work.touch(survey)
			return len(late)

	return retrying(run)
