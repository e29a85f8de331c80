"""How a simulated Meta takes templates for review: uploads of examples, new templates, other texts, verdicts.

What it refuses, it refuses as the real one does: code 100, a subcode 2388xxx, and words for a person. Its
rules are written a second time here, and not taken from the app: what the app lets pass and Meta would not,
shall be seen.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from khalifa_whatsapp.drivers.payload import dict_of, list_of
from simulation.simulators import wire
from simulation.simulators.cloud_api_checks import INVALID, Refused
from simulation.simulators.cloud_api_templates import TemplateStore
from simulation.simulators.server import Answer, Request, json_answer

BAD_NAME, EXISTS, BAD_EXAMPLE, DANGLING, TOO_LONG, BAD_BUTTONS, LOCKED = (
	2388041,
	2388024,
	2388043,
	2388299,
	2388040,
	2388025,
	2388023,
)
EXAMPLE_TYPES = {
	"IMAGE": {"image/jpeg", "image/png"},
	"VIDEO": {"video/mp4", "video/3gpp"},
	"DOCUMENT": {"application/pdf"},
}
MAX_LENGTH = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
MAX_NAMES = 250
_VARIABLE = re.compile(r"\{\{([a-z0-9_]+)\}\}")


class RefusedTemplate(Refused):
	"""A refusal with Meta's words for the person who submitted."""

	def __init__(self, subcode: int, title: str, explanation: str) -> None:
		super().__init__(INVALID, explanation)
		self.subcode, self.title, self.explanation = subcode, title, explanation

	def answer(self) -> Answer:
		"""As Graph words it."""
		error = wire.cloud_error(INVALID, self.explanation)["error"]
		said = {
			"error_subcode": self.subcode,
			"is_transient": False,
			"error_user_title": self.title,
			"error_user_msg": self.explanation,
		}
		return json_answer({"error": {**error, **said}}, 400)


