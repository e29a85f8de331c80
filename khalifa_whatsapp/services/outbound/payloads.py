"""A stored message as what a driver sends.

Beside its text a message keeps in `data`, as JSON, what its kind needs: `template`, `target`, `location`,
`contacts`, `choices`. The bytes of a file are read only now, by its private address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.templates import header_file
from khalifa_whatsapp.drivers import base

MEDIA = frozenset({"image", "audio", "voice", "video", "document", "sticker"})
WINDOW_CLOSED = "More than 24 hours since the customer wrote: WhatsApp takes only a template now. Choose one."
NUMBER_LEFT = "The customer has given up the number this was meant for, and no new one is known here."
ReadFile = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Parts:
	"""What the claim read beside the message."""

	recipient: tuple[Identity, ...]
	# what it quotes or reacts to and this gateway knows, by key
	named: Mapping[str, records.Message] = field(default_factory=dict)
	known: frozenset[Identity] = frozenset()  # all that is known of the customer


def build(message: records.Message, parts: Parts, read_file: ReadFile) -> base.Outgoing:
	"""The message for a driver. `Permanent` when what it refers to is gone."""
	quoted = parts.named.get(message.reply_to or "")
	common: dict[str, Any] = {
		"recipient": parts.recipient,
		"reply_to": _ref(quoted),
		"callback": message.name,
	}
	if message.content_type in MEDIA:
		return _media(message, read_file, common)
	if message.content_type == "template":
		return _template(message, read_file, common)
	make = BUILDERS.get(message.content_type)
	if make is None:
		raise base.Permanent("This kind of message can't be sent.", code="unsupported")
	return make(message, parts, common)


def target_key(message: records.Message) -> str:
	"""The key of the message that a reaction is put on; empty for other kinds."""
	return str(_data(message).get("target", "")) if message.content_type == "reaction" else ""


def _data(message: records.Message) -> dict[str, Any]:
	loaded = json.loads(message.data) if message.data else {}
	return loaded if isinstance(loaded, dict) else {}


def _ref(message: records.Message | None) -> base.MessageRef | None:
	return (
		base.MessageRef(message.gateway_id, message.scope)
		if message is not None and message.gateway_id
		else None
	)


def _text(message: records.Message, parts: Parts, common: dict[str, Any]) -> base.Outgoing:
	return base.OutgoingText(body=message.body, **common)


def _media(message: records.Message, read_file: ReadFile, common: dict[str, Any]) -> base.Outgoing:
	return base.OutgoingMedia(
		kind=message.content_type,
		content=_content(message, read_file),
		mime_type=message.mime_type or "application/octet-stream",
		file_name=message.file_name or "",
		caption=message.body,
		**common,
	)


def _content(message: records.Message, read_file: ReadFile) -> bytes:
	content = read_file(message.file_url or "")
	if not content:
		raise base.Permanent("The file is no longer there. Attach it again.", code="no_file")
	return content


def _template(message: records.Message, read_file: ReadFile, common: dict[str, Any]) -> base.Outgoing:
	chosen = _data(message).get("template", {})
	return base.OutgoingTemplate(
		name=str(chosen.get("name", "")),
		language=str(chosen.get("language", "")),
		body_values=tuple(map(str, chosen.get("body", ()))),
		named_values=tuple((str(key), str(value)) for key, value in chosen.get("named", ())),
		header_values=tuple(map(str, chosen.get("header", ()))),
		header_names=tuple(map(str, chosen.get("header_names", ()))),
		header_media=_header_media(message, str(chosen.get("header_kind", "")), read_file),
		buttons=tuple((int(at), str(kind), str(value)) for at, kind, value in chosen.get("buttons", ())),
		**common,
	)


def _header_media(message: records.Message, kind: str, read_file: ReadFile) -> base.OutgoingMedia | None:
	"""The file of a template's header, as bytes: a private one has no address for the gateway."""
	file = header_file(message.file_url, message.file_name)
	if file is None:
		return None
	return base.OutgoingMedia(
		recipient=(),
		kind=kind or file.kind,
		content=_content(message, read_file),
		mime_type=message.mime_type or file.mime_type,
		file_name=file.name,
	)


def _reaction(message: records.Message, parts: Parts, common: dict[str, Any]) -> base.Outgoing:
	target = _ref(parts.named.get(target_key(message)))
	if target is None:
		raise base.Permanent("The message to react to is no longer there.", code="no_target")
	return base.OutgoingReaction(target=target, emoji=message.body, **{**common, "reply_to": None})


def _location(message: records.Message, parts: Parts, common: dict[str, Any]) -> base.Outgoing:
	place = _data(message).get("location", {})
	return base.OutgoingLocation(
		latitude=float(place.get("latitude", 0)),
		longitude=float(place.get("longitude", 0)),
		title=str(place.get("name", "")),
		address=str(place.get("address", "")),
		**common,
	)


def _contacts(message: records.Message, parts: Parts, common: dict[str, Any]) -> base.Outgoing:
	cards = tuple(
		(str(card.get("name", "")), str(card.get("phone", ""))) for card in _data(message).get("contacts", ())
	)
	return base.OutgoingContacts(cards=cards, **common)


def _choices(message: records.Message, parts: Parts, common: dict[str, Any]) -> base.Outgoing:
	asked = _data(message).get("choices", {})
	return base.OutgoingChoices(
		body=message.body,
		header=str(asked.get("header", "")),
		footer=str(asked.get("footer", "")),
		list_button=str(asked.get("list_button", "")),
		choices=tuple(
			base.Choice(**{key: str(value) for key, value in one.items()}) for one in asked.get("choices", ())
		),
		**common,
	)


BUILDERS: Mapping[str, Callable[[records.Message, Parts, dict[str, Any]], base.Outgoing]] = {
	"text": _text,
	"reaction": _reaction,
	"location": _location,
	"contacts": _contacts,
	"choices": _choices,
}
