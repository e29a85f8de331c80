"""One message of a Cloud API delivery: what a customer wrote, or what staff wrote on the phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Event,
	IdentityChange,
	InboundMessage,
	MessageEdit,
	MessageRef,
	MessageRevoke,
	OutboundEcho,
	Reaction,
	Unhandled,
)
from khalifa_whatsapp.drivers.cloud_api.content import content_of, read_content
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	distinct,
	epoch_ms,
	id_of,
	identity_of,
	json_value,
	list_of,
	need_dict,
	need_id,
	reason,
	text_of,
)

NUMBER_CHANGES = frozenset({"user_changed_number", "customer_changed_number"})


@dataclass(frozen=True, slots=True)
class Frame:
	"""What stands around the messages of one change: who the people are, and what went wrong."""

	contacts: Mapping[str, dict[str, Any]]  # by phone digits and by user id, never by position
	errors: list[Any]

	@classmethod
	def of(cls, value: dict[str, Any]) -> Frame:
		"""The frame of a `messages` change. Contacts may be fewer, more, or in another order."""
		contacts: dict[str, dict[str, Any]] = {}
		for contact in list_of(value.get("contacts")):
			for key in ("wa_id", "user_id"):
				sender = id_of(dict_of(contact).get(key))
				if sender:
					contacts[sender] = contact
		return cls(contacts, list_of(value.get("errors")))

	def contact_of(self, message: dict[str, Any]) -> dict[str, Any]:
		"""The card of whoever wrote the message; empty when the delivery holds none."""
		for key in ("from", "from_user_id"):
			contact = self.contacts.get(id_of(message.get(key)))
			if contact is not None:
				return contact
		return {}


def phone_of(value: Any) -> Identity | None:
	"""Whom `wa_id` or `from` means: digits with country code; a user id where Meta puts one instead."""
	digits = id_of(value).removeprefix("+")
	if digits.isascii() and digits.isdigit():
		return identity_of(f"{digits}@c.us")
	return user_of(value)


def user_of(value: Any) -> Identity | None:
	"""Whom a business-scoped user id means."""
	identity = identity_of(id_of(value))
	return identity if identity is not None and identity.kind == "bsuid" else None


def parse_message(message: dict[str, Any], frame: Frame, sequence: int) -> Event:
	"""The event of one item of `messages[]`. Raises `Malformed` when it can't be told who wrote or what."""
	if message.get("group_id"):
		return Unhandled("group message", is_noise=True)
	contact = frame.contact_of(message)
	sender = _sender(message, contact)
	if not sender:
		raise Malformed("no sender")
	kind = text_of(message.get("type"))
	special = SPECIAL.get(kind)
	if special is not None:
		return special(message, sender)
	return _inbound(message, kind, sender, contact, frame, sequence)


def parse_echo(echo: dict[str, Any]) -> Event:
	"""The event of one item of `message_echoes[]`: written on the phone of a number that has both worlds."""
	kind = text_of(echo.get("type"))
	recipient = distinct(phone_of(echo.get("to")), user_of(echo.get("to_user_id")))
	if kind in ("reaction", "revoke"):
		return SPECIAL[kind](echo, ())
	if kind == "edit":
		return replace(_edit(echo, recipient), is_ours=True)
	if not recipient:
		raise Malformed("no recipient")
	content_type, body, media, data = content_of(echo, kind, [])
	context = dict_of(echo.get("context"))
	return OutboundEcho(
		MessageRef(need_id(echo)),
		recipient,
		epoch_ms(echo.get("timestamp")),
		content_type,
		body,
		media,
		reply_to=_quoted(context),
		data=_with_origin(data, echo, context),
		is_forwarded=_is_forwarded(context),
	)


def _quoted(context: dict[str, Any]) -> MessageRef | None:
	quoted = id_of(context.get("id"))
	return MessageRef(quoted) if quoted else None


def _is_forwarded(context: dict[str, Any]) -> bool:
	return context.get("forwarded") is True or context.get("frequently_forwarded") is True


def _sender(message: dict[str, Any], contact: dict[str, Any]) -> tuple[Identity, ...]:
	"""Phone before user id: the phone means the same person on every device and for every business."""
	return distinct(
		phone_of(message.get("from")),
		phone_of(contact.get("wa_id")),
		user_of(message.get("from_user_id")),
		user_of(contact.get("user_id")),
		user_of(message.get("from_parent_user_id")),
		user_of(contact.get("parent_user_id")),
	)


