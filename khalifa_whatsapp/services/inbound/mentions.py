"""What an event speaks of: whose it is, and which messages it names."""

from __future__ import annotations

from khalifa_whatsapp.core.identity import Identity, IdentityError, parse_wid
from khalifa_whatsapp.drivers import base as d


def identities_in(event: d.Event) -> tuple[Identity, ...]:
	"""Those whom an event is about."""
	if isinstance(event, d.InboundMessage):
		return event.sender
	if isinstance(event, d.OutboundEcho):
		return event.recipient
	if isinstance(event, d.IdentityChange):
		return (*event.old, *event.new)
	return event.customer if isinstance(event, d.MarketingPreference | d.Call | d.MessageEdit) else ()


def chat_of(ref: d.MessageRef) -> Identity | None:
	"""The customer in whose chat a message was written, where its id counts in that chat only."""
	try:
		return parse_wid(ref.scope.removeprefix("in|")) if ref.scope.startswith("in|") else None
	except IdentityError:
		return None


def chats_in(event: d.Event) -> tuple[Identity, ...]:
	"""The chats of messages that are spoken of."""
	return tuple(chat for chat in map(chat_of, refs_in(event)) if chat is not None)


def refs_in(event: d.Event) -> tuple[d.MessageRef, ...]:
	"""The messages and calls that an event names."""
	if isinstance(event, d.InboundMessage | d.OutboundEcho):
		return (event.ref, event.reply_to) if event.reply_to else (event.ref,)
	if isinstance(event, d.MessageStatus | d.Call):
		return (event.ref,)
	return (event.target,) if isinstance(event, d.Reaction | d.MessageEdit | d.MessageRevoke) else ()
