"""Taking in what gateways posted: webhook events become customers, tickets and messages.

A batch is one transaction: what it needs is read in a handful of queries, the rules decide in memory, all
changes and the events' own «done» are written together. A batch that fails is rolled back whole and taken
again event by event, so that one poison event fails alone and no notice of an undone change escapes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.drivers.base import Event, MessageDriver, PayloadError, Unhandled
from khalifa_whatsapp.services.inbound import handlers
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.privacy_ids import Aliases, PrivacyIds
from khalifa_whatsapp.services.unit_of_work import retrying, working
from khalifa_whatsapp.stores.base import Conflict, Store, StoreUnavailable, WebhookOutcome

MAX_ATTEMPTS = 8
FIRST_RETRY_MS = 5_000


@dataclass(slots=True)
class IntakeResult:
	"""What a drain did: deliveries finished, messages stored, deliveries that failed for now or for good."""

	webhook_events: int = 0
	messages: int = 0
	failed: int = 0
	is_busy: bool = False  # another process is at it
	# What the system makes of messages by itself failed, and they were taken in without: kind and place of
	# the error by device
	without_care: dict[str, str] = field(default_factory=dict)

	def add(self, other: IntakeResult) -> None:
		"""Sum up."""
		self.webhook_events += other.webhook_events
		self.messages += other.messages
		self.failed += other.failed
		self.without_care |= other.without_care


def drain(
	store: Store,
	driver: MessageDriver,
	clock: Callable[[], int],
	seconds: float = 60,
	batch: int | None = None,
) -> IntakeResult:
	"""Take in everything due of one device, for at most `seconds`. One drain per device at a time."""
	total = IntakeResult()
	stop = time.monotonic() + seconds
	people = PrivacyIds(driver)
	with store.lock(f"in:{driver.config.name}") as is_ours:
		if not is_ours:
			return IntakeResult(is_busy=True)
		while time.monotonic() < stop:
			limit = batch or store.rules().settings.drain_batch
			aliases = people.ask(store, clock(), limit)
			taken = take_batch(store, driver, clock(), limit, aliases)
			total.add(taken)
			if taken.webhook_events + taken.failed == 0:
				break
	return total


def take_batch(
	store: Store, driver: MessageDriver, now_ms: int, limit: int, aliases: Aliases | None = None
) -> IntakeResult:
	"""Take in up to `limit` deliveries, together if possible, one by one if not."""
	try:
		return retrying(lambda: _take(store, driver, now_ms, limit, aliases))
	except StoreUnavailable:
		raise
	except Exception:
		# Whatever a delivery can provoke (it comes from outside) must not stop the others: each is now tried
		# alone, and the one at fault keeps its error.
		return _one_by_one(store, driver, now_ms, limit, aliases)


def _one_by_one(
	store: Store, driver: MessageDriver, now_ms: int, limit: int, aliases: Aliases | None
) -> IntakeResult:
	total = IntakeResult()
	for _ in range(limit):
		try:
			taken = retrying(lambda: _take(store, driver, now_ms, 1, aliases))
		except StoreUnavailable:
			raise
		except Exception as error:  # see take_batch
			taken = _without_care(store, driver, now_ms, aliases, error)
		if taken.webhook_events + taken.failed == 0:
			break
		total.add(taken)
	return total


def _without_care(
	store: Store, driver: MessageDriver, now_ms: int, aliases: Aliases | None, error: Exception
) -> IntakeResult:
	"""The first in line can't be taken in: a fault in what the system answers by itself must not keep a
	customer's words from people. If it lies elsewhere the delivery is put aside.
	"""
	if isinstance(error, Conflict):  # somebody else was faster: it works the next time
		return _put_aside(store, driver, now_ms, error)
	try:
		taken = retrying(lambda: _take(store, driver, now_ms, 1, aliases, has_care=False))
	except StoreUnavailable:
		raise
	except Exception:  # it is the delivery's own
		return _put_aside(store, driver, now_ms, error)
	taken.without_care[driver.config.name] = describe(error)
	return taken


def _take(
	store: Store,
	driver: MessageDriver,
	now_ms: int,
	limit: int,
	aliases: Aliases | None,
	has_care: bool = True,
) -> IntakeResult:
	with working(store, now_ms) as work:
		webhook_events = store.due_webhook_events(driver.config.name, now_ms, limit)
		if not webhook_events:
			return IntakeResult()
		parsed = [(webhook_event, *_parse(driver, webhook_event)) for webhook_event in webhook_events]
		batch = IntakeBatch(work, driver.config, aliases, driver.capabilities, has_care)
		handlers.apply(
			batch, [(webhook_event, event) for webhook_event, events, _ in parsed for event in events]
		)
		store.finish_webhook_events([_outcome(d, events, error) for d, events, error in parsed], now_ms)
		return IntakeResult(len(webhook_events), batch.thread.stored)


def _parse(driver: MessageDriver, webhook_event: records.WebhookEvent) -> tuple[list[Event], str]:
	try:
		return driver.parse(webhook_event.body), ""
	except PayloadError as error:
		return [], str(error)


def _outcome(webhook_event: records.WebhookEvent, events: list[Event], error: str) -> WebhookOutcome:
	"""Dead: not the gateway's format, so trying again can't help. Ignored: nothing in it was for us."""
	if error:
		return WebhookOutcome(webhook_event.name, "Dead", error, webhook_event.attempts + 1)
	unhandled = [event for event in events if isinstance(event, Unhandled)]
	reasons = "; ".join(sorted({event.reason for event in unhandled}))[:500]
	status = "Ignored" if len(unhandled) == len(events) else "Done"
	return WebhookOutcome(webhook_event.name, status, reasons, webhook_event.attempts + 1)


def _put_aside(store: Store, driver: MessageDriver, now_ms: int, error: Exception) -> IntakeResult:
	"""Write the failure on the delivery that was first in line; it comes back later, or is Dead."""
	retrying(lambda: _write_failure(store, driver, now_ms, error))
	return IntakeResult(failed=1)


def _write_failure(store: Store, driver: MessageDriver, now_ms: int, error: Exception) -> None:
	with store.transaction():
		for webhook_event in store.due_webhook_events(driver.config.name, now_ms, 1):
			attempts = webhook_event.attempts + 1
			is_dead = attempts >= MAX_ATTEMPTS and not isinstance(error, Conflict)
			wait = min(HOUR_MS, FIRST_RETRY_MS * 2**attempts)
			outcome = WebhookOutcome(
				webhook_event.name,
				"Dead" if is_dead else "Failed",
				describe(error),
				attempts,
				None if is_dead else now_ms + wait,
			)
			store.finish_webhook_events([outcome], now_ms)
