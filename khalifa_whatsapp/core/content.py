"""What a message says, in words: one rule for the list, the thread, search, reports and exports.

A customer's words are only ever text. Where there are none, a sentence of ours says what came; it is named by
its code, a key of `MESSAGES`, so that each reader gets it in his or her own language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core import calls
from khalifa_whatsapp.core.arabic import message_search_text, preview
from khalifa_whatsapp.core.details import (
	cards,
	cards_text,
	dict_of,
	form_fields,
	form_text,
	in_one_piece,
	list_of,
	place_name,
	place_text,
	point_of,
	product_of,
	text_of,
)
from khalifa_whatsapp.core.kinds import (
	AD_ICON,
	BY_ERROR,
	BY_TYPE,
	ICONS,
	KINDS,
	MESSAGES,
	UNREAD,
	label_icon,
)
from khalifa_whatsapp.core.records import NOTE, OUTGOING, Message, Ticket

LINE, ORIGIN = 120, 40  # characters of a line in the list, and of it for where the customer came from


@dataclass(frozen=True, slots=True)
class Part:
	"""One piece of a message to show.

	text: `text` · note: the sentence `label` · field: what a form calls it (`text`) and its `value` · fact:
	our name for it (`label`) and its `value` · place: `text`, `point` · card: `text`, `lines` · ad: `label`,
	`text`, `lines`
	"""

	kind: str
	text: str = ""
	label: str = ""  # a key of MESSAGES
	value: str = ""
	lines: tuple[str, ...] = ()
	point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class MessageContent:
	"""A message as far as its text goes."""

	kind: str
	body: str = ""
	data: Mapping[str, Any] = field(default_factory=dict)
	file_name: str = ""
	is_ours: bool = False
	is_revoked: bool = False


def content_of(row: Any) -> MessageContent:
	"""A message's words, from its record or from a row with the same fields."""
	return MessageContent(
		row.content_type or "",
		row.body or "",
		load(row.data),
		row.file_name or "",
		row.direction == OUTGOING,
		bool(row.is_revoked),
	)


def load(stored: str | None) -> dict[str, Any]:
	"""The details of a stored message; none where they are no object."""
	try:
		loaded = json.loads(stored) if stored else None
	except ValueError:
		return {}
	return loaded if isinstance(loaded, dict) else {}


# -- one line


def label_of(one: MessageContent) -> str:
	"""The key of the sentence that says what came, where it has no words."""
	if one.is_revoked:
		return "revoked"
	if one.kind == "call":
		return f"call_{'out_' if one.is_ours else ''}{calls.state_of(one.data)}"
	if one.kind == "call_permission":
		return "call_allowed" if one.data.get("response") == "accept" else "call_refused"
	if one.kind == "unsupported":
		return _unsupported(one.data)
	if one.kind == "location" and one.data.get("is_live"):
		return "live_location"
	if one.kind == "poll_reply":
		return "poll_none"
	if one.kind in MESSAGES:
		return one.kind
	return "empty" if one.kind in KINDS else "unknown"


def _unsupported(data: Mapping[str, Any]) -> str:
	codes = (dict_of(error).get("code") for error in list_of(data.get("errors")))
	by_error = next((BY_ERROR[code] for code in codes if isinstance(code, int) and code in BY_ERROR), "")
	return by_error or BY_TYPE.get(text_of(data.get("type")), "unsupported")


def plain_text(one: MessageContent) -> str:
	"""What the person wrote, chose, filled in or sent, as one text."""
	if one.kind == "flow_reply":
		return form_text(one.data.get("response")) or text_of(one.data.get("response_text")) or one.body
	if one.kind == "contacts":
		return cards_text(one.data.get("contacts")) or one.body
	if one.kind == "list_reply" and text_of(one.data.get("description")):
		return " · ".join(filter(None, (one.body, text_of(one.data.get("description")))))
	return one.body or one.file_name


def line_of(one: MessageContent) -> tuple[str, str]:
	"""One short safe line for lists; and the key of its sentence where it has no words of the person's."""
	body = "" if one.is_revoked else preview(_line_text(one))
	if not body:
		label = label_of(one)
		return f"{label_icon(label)} {MESSAGES[label]}".strip(), label
	origin = preview(_origin_line(one.data), ORIGIN)
	room = LINE - len(origin) - 3 if origin else LINE
	icon = label_icon(label_of(one)) if one.kind == "unsupported" else ICONS.get(one.kind, "")
	return " · ".join(filter(None, (preview(f"{icon} {body}".strip(), room), origin))), ""


def _line_text(one: MessageContent) -> str:
	"""Among Arabic words the parts of a number between spaces would be read in the wrong order:
	here it is in one piece.
	"""
	contacts = cards(one.data.get("contacts")) if one.kind == "contacts" else []
	return " ".join(in_one_piece(line) for card in contacts for line in card) or plain_text(one)


def _origin_line(data: Mapping[str, Any]) -> str:
	ad = dict_of(data.get("referral"))
	headline = text_of(ad.get("headline")) or text_of(ad.get("body"))
	product = product_of(data)
	return " · ".join(
		filter(None, (product and f"{ICONS['product']} {product}", headline and f"{AD_ICON} {headline}"))
	)


def summary(message: Message) -> str:
	"""One short safe line for lists."""
	return line_of(content_of(message))[0]


