"""The plan: every line of the audience becomes one recipient, frozen as it will be sent, or is left out with
its reason.

Lines come in chunks, each in its own transaction together with the place reached; so memory is bounded, a
crash loses nothing, and who goes on begins again at the first line: what is written is only looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from khalifa_whatsapp.core import audience as lines_of
from khalifa_whatsapp.core import campaign_plan, campaigns, cost, records, template_state
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.audience import Audience, Line
from khalifa_whatsapp.core.campaign_content import Content, content_of, variant_of
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.core.phones import country_of
from khalifa_whatsapp.core.service_window import is_window_open
from khalifa_whatsapp.core.templates import shape_of
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.campaigns.audience import with_people
from khalifa_whatsapp.services.campaigns.rows import (
	ACTIONS,
	campaign_of,
	note,
	only_managers,
	publish,
	recount,
)
from khalifa_whatsapp.services.outbound.payloads import WINDOW_CLOSED
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

CHUNK = 500
CLEARED = 2_000  # recipients deleted in one transaction


@dataclass(frozen=True, slots=True)
class Device:
	"""What a plan and its run must know of the device: its pace, and what its gateway takes."""

	pace: Pace
	can: Capabilities

	@property
	def is_official(self) -> bool:
		"""Whether it is WhatsApp's own interface, the only one with templates."""
		return self.can.has_templates


def begin(store: Store, actor: Actor, name: str, now_ms: int) -> records.Campaign:
	"""A manager wants the campaign planned; `plan` then reads the audience."""

	def run() -> records.Campaign:
		with working(store, now_ms, actor) as work:
			campaign = campaign_of(work, name)
			campaigns.require_act(campaigns.PLAN, campaign)
			campaign.plan_state, campaign.plan_cursor = campaigns.PLANNING, ""
			campaign.planned_by, campaign.planned_by_name = actor.user, actor.full_name
			campaign.status_reason = campaign.status_values = ""
			campaigns.put_counts(campaign, {})
			note(work, campaign, ACTIONS[campaigns.PLAN])
			publish(work, campaign)
			return campaign

	only_managers(actor)
	return retrying(run)


def plan(
	store: Store,
	name: str,
	lines: Iterable[Line],
	made: Audience,
	content: Content,
	device: Device,
	now_ms: int,
) -> bool:
	"""Freeze all lines, from the first one on; False when the plan was taken back meanwhile.

	`made` is the audience that the lines came through: it knows who came twice.
	"""
	for chunk in _chunks(lines):
		if not retrying(lambda chunk=chunk: _freeze(store, name, chunk, made, content, device, now_ms)):  # type: ignore[misc]
			return False
	return retrying(lambda: _finish(store, name, content, device, now_ms))


def fail(store: Store, name: str, error: UserError, now_ms: int) -> None:
	"""The audience or the content can't be used: the campaign is a draft again, and says why."""

	def run() -> None:
		with working(store, now_ms) as work:
			campaign = campaign_of(work, name)
			if campaign.plan_state == campaigns.PLANNING:
				campaign.plan_state = campaigns.CLEARING
				campaign.status_reason, campaign.status_values = error.text, values_json(error.values)
				publish(work, campaign)

	retrying(run)
	clear(store, name, now_ms)


def take_back(store: Store, actor: Actor, name: str, now_ms: int) -> None:
	"""The plan is deleted, and what the campaign says can be changed again."""

	def run() -> None:
		with working(store, now_ms, actor) as work:
			campaign = campaign_of(work, name)
			campaigns.require_act(campaigns.TAKE_BACK, campaign)
			campaign.status, campaign.plan_state = campaigns.DRAFT, campaigns.CLEARING
			campaign.approved_by = campaign.approved_by_name = campaign.approved_ms = None
			note(work, campaign, ACTIONS[campaigns.TAKE_BACK])
			publish(work, campaign)

	only_managers(actor)
	retrying(run)
	clear(store, name, now_ms)


