"""What a message of the Cloud API holds, by its type: the words, the file, the structured rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from khalifa_whatsapp.drivers.base import Media
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	id_of,
	json_value,
	list_of,
	need_dict,
	need_text,
	number_of,
	text_of,
)

NOTHING: Mapping[str, Any] = {}


class Content(NamedTuple):
	"""The part of a message that depends on its type."""

	content_type: str
	body: str = ""
	media: Media | None = None
	data: Mapping[str, Any] = NOTHING


def content_of(message: dict[str, Any], kind: str, errors: list[Any]) -> Content:
	"""The content of a message of this type. `errors` stand beside it and may explain a gap."""
	if kind == "text":
		return Content("text", need_text(need_dict(message, "text"), "body"))
	reader = READERS.get(kind)
	if reader is None:
		return Content("unknown", data={"type": kind[:60], "content": json_value(message.get(kind))})
	if kind == "interactive" and kind not in message and errors:
		return _unsupported({**message, "errors": errors})
	return reader(message)


def _media(kind: str) -> Callable[[dict[str, Any]], Content]:
	def read(message: dict[str, Any]) -> Content:
		file = need_dict(message, kind)
		media = Media(
			media_id=id_of(file.get("id")),
			mime_type=text_of(file.get("mime_type"))[:255],
			file_name=text_of(file.get("filename"))[:255],
			sha256=text_of(file.get("sha256"))[:255],
			size=number_of(file.get("file_size")),
		)
		is_voice = kind == "audio" and file.get("voice") is True
		return Content("voice" if is_voice else kind, text_of(file.get("caption")), media)

	return read


def _location(message: dict[str, Any]) -> Content:
	place = need_dict(message, "location")
	words = [text_of(place.get("name")), text_of(place.get("address"))]
	data = json_value(place)
	point = f"{data.get('latitude')}, {data.get('longitude')}"
	return Content("location", ", ".join(word for word in words if word) or point[:60], data=data)


def _contacts(message: dict[str, Any]) -> Content:
	cards = message.get("contacts")
	if not isinstance(cards, list):
		raise Malformed("no contacts")
	lines = [_card_line(dict_of(card)) for card in cards[:20]]
	return Content(
		"contacts", "\n".join(line for line in lines if line), data={"contacts": json_value(cards)}
	)


def _card_line(card: dict[str, Any]) -> str:
	name = dict_of(card.get("name"))
	words = [text_of(name.get("formatted_name")) or text_of(name.get("first_name"))]
	words += [text_of(dict_of(phone).get("phone")) for phone in list_of(card.get("phones"))[:5]]
	return " ".join(word for word in words if word)


def _button(message: dict[str, Any]) -> Content:
	button = need_dict(message, "button")
	return Content(
		"button_reply", text_of(button.get("text")), data={"payload": text_of(button.get("payload"))}
	)


def _interactive(message: dict[str, Any]) -> Content:
	interactive = need_dict(message, "interactive")
	kind = text_of(interactive.get("type"))
	if kind in ("button_reply", "list_reply"):
		reply = need_dict(interactive, kind)
		data: dict[str, Any] = {key: text_of(reply.get(key)) for key in ("id", "description") if key in reply}
		return Content(kind, text_of(reply.get("title")), data=data)
	if kind == "nfm_reply":
		return _flow_reply(need_dict(interactive, kind))
	return Content("unknown", data={"type": kind[:60], "content": json_value(interactive)})


def _flow_reply(reply: dict[str, Any]) -> Content:
	answer = text_of(reply.get("response_json"))
	data: dict[str, Any] = {"name": text_of(reply.get("name"))}
	try:
		data["response"] = json_value(json.loads(answer))
	except (ValueError, RecursionError):  # the customer's phone wrote it, Meta does not check it
		data["response_text"] = answer
	return Content("flow_reply", text_of(reply.get("body")), data=data)


def _order(message: dict[str, Any]) -> Content:
	order = need_dict(message, "order")
	items = [dict_of(item) for item in list_of(order.get("product_items"))]
	lines = [line for line in (_item_line(item) for item in items[:20]) if line]
	lines.append(text_of(order.get("text")))
	return Content("order", "\n".join(line for line in lines if line), data=json_value(order))


def _item_line(item: dict[str, Any]) -> str:
	"""One line that reads the same in every language: 2 × SKU-9 (150 EGP)."""
	price = f"{json_value(item.get('item_price'))} {text_of(item.get('currency'))}"
	name = text_of(item.get("product_retailer_id"))
	return f"{text_of(item.get('quantity')) or '?'} × {name} ({price.strip()[:40]})" if name else ""


def _unsupported(message: dict[str, Any]) -> Content:
	inner = dict_of(message.get("unsupported"))
	errors = [
		{"code": json_value(dict_of(error).get("code")), "title": text_of(dict_of(error).get("title"))}
		for error in list_of(message.get("errors"))[:10]
	]
	kind = text_of(inner.get("type")) or text_of(message.get("type"))
	return Content("unsupported", data={"type": kind[:60], "errors": errors})


READERS: Mapping[str, Callable[[dict[str, Any]], Content]] = {
	**{kind: _media(kind) for kind in ("image", "audio", "video", "document", "sticker")},
	"location": _location,
	"contacts": _contacts,
	"button": _button,
	"interactive": _interactive,
	"order": _order,
	"unsupported": _unsupported,
}
