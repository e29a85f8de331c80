"""A person starts, approves, pauses, resumes or cancels a campaign; each at any time, and after a crash.

What waits in the outbox is held while a campaign is paused, and taken back when it is cancelled. What is
being handed over at that very moment goes.
"""

from __future__ import annotations

from collections.abc import Callable

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotAllowed
from khalifa_whatsapp.services.campaigns.rows import (
	ACTIONS,
	campaign_of,
	note,
	only_managers,
	publish,
	recount,
)
from khalifa_whatsapp.services.outbound.campaign_messages import take_back
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

CHUNK = 500
MAX_QUEUED = 5_000  # more messages never wait of one campaign


def start(store: Store, actor: Actor, name: str, now_ms: int) -> records.Campaign:
	"""Let a planned campaign run, now or at its time. A large one waits for another manager's approval;
	who starts what somebody else planned has approved it.
	"""

	def act(work: UnitOfWork, campaign: records.Campaign) -> None:
		size = work.rules.settings.campaign_approval_size
		if campaigns.needs_approval(campaign, size) and actor.user == campaign.planned_by:
			campaign.status = campaigns.AWAITING
			return
		if campaigns.needs_approval(campaign, size):
			_approved(campaign, actor, now_ms)
		_let_go(campaign, now_ms)

	return _act(store, actor, name, now_ms, campaigns.START, act)


def approve(store: Store, actor: Actor, name: str, now_ms: int) -> records.Campaign:
	"""Another manager than the one who planned it says yes; then it runs, now or at its time."""

	def act(work: UnitOfWork, campaign: records.Campaign) -> None:
		if actor.user == campaign.planned_by:
			raise NotAllowed("own_campaign", "Somebody else than who planned the campaign must approve it.")
		_approved(campaign, actor, now_ms)
		_let_go(campaign, now_ms)

	return _act(store, actor, name, now_ms, campaigns.APPROVE, act)


def pause(store: Store, actor: Actor, name: str, now_ms: int) -> records.Campaign:
	"""Nothing more goes, of what waits in the outbox either, until somebody resumes it."""

	def act(work: UnitOfWork, campaign: records.Campaign) -> None:
		campaign.status = campaigns.PAUSED
		campaign.status_reason, campaign.status_values = "", ""

	return _act(store, actor, name, now_ms, campaigns.PAUSE, act)


def resume(store: Store, actor: Actor, name: str, now_ms: int) -> records.Campaign:
	"""It goes on where it was. What had gone before is not judged again: a person has looked at it."""
	return _act(
		store, actor, name, now_ms, campaigns.RESUME, lambda work, campaign: _let_go(campaign, now_ms)
	)


def cancel(store: Store, actor: Actor, name: str, now_ms: int) -> records.Campaign:
	"""It ends here: what waits in the outbox is taken back at once, planned recipients in a moment."""

	def act(work: UnitOfWork, campaign: records.Campaign) -> None:
		campaign.status, campaign.ended_ms = campaigns.CANCELLED, now_ms
		campaign.status_reason = campaign.status_values = ""
		_take_back_queued(work, campaign)

	_act(store, actor, name, now_ms, campaigns.CANCEL, act)
	return sweep(store, name, now_ms)


def sweep(store: Store, name: str, now_ms: int) -> records.Campaign:
	"""Take back the planned recipients of a cancelled campaign, some at a time; safe after a crash."""
	while retrying(lambda: _sweep_some(store, name, now_ms)):
		pass

	def run() -> records.Campaign:
		with working(store, now_ms) as work:
			campaign = campaign_of(work, name)
			if recount(work, campaign):
				publish(work, campaign)
			return campaign

	return retrying(run)


def _act(
	store: Store,
	actor: Actor,
	name: str,
	now_ms: int,
	act: str,
	change: Callable[[UnitOfWork, records.Campaign], None],
) -> records.Campaign:
	def run() -> records.Campaign:
		with working(store, now_ms, actor) as work:
			campaign = campaign_of(work, name)
			campaigns.require_act(act, campaign)
			change(work, campaign)
			note(work, campaign, ACTIONS[act])
			publish(work, campaign)
			return campaign

	only_managers(actor)
	return retrying(run)


def _approved(campaign: records.Campaign, actor: Actor, now_ms: int) -> None:
	campaign.approved_by, campaign.approved_by_name, campaign.approved_ms = (
		actor.user,
		actor.full_name,
		now_ms,
	)


def _let_go(campaign: records.Campaign, now_ms: int) -> None:
	campaign.status = campaigns.status_when_started(campaign, now_ms)
	campaign.status_reason = campaign.status_values = ""
	campaign.judged_from_ms = now_ms
	if campaign.status == campaigns.RUNNING:
		campaign.started_ms = campaign.started_ms or now_ms


def _take_back_queued(work: UnitOfWork, campaign: records.Campaign) -> None:
	rows = {row.message or "": row for row in work.store.queued_recipients(campaign.name, MAX_QUEUED)}
	for message in work.store.messages(rows).values():
		if message.status == records.MSG_QUEUED:  # what is being handed over nobody can stop
			take_back(work, message, [rows[message.name]])


def _sweep_some(store: Store, name: str, now_ms: int) -> int:
	with working(store, now_ms) as work:
		campaign = campaign_of(work, name)
		if campaign.status != campaigns.CANCELLED:
			return 0
		rows = store.waiting_recipients(name, CHUNK)
		for row in rows:
			campaigns.take_back(row, now_ms)
			work.touch(row)
		return len(rows)
