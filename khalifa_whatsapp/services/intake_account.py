"""What is said of a customer, the device or the account, and of no message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.identity import PHONE
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.intake_rows import clamp

if TYPE_CHECKING:
	from khalifa_whatsapp.services.intake_batch import IntakeBatch


def identity_change(
	batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.IdentityChange
) -> None:
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
	"""The customer stopped or resumed promotions; the latest word stands."""
	customer = batch.customers.resolve(event.customer, clamp(event.at_ms, webhook_event.received_ms))
	if (customer.opted_out_ms or 0) <= event.at_ms:
		customer.is_opted_out, customer.opted_out_ms = int(event.is_stopped), event.at_ms
		batch.work.touch(customer)


def session(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.SessionState) -> None:
	"""The login of the number changed its state."""
	batch.work.changes.device_states[batch.device.name] = (
		event.state,
		event.detail,
		webhook_event.received_ms,
	)
	_notify_managers(batch, "khalifa_whatsapp:device", state=event.state)


def account(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.AccountNotice) -> None:
	"""The number or the account has news."""
	batch.notices.account(event, webhook_event.received_ms)
	_notify_managers(batch, "khalifa_whatsapp:device")


def template(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.TemplateStatus) -> None:
	"""A template was reviewed."""
	batch.notices.template(event, webhook_event.received_ms)


def _notify_managers(batch: IntakeBatch, name: str, **data: str) -> None:
	batch.work.publish(name, {"device": batch.device.name, **data}, role=turns.MANAGER_ROLE)
