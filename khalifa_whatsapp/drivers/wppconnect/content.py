"""What a message of WhatsApp Web holds, by its type: the words, the file, the structured rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from khalifa_whatsapp.core.details import cards_text, place_text
from khalifa_whatsapp.drivers.base import Media
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	id_of,
	json_value,
	list_of,
	need_text,
	number_of,
	text_of,
)
from khalifa_whatsapp.drivers.vcards import UNREADABLE, contacts_in
from khalifa_whatsapp.drivers.wppconnect.wid import wid

MEDIA_TYPES = {
	"image": "image",
	"video": "video",
	"ptt": "voice",
	"audio": "audio",
	"document": "document",
	"sticker": "sticker",
}
# neither is content: a call, and a message that nobody could read yet
CALL, MISSING = (
	"call_log",
	"ciphertext",
)
# WhatsApp's own bookkeeping in a chat, and the frame around pictures that come one by one
NOISE_TYPES = frozenset(
	{
		"revoked",
		"album",
		"gp2",
		"e2e_notification",
		"notification_template",
		"notification",
		"protocol",
	}
)
UNSUPPORTED_TYPES = frozenset({"event_creation", "groups_v4_invite", "oversized", "ptv", "payment"})
MAX_CARDS, MAX_OPTIONS = 20, 12
NOTHING: Mapping[str, Any] = {}
ON_PHONE: Mapping[str, Any] = {"on_phone": True}  # what can't be shown here can be read there
LARGEST_THUMBNAIL = 40_000  # characters of base64; what a preview never reaches

_BASE64 = re.compile(r"[A-Za-z0-9+/]{64}")


class Content(NamedTuple):
	"""The part of a message that depends on its type."""

	content_type: str
	body: str = ""
	media: Media | None = None
	data: Mapping[str, Any] = NOTHING


def content_of(message: dict[str, Any], kind: str) -> Content:
	"""The content of a message of this type.

	What can't be read is shown as such: whoever wrote it waits for an answer.
	"""
	try:
		return _read(message, kind)
	except Malformed:
		return Content("unknown", data={"type": kind[:60], **ON_PHONE})


def _read(message: dict[str, Any], kind: str) -> Content:
	if kind == "chat":
		return Content("text", need_text(message, "body"))
	if kind == MISSING:
		return Content("missing", data=ON_PHONE)
	if message.get("isViewOnce") is True:
		return Content("unsupported", data={"type": "view_once", **ON_PHONE})
	if kind in MEDIA_TYPES:
		return Content(MEDIA_TYPES[kind], text_of(message.get("caption")), media_of(message))
	reader = READERS.get(kind)
	if reader is not None:
		return reader(message)
	return Content(
		"unsupported" if kind in UNSUPPORTED_TYPES else "unknown", data={"type": kind[:60], **ON_PHONE}
	)


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
	data = {"latitude": json_value(message.get("lat")), "longitude": json_value(message.get("lng"))}
	data["name"] = json_value(message.get("loc"))
	if message.get("isLive") is True or number_of(message.get("shareDuration")):
		data["is_live"] = True
	comment = text_of(message.get("comment"))
	return Content("location", "\n".join(filter(None, (place_text(data), comment))), data=data)


def _contacts(message: dict[str, Any]) -> Content:
	given = [dict_of(card) for card in list_of(message.get("vcardList"))[:MAX_CARDS]]
	given = given or [{"vcard": message.get("body"), "displayName": message.get("vcardFormattedName")}]
	contacts = [contact for card in given for contact in _cards_of(card)][:MAX_CARDS]
	return Content("contacts", cards_text(contacts), data={"contacts": contacts})


def _cards_of(card: dict[str, Any]) -> list[dict[str, Any]]:
	"""What a card says; WhatsApp's own name for it where it says none, or one that can't be read whole."""
	contacts = contacts_in(text_of(card.get("vcard"))) or [{}]
	name = text_of(card.get("displayName"))
	for contact in contacts:
		written = dict_of(contact.get("name")).get("formatted_name", "")
		if name and (not written or UNREADABLE in written):
			contact["name"] = {"formatted_name": name}
	return [contact for contact in contacts if contact]


def _list_reply(message: dict[str, Any]) -> Content:
	answer = dict_of(message.get("listResponse"))
	row = id_of(dict_of(answer.get("singleSelectReply")).get("selectedRowId"))
	data = {"id": row}
	if description := text_of(answer.get("description")):
		data["description"] = description
	return Content(
		"list_reply", text_of(answer.get("title")) or text_of(message.get("body")) or row, data=data
	)


def _button_reply(message: dict[str, Any]) -> Content:
	keys = ("selectedButtonId", "selectedId")
	chosen = next((id_of(message.get(key)) for key in keys if id_of(message.get(key))), "")
	return Content("button_reply", text_of(message.get("body")) or chosen, data={"id": chosen})


def _order(message: dict[str, Any]) -> Content:
	total = _price(message.get("totalAmount1000"), message.get("totalCurrencyCode"))
	body = (
		text_of(message.get("orderTitle")),
		text_of(message.get("itemCount")),
		total,
		text_of(message.get("message")),
	)
	data = {key: json_value(message.get(key)) for key in ("orderId", "orderTitle", "itemCount", "message")}
	return Content("order", " · ".join(term for term in body if term), data=data)


def _product(message: dict[str, Any]) -> Content:
	"""A product of a catalogue: its name, what is said of it, its price."""
	price = _price(message.get("priceAmount1000"), message.get("currencyCode") or message.get("currency"))
	number = text_of(message.get("retailerId")) or text_of(message.get("productId"))
	body = (
		text_of(message.get("title")),
		price,
		text_of(message.get("description")),
		text_of(message.get("body")),
	)
	data = {"product_id": number, "title": body[0], "price": price}
	return Content("product", "\n".join(dict.fromkeys(filter(None, body))) or number, data=data)


def _price(thousandths: Any, currency: Any) -> str:
	amount = number_of(thousandths)
	return f"{amount / 1000:g} {text_of(currency)}".strip() if amount else ""


def _poll(message: dict[str, Any]) -> Content:
	options = [text_of(dict_of(one).get("name")) for one in list_of(message.get("pollOptions"))[:MAX_OPTIONS]]
	question = text_of(message.get("pollName")) or text_of(message.get("body"))
	lines = [question, *(f"▫ {option}" for option in options if option)]
	return Content("poll", "\n".join(filter(None, lines)), data={"type": "poll_creation"})


READERS: Mapping[str, Callable[[dict[str, Any]], Content]] = {
	"location": _location,
	"vcard": _contacts,
	"multi_vcard": _contacts,
	"list_response": _list_reply,
	"buttons_response": _button_reply,
	"template_button_reply": _button_reply,
	"order": _order,
	"product": _product,
	"poll_creation": _poll,
}
