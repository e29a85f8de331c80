"""Recipients move into the outbox, no more of them than may go soon: so a pause holds little, and whatever
changes (opt-outs, limits, a number in trouble) counts for all the others.

A recipient and its message are written in one transaction, under the campaign's lock; the message's key is
the recipient's. So nobody gets it twice, whatever is killed when.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from khalifa_whatsapp.core import campaign_plan, campaigns, records
from khalifa_whatsapp.core.audience import REASONS, UNREACHABLE
from khalifa_whatsapp.core.campaign_stops import Condition
from khalifa_whatsapp.core.errors import UserError, describe
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.pacing import CAMPAIGN, Candidate, Pace, Traffic, day_start_ms, next_slot
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.services.campaigns.planning import Device, values_json
from khalifa_whatsapp.services.campaigns.rows import campaign_of, publish
from khalifa_whatsapp.services.customers import merging
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

CHUNK = 100  # recipients in one transaction
FEEDABLE = frozenset({campaigns.SCHEDULED, campaigns.RUNNING})


def feed_all(store: Store, find: Callable[[str], Device | None], now_ms: int, on: str = "") -> dict[str, int]:
	"""Feed every campaign that runs (`on` one device), each by itself; how many were queued, by device.

	`find` gives what is known of a device, or None when it can't be used now.
	"""
	queued: dict[str, int] = {}
	failed: dict[str, str] = {}
	for campaign in store.campaigns_in(FEEDABLE):
		device = find(campaign.device) if on in ("", campaign.device) else None
		if device is None:
			continue
		try:
			count = _feed_alone(store, campaign, device, now_ms)
			queued[campaign.device] = queued.get(campaign.device, 0) + count
		except Exception as error:  # what stops one campaign must not stop the others: it is named below
			failed[campaign.name] = describe(error)
	check(failed)
	return queued


def _feed_alone(store: Store, campaign: records.Campaign, device: Device, now_ms: int) -> int:
	"""Feed, unless another process does so on this device: two would both fill the same room."""
	with store.lock(f"feed:{campaign.device}") as is_ours:
		return feed(store, campaign.name, device, now_ms) if is_ours else 0


def feed(store: Store, name: str, device: Device, now_ms: int) -> int:
	"""Queue as many recipients as may go soon; how many."""
	left = retrying(lambda: _room(store, name, device, now_ms))
	queued = 0
	while left > 0:
		count = min(left, CHUNK)
		outcome = batch_or_one_by_one(
			lambda count=count: _queue(store, name, device, count, now_ms),  # type: ignore[misc]
			lambda count=count: _first(store, name, count),  # type: ignore[misc]
			lambda recipient: _queue(store, name, device, CHUNK, now_ms, only=recipient),
		)
		check(outcome.failed)
		taken, done = (sum(part) for part in zip(*outcome.done, strict=True)) if outcome.done else (0, 0)
		queued += done
		left -= done
		if not taken:
			break
	return queued


def _room(store: Store, name: str, device: Device, now_ms: int) -> int:
	"""How many more may be queued now; a campaign whose time has come begins here."""
	with working(store, now_ms) as work:
		campaign = campaign_of(work, name)
		if campaign.status == campaigns.SCHEDULED and (campaign.scheduled_ms or 0) <= now_ms:
			campaign.status, campaign.judged_from_ms = campaigns.RUNNING, now_ms
			campaign.started_ms = campaign.started_ms or now_ms
			publish(work, campaign)
		if campaign.status != campaigns.RUNNING or _is_quiet(work, campaign, device.pace):
			return 0
		return _allowance(work, campaign, device)


def _is_quiet(work: UnitOfWork, campaign: records.Campaign, device: Pace) -> bool:
	for pace in (campaign_plan.pace_of(campaign), device):
		hours = Pace(quiet_from_minute=pace.quiet_from_minute, quiet_to_minute=pace.quiet_to_minute)
		slot = next_slot(hours, Traffic(), Candidate(CAMPAIGN), work.now_ms, work.rules.calendar)
		if slot.at_ms > work.now_ms:
			return True
	return False


def _allowance(work: UnitOfWork, campaign: records.Campaign, device: Device) -> int:
	store, own = work.store, campaign_plan.pace_of(campaign)
	portfolio = portfolio_of(campaign, store.device_condition(campaign.device))
	today = day_start_ms(work.now_ms, work.rules.calendar)
	room = campaign_plan.Room(
		store.count_under_way(campaign.name),
		store.campaign_traffic(campaign.name, own, work.now_ms, today).today,
		store.customers_promoted_to(campaign.device, work.now_ms - DAY_MS) if portfolio else 0,
	)
	return campaign_plan.allowance(device.pace, own, portfolio, room)


def portfolio_of(campaign: records.Campaign, condition: Condition) -> int | None:
	"""How many customers Meta lets the business write to in 24 hours, where that binds the campaign:
	answers within the service window don't count.
	"""
	is_template = campaign.content_type == campaigns.TEMPLATE
	return campaign_plan.portfolio_limit(condition.messaging_limit) if is_template else None


def _first(store: Store, name: str, count: int) -> list[str]:
	with store.transaction():
		return [row.name for row in store.waiting_recipients(name, count)]


def _queue(
	store: Store, name: str, device: Device, count: int, now_ms: int, only: str = ""
) -> tuple[int, int]:
	"""Queue the next few; how many were looked at, and how many of them were queued."""
	with working(store, now_ms) as work:
		campaign = campaign_of(work, name)
		if campaign.status != campaigns.RUNNING:
			return 0, 0
		rows = [row for row in store.waiting_recipients(name, count) if only in ("", row.name)]
		batch = _Batch(work, campaign, device)
		batch.read(rows)
		for row in rows:
			batch.queue(row)
			work.touch(row)
		return len(rows), sum(row.queued_ms is not None for row in rows)


class _Batch:
	"""Recipients of one campaign and all that is known of them, read together."""

	def __init__(self, work: UnitOfWork, campaign: records.Campaign, device: Device) -> None:
		self.work, self.campaign, self.device = work, campaign, device
		self.customers = Customers(work, self._merge)
		self.tickets: dict[str, records.Ticket] = {}
		self.taken: set[str] = set()  # customers who are in another line of this campaign already
		self.fresh: list[str] = []  # names for new tickets

	def read(self, rows: list[records.CampaignRecipient]) -> None:
		"""Who they are, what was said to them before, and whether one has had this campaign already."""
		self.customers.read(Identity(PHONE, row.address) for row in rows if not row.customer)
		self.customers.load({row.customer for row in rows if row.customer})
		for row in rows:
			if not row.customer:
				number = Identity(PHONE, row.address)
				row.customer = self.customers.resolve([number], self.work.now_ms).name
		names = {row.customer for row in rows if row.customer}
		store, mine = self.work.store, {row.name for row in rows}
		others = store.recipients_of_customers(self.campaign.name, names)
		self.taken = {row.customer or "" for row in others if row.name not in mine and row.queued_ms}
		latest = store.latest_tickets([(name, self.campaign.device) for name in names])
		self.tickets = {customer: ticket for (customer, _), ticket in latest.items()}
		self.fresh = store.next_ticket_names(len(names - self.tickets.keys()))

	def queue(self, row: records.CampaignRecipient) -> None:
		"""Queue one, or say why not."""
		customer = self.customers.by_name.get(row.customer or "")
		if customer is None:
			campaigns.skip(row, REASONS[UNREACHABLE])
		elif customer.name in self.taken:
			campaigns.skip(row, campaigns.TWICE)
		elif self.campaign.is_promotion and customer.is_opted_out:
			campaigns.skip(row, campaigns.WANTS_NONE)
		else:
			self._put(row, customer)

	def _put(self, row: records.CampaignRecipient, customer: records.Customer) -> None:
		is_text = self.campaign.content_type == campaigns.TEXT
		draft = Draft(row.text) if is_text else Draft(row.text, "template", data=json.loads(row.data))
		cause = automatic.Cause(
			records.CAMPAIGN,
			row.recipient_key,
			campaign=self.campaign.name,
			is_promotion=bool(self.campaign.is_promotion),
		)
		ticket = self.tickets.get(customer.name) or self._new_ticket(customer)
		identities = self.customers.rows.get(customer.name, [])
		try:
			message = automatic.queue_new(self.work, ticket, draft, cause, self.device.can, identities)
		except UserError as error:
			campaigns.skip(row, error.text, values_json(error.values))
			return
		self.taken.add(customer.name)
		row.message, row.ticket, row.queued_ms = message.name, ticket.name, self.work.now_ms
		row.customer_name = customer.customer_name or row.customer_name
		row.status = campaigns.status_of(row)

	def _new_ticket(self, customer: records.Customer) -> records.Ticket:
		return new_ticket(self.work, customer, self.campaign.device, self.fresh.pop(0))

	def _merge(self, gone: str, kept: str) -> None:
		"""Only identities that are named together make two customers one; here each stands alone."""
		merging.merge(self.work, gone, kept)


def new_ticket(work: UnitOfWork, customer: records.Customer, device: str, name: str) -> records.Ticket:
	"""A conversation for whoever never wrote to the device: closed, for nobody waits in it. When the customer
	answers, it opens.
	"""
	ticket = records.Ticket(
		name,
		customer.name,
		device,
		status=records.CLOSED,
		customer_name=customer.customer_name,
		branch=customer.branch,
		opened_ms=work.now_ms,
		closed_ms=work.now_ms,
		close_reason="campaign",
		last_message_ms=work.now_ms,
	)
	work.log(ticket, "created", is_automatic=1, reason="campaign")
	return work.add(ticket)
