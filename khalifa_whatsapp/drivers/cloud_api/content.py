"""What a message of the Cloud API holds, by its type: the words, the file, the structured rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from khalifa_whatsapp.core.details import cards_text, form_text, place_text
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
	"""The content of a message of this type.

	What can't be read is shown as such: whoever wrote it waits for an answer.
	"""
	try:
		return read_content(message, kind, errors)
	except Malformed:
		return _unknown(message, kind)


def read_content(message: dict[str, Any], kind: str, errors: list[Any]) -> Content:
	"""The same; `Malformed` when it can't be read. `errors` stand beside it and may explain a gap."""
	reader = READERS.get(kind)
	if reader is None:
		return _unknown(message, kind)
	explained = list_of(message.get("errors")) or errors
	if kind not in message and explained:  # Meta had it and could not hand it over
		return _unsupported({**message, "errors": explained})
	return reader(message)


def _unknown(message: dict[str, Any], kind: str) -> Content:
	return Content("unknown", data={"type": kind[:60], "content": json_value(message.get(kind))})


def _text(message: dict[str, Any]) -> Content:
	return Content("text", need_text(need_dict(message, "text"), "body"))


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
	data = json_value(need_dict(message, "location"))
	return Content("location", place_text(data), data=data)


def _contacts(message: dict[str, Any]) -> Content:
	cards = json_value(message.get("contacts"))
	if not isinstance(cards, list):
		raise Malformed("no contacts")
	data: dict[str, Any] = {"contacts": cards}
	if any(
		"contact_request" in (dict_of(one).get("origin"), dict_of(one).get("type"))
		for one in (message, *cards)
	):
		data["is_requested"] = True
	return Content("contacts", cards_text(cards), data=data)


def _button(message: dict[str, Any]) -> Content:
	button = need_dict(message, "button")
	payload = text_of(button.get("payload"))
	return Content("button_reply", text_of(button.get("text")) or payload, data={"payload": payload})


def _interactive(message: dict[str, Any]) -> Content:
	interactive = need_dict(message, "interactive")
	kind = text_of(interactive.get("type"))
	if kind in ("button_reply", "list_reply"):
		reply = need_dict(interactive, kind)
		data: dict[str, Any] = {key: text_of(reply.get(key)) for key in ("id", "description") if key in reply}
		return Content(kind, text_of(reply.get("title")) or text_of(reply.get("id")), data=data)
	reader = INTERACTIVE.get(kind)
	if reader is not None:
		return reader(need_dict(interactive, kind))
	return Content("unknown", data={"type": kind[:60], "content": json_value(interactive)})


def _flow_reply(reply: dict[str, Any]) -> Content:
	answer = text_of(reply.get("response_json"))
	data: dict[str, Any] = {"name": text_of(reply.get("name"))}
	try:
		data["response"] = json_value(json.loads(answer))
	except (ValueError, RecursionError):  # the customer's phone wrote it, Meta does not check it
		data["response_text"] = answer
	body = form_text(data.get("response")) or text_of(data.get("response_text")) or text_of(reply.get("body"))
	return Content("flow_reply", body, data=data)


def _call_permission(reply: dict[str, Any]) -> Content:
	"""Whether we may call; Meta says it too, of itself, when the customer calls us (`automatic`)."""
	data = {
		"response": text_of(reply.get("response")).lower(),
		"source": text_of(reply.get("response_source")).lower(),
	}
	return Content("call_permission", data=data)


def _order(message: dict[str, Any]) -> Content:
	order = need_dict(message, "order")
	items = [dict_of(item) for item in list_of(order.get("product_items"))]
	lines = [line for line in (_item_line(item) for item in items[:20]) if line]
	lines.append(text_of(order.get("text")))
	return Content("order", "\n".join(line for line in lines if line), data=json_value(order))


def _item_line(item: dict[str, Any]) -> str:
	"""One line that reads the same in every language: 2 × SKU-9 (150 EGP)."""
	amount = item.get("item_price")
	price = f"{json_value(amount)} {text_of(item.get('currency'))}".strip()[:40] if amount is not None else ""
	name = text_of(item.get("product_retailer_id")) or "?"
	return f"{text_of(item.get('quantity')) or '?'} × {name}{f' ({price})' if price else ''}" if item else ""


def _unsupported(message: dict[str, Any]) -> Content:
	inner = dict_of(message.get("unsupported"))
	errors = [
		{"code": json_value(dict_of(error).get("code")), "title": text_of(dict_of(error).get("title"))}
		for error in list_of(message.get("errors"))[:10]
	]
	kind = text_of(inner.get("type")) or text_of(message.get("type"))
	return Content("unsupported", data={"type": kind[:60], "errors": errors})


READERS: Mapping[str, Callable[[dict[str, Any]], Content]] = {
	"text": _text,
	**{kind: _media(kind) for kind in ("image", "audio", "video", "document", "sticker")},
	"location": _location,
	"contacts": _contacts,
	"button": _button,
	"interactive": _interactive,
	"order": _order,
	"unsupported": _unsupported,
}
INTERACTIVE: Mapping[str, Callable[[dict[str, Any]], Content]] = {
	"nfm_reply": _flow_reply,
	"call_permission_reply": _call_permission,
}
