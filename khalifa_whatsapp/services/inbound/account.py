"""What is said of the number's login, of its account and its templates."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.tickets import notices


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
	batch.work.tell(name, {"device": batch.device.name, **data}, role=notices.MANAGER_ROLE)
