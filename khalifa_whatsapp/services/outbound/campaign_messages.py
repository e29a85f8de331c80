"""Messages of campaigns in the outbox: which may go now, and what becomes of their recipients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.campaign_plan import pace_of
from khalifa_whatsapp.core.pacing import CAMPAIGN, Candidate, Slot, day_start_ms, next_slot
from khalifa_whatsapp.services.unit_of_work import UnitOfWork
from khalifa_whatsapp.stores.base import Store

TAKEN_BACK = "The campaign was cancelled before this message went."


@dataclass(slots=True)
class Held:
	"""Campaigns of which nothing may go now: some until a person resumes them, others until an instant."""

	names: list[str] = field(default_factory=list)
	until: Slot | None = None  # the first instant at which one of them may go on by itself
	waiting: list[str] = field(default_factory=list)  # the names of those


def held(store: Store, known: Sequence[records.Campaign], now_ms: int, calendar: Calendar) -> Held:
	"""Which of a device's campaigns are held now: paused, or at a limit of their own."""
	outcome = Held()
	for campaign in known:
		if campaign.status == campaigns.PAUSED:
			outcome.names.append(campaign.name)
			continue
		slot = _slot(store, campaign, now_ms, calendar)
		if slot.at_ms > now_ms:
			outcome.names.append(campaign.name)
			outcome.waiting.append(campaign.name)
			is_sooner = outcome.until is None or slot.at_ms < outcome.until.at_ms
			outcome.until = slot if is_sooner else outcome.until
	return outcome


def _slot(store: Store, campaign: records.Campaign, now_ms: int, calendar: Calendar) -> Slot:
	pace = pace_of(campaign)
	if pace.is_free:
		return Slot(now_ms)
	traffic = store.campaign_traffic(campaign.name, pace, now_ms, day_start_ms(now_ms, calendar))
	return next_slot(pace, traffic, Candidate(CAMPAIGN), now_ms, calendar)


def may_be_claimed(work: UnitOfWork, message: records.Message) -> bool:
	"""Whether its campaign lets it go, as of this transaction: a person may have stopped it since the message
	was picked. What belongs to a cancelled one is taken back here, if it comes back for another attempt.
	"""
	if not message.campaign:
		return True
	campaign = work.store.campaigns([message.campaign]).get(message.campaign)
	if campaign is not None and campaign.status == campaigns.CANCELLED:
		take_back(work, message, work.store.recipients_of_messages([message.name]))
		return False
	return campaign is None or campaign.status != campaigns.PAUSED


def take_back(
	work: UnitOfWork, message: records.Message, recipients: Sequence[records.CampaignRecipient]
) -> None:
	"""A message that waits does not go any more, and its recipient (there is one) will not get it."""
	for recipient in recipients:
		campaigns.take_back(recipient, work.now_ms)
		work.touch(recipient)
	message.status, message.error_kind, message.error_text = records.FAILED, "discarded", TAKEN_BACK
	message.generation += 1  # a sender that is late writes nothing any more
	work.touch(message)


def follow(work: UnitOfWork) -> None:
	"""The recipients of all messages that this transaction has changed are what their messages are now."""
	changed = work.changes.updated.get(records.Message, {})
	messages = {name: message for name, message in changed.items() if message.campaign}
	stored = work.store.recipients_of_messages(messages) if messages else []
	for recipient in work.current(stored):
		campaigns.follow(recipient, messages[recipient.message or ""], work.now_ms)
		work.touch(recipient)