def _inbound(
	message: dict[str, Any],
	kind: str,
	sender: tuple[Identity, ...],
	contact: dict[str, Any],
	frame: Frame,
	sequence: int,
) -> InboundMessage:
	content_type, body, media, data = content_of(message, kind, frame.errors)
	context = dict_of(message.get("context"))
	profile = dict_of(contact.get("profile"))
	return InboundMessage(
		ref=MessageRef(need_id(message)),
		sender=sender,
		sent_ms=epoch_ms(message.get("timestamp")),
		content_type=content_type,
		body=body,
		profile_name=text_of(profile.get("name")) or text_of(profile.get("username")),
		media=media,
		reply_to=_quoted(context),
		data=_with_origin(data, message, context),
		is_forwarded=_is_forwarded(context),
		sequence=sequence,
	)


def _with_origin(
	data: Mapping[str, Any], message: dict[str, Any], context: dict[str, Any]
) -> Mapping[str, Any]:
	"""The content's data, and the advertisement or product the customer came from."""
	referral, product = message.get("referral"), context.get("referred_product")
	if not referral and not product:
		return data
	origin = {"referral": json_value(referral), "referred_product": json_value(product)}
	return {**data, **{key: value for key, value in origin.items() if value}}


def _reaction(message: dict[str, Any], sender: tuple[Identity, ...]) -> Event:
	reaction = need_dict(message, "reaction")
	return Reaction(
		target=MessageRef(need_id(reaction, "message_id")),
		author=sender[0].key if sender else "me",
		emoji=text_of(reaction.get("emoji")),  # taken back: empty, or not there at all
		at_ms=epoch_ms(message.get("timestamp")),
	)


def _edit(message: dict[str, Any], sender: tuple[Identity, ...]) -> MessageEdit:
	edit = need_dict(message, "edit")
	content = need_dict(edit, "message")
	# a guess would wipe out what was there
	_, body, _, _ = read_content(content, text_of(content.get("type")), [])
	target = MessageRef(need_id(edit, "original_message_id"))
	return MessageEdit(target, body, epoch_ms(message.get("timestamp")), sender)


def _revoke(message: dict[str, Any], sender: tuple[Identity, ...]) -> Event:
	revoke = need_dict(message, "revoke")
	return MessageRevoke(
		MessageRef(need_id(revoke, "original_message_id")), epoch_ms(message.get("timestamp"))
	)


def _system(message: dict[str, Any], sender: tuple[Identity, ...]) -> Event:
	system = need_dict(message, "system")
	kind = text_of(system.get("type"))
	at_ms = epoch_ms(message.get("timestamp"))
	user = user_of(system.get("user_id"))
	if kind in NUMBER_CHANGES:
		phone = phone_of(system.get("wa_id")) or phone_of(system.get("new_wa_id"))
		return _change(sender, distinct(phone, user), at_ms)
	if kind == "user_changed_user_id":
		old = distinct(user_of(system.get("previous_user_id")))
		new = distinct(phone_of(system.get("wa_id")), user or user_of(message.get("from_user_id")))
		return _change(old, new, at_ms)
	body = text_of(system.get("body"))
	if kind == "customer_identity_changed" or not body:
		return Unhandled(reason("system", kind), is_noise=kind == "customer_identity_changed")
	return InboundMessage(
		MessageRef(need_id(message)), sender, at_ms, "system", body, data={"type": kind[:60]}
	)


def _change(old: tuple[Identity, ...], new: tuple[Identity, ...], at_ms: int) -> Event:
	if not old or not new:
		raise Malformed("no old or new identity")
	return IdentityChange(old, new, at_ms)


def _welcome(message: dict[str, Any], sender: tuple[Identity, ...]) -> Event:
	return Unhandled("request_welcome", is_noise=True)  # somebody opened the chat and wrote nothing


SPECIAL: Mapping[str, Callable[[dict[str, Any], tuple[Identity, ...]], Event]] = {
	"reaction": _reaction,
	"edit": _edit,
	"revoke": _revoke,
	"system": _system,
	"request_welcome": _welcome,
}
