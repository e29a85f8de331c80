"""A customer has another number or id, or stops promotions: what is said of a person and of no message."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.consent import BY_GATEWAY, Wish
from khalifa_whatsapp.core.identity import PHONE
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.care import consent
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp


def change(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.IdentityChange) -> None:
	"""A customer has another number or another id."""
	customer, is_news = batch.customers.move(
		event.old, event.new, clamp(event.at_ms, webhook_event.received_ms)
	)
	ticket = batch.tickets.latest.get(customer.name)
	numbers = [one.value for group in (event.old, event.new) for one in group if one.kind == PHONE]
	if ticket is not None and is_news and len(numbers) > 1:
		batch.work.log(ticket, "number_changed", reason=" ".join(numbers[:2]))
		batch.tickets.publish(ticket, "changed")


def preference(
	batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.MarketingPreference
) -> None:
	"""The customer stopped or resumed promotions; the latest word stands, and what is said again is known."""
	at_ms = clamp(event.at_ms, webhook_event.received_ms)
	customer = batch.customers.resolve(event.customer, at_ms)
	wish = Wish(event.is_stopped, source=BY_GATEWAY)
	names = " ".join(sorted(one.key for one in event.customer))
	key = f"gateway:{names}:{wish.name}:{event.at_ms}"
	consent.take(batch.work, customer, wish, event.at_ms, key, batch.tickets.latest.get(customer.name))
