"""The templates of a simulated business account: listed page by page,
and a send held against its template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from khalifa_whatsapp.core.templates import VARIABLE, Shape, shape_of
from khalifa_whatsapp.drivers.payload import dict_of, list_of
from simulation.simulators.cloud_api_checks import INVALID, MISSING, Refused
from simulation.simulators.cloud_api_media import MediaStore
from simulation.simulators.server import Answer, Request, json_answer

COUNT, NONE_SUCH, TOO_LONG, FORMAT, PAUSED, DISABLED, BAD_VALUE = (
	132000,
	132001,
	132005,
	132012,
	132015,
	132016,
	132018,
)
NEEDS_PHONE = 131062
REFUSALS = {"PAUSED": PAUSED, "DISABLED": DISABLED}
FIELDS = frozenset(
	{
		"id",
		"name",
		"language",
		"status",
		"category",
		"components",
		"quality_score",
		"rejected_reason",
		"parameter_format",
	}
)
MAX_PAGE = 250

_FORBIDDEN = re.compile(r"[\n\r\t]| {5,}")


class TemplateStore:
	"""The account's templates, in the order in which they were made. The key of one is name and language."""

	def __init__(self, media: MediaStore) -> None:
		self.rows: list[dict[str, Any]] = []
		self._media = media

	@property
	def ids(self) -> set[str]:
		"""Of all templates."""
		return {row["id"] for row in self.rows}

	def add(
		self,
		name: str,
		language: str,
		components: Sequence[Mapping[str, Any]],
		*,
		status: str = "APPROVED",
		category: str = "UTILITY",
		parameter_format: str = "POSITIONAL",
	) -> str:
		"""Let the account have a template. Gives its id."""
		template_id = str(900_000_000_000 + len(self.rows))
		self.rows.append(
			{
				"id": template_id,
				"name": name,
				"language": language,
				"status": status,
				"category": category,
				"components": [dict(part) for part in components],
				"quality_score": {"score": "UNKNOWN"},
				"rejected_reason": "NONE",
				"parameter_format": parameter_format,
			}
		)
		return template_id

	def page(self, request: Request) -> Answer:
		"""One page, with the cursor and the address of the next."""
		wanted = request.query.get("fields", "id,name,language,status,category").split(",")
		limit, after = request.query.get("limit", "25"), request.query.get("after", "0")
		if not set(wanted) <= FIELDS or not limit.isdigit() or not after.isdigit():
			raise Refused(INVALID, "Invalid parameter")
		first = int(after)
		last = first + min(int(limit), MAX_PAGE)
		rows = [{key: row[key] for key in wanted} for row in self.rows[first:last]]
		paging: dict[str, Any] = {"cursors": {"before": str(first), "after": str(last)}} if rows else {}
		if last < len(self.rows):
			paging["next"] = f"https://graph.facebook.com/next?access_token={request.token}&after={last}"
		return json_answer({"data": rows, "paging": paging})

	def check(self, content: dict[str, Any], has_phone: bool) -> None:
		"""Raises `Refused` unless the values fit the template."""
		language = dict_of(content.get("language")).get("code")
		matching = [
			row for row in self.rows if (row["name"], row["language"]) == (content.get("name"), language)
		]
		if not matching:
			raise Refused(NONE_SUCH, "The template does not exist in this language")
		row = matching[-1]
		if row["status"] != "APPROVED":
			raise Refused(REFUSALS.get(row["status"], NONE_SUCH), "The template may not be sent now")
		if row["category"] == "AUTHENTICATION" and not has_phone:
			raise Refused(NEEDS_PHONE, "Authentication templates need a phone number")
		shape = shape_of(row["components"], row["parameter_format"])
		parts = [dict_of(part) for part in list_of(content.get("components"))]
		self._check_header(shape, _parameters(parts, "header"))
		_check_values(shape, "body", _parameters(parts, "body"))
		_check_buttons(shape, [part for part in parts if part.get("type") == "button"])

	def _check_header(self, shape: Shape, given: list[dict[str, Any]]) -> None:
		if shape.header_kind in ("", "text"):
			_check_values(shape, "header", given)
			return
		if len(given) != 1 or given[0].get("type") != shape.header_kind:
			raise Refused(FORMAT, "The header must be a file of the template's kind")
		self._media.check(shape.header_kind, dict_of(given[0].get(shape.header_kind)))


def _parameters(parts: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
	return [
		dict_of(one) for part in parts if part.get("type") == kind for one in list_of(part.get("parameters"))
	]


def _check_values(shape: Shape, place: str, given: list[dict[str, Any]]) -> None:
	names = [variable.name for variable in shape.variables if variable.place == place]
	if len(given) != len(names):
		raise Refused(COUNT, "The number of values does not match the template")
	if shape.is_named != all("parameter_name" in one for one in given) and given:
		raise Refused(FORMAT, "The template's values are named, or they are not")
	if shape.is_named and {one["parameter_name"] for one in given} != set(names):
		raise Refused(INVALID, "A value has the name of none of the template's variables")
	for one in given:
		_check_text(one.get("text"))
	text = shape.body if place == "body" else shape.header
	most = 1024 if place == "body" else 60
	if len(VARIABLE.sub("", text)) + sum(len(one["text"]) for one in given) > most:
		raise Refused(TOO_LONG, "The filled text is too long")


def _check_text(value: Any) -> None:
	if not isinstance(value, str) or not value:
		raise Refused(MISSING, "A value has no text")
	if _FORBIDDEN.search(value):
		raise Refused(BAD_VALUE, "A value may have no line breaks, tabs or rows of spaces")


def _check_buttons(shape: Shape, given: list[dict[str, Any]]) -> None:
	named = {str(one.get("index")): one for one in given}
	for index, button in enumerate(shape.buttons):
		is_link = button.get("type") == "URL" and VARIABLE.search(str(button.get("url", "")))
		is_dynamic = is_link or button.get("type") == "COPY_CODE"
		if is_dynamic and str(index) not in named:
			raise Refused(MISSING, "A button with a variable needs its value")
		one = named.pop(str(index), None)
		if one is not None and not (is_dynamic or button.get("type") == "QUICK_REPLY"):
			raise Refused(COUNT, "This button takes no value")
		if one is not None and str(one.get("sub_type")).upper() != button.get("type"):
			raise Refused(BAD_VALUE, "The value is for another kind of button")
	if named:
		raise Refused(COUNT, "There is no such button")
