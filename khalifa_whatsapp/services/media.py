"""Customers' files: fetched from the gateway after the message is stored, kept as private files of the
message.

Each file by itself. A try is written down before it begins, and its file goes behind the others: so neither
an error nor a killed worker leaves it first in line. What may still work is tried as long as WhatsApp keeps
files, less and less often; what can't work says why, and an agent can have it tried again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.backoff import delay_ms
from khalifa_whatsapp.core.errors import NotFound, UserError, describe
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.abilities import FetchedMedia, MediaSource
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store, StoreUnavailable

WAITING, STORED, FAILED = "Waiting", "Stored", "Failed"
# Meta keeps what the ids of its webhooks name, and phones their files, at least as long
KEPT_MS = 7 * 24 * 3_600_000
MAX_FAULTS = 8  # tries that ended in an error nobody foresaw: it is the file's own by then
MAX_STOPS = 5  # tries, the last of which never came to its end: it may be what kills the worker
REFUSED_MS = 5 * 60_000  # between looks whether a refused login is accepted again
MAX_FILES = 20
MAX_ERROR = 140
# Shown to people: no quotes or apostrophes, or Desk's lookalikes of them would stand in the way of a
# translation
UNDER_WAY = "This try has not come to its end."
GIVEN_UP = "Fetching it stopped the worker several times. Ask the customer for a smaller file."
EXPIRED = (
	"WhatsApp keeps files for seven days, and it could not be fetched in that time. "
	"Ask the customer to send it again."
)
FAULT = "It could not be stored here. Ask the customer to send it again, or in another format."
# What stands in the way here: said by whoever stores the files
DISK_FULL = "The disk of this server is full. Files are fetched again when there is room."
DISK_CLOSED = "This server may not write into its folder of private files. Its administrator can mend that."
REFUSED_HERE = "This site refuses to keep the file."
TOO_MANY = "The message may have no more attachments: a setting of this site (Customize Form)."
_random = random.SystemRandom()
SaveFile = Callable[[records.Message, FetchedMedia], str]
"""Gives the file's private address.

Runs inside the transaction that writes it down; raises a `SendError`, or anything.
"""


class OurFault(base.Retryable):
	"""Nothing is wrong with the file: this server can't take any just now, and people should know."""


@dataclass(slots=True)
class Fetched:
	"""What a run did.

	`stopped_by`: why no other file was tried, for it would have ended the same way. `faults`: errors nobody
	foresaw.
	"""

	stored: int = 0
	failed: int = 0
	later: int = 0
	stopped_by: base.SendError | None = None
	faults: list[str] = field(default_factory=list)


def fetch(
	store: Store,
	driver: base.MessageDriver,
	clock: Callable[[], int],
	save_file: SaveFile,
	seconds: float = 60,
) -> Fetched:
	"""Fetch what waits on one device. One fetcher per device at a time."""
	total = Fetched()
	if not isinstance(driver, MediaSource):
		return total
	with store.lock(f"media:{driver.config.name}") as is_ours:
		if not is_ours:
			return total
		stop_ms = clock() + seconds * 1000
		with store.transaction():
			waiting = store.messages_without_file(driver.config.name, clock(), MAX_FILES)
		for message in waiting:
			if total.stopped_by is not None or clock() > stop_ms:
				break
			try:
				_fetch_one(store, driver, clock, message.name, save_file, total)
			except StoreUnavailable:  # no file's fault, and nothing can be written down
				raise
			except Exception as error:  # its row can't even be written: those of the others can
				total.faults.append(describe(error))
	return total


def ask_again(store: Store, name: str, now_ms: int) -> records.Message:
	"""Have a file fetched at once that waits or was given up.

	The caller has asked who may see the message.
	"""
	return retrying(lambda: _asked_again(store, name, now_ms))


def _asked_again(store: Store, name: str, now_ms: int) -> records.Message:
	with working(store, now_ms) as work:
		message = store.messages([name]).get(name)
		if message is None or not message.media_state or message.is_revoked:
			raise NotFound("no_such_file", "This message has no file.")
		if message.media_state == STORED:
			raise UserError("file_is_there", "The file is there already.")
		message.media_state, message.media_error, message.attempts, message.next_retry_ms = (
			WAITING,
			None,
			0,
			None,
		)
		work.touch(message)
		_publish(work, message)
		return message