def put_preview(ticket: Ticket, message: Message) -> None:
	"""This message is the last of the conversation: its line stands in the list."""
	ticket.preview, ticket.preview_label = line_of(content_of(message))


def is_in_thread(message: Message) -> bool:
	"""Whether it counts as a message of the conversation: no note, no emoji on another message."""
	return message.origin != NOTE and message.content_type != "reaction"


def search_text(message: Message) -> str | None:
	"""What search knows of a message: its words, its file, and where the customer came from."""
	one = content_of(message)
	ad = dict_of(one.data.get("referral"))
	more = (one.file_name, text_of(ad.get("headline")), text_of(ad.get("body")), product_of(one.data))
	body = plain_text(one)
	return message_search_text("\n".join(filter(None, (body, *(text for text in more if text != body)))))


def wants_answer(kind: str, data: Mapping[str, Any], is_ours: bool = False) -> bool:
	"""Whether a message makes its customer wait for us."""
	if is_ours or kind == "system":
		return False
	if kind == "call":
		return calls.state_of(data) in calls.UNANSWERED
	if kind == "call_permission":
		return data.get("source") != "automatic"
	return True


def makes_wait(message: Message) -> bool:
	"""Whether this message makes its customer wait for us."""
	return wants_answer(message.content_type, load(message.data), message.direction == OUTGOING)


def opens_window(message: Message) -> bool:
	"""Whether the customer turned to us, so that the gateway lets us write freely for a while.

	What a gateway says in a chat does not; nor does an edit of a message that never came: nobody knows when
	it was written.
	"""
	is_edit_alone = message.content_type == "missing" and bool(message.is_edited)
	return message.direction != OUTGOING and message.content_type != "system" and not is_edit_alone


# -- the whole


def parts(one: MessageContent, has_file: bool = False) -> list[Part]:
	"""Everything that a message says, in the order in which it is shown.

	A file of its own is drawn beside it.
	"""
	if one.is_revoked:
		return [Part("note", label="revoked")]
	middle = _middle(one)
	if not middle and not has_file:
		middle = [Part("note", label=label_of(one))]
	return [*_before(one), *middle, *_after(one)]


def _before(one: MessageContent) -> list[Part]:
	notes = {"is_forwarded": "forwarded", "is_requested": "requested"}
	pieces = [Part("note", label=label) for key, label in notes.items() if one.data.get(key)]
	ad = dict_of(one.data.get("referral"))
	texts = [text_of(ad.get(key)) for key in ("headline", "body", "source_url")]
	if any(texts):
		pieces.append(Part("ad", texts[0], "ad", lines=tuple(filter(None, texts[1:]))))
	if product := product_of(one.data):
		pieces.append(Part("fact", label="about_product", value=product))
	return pieces


def _middle(one: MessageContent) -> list[Part]:
	return _READERS.get(one.kind, _text_parts)(one)


def _text_parts(one: MessageContent) -> list[Part]:
	return [Part("text", one.body)] if one.body else []


def _unread(one: MessageContent) -> list[Part]:
	return [Part("note", label=label_of(one)), *_text_parts(one)]


def _after(one: MessageContent) -> list[Part]:
	if one.kind not in UNREAD:
		return []
	if one.kind == "missing" and one.body:
		return [Part("note", label="edited_only")]
	if one.data.get("on_phone"):
		return [Part("note", label="on_phone")]
	return [Part("note", label="in_business_app" if label_of(one) == "not_handed_over" else "ask_again")]


def _call(one: MessageContent) -> list[Part]:
	pieces = [Part("note", label=label_of(one))]
	if one.data.get("is_video"):
		pieces.append(Part("note", label="video_call"))
	duration = one.data.get("duration")
	if isinstance(duration, int) and duration > 0:
		pieces.append(Part("fact", label="talk", value=calls.length(duration)))
	return pieces


def _place(one: MessageContent) -> list[Part]:
	place = dict_of(one.data.get("location")) or one.data
	point = point_of(place)
	if point is None:
		return _text_parts(one)
	pieces = [Part("place", place_name(place), label_of(one), point=point)]
	more = (one.body.removeprefix(place_text(place)).strip(), text_of(place.get("url")))
	return pieces + [Part("text", text) for text in more if text]


def _cards(one: MessageContent) -> list[Part]:
	pieces = [Part("card", card[0], lines=card[1:]) for card in cards(one.data.get("contacts"))]
	return pieces or _text_parts(one)


def _form(one: MessageContent) -> list[Part]:
	fields = [Part("field", name, value=value) for name, value in form_fields(one.data.get("response"))]
	body = plain_text(one)
	return fields or ([Part("text", body)] if body else [])


def _list_reply(one: MessageContent) -> list[Part]:
	description = text_of(one.data.get("description"))
	return [Part("text", text) for text in (one.body, description) if text]


def _choices(one: MessageContent) -> list[Part]:
	asked = dict_of(one.data.get("choices"))
	titles = [text_of(dict_of(choice).get("title")) for choice in list_of(asked.get("choices"))]
	texts = (
		text_of(asked.get("header")),
		one.body,
		text_of(asked.get("footer")),
		"\n".join(f"▫ {title}" for title in titles if title),
	)
	return [Part("text", text) for text in texts if text]


_READERS = {
	"call": _call,
	"location": _place,
	"contacts": _cards,
	"flow_reply": _form,
	"list_reply": _list_reply,
	"choices": _choices,
	"unsupported": _unread,
	"unknown": _unread,
}
