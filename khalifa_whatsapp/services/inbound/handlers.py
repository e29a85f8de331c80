"""What is done with an event of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services.inbound import account, calls, echoes, edits, identities, messages, statuses
from khalifa_whatsapp.services.inbound.batch import IntakeBatch

HANDLERS: dict[type, Callable[[IntakeBatch, r.Delivery, Any], None]] = {
	d.InboundMessage: messages.take,
	d.OutboundEcho: echoes.take,
	d.Call: calls.take,
	d.MessageStatus: statuses.take,
	d.Reaction: edits.reaction,
	d.MessageEdit: edits.edit,
	d.MessageRevoke: edits.revoke,
	d.IdentityChange: identities.change,
	d.MarketingPreference: identities.preference,
	d.SessionState: account.session,
	d.AccountNotice: account.account,
	d.TemplateStatus: account.template,
}


def apply(batch: IntakeBatch, pairs: list[tuple[r.Delivery, d.Event]]) -> None:
	"""Read ahead, then apply every event in the order of its arrival."""
	batch.read([event for _, event in pairs])
	for delivery, event in pairs:
		handler = HANDLERS.get(type(event))
		if handler is not None:
			handler(batch, delivery, event)
	batch.finish()
