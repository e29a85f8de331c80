"""What is said of a customer, the device or the account, and of no message."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.identity import PHONE
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp
from khalifa_whatsapp.services.tickets import turns


def identity_change(batch: IntakeBatch, delivery: r.Delivery, event: d.IdentityChange) -> None:
	"""A customer has another number or another id."""
	customer, is_news = batch.customers.move(event.old, event.new, clamp(event.at_ms, delivery.received_ms))
	ticket = batch.tickets.latest.get(customer.name)
	numbers = [one.value for group in (event.old, event.new) for one in group if one.kind == PHONE]
	if ticket is not None and is_news and len(numbers) > 1:
		batch.work.log(ticket, "number_changed", reason=" ".join(numbers[:2]))
		batch.tickets.tell(ticket, "changed")


def preference(batch: IntakeBatch, delivery: r.Delivery, event: d.MarketingPreference) -> None:
	"""The customer stopped or resumed promotions; the latest word stands."""
	customer = batch.customers.resolve(event.customer, clamp(event.at_ms, delivery.received_ms))
	if (customer.opted_out_ms or 0) <= event.at_ms:
		customer.is_opted_out, customer.opted_out_ms = int(event.is_stopped), event.at_ms
		batch.work.touch(customer)


def session(batch: IntakeBatch, delivery: r.Delivery, event: d.SessionState) -> None:
	"""The login of the number changed its state."""
	batch.work.changes.device_states[batch.device.name] = (event.state, event.detail, delivery.received_ms)
	_tell_managers(batch, "khalifa_whatsapp:device", state=event.state)


def account(batch: IntakeBatch, delivery: r.Delivery, event: d.AccountNotice) -> None:
	"""The number or the account has news."""
	batch.notices.account(event, delivery.received_ms)
	_tell_managers(batch, "khalifa_whatsapp:device")


def template(batch: IntakeBatch, delivery: r.Delivery, event: d.TemplateStatus) -> None:
	"""A template was reviewed."""
	batch.notices.template(event, delivery.received_ms)


def _tell_managers(batch: IntakeBatch, name: str, **data: str) -> None:
	batch.work.tell(name, {"device": batch.device.name, **data}, role=turns.MANAGER_ROLE)
