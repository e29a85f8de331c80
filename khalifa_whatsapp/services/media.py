"""Customers' files: fetched from the gateway after the message is stored, kept as private files of the ticket."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.backoff import delay_ms
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.drivers.abilities import FetchedMedia, MediaSource
from khalifa_whatsapp.services.rights import tell_owner, ticket_of
from khalifa_whatsapp.services.work import retrying, working
from khalifa_whatsapp.stores.base import Store

WAITING, STORED, FAILED = "Waiting", "Stored", "Failed"
MOST_ATTEMPTS = 8
MOST_FILES = 20
_random = random.SystemRandom()
SaveFile = Callable[[r.Message, FetchedMedia], str]  # gives the file's private address


@dataclass(slots=True)
class Fetched:
	"""What a run did."""

	stored: int = 0
	failed: int = 0
	later: int = 0


def fetch(store: Store, driver: d.MessageDriver, clock: Callable[[], int], save_file: SaveFile) -> Fetched:
	"""Fetch what waits on one device. One fetcher per device at a time."""
	total = Fetched()
	if not isinstance(driver, MediaSource):
		return total
	with store.lock(f"media:{driver.config.name}") as is_ours:
		if not is_ours:
			return total
		with store.transaction():
			waiting = store.messages_without_file(driver.config.name, clock(), MOST_FILES)
		for message in waiting:
			_fetch_one(store, driver, clock, message, save_file, total)
	return total


def _fetch_one(
	store: Store, driver: MediaSource, clock: Callable[[], int], message: r.Message, save_file: SaveFile, total: Fetched
) -> None:
	media = d.Media(message.media_id or "", message.mime_type or "", message.file_name or "")
	ref = d.MessageRef(message.gateway_id or "", message.scope)
	try:
		fetched = driver.fetch_media(media, ref, store.rules().settings.max_media_bytes)
	except d.SendError as error:
		failure = error
		is_over = not isinstance(error, d.Retryable | d.AuthError | d.UnknownOutcome) or message.attempts + 1 >= MOST_ATTEMPTS
		retrying(lambda: _not_now(store, clock(), message, failure, is_over))
		total.failed += is_over
		total.later += not is_over
		return
	url = save_file(message, fetched)
	retrying(lambda: _stored(store, clock(), message, fetched, url))
	total.stored += 1


def _stored(store: Store, now_ms: int, message: r.Message, fetched: FetchedMedia, url: str) -> None:
	with working(store, now_ms) as work:
		found = store.messages([message.name]).get(message.name)
		if found is None:
			return
		found.file_url, found.media_state, found.media_error = url, STORED, None
		found.mime_type = fetched.mime_type or found.mime_type
		found.file_name = found.file_name or fetched.file_name or None
		work.touch(found)
		tell_owner(work, ticket_of(work, found.ticket), "file")


def _not_now(store: Store, now_ms: int, message: r.Message, error: d.SendError, is_over: bool) -> None:
	with working(store, now_ms) as work:
		found = store.messages([message.name]).get(message.name)
		if found is None:
			return
		found.attempts += 1
		found.media_error = error.text[:140]
		found.media_state = FAILED if is_over else WAITING
		found.next_retry_ms = None if is_over else now_ms + delay_ms(found.attempts, _random, error.retry_after)
		work.touch(found)
