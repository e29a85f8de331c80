"""What is done with an event of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound import account, calls, echoes, edits, identities, messages, statuses
from khalifa_whatsapp.services.inbound.batch import IntakeBatch

HANDLERS: dict[type, Callable[[IntakeBatch, records.WebhookEvent, Any], None]] = {
	base.InboundMessage: messages.take,
	base.OutboundEcho: echoes.take,
	base.Call: calls.take,
	base.MessageStatus: statuses.take,
	base.Reaction: edits.reaction,
	base.MessageEdit: edits.edit,
	base.MessageRevoke: edits.revoke,
	base.IdentityChange: identities.change,
	base.MarketingPreference: identities.preference,
	base.SessionState: account.session,
	base.AccountNotice: account.account,
	base.TemplateStatus: account.template,
}


def apply(batch: IntakeBatch, pairs: list[tuple[records.WebhookEvent, base.Event]]) -> None:
	"""Read ahead, then apply every event in the order of its arrival."""
	batch.read([event for _, event in pairs])
	for webhook_event, event in pairs:
		handler = HANDLERS.get(type(event))
		if handler is not None:
			handler(batch, webhook_event, event)
	batch.finish()
