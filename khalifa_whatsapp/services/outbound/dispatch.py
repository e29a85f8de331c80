"""Sending what was queued: one sender per device, every attempt written down before the socket opens.

A message whose fate nobody knows is *Unknown*; a machine never sends it again. A later status (by our own
callback key) settles it, or the chat's own log, or a person does. How fast a device may go, and whether at
all, is asked of the database before every message, so that a pause, a cap or a restart counts at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from khalifa_whatsapp.core import breaker as circuit
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import Route
from khalifa_whatsapp.core.cost import OPEN
from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.pacing import Candidate, Pace, Slot, day_start_ms, next_slot
from khalifa_whatsapp.core.service_window import is_window_open
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import campaign_messages, destination, payloads
from khalifa_whatsapp.services.outbound.automatic import check_promotion
from khalifa_whatsapp.services.outbound.results import accepted, doubt_after_silence, gave_up, refused
from khalifa_whatsapp.services.unit_of_work import retrying, working
from khalifa_whatsapp.stores.base import SendGate, Store, StoreUnavailable

CLAIM = 20
PATIENCE_SECONDS = 30.0  # longer waits are left to the next run: a worker has other devices to serve
FREE = Pace()
MAX_CODE = 140  # characters of an error's code, as the message keeps it


@dataclass(slots=True)
class SendResult:
	"""What a drain did, and what holds up the rest."""

	sent: int = 0
	retried: int = 0
	failed: int = 0
	unknown: int = 0
	is_busy: bool = False
	is_stopped: bool = False  # paused, held, or the breaker is open
	is_alarming: bool = False  # the breaker opened in this very run: tell a person
	waits: Slot | None = None  # the pace holds up what is left until then
	# messages that could not even be claimed, and why
	not_tried: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
	"""One drain of one device."""

	store: Store
	driver: base.MessageDriver
	clock: Callable[[], int]
	pace: Pace
	is_held: bool = False
	total: SendResult = field(default_factory=SendResult)
	ahead: deque[records.Message] = field(default_factory=deque)
	send_gate: SendGate | None = None

	@property
	def device(self) -> str:
		"""The name of the device that sends."""
		return self.driver.config.name


def drain(
	store: Store,
	driver: base.MessageDriver,
	clock: Callable[[], int],
	seconds: float = 60,
	pace: Pace = FREE,
	sleep: Callable[[float], None] = time.sleep,
	is_held: bool = False,
) -> SendResult:
	"""Send what is due on one device, for at most `seconds`. One sender per device at a time.

	`is_held`: its settings can't be used now. Nothing goes and no attempt is used, but its outbox is looked
	at.
	"""
	run = Run(store, driver, clock, pace, is_held or driver.config.has_lost_login)
	stop = time.monotonic() + seconds
	with store.lock(f"out:{run.device}") as is_ours:
		if not is_ours:
			return SendResult(is_busy=True)
		_apart(run, "abandoned messages", lambda: _count_unknown(run, gave_up))
		if not _apart(run, "doubt after silence", lambda: _count_unknown(run, doubt_after_silence)):
			return run.total  # what may have gone already must not go again
		while time.monotonic() < stop:
			picked = _pick(run)
			if picked is None:
				break
			if isinstance(picked, records.Message):
				_send(run, picked.name)
				continue
			wait = (picked.at_ms - clock()) / 1000
			if wait > PATIENCE_SECONDS or time.monotonic() + wait > stop:
				run.total.waits = picked
				break
			sleep(max(wait, 0.001))
	return run.total


def _apart(run: Run, name: str, act: Callable[[], None]) -> bool:
	"""Whether it was done; if not, it is told, the next run tries again,
	and other messages are not held up for it.
	"""
	try:
		retrying(act)
	except StoreUnavailable:
		raise
	except Exception as error:  # whatever one row can provoke
		run.total.not_tried[name] = describe(error)
		return False
	return True


def _count_unknown(run: Run, settle: Callable[[Store, base.MessageDriver, int], int]) -> None:
	run.total.unknown += settle(run.store, run.driver, run.clock())


def _pick(run: Run) -> records.Message | Slot | None:
	"""The next message that may go; or when the next one may; or None: nothing is due,
	or nothing may go at all.
	"""
	now_ms = run.clock()
	run.send_gate = run.store.send_gate(run.device)
	is_held = run.is_held or run.send_gate.is_paused or bool(run.store.rules().settings.is_sending_paused)
	run.total.is_stopped = is_held or not run.send_gate.breaker.may_try(now_ms)
	if run.total.is_stopped:
		return None
	if run.ahead:
		return run.ahead.popleft()
	running = run.store.campaigns_on(run.device)
	if run.pace.is_free and not running:
		return _next_due(run, now_ms)
	return _next_paced(run, now_ms, running)


def _next_due(run: Run, now_ms: int) -> records.Message | None:
	with run.store.transaction():
		run.ahead.extend(_triable(run, run.store.due_messages(run.device, now_ms, CLAIM)))
	return run.ahead.popleft() if run.ahead else None


def _triable(run: Run, due: list[records.Message]) -> list[records.Message]:
	return [message for message in due if message.name not in run.total.not_tried]


def _next_paced(run: Run, now_ms: int, running: list[records.Campaign]) -> records.Message | Slot | None:
	"""Asked anew for every message: the one before it has changed what the pace allows."""
	calendar = run.store.rules().calendar
	with run.store.transaction():
		held = campaign_messages.held(run.store, running, now_ms, calendar)
		due = _triable(run, run.store.due_messages(run.device, now_ms, CLAIM, held.names))
		keys = {message.text_key for message in due if message.text_key}
		traffic = run.store.traffic(run.device, run.pace, now_ms, day_start_ms(now_ms, calendar), keys)
	soonest = held.until if any(run.store.count_under_way(name) for name in held.waiting) else None
	for message in due:
		candidate = Candidate(message.priority, bool(message.is_new_chat), message.text_key or "")
		slot = next_slot(run.pace, traffic, candidate, now_ms, calendar)
		if slot.at_ms <= now_ms:
			return message
		soonest = slot if soonest is None or slot.at_ms < soonest.at_ms else soonest
	return soonest


def _send(run: Run, name: str) -> None:
	claimed: list[tuple[records.Message, payloads.Parts] | None] = []
	if not _apart(run, name, lambda: claimed.append(_claim(run, name))) or claimed[-1] is None:
		return
	message, parts = claimed[-1]
	try:
		done = _handed_over(run, message, parts)
	except base.SendError as error:
		failure = error
		_apart(run, name, lambda: _note_failure(run, message, failure))
	else:
		run.total.sent += _apart(run, name, lambda: _note_success(run, message, done))
		if not set(done.recipient) <= parts.known:
			_apart(
				run,
				name,
				lambda: destination.link_reached(run.store, message.name, done.recipient, run.clock()),
			)


def _handed_over(run: Run, message: records.Message, parts: payloads.Parts) -> base.Accepted:
	"""What neither the message nor the driver foresaw is an outcome too:
	surely not sent before the socket, doubt after.
	"""
	try:
		built = payloads.build(message, parts, run.store.read_file)
	except (base.SendError, StoreUnavailable):
		raise
	except Exception as error:  # a row or a file that nobody can read: this message fails, the others go
		raise base.Permanent(
			"This message can't be prepared for sending.", code=describe(error)[:MAX_CODE]
		) from None
	try:
		return run.driver.send(built)
	except base.SendError:
		raise
	except Exception as error:  # nobody knows how far it got
		raise base.UnknownOutcome(
			"The driver failed while it was sending.", code=describe(error)[:MAX_CODE]
		) from None


def _note_success(run: Run, message: records.Message, done: base.Accepted) -> None:
	with working(run.store, run.clock()) as work:
		accepted(work, run.driver, message, done)
		if run.send_gate is not None and run.send_gate.breaker != circuit.Breaker():
			run.store.save_breaker(run.device, circuit.succeeded(run.send_gate.breaker))


def _note_failure(run: Run, message: records.Message, error: base.SendError) -> None:
	with working(run.store, run.clock()) as work:
		fate = refused(work, run.driver, message, error)
		run.store.note_error(run.device, error.code, error.text, work.now_ms)
		before = run.send_gate.breaker if run.send_gate else circuit.Breaker()
		after = _tripped(before, error, work.now_ms, work.rules.settings)
		if after != before:
			run.store.save_breaker(run.device, after)
	run.total.is_alarming |= after.state == circuit.OPEN and before.state == circuit.CLOSED
	counter = {records.MSG_QUEUED: "retried", records.FAILED: "failed", records.UNKNOWN: "unknown"}.get(
		fate or ""
	)
	if counter:
		setattr(run.total, counter, getattr(run.total, counter) + 1)


def _tripped(
	before: circuit.Breaker, error: base.SendError, now_ms: int, settings: Settings
) -> circuit.Breaker:
	if isinstance(error, base.RateLimited):
		if error.is_pair:  # only this customer must wait
			return before
		pause_ms = round(1000 * max(error.retry_after or 0, settings.breaker_open_seconds))
		return circuit.held(before, error.text, now_ms, pause_ms)
	return circuit.failed(before, error.kind, error.text, now_ms, settings)


def _claim(run: Run, name: str) -> tuple[records.Message, payloads.Parts] | None:
	"""Commit «Sending» before the network; None when somebody took it back meanwhile,
	or it can't go any more.
	"""
	store = run.store
	with working(store, run.clock()) as work:
		message = store.messages([name]).get(name)
		if message is None or message.status != records.MSG_QUEUED:
			return None
		if not campaign_messages.may_be_claimed(work, message):
			return None
		ticket = store.tickets([message.ticket]).get(message.ticket)
		rows = destination.identities(store, message.customer)
		try:
			way = destination.route_of_message(message, ticket, rows)
			_check_window(run, message, ticket, way, rows, work.now_ms)
			check_promotion(work, message)
		except base.SendError as error:
			refused(work, run.driver, message, error)
			run.total.failed += 1
			return None
		message.status = records.SENDING
		message.identity = way.chosen.name if way.chosen is not None else None
		message.started_ms = work.now_ms
		if run.driver.capabilities.is_charged and not message.price_state:
			message.price_state = OPEN
		message.attempts += 1
		message.generation += 1
		work.touch(message)
		return message, payloads.Parts(way.recipient, _named(run, message, way, rows), _all_of(rows))


def _named(
	run: Run, message: records.Message, way: Route, rows: list[records.CustomerIdentity]
) -> dict[str, records.Message]:
	"""What the message quotes or reacts to, as far as this gateway knows it and it lies in the same chat."""
	wanted = [key for key in (message.reply_to, payloads.target_key(message)) if key]
	named = run.store.messages_by_key(wanted) if wanted else {}
	known = {key: one for key, one in named.items() if one.provider in ("", run.driver.config.provider)}
	return destination.without_foreign_chats(known, way, rows)


def _check_window(
	run: Run,
	message: records.Message,
	ticket: records.Ticket | None,
	way: Route,
	rows: list[records.CustomerIdentity],
	now_ms: int,
) -> None:
	if not run.driver.capabilities.has_window or message.content_type == "template" or ticket is None:
		return
	if not is_window_open(destination.window_from_ms(run.store, ticket, way, rows), now_ms):
		raise base.WindowClosed(payloads.WINDOW_CLOSED, code="window")


def _all_of(rows: list[records.CustomerIdentity]) -> frozenset[Identity]:
	return frozenset(Identity(row.kind, row.value) for row in rows)