def _fetch_one(
	store: Store,
	driver: MediaSource,
	clock: Callable[[], int],
	name: str,
	save_file: SaveFile,
	total: Fetched,
) -> None:
	message = retrying(lambda: _begun(store, clock(), name))
	if message is None:
		return
	if message.media_state == FAILED:
		total.failed += 1
		return
	try:
		media = base.Media(message.media_id or "", message.mime_type or "", message.file_name or "")
		ref = base.MessageRef(message.gateway_id or "", message.scope)
		fetched = driver.fetch_media(media, ref, store.rules().settings.max_media_bytes)
		total.stored += retrying(lambda: _stored(store, clock(), name, fetched, save_file))
		return
	except StoreUnavailable:
		raise
	except base.SendError as error:
		failure: Exception = error
	except Exception as error:
		# whatever one file can raise while it is read, checked or stored: the others wait
		failure = error
		total.faults.append(describe(error))
	is_over = retrying(lambda: _not_now(store, clock(), name, failure))
	total.failed += is_over
	total.later += not is_over
	if isinstance(failure, base.AuthError | base.RateLimited | OurFault):
		total.stopped_by = failure


def _begun(store: Store, now_ms: int, name: str) -> records.Message | None:
	"""Write the try down before it begins; None when the file waits no longer.

	Failed when no try ever ends.
	"""
	with working(store, now_ms) as work:
		message = store.messages([name]).get(name)
		if message is None or message.media_state != WAITING:
			return None
		if message.is_revoked:
			message.media_state = None
			work.touch(message)
			return None
		if message.media_error == UNDER_WAY and message.attempts >= MAX_STOPS:
			_give_up(message, GIVEN_UP)
			_publish(work, message)
		else:
			message.attempts += 1
			message.media_error, message.next_retry_ms = (
				UNDER_WAY,
				now_ms + delay_ms(message.attempts, _random),
			)
		work.touch(message)
		return message


def _stored(store: Store, now_ms: int, name: str, fetched: FetchedMedia, save_file: SaveFile) -> bool:
	"""Store the file and say so in one transaction: neither is there without the other."""
	with working(store, now_ms) as work:
		message = store.messages([name]).get(name)
		if message is None:
			return False
		message.file_url, message.media_state, message.media_error = save_file(message, fetched), STORED, None
		message.next_retry_ms = None
		message.mime_type = fetched.mime_type or message.mime_type
		message.file_name = message.file_name or fetched.file_name or None
		work.touch(message)
		_publish(work, message)
		return True


def _not_now(store: Store, now_ms: int, name: str, failure: Exception) -> bool:
	"""Write down what became of a try; whether it was the last."""
	with working(store, now_ms) as work:
		message = store.messages([name]).get(name)
		if message is None:
			return True
		if isinstance(failure, base.AuthError):
			message.attempts = max(message.attempts - 1, 0)  # nothing was learnt of the file
		reason = _final_reason(message, failure, now_ms)
		if reason:
			_give_up(message, reason)
		else:
			message.media_error = _reason(failure)
			message.next_retry_ms = now_ms + _wait_ms(message, failure)
		work.touch(message)
		_publish(work, message)
		return bool(reason)


def _publish(work: UnitOfWork, message: records.Message) -> None:
	ticket = work.store.tickets([message.ticket]).get(message.ticket)
	if ticket is not None:
		notify_owner(work, ticket, "file")


def _give_up(message: records.Message, reason: str) -> None:
	message.media_state, message.media_error, message.next_retry_ms = FAILED, reason[:MAX_ERROR], None


def _final_reason(message: records.Message, failure: Exception, now_ms: int) -> str:
	"""Why the file is given up; empty while a later try may bring it."""
	if not isinstance(failure, base.SendError):
		return _reason(failure) if message.attempts >= MAX_FAULTS else ""
	if not isinstance(failure, base.Retryable | base.AuthError | base.UnknownOutcome):
		return _reason(failure)
	return EXPIRED if now_ms - message.received_ms >= KEPT_MS else ""


def _reason(failure: Exception) -> str:
	return failure.text if isinstance(failure, base.SendError) else FAULT


def _wait_ms(message: records.Message, failure: Exception) -> int:
	if isinstance(failure, base.AuthError):
		return REFUSED_MS
	return delay_ms(max(message.attempts, 1), _random, getattr(failure, "retry_after", None))
