"""Message templates: how one is sent with its values, and how Meta lists those of an account."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from khalifa_whatsapp.drivers.abilities import TemplateInfo
from khalifa_whatsapp.drivers.base import OutgoingTemplate, Permanent
from khalifa_whatsapp.drivers.cloud_api.errors import code_of, error_from
from khalifa_whatsapp.drivers.cloud_api.send import address, check_media, frame
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import dict_of, id_of, json_value, list_of, text_of

MAX_NAME = 512  # characters, as all limits here
MAX_VALUE, MAX_HEADER_VALUE = 1024, 60
MAX_BUTTONS = 10
HEADER_FILES = frozenset({"image", "video", "document"})
# Kind of button → what its parameter is called
PARAMETER_OF = {"url": "text", "quick_reply": "payload", "copy_code": "coupon_code"}
FIELDS = "id,name,language,status,category,components,quality_score,rejected_reason,parameter_format"
PAGE_SIZE = 100
MAX_PAGES = 100  # an account may have 6,000 templates

_FORBIDDEN = re.compile(r"[\n\r\t]| {5,}")  # 132018


def check_template(message: OutgoingTemplate) -> None:
	"""Raise `Permanent` or `RecipientError` when Meta would refuse it whatever the template is."""
	address(message.recipient)
	if not 0 < len(message.name) <= MAX_NAME or not message.language:
		raise Permanent("The template has no name or no language.", code="template")
	if message.body_values and message.named_values:
		raise Permanent("A template's values have either names or an order.", code="template")
	names = [name for name, _ in message.named_values]
	if not all(names) or len(set(names)) < len(names):
		raise Permanent("Every named value of a template needs a name of its own.", code="template")
	_check_values((*message.body_values, *(value for _, value in message.named_values)), MAX_VALUE)
	_check_header(message)
	_check_buttons(message)


def _check_values(values: Iterable[str], most: int) -> None:
	for value in values:
		if not value.strip() or len(value) > most:
			raise Permanent("A value of the template is empty or too long.", code="template_value")
		if _FORBIDDEN.search(value):
			raise Permanent(
				"A value may have one line, without tabs or rows of spaces.", code="template_value"
			)


def _check_header(message: OutgoingTemplate) -> None:
	_check_values(message.header_values, MAX_HEADER_VALUE)
	if message.header_media is None:
		return
	if message.header_values:
		raise Permanent("The heading of a template is either a text or a file.", code="template")
	if message.header_media.kind not in HEADER_FILES or message.header_media.caption:
		raise Permanent(
			"The heading of a template is an image, a video or a document, without a text.", code="template"
		)
	check_media(message.header_media)


def _check_buttons(message: OutgoingTemplate) -> None:
	places = [index for index, _, _ in message.buttons]
	if len(set(places)) < len(places) or not all(0 <= index < MAX_BUTTONS for index in places):
		raise Permanent("The values of a template's buttons name no button, or one twice.", code="template")
	for _, kind, value in message.buttons:
		if kind not in PARAMETER_OF or not value.strip():
			raise Permanent("A button of the template can't take this value.", code="template_value")


def template_body(message: OutgoingTemplate, media_id: str = "") -> dict[str, Any]:
	"""The request that sends a checked template; `media_id` is its uploaded header file.

	Parts without values must not be listed at all.
	"""
	components = [*_header(message, media_id), *_body(message)]
	for index, kind, value in message.buttons:
		name = PARAMETER_OF[kind]
		button = {"type": "button", "sub_type": kind, "index": str(index)}
		components.append({**button, "parameters": [{"type": name, name: value}]})
	template: dict[str, Any] = {"name": message.name, "language": {"code": message.language}}
	if components:
		template["components"] = components
	return {**frame(message, "template"), "template": template}


def _header(message: OutgoingTemplate, media_id: str) -> list[dict[str, Any]]:
	file = message.header_media
	if file is not None:
		content = {"id": media_id}
		if file.kind == "document" and file.file_name:
			content["filename"] = file.file_name
		return [{"type": "header", "parameters": [{"type": file.kind, file.kind: content}]}]
	if message.header_values:
		return [{"type": "header", "parameters": _header_values(message)}]
	return []


def _header_values(message: OutgoingTemplate) -> list[dict[str, str]]:
	if not message.header_names:
		return [_text(value) for value in message.header_values]
	pairs = zip(message.header_names, message.header_values, strict=True)
	return [{**_text(value), "parameter_name": name} for name, value in pairs]


def _body(message: OutgoingTemplate) -> list[dict[str, Any]]:
	values = [_text(value) for value in message.body_values]
	values += [{**_text(value), "parameter_name": name} for name, value in message.named_values]
	return [{"type": "body", "parameters": values}] if values else []


def _text(value: str) -> dict[str, str]:
	return {"type": "text", "text": value}


def page_from(reply: Reply) -> tuple[list[TemplateInfo], str]:
	"""The templates of one page, and the cursor of the next (empty: this was the last).

	Meta also gives the next page's address. It is not followed: it holds the token, and leads wherever it
	says.
	"""
	answer = reply.object() or {}
	if not reply.is_success or not isinstance(answer.get("data"), list):
		code = code_of(dict_of(answer.get("error")))
		if code in (33, 100):  # no such object, and how newer versions say it: the number itself may be well
			raise Permanent("Templates can't be read: check the business account id.", code=str(code))
		raise error_from(reply)
	infos = [info for item in answer["data"] if (info := _info(dict_of(item))) is not None]
	paging = dict_of(answer.get("paging"))
	return infos, id_of(dict_of(paging.get("cursors")).get("after")) if paging.get("next") else ""


def _info(item: dict[str, Any]) -> TemplateInfo | None:
	"""A template; None when it lacks what names it."""
	template_id, name, language = (
		id_of(item.get("id")),
		text_of(item.get("name")),
		text_of(item.get("language")),
	)
	if not (template_id and name and language):
		return None
	rejected = text_of(item.get("rejected_reason"))
	return TemplateInfo(
		template_id=template_id,
		name=name,
		language=language,
		status=text_of(item.get("status")),
		category=text_of(item.get("category")),
		parameter_format=text_of(item.get("parameter_format")) or "POSITIONAL",
		components=tuple(
			json_value(part) for part in list_of(item.get("components")) if isinstance(part, dict)
		),
		quality=text_of(dict_of(item.get("quality_score")).get("score")),
		rejected_reason="" if rejected == "NONE" else rejected,
	)
