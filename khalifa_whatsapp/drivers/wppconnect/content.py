"""What a message of WhatsApp Web holds, by its type: the words, the file, the structured rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from khalifa_whatsapp.drivers.base import Media
from khalifa_whatsapp.drivers.payload import (
	dict_of,
	id_of,
	json_value,
	list_of,
	need_text,
	number_of,
	text_of,
)
from khalifa_whatsapp.drivers.wppconnect.wid import wid

MEDIA_TYPES = {
	"image": "image",
	"video": "video",
	"ptt": "voice",
	"audio": "audio",
	"document": "document",
	"sticker": "sticker",
}
# WhatsApp's own bookkeeping in a chat. A ciphertext comes again when it could be read.
NOISE_TYPES = frozenset(
	{
		"ciphertext",
		"revoked",
		"gp2",
		"e2e_notification",
		"notification_template",
		"notification",
		"call_log",
		"protocol",
	}
)
UNSUPPORTED_TYPES = frozenset({"poll_creation", "product", "event_creation", "groups_v4_invite"})
NOTHING: Mapping[str, Any] = {}
LARGEST_THUMBNAIL = 40_000  # characters of base64; what a preview never reaches

_BASE64 = re.compile(r"[A-Za-z0-9+/]{64}")
_VCARD_NAME = re.compile(r"^FN[^:\r\n]{0,80}:(.{1,200}?)\r?$", re.MULTILINE)
_VCARD_PHONE = re.compile(r"^(?:item\d{1,2}\.)?TEL[^:\r\n]{0,200}:(.{1,60}?)\r?$", re.MULTILINE)


class Content(NamedTuple):
	"""The part of a message that depends on its type."""

	content_type: str
	body: str = ""
	media: Media | None = None
	data: Mapping[str, Any] = NOTHING


def content_of(message: dict[str, Any], kind: str) -> Content:
	"""The content of a message of this type. `Malformed` when a text has no text."""
	if kind == "chat":
		return Content("text", need_text(message, "body"))
	if kind in MEDIA_TYPES:
		return Content(MEDIA_TYPES[kind], text_of(message.get("caption")), media_of(message))
	reader = READERS.get(kind)
	if reader is not None:
		return reader(message)
	return Content("unsupported" if kind in UNSUPPORTED_TYPES else "unknown", data={"type": kind[:60]})


def media_of(message: dict[str, Any]) -> Media:
	"""The file of a message. Its `media_id` is the message's own id: the gateway fetches files by it."""
	size = number_of(message.get("size"))
	return Media(
		media_id=wid(message.get("id")),
		mime_type=text_of(message.get("mimetype"))[:255],
		file_name=text_of(message.get("filename"))[:255],
		sha256=text_of(message.get("filehash"))[:255],
		size=size,
		is_inline=is_whole_file(message.get("body"), size),
	)


def is_whole_file(body: Any, size: int | None) -> bool:
	"""Whether `body` is the file in base64, and not the small preview that stands there before download."""
	if not isinstance(body, str):
		return False
	start = body.find(",", 0, 200) + 1 if body.startswith("data:") else 0
	length = len(body) - start
	if not length or not _BASE64.match(body[start : start + 64].ljust(64, "A").replace("=", "A")):
		return False
	return length * 3 // 4 >= size if size else length > LARGEST_THUMBNAIL


def _location(message: dict[str, Any]) -> Content:
	place = {key: json_value(message.get(key)) for key in ("lat", "lng", "loc")}
	point = f"{place['lat']}, {place['lng']}"
	body = text_of(place["loc"]).replace("\n", ", ") or point[:60]
	return Content(
		"location", body, data={"latitude": place["lat"], "longitude": place["lng"], "name": place["loc"]}
	)


def _contacts(message: dict[str, Any]) -> Content:
	cards = [text_of(dict_of(card).get("vcard")) for card in list_of(message.get("vcardList"))[:20]]
	cards = [card for card in cards or [text_of(message.get("body"))] if card]
	found = [{"name": _first(_VCARD_NAME, card), "phones": _VCARD_PHONE.findall(card)[:5]} for card in cards]
	lines = [" ".join([str(one["name"]), *one["phones"]]).strip() for one in found]
	return Content("contacts", "\n".join(line for line in lines if line), data={"contacts": found})


def _first(pattern: re.Pattern[str], text: str) -> str:
	found = pattern.search(text)
	return found[1] if found else ""


def _list_reply(message: dict[str, Any]) -> Content:
	answer = dict_of(message.get("listResponse"))
	row = id_of(dict_of(answer.get("singleSelectReply")).get("selectedRowId"))
	return Content(
		"list_reply", text_of(answer.get("title")) or text_of(message.get("body")), data={"id": row}
	)


def _button_reply(message: dict[str, Any]) -> Content:
	keys = ("selectedButtonId", "selectedId")
	chosen = next((id_of(message.get(key)) for key in keys if id_of(message.get(key))), "")
	return Content("button_reply", text_of(message.get("body")), data={"id": chosen})


def _order(message: dict[str, Any]) -> Content:
	words = (
		text_of(message.get("orderTitle")),
		text_of(message.get("itemCount")),
		text_of(message.get("message")),
	)
	data = {key: json_value(message.get(key)) for key in ("orderId", "orderTitle", "itemCount", "message")}
	return Content("order", " · ".join(word for word in words if word), data=data)


READERS: Mapping[str, Callable[[dict[str, Any]], Content]] = {
	"location": _location,
	"vcard": _contacts,
	"multi_vcard": _contacts,
	"list_response": _list_reply,
	"buttons_response": _button_reply,
	"template_button_reply": _button_reply,
	"order": _order,
}
