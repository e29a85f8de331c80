"""What an event speaks of: whose it is, and which messages it names."""

from __future__ import annotations

from khalifa_whatsapp.core.identity import Identity, IdentityError, parse_wid
from khalifa_whatsapp.drivers import base


def identities_in(event: base.Event) -> tuple[Identity, ...]:
	"""Those whom an event is about."""
	if isinstance(event, base.InboundMessage):
		return event.sender
	if isinstance(event, base.OutboundEcho):
		return event.recipient
	if isinstance(event, base.IdentityChange):
		return (*event.old, *event.new)
	return (
		event.customer if isinstance(event, base.MarketingPreference | base.Call | base.MessageEdit) else ()
	)


def chat_of(ref: base.MessageRef) -> Identity | None:
	"""The customer in whose chat a message was written, where its id counts in that chat only."""
	try:
		return parse_wid(ref.scope.removeprefix("in|")) if ref.scope.startswith("in|") else None
	except IdentityError:
		return None


def chats_in(event: base.Event) -> tuple[Identity, ...]:
	"""The chats of messages that are spoken of."""
	return tuple(chat for chat in map(chat_of, refs_in(event)) if chat is not None)


def refs_in(event: base.Event) -> tuple[base.MessageRef, ...]:
	"""The messages and calls that an event names."""
	if isinstance(event, base.InboundMessage | base.OutboundEcho):
		return (event.ref, event.reply_to) if event.reply_to else (event.ref,)
	if isinstance(event, base.MessageStatus | base.Call):
		return (event.ref,)
	return (event.target,) if isinstance(event, base.Reaction | base.MessageEdit | base.MessageRevoke) else ()