def clear(store: Store, name: str, now_ms: int) -> None:
	"""Delete what a plan that was taken back has left, some at a time; safe after a crash."""
	while retrying(lambda: _clear_some(store, name)):
		pass

	def run() -> None:
		with working(store, now_ms) as work:
			campaign = campaign_of(work, name)
			if campaign.plan_state != campaigns.CLEARING:
				return
			campaign.plan_state = campaign.plan_cursor = campaign.limited_by = ""
			campaign.estimated_end_ms, campaign.estimated_days, campaign.estimated_cost = None, 0, 0
			campaign.planned_ms = None
			campaigns.put_counts(campaign, {})
			publish(work, campaign)

	retrying(run)


def _clear_some(store: Store, name: str) -> int:
	with store.transaction():
		campaign = store.campaigns([name]).get(name)
		if campaign is None or campaign.plan_state != campaigns.CLEARING:
			return 0
		return store.drop_recipients(name, CLEARED)


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
	source = iter(lines)
	while chunk := list(islice(source, CHUNK)):
		yield chunk


def _freeze(
	store: Store,
	name: str,
	chunk: list[Line],
	made: Audience,
	content: Content,
	device: Device,
	now_ms: int,
) -> bool:
	with working(store, now_ms) as work:
		campaign = campaign_of(work, name)
		if campaign.plan_state != campaigns.PLANNING:
			return False
		known = with_people(store, made, chunk, bool(campaign.is_promotion))
		new = [line for line in known if line.number > int(campaign.plan_cursor or 0)]
		if new:
			_add(work, campaign, new, content, device)
			campaign.plan_cursor = str(new[-1].number)
			campaign.total_count += len(new)
			work.touch(campaign)
		return True


def _add(
	work: UnitOfWork, campaign: records.Campaign, lines: list[Line], content: Content, device: Device
) -> None:
	keys = {line.number: _key(campaign.name, line) for line in lines}
	there = work.store.recipient_lines(keys.values())
	late = _outside_window(work, campaign, lines, device)
	for line in lines:
		key = keys[line.number]
		if key in there:  # a person who became known as another line's customer between two chunks
			double = line.refused(lines_of.DUPLICATE, str(there[key]))
			work.add(_row(work, campaign, double, _key(campaign.name, double), content))
			continue
		row = work.add(_row(work, campaign, line, key, content))
		if line.number in late and row.status == campaigns.WAITS:
			campaigns.skip(row, WINDOW_CLOSED)


def _key(campaign: str, line: Line) -> str:
	"""A person is one recipient of a campaign, by customer, else by number in its first form;
	a line that is left out is by itself.
	"""
	if line.why:
		return digest("campaign line", campaign, str(line.number))
	if line.customer:
		return digest("campaign customer", campaign, line.customer)
	return digest("campaign phone", campaign, min(one.value for one in Identity(PHONE, line.phone).forms))


def _outside_window(
	work: UnitOfWork, campaign: records.Campaign, lines: list[Line], device: Device
) -> set[int]:
	"""Lines of customers who did not write lately, where only a template would reach them."""
	if campaign.content_type != campaigns.TEXT or not device.can.has_window:
		return set()
	at_ms = max(work.now_ms, campaign.scheduled_ms or 0)
	known = work.read_customers({line.customer for line in lines if line.customer})
	return {
		line.number
		for line in lines
		if line.customer not in known or not is_window_open(known[line.customer].last_in_ms, at_ms)
	}


def _row(
	work: UnitOfWork, campaign: records.Campaign, line: Line, key: str, content: Content
) -> records.CampaignRecipient:
	row = records.CampaignRecipient(
		work.new_name(),
		key,
		campaign.name,
		line.number,
		customer=line.customer or None,
		customer_name=line.values.get(lines_of.CUSTOMER_NAME, "")[:140],
		address=(line.phone or line.given)[:140],
		parameters=json.dumps(dict(line.values), ensure_ascii=False),
	)
	if line.why:
		text, values = lines_of.reason(line.why, line.given, line.detail)
		campaigns.skip(row, text, values_json(values))
		return row
	row.variant = variant_of(key, campaign.share_b, bool(campaign.text_b.strip()))
	try:
		frozen = content.freeze(line.values, row.variant)
	except UserError as error:
		campaigns.skip(row, error.text, values_json(error.values))
		return row
	row.text, row.data = frozen.text, json.dumps(frozen.data, ensure_ascii=False) if frozen.data else ""
	return row


