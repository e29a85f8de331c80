"""Sending what was queued: one sender per device, every attempt written down before the socket opens.

A message whose fate nobody knows is *Unknown*; a machine never sends it again. A later status (by our own callback
key) settles it, or a person does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from khalifa_whatsapp.core import message_state
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.backoff import delay_ms
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.keys import message_key
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services import outcomes
from khalifa_whatsapp.services.work import Work, retrying, working
from khalifa_whatsapp.stores.base import Store

MAX_ATTEMPTS = 6
CLAIM = 20
_random = random.SystemRandom()
_STRENGTH = {"phone": 0, "bsuid": 1, "lid": 2}


@dataclass(slots=True)
class Sent:
	"""What a drain did."""

	sent: int = 0
	retried: int = 0
	failed: int = 0
	unknown: int = 0
	is_busy: bool = False
	is_stopped: bool = False  # the gateway refuses our login: a person must act


def drain(store: Store, driver: d.MessageDriver, clock: Callable[[], int], seconds: float = 60) -> Sent:
	"""Send what is due on one device, for at most `seconds`. One sender per device at a time."""
	total = Sent()
	stop = time.monotonic() + seconds
	with store.lock(f"out:{driver.config.name}") as is_ours:
		if not is_ours:
			return Sent(is_busy=True)
		total.unknown += retrying(lambda: _give_up_abandoned(store, driver, clock()))
		while time.monotonic() < stop and not total.is_stopped:
			names = _due(store, driver, clock())
			if not names:
				break
			for name in names:
				_send_one(store, driver, clock, name, total)
				if total.is_stopped:
					break
	return total


def _give_up_abandoned(store: Store, driver: d.MessageDriver, now_ms: int) -> int:
	"""Messages in Sending while nobody sends: their sender died, nobody knows how far it got."""
	with working(store, now_ms) as work:
		abandoned = store.abandoned_messages(driver.config.name)
		for message in abandoned:
			message.status, message.error_kind = r.UNKNOWN, "unknown"
			message.error_text = "The sender stopped before the gateway's answer was written down."
			_fold_and_touch(work, driver, message, r.SENDING)
		return len(abandoned)


def _due(store: Store, driver: d.MessageDriver, now_ms: int) -> list[str]:
	with store.transaction():
		return [message.name for message in store.due_messages(driver.config.name, now_ms, CLAIM)]


def _send_one(store: Store, driver: d.MessageDriver, clock: Callable[[], int], name: str, total: Sent) -> None:
	claimed = retrying(lambda: _claim(store, clock(), name))
	if claimed is None:
		return
	message, outgoing = claimed
	try:
		accepted = driver.send(outgoing)
	except d.SendError as error:
		failure = error
		retrying(lambda: _refused(store, driver, clock(), message, failure, total))
	else:
		retrying(lambda: _accepted(store, driver, clock(), message, accepted))
		total.sent += 1


def _claim(store: Store, now_ms: int, name: str) -> tuple[r.Message, d.OutgoingText] | None:
	"""Commit «Sending» before the network; None when somebody cancelled it meanwhile."""
	with working(store, now_ms) as work:
		message = store.messages([name]).get(name)
		if message is None or message.status != r.MSG_QUEUED:
			return None
		message.status = r.SENDING
		message.attempts += 1
		message.generation += 1
		work.touch(message)
		rows = store.identities_of([message.customer]).get(message.customer, [])
		recipient = tuple(
			Identity(row.kind, row.value) for row in sorted(rows, key=lambda row: _STRENGTH.get(row.kind, 9))
		)
		quoted = store.messages_by_key([message.reply_to]).get(message.reply_to) if message.reply_to else None
		reply_to = d.MessageRef(quoted.gateway_id, quoted.scope) if quoted is not None and quoted.gateway_id else None
		return message, d.OutgoingText(
			recipient=recipient, body=message.body, reply_to=reply_to, callback=message.name
		)


def _accepted(
	store: Store, driver: d.MessageDriver, now_ms: int, claimed: r.Message, accepted: d.Accepted
) -> None:
	with working(store, now_ms) as work:
		message = _still_ours(store, claimed)
		if message is None:
			return
		key = message_key(driver.config.name, accepted.ref.scope, accepted.ref.gateway_id)
		_absorb_echo(work, key, message)
		message.message_key, message.gateway_id, message.scope = key, accepted.ref.gateway_id, accepted.ref.scope
		message.provider = driver.config.provider
		before = message.status
		if message.status in (r.SENDING, r.UNKNOWN):
			message.status = r.SENT
		message.error_kind = message.error_code = message.error_text = None
		_fold_and_touch(work, driver, message, before)


def _absorb_echo(work: Work, key: str, message: r.Message) -> None:
	"""The gateway's own copy of this message arrived before its answer: one message, one row."""
	echo = work.store.messages_by_key([key]).get(key)
	if echo is not None and echo.name != message.name:
		work.store.drop_message(echo.name)


def _refused(
	store: Store, driver: d.MessageDriver, now_ms: int, claimed: r.Message, error: d.SendError, total: Sent
) -> None:
	with working(store, now_ms) as work:
		message = _still_ours(store, claimed)
		if message is None:
			return
		before = message.status
		message.error_kind, message.error_code, message.error_text = error.kind, error.code, error.text
		if isinstance(error, d.UnknownOutcome):
			message.status = r.UNKNOWN
			total.unknown += 1
		elif isinstance(error, d.Retryable | d.AuthError) and message.attempts < MAX_ATTEMPTS:
			message.status = r.MSG_QUEUED
			message.next_retry_ms = now_ms + delay_ms(message.attempts, _random, error.retry_after)
			total.retried += 1
		else:
			message.status = r.FAILED
			total.failed += 1
		total.is_stopped = isinstance(error, d.AuthError)
		_fold_and_touch(work, driver, message, before)


def _still_ours(store: Store, claimed: r.Message) -> r.Message | None:
	"""The row as it is now, unless a later attempt took it over."""
	message = store.messages([claimed.name]).get(claimed.name)
	return message if message is not None and message.generation == claimed.generation else None


def _fold_and_touch(work: Work, driver: d.MessageDriver, message: r.Message, before: str) -> None:
	"""Statuses that came before this row was written count too."""
	keys = [message.message_key] if message.message_key else []
	logs = work.store.logs(keys, [message.name])
	for log in logs:
		if log.message != message.name:  # none yet, or an echo that this message has absorbed
			log.message = message.name
			work.touch(log)
		if message.message_key is None and log.kind == "status":
			message.message_key = log.target_key
	message_state.fold(message, logs)
	work.touch(message)
	if message.status != before:
		outcomes.status_changed(work, message, before)
