"""What is done to a message that was sent: a reaction, an edit, a message taken back."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound import echoes, messages, placeholders
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp


def reaction(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.Reaction) -> None:
	"""An emoji was put on a message, or taken off."""
	key = batch.thread.target_key(event.target)
	log_key = digest(key, "reaction", event.author, str(event.at_ms), event.emoji)
	log = batch.thread.log(webhook_event, key, "reaction", event.emoji, event.at_ms, log_key)
	if log is not None:
		log.author = event.author
		batch.thread.fold(batch.thread.by_key.get(key))


def edit(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.MessageEdit) -> None:
	"""A message says something else now; one that has not come gets its place kept."""
	key = batch.thread.target_key(event.target)
	log_key = digest(key, "edit", str(event.at_ms), event.body)
	if batch.thread.log(webhook_event, key, "edit", event.body, event.at_ms, log_key):
		batch.thread.fold(batch.thread.by_key.get(key))
	if not event.customer:
		return
	# whoever edits was there then, whether or not we have the message
	at_ms, people = clamp(event.at_ms, webhook_event.received_ms), batch.people.together(event.customer)
	batch.customers.resolve(people, at_ms, has_written=not event.is_ours)
	if key in batch.thread.by_key:
		return
	missing = placeholders.of_edit(event)
	if isinstance(missing, base.OutboundEcho):
		echoes.take(batch, webhook_event, missing)
	else:
		messages.take(batch, webhook_event, missing)


def revoke(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.MessageRevoke) -> None:
	"""A message was deleted for everybody."""
	key = batch.thread.target_key(event.target)
	if batch.thread.log(webhook_event, key, "revoke", "", event.at_ms, digest(key, "revoke")):
		batch.thread.fold(batch.thread.by_key.get(key))