class TemplateReview:
	"""Takes templates into the account's store. `verdict` answers later, as Meta's people would."""

	def __init__(self, store: TemplateStore) -> None:
		self.store = store
		self.sessions: dict[str, tuple[str, int]] = {}  # upload → type and length
		self.handles: dict[str, tuple[str, bytes]] = {}

	def open_upload(self, request: Request) -> Answer:
		"""`POST /app/uploads`."""
		mime_type, length = request.query.get("file_type", ""), request.query.get("file_length", "")
		if not any(mime_type in types for types in EXAMPLE_TYPES.values()) or not length.isdigit():
			raise Refused(INVALID, "file_type or file_length is not valid")
		session = f"upload:{secrets.token_hex(8)}"
		self.sessions[session] = (mime_type, int(length))
		return json_answer({"id": f"{session}?sig={secrets.token_hex(4)}"})

	def upload(self, request: Request, session: str) -> Answer:
		"""`POST /upload:…`: the bytes themselves."""
		mime_type, length = self.sessions[session]
		scheme = request.headers.get("authorization", "").partition(" ")[0]
		if scheme != "OAuth" or request.headers.get("file_offset") != "0" or "sig" not in request.query:
			raise Refused(INVALID, "The upload has no offset or no signature")
		if len(request.body) != length:
			raise Refused(INVALID, "The upload is not complete")
		handle = f"4::{secrets.token_hex(12)}"
		self.handles[handle] = (mime_type, request.body)
		return json_answer({"h": handle})

	def create(self, request: Request) -> Answer:
		"""`POST /{account}/message_templates`."""
		body = request.object()
		name, language = str(body.get("name", "")), str(body.get("language", ""))
		if not re.fullmatch(r"[a-z0-9_]{1,512}", name) or not language:
			raise RefusedTemplate(BAD_NAME, "Invalid name", "Use small letters, digits and underscores.")
		known = {row["name"] for row in self.store.rows}
		if name not in known and len(known) >= MAX_NAMES:
			raise RefusedTemplate(BAD_NAME, "Too many templates", "The account has 250 templates.")
		if any((row["name"], row["language"]) == (name, language) for row in self.store.rows):
			raise RefusedTemplate(EXISTS, "Content exists", f"There is content in {language} already.")
		components = self._checked(body)
		category = str(body.get("category", ""))
		if category not in ("MARKETING", "UTILITY", "AUTHENTICATION"):
			raise Refused(INVALID, "Param category is not valid")
		template_id = self.store.add(
			name,
			language,
			components,
			status="PENDING",
			category=category,
			parameter_format=str(body.get("parameter_format", "POSITIONAL")).upper(),
		)
		return json_answer({"id": template_id, "status": "PENDING", "category": category})

	def edit(self, request: Request, template_id: str) -> Answer:
		"""`POST /{template}`."""
		row = self.row(template_id)
		if row["status"] not in ("APPROVED", "REJECTED", "PAUSED"):
			raise RefusedTemplate(LOCKED, "In review", "The template is being reviewed.")
		body = request.object()
		category = body.get("category", row["category"])
		if row["status"] == "APPROVED" and category != row["category"]:
			raise RefusedTemplate(LOCKED, "Category", "The category of an approved template stays.")
		row["components"] = self._checked({**body, "parameter_format": row["parameter_format"]})
		row.update(status="PENDING", category=category)
		return json_answer({"success": True})

	def row(self, template_id: str) -> dict[str, Any]:
		"""The template of this id."""
		return next(row for row in self.store.rows if row["id"] == template_id)

	def verdict(self, template_id: str, status: str, reason: str = "NONE") -> dict[str, Any]:
		"""Decide; gives the webhook's value."""
		row = self.row(template_id)
		row.update(status=status, rejected_reason=reason)
		return {
			"event": status,
			"message_template_id": int(template_id),
			"message_template_name": row["name"],
			"message_template_language": row["language"],
			"reason": reason,
		}

	def _checked(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
		components = [dict_of(one) for one in list_of(body.get("components"))]
		kinds = [str(one.get("type")) for one in components]
		if kinds.count("BODY") != 1 or len(set(kinds)) < len(kinds):
			raise Refused(INVALID, "A template has one body, and each part once")
		is_named = str(body.get("parameter_format", "")).upper() == "NAMED"
		for one in components:
			self._check_part(one, is_named)
		return components

	def _check_part(self, part: dict[str, Any], is_named: bool) -> None:
		kind, text = str(part.get("type")), str(part.get("text", ""))
		if len(text) > MAX_LENGTH.get(kind, 0) and kind in MAX_LENGTH:
			raise RefusedTemplate(TOO_LONG, "Too long", f"The {kind} is too long.")
		if kind == "HEADER" and part.get("format") != "TEXT":
			self._check_file(part)
		elif kind in ("HEADER", "BODY"):
			_check_text(kind, text, dict_of(part.get("example")), is_named)
		elif kind == "FOOTER" and _VARIABLE.search(text):
			raise RefusedTemplate(BAD_EXAMPLE, "Footer", "A footer has no variables.")
		elif kind == "BUTTONS":
			_check_buttons([dict_of(one) for one in list_of(part.get("buttons"))])

	def _check_file(self, header: dict[str, Any]) -> None:
		given = list_of(dict_of(header.get("example")).get("header_handle"))
		mime_type, _content = self.handles.get(str(given[0]) if given else "", ("", b""))
		if mime_type not in EXAMPLE_TYPES.get(str(header.get("format")), set()):
			raise RefusedTemplate(BAD_EXAMPLE, "Missing sample", "Provide a sample of the header's file.")


def _check_text(kind: str, text: str, example: dict[str, Any], is_named: bool) -> None:
	names = list(dict.fromkeys(_VARIABLE.findall(text)))
	plain = text.strip()
	if not plain:
		raise RefusedTemplate(BAD_EXAMPLE, "Empty", f"The {kind} is empty.")
	if kind == "BODY" and names and (plain.startswith("{{") or plain.endswith("}}")):
		explanation = "Variables can't be at the start or end of the template."
		raise RefusedTemplate(DANGLING, "Leading or trailing params", explanation)
	if not is_named and sorted(names) != sorted(str(number) for number in range(1, len(names) + 1)):
		raise RefusedTemplate(BAD_EXAMPLE, "Variables", "Variables are numbered from {{1}} on.")
	key = "header_text" if kind == "HEADER" else "body_text"
	given = _examples(example, key, is_named)
	if len(given) != len(names) or not all(given):
		explanation = f"The {kind} needs {len(names)} examples."
		raise RefusedTemplate(BAD_EXAMPLE, "Missing sample", explanation)


def _examples(example: dict[str, Any], key: str, is_named: bool) -> list[str]:
	if is_named:
		return [str(dict_of(one).get("example", "")) for one in list_of(example.get(f"{key}_named_params"))]
	given = list_of(example.get(key))
	return [str(one) for one in (list_of(given[0]) if key == "body_text" and given else given)]


def _check_buttons(buttons: list[dict[str, Any]]) -> None:
	is_quick = [button.get("type") == "QUICK_REPLY" for button in buttons]
	groups = sum(one != other for one, other in zip([None, *is_quick], is_quick, strict=False))
	is_good = 0 < len(buttons) <= 10 and (groups <= 2)
	for button in buttons:
		kind, text = button.get("type"), str(button.get("text", ""))
		is_good &= kind == "COPY_CODE" or 0 < len(text) <= 25
		is_good &= kind != "URL" or bool(re.match(r"https?://", str(button.get("url"))))
		if kind == "URL" and "{{" in str(button.get("url")):
			is_good &= bool(list_of(button.get("example")))
		is_good &= kind != "COPY_CODE" or bool(button.get("example"))
		is_good &= kind != "PHONE_NUMBER" or bool(button.get("phone_number"))
	if not is_good:
		raise RefusedTemplate(BAD_BUTTONS, "Buttons", "A button of the template is not valid.")
