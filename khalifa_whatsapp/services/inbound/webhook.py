"""At the endpoint: is a webhook call really from our gateway, and is it safely stored? Nothing else is asked
here.

The order matters: size, then proof, then one insert, then the answer. The body is never parsed: a gateway
waits for this answer, and what a body means is for the drain to find out, again and again if need be.
"""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.drivers.base import CannotVerify, MessageDriver, NotVerified, WebhookCall
from khalifa_whatsapp.services.unit_of_work import retrying
from khalifa_whatsapp.stores.base import Conflict, Store, StoreUnavailable

RETRY_AFTER = 5  # seconds a gateway should leave us alone when the database is away
UNSURE_RETRY_AFTER = 60  # and when a person must mend something first


@dataclass(frozen=True, slots=True)
class Answer:
	"""What to tell the caller. Refusals are constant: they say nothing of why, or of which devices exist."""

	status: int
	body: str = ""
	is_new: bool = False  # stored just now: wake the drain
	retry_after: int | None = None
	reason: str = ""  # for our log, never for the caller


TAKEN = "ok"
REFUSED = Answer(401, "unauthorized", reason="no such device")
TOO_LARGE = Answer(413, "too large", reason="too large")
AWAY = Answer(503, "try again", retry_after=RETRY_AFTER, reason="the database is away")
# Meta comes again for seven days. A gateway that does not has lost nothing that could have been kept
UNSURE = Answer(
	503, "try again", retry_after=UNSURE_RETRY_AFTER, reason="nobody can say whether it is genuine"
)


def accept(
	store: Store, driver: MessageDriver | None, call: WebhookCall, now_ms: int, limit_bytes: int
) -> Answer:
	"""Take a webhook call: 200 only when its body lies in the database.

	`driver` None: nobody knows the device.
	"""
	if len(call.raw) > limit_bytes:
		return TOO_LARGE
	if driver is None:
		return REFUSED
	try:
		driver.verify(call)
	except NotVerified as error:
		return _refused(error)
	except CannotVerify:
		return UNSURE
	config = driver.config
	key = delivery_key(config.name, call.raw)
	try:
		# Under load an insert can meet a drain's locks. Not every gateway posts again, so we try again.
		is_new = retrying(
			lambda: store.record_webhook_event(config.name, config.provider, key, call.raw, now_ms)
		)
	except (Conflict, StoreUnavailable):
		return AWAY
	return Answer(200, TAKEN, is_new)


def handshake(driver: MessageDriver | None, call: WebhookCall) -> Answer:
	"""The answer to a gateway's subscription check (GET), to be sent as plain text."""
	if driver is None:
		return REFUSED
	try:
		return Answer(200, driver.handshake(call))
	except NotVerified as error:
		return _refused(error)
	except CannotVerify:
		return UNSURE


def _refused(error: NotVerified) -> Answer:
	return Answer(REFUSED.status, REFUSED.body, reason=error.reason)