def _finish(store: Store, name: str, content: Content, device: Device, now_ms: int) -> bool:
	with working(store, now_ms) as work:
		campaign = campaign_of(work, name)
		if campaign.plan_state != campaigns.PLANNING:
			return False
		campaign.plan_state, campaign.planned_ms = campaigns.PLANNED, now_ms
		recount(work, campaign)
		put_estimate(work, campaign, content, device)
		publish(work, campaign)
		return True


def put_estimate(work: UnitOfWork, campaign: records.Campaign, content: Content, device: Device) -> None:
	"""How long what is planned takes from its start on, and what it costs."""
	chosen = audience_of(work.store, campaign, content)
	condition = work.store.device_condition(campaign.device)
	portfolio = None
	if campaign.content_type == campaigns.TEMPLATE:
		portfolio = campaign_plan.portfolio_limit(condition.messaging_limit)
	start_ms = max(work.now_ms, campaign.scheduled_ms or 0)
	own = campaign_plan.pace_of(campaign)
	plan = campaign_plan.estimate(chosen, device.pace, own, portfolio, start_ms, work.rules.calendar)
	campaign.estimated_days, campaign.estimated_end_ms = plan.days, plan.end_ms
	campaign.limited_by = json.dumps([plan.limited_by, plan.limit]) if plan.limited_by else ""
	_put_cost(work, campaign, device, plan.end_ms or start_ms)


def _put_cost(work: UnitOfWork, campaign: records.Campaign, device: Device, at_ms: int) -> None:
	"""By the price that a person wrote, else by the rates of the day on which it ends; other gateways than
	WhatsApp's own cost nothing.
	"""
	campaign.unpriced_count, campaign.estimated_currency = 0, campaign.currency
	campaign.estimated_cost = campaign_plan.cost_of(campaign.planned_count, campaign.price)
	if campaign.price or not device.is_official:
		return
	template = work.store.campaign_template(campaign.template or "")
	countries: dict[str, int] = {}
	for address, count in work.store.recipient_numbers(campaign.name):
		country = country_of(address)
		countries[country] = countries.get(country, 0) + count
	category = cost.category_of("", template.category if template else "")
	day = work.rules.calendar.local_date(at_ms)
	expected = cost.estimate(category, countries, day, work.store.message_rates())
	campaign.unpriced_count = expected.unknown
	for currency, micros in sorted(expected.micros.items(), key=lambda pair: -pair[1])[:1]:
		campaign.estimated_currency, campaign.estimated_cost = currency, round(micros / cost.MICROS, 2)


def audience_of(store: Store, campaign: records.Campaign, content: Content) -> campaign_plan.Audience:
	"""What the plan's length depends on."""
	count = campaign.planned_count
	share = campaign.share_b if campaign.text_b.strip() else 0
	is_same = campaign.content_type == campaigns.TEXT and not content.needed
	equal = -(-count * max(share, 100 - share) // 100) if is_same else 0
	return campaign_plan.Audience(count, store.count_new_chats(campaign.name, campaign.device), equal)


def values_json(values: Mapping[str, object]) -> str:
	"""What stands in the places of a sentence, as a row keeps it."""
	return json.dumps(dict(values), ensure_ascii=False, default=str) if values else ""


def content_for(store: Store, campaign: records.Campaign) -> Content:
	"""What the campaign says. Raises `UserError` where that can't be sent: no text, no usable template."""
	if campaign.content_type != campaigns.TEMPLATE:
		return content_of(campaign)
	template = store.campaign_template(campaign.template or "")
	if template is None or template.device != campaign.device:
		raise UserError(
			"campaign_without_template", "Choose a template of the campaign's own device, and save it."
		)
	reason = template_state.why_not(template.status, bool(template.components))
	if reason:
		raise UserError("template_not_usable", "The template can't be sent now. {reason}", reason=reason)
	shape = shape_of(_parts(template.components), template.parameter_format or "POSITIONAL")
	return content_of(campaign, shape, template.template_name, template.language)


def _parts(components: str) -> list[Any]:
	try:
		loaded = json.loads(components)
	except ValueError:
		loaded = []
	return loaded if isinstance(loaded, list) else []
