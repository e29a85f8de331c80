"""Writing down how an attempt ended. Only the attempt that the row still names may write."""

from __future__ import annotations

import random

from khalifa_whatsapp.core import message_state, records
from khalifa_whatsapp.core.backoff import delay_ms
from khalifa_whatsapp.core.keys import digest, message_key
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import payloads, status_changes
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, working
from khalifa_whatsapp.stores.base import Store

SILENCE_MS = 2 * HOUR_MS  # longer than any message waits for its next attempt
_random = random.SystemRandom()


def gave_up(store: Store, driver: base.MessageDriver, now_ms: int) -> int:
	"""Messages in Sending while nobody sends: their sender died, nobody knows how far it got. How many."""
	with working(store, now_ms) as work:
		abandoned = store.abandoned_messages(driver.config.name)
		for message in abandoned:
			message.status, message.error_kind = records.UNKNOWN, "unknown"
			message.error_text = "The sender stopped before the gateway's answer was written down."
			_fold_and_touch(work, driver, message, records.SENDING)
		return len(abandoned)


def doubt_after_silence(store: Store, driver: base.MessageDriver, now_ms: int) -> int:
	"""Messages that waited when the outbox was last looked at, long ago: are they still to be sent? How many.

	A sender looks every minute. When nobody has for hours, either all was down, or this is a restored backup
	that knows nothing of what went out since: then they may have gone, and only a person can tell.
	"""
	with working(store, now_ms) as work:
		device = driver.config.name
		drained_ms = store.send_gate(device).drained_ms
		store.note_drain(device, now_ms)
		if not drained_ms or now_ms - drained_ms < SILENCE_MS:
			return 0
		stale = store.stale_messages(device, drained_ms)
		for message in stale:
			message.status, message.error_kind = records.UNKNOWN, "unknown"
			message.error_text = (
				"Nothing was sent for hours, or a backup was restored: it may have gone already."
			)
			_fold_and_touch(work, driver, message, records.MSG_QUEUED)
		return len(stale)


def accepted(
	work: UnitOfWork, driver: base.MessageDriver, claimed: records.Message, done: base.Accepted
) -> bool:
	"""The gateway took it. False when a later attempt has taken the message over."""
	message = still_ours(work.store, claimed)
	if message is None:
		return False
	key = message_key(driver.config.name, done.ref.scope, done.ref.gateway_id)
	_absorb_echo(work, key, message)
	message.message_key, message.gateway_id, message.scope = key, done.ref.gateway_id, done.ref.scope
	message.provider = driver.config.provider
	before = message.status
	if message.status in (records.SENDING, records.UNKNOWN):
		message.status = records.SENT
	message.error_kind = message.error_code = message.error_text = None
	_fold_and_touch(work, driver, message, before)
	if message.content_type == "reaction":
		_show_reaction(work, message)
	return True


def refused(
	work: UnitOfWork, driver: base.MessageDriver, claimed: records.Message, error: base.SendError
) -> str | None:
	"""It did not end in acceptance. The message's status now; None when a later attempt has taken it over."""
	message = still_ours(work.store, claimed)
	if message is None:
		return None
	before = message.status
	message.error_kind, message.error_code, message.error_text = error.kind, error.code, error.text
	if isinstance(error, base.UnknownOutcome):
		message.status = records.UNKNOWN
	elif isinstance(
		error, base.AuthError
	):  # says nothing of the message: it waits until somebody has logged in
		_again(message, work.now_ms, None)
	elif isinstance(error, base.Retryable) and message.attempts < work.rules.settings.max_attempts:
		_again(message, work.now_ms, error.retry_after)
	else:
		message.status = records.FAILED
	_fold_and_touch(work, driver, message, before)
	return message.status


def still_ours(store: Store, claimed: records.Message) -> records.Message | None:
	"""The row as it is now, unless a later attempt took it over."""
	message = store.messages([claimed.name]).get(claimed.name)
	return message if message is not None and message.generation == claimed.generation else None


def _again(message: records.Message, now_ms: int, retry_after: float | None) -> None:
	message.status = records.MSG_QUEUED
	message.next_retry_ms = now_ms + delay_ms(message.attempts, _random, retry_after)


def _absorb_echo(work: UnitOfWork, key: str, message: records.Message) -> None:
	"""The gateway's own copy of this message arrived before its answer: one message, one row."""
	echo = work.store.messages_by_key([key]).get(key)
	if echo is not None and echo.name != message.name:
		work.store.drop_message(echo.name)


def _show_reaction(work: UnitOfWork, message: records.Message) -> None:
	"""Gateways tell us of customers' reactions only: our own joins them where it was put."""
	target = payloads.target_key(message)
	log = records.MessageLog(
		work.new_name(),
		digest("own-reaction", message.name),
		target,
		"reaction",
		message.body,
		message.sent_ms,
		device=message.device,
		author="me",
	)
	reacted_to = work.store.messages_by_key([target]).get(target)
	if reacted_to is not None:
		log.message = reacted_to.name
		message_state.fold(reacted_to, [*work.store.logs([target]), log])
		work.touch(reacted_to)
	work.add(log)


def _fold_and_touch(
	work: UnitOfWork, driver: base.MessageDriver, message: records.Message, before: str
) -> None:
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
		status_changes.status_changed(work, message, before)
