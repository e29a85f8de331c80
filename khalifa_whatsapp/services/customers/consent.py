"""The one place that writes down whether a customer wants promotions: the log, and what it amounts to."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.consent import Wish, apply
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def record(
	work: UnitOfWork,
	customer: records.Customer,
	wish: Wish,
	at_ms: int,
	key: str,
	*,
	ticket: str | None = None,
	message: str | None = None,
) -> tuple[records.ConsentEvent | None, bool]:
	"""Log a wish; the entry (None when it was logged before), and whether promotions are now stopped or
	resumed.

	`customer` is locked; `key` tells this wish from all others: the message that said it, for example.
	"""
	event_key = digest("consent", key)
	at_hand = work.changes.created.get(records.ConsentEvent, ())
	if any(one.event_key == event_key for one in at_hand) or work.store.known_consent_events([event_key]):
		return None, False
	event = work.add(
		records.ConsentEvent(
			work.new_name(),
			event_key,
			customer.name,
			wish.name,
			wish.source,
			at_ms,
			work.now_ms,
			work.actor.user,
			work.actor.full_name,
			ticket,
			message,
		)
	)
	before = bool(customer.is_opted_out)
	if apply(customer, event):
		work.touch(customer)
	return event, before != bool(customer.is_opted_out)
