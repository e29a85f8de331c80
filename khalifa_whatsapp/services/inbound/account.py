"""What is said of the number's login, of its account and its templates."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.tickets import notices


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
	batch.work.publish(name, {"device": batch.device.name, **data}, role=notices.MANAGER_ROLE)
