"""Where a request names one of our DocTypes: by its key, by its place in a filter, as a table. Elsewhere it
is a word.

The keys are those under which Frappe's methods take a DocType, and the fields of DocTypes that link to one,
custom ones included: `tests/test_places.py` looks for others. Names are compared as the database compares
them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import frappe

from khalifa_whatsapp.core.doctypes import GUARDED

MAX_NAME = 140
OURS, FILE = "ours", "File"
# The keys under which a DocType that stands in the URL is looked at: of the API, or of a page that may be one
IN_URL, IN_PATH = "", " doctype "
PLACE = re.compile(
	r"doctype|doc_?type$|document_type|parenttype|reference_type|(^|_)dt$|^(_report|child_type)$"
)
ROWS = frozenset({"doc", "docs", "document", "reference_doc"})  # a row, or the name of its DocType alone
CONDITIONS = re.compile("filter")
# Keys whose values become parts of a statement
STATEMENT = re.compile("field|filter|order|group|sort|column|limit|start|page_len|based_on|aggregat|stats")
# Other keys under which Frappe reads JSON, also within JSON
JSON = re.compile(r"args|chart|data|json|kwargs|setting|value|widget|links?$|items$|options$|document")
# Keys under which people write, also JSON
TEXTS = re.compile(
	r"comment$|content|description|html|message|note|^q$|reason|reply|search|subject|te?xt|title"
)

# Letters that the database takes for plain Latin ones, as they are and as JSON writes them
DISGUISE = re.compile(
	r"[\u00ad\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff\u2000-\u214f\uff00-\uff5f]|\\u(?:0[0-3]|1e|2|ff)"
)


class Node(NamedTuple):
	"""An object, the DocType that it or what holds it names,
	and the fields in which that one chooses a DocType.
	"""

	given: dict[str, Any]
	doctype: str
	links: frozenset[str]


def folded(name: str) -> str:
	"""The name as the database compares it:
	neither case nor accents nor spaces around it make a difference.
	"""
	name = name.strip()
	if name.isascii():
		return name.lower()
	parts = unicodedata.normalize("NFKD", name[: 4 * MAX_NAME]).casefold()
	return "".join(part for part in parts if unicodedata.category(part)[0] not in "MC").strip()


NAMES = frozenset(map(folded, GUARDED))
TABLE = re.compile("tab(?:" + "|".join(sorted(map(re.escape, NAMES))) + ")", re.IGNORECASE)
FRAGMENTS = frozenset(f"{name.split()[0]} " for name in NAMES)  # every name begins with one of them


def is_ours(value: Any) -> bool:
	"""Whether a value is the name of one of our DocTypes as the database compares names."""
	return isinstance(value, str) and folded(value) in NAMES


def is_name(value: str) -> bool:
	"""Whether a text is such a name, or names such a table."""
	return is_ours(value) or bool(TABLE.search(value))


def mentioned(*given: Any) -> str | None:
	"""A quick look, which most requests don't get past: OURS or FILE if such a name can be anywhere in it."""
	kind, rest = None, list(given)
	while rest:
		value = rest.pop()
		if isinstance(value, str):
			if _may_hold_a_name(value):
				return OURS
			if value == FILE or '"File"' in value:
				kind = FILE
		elif isinstance(value, dict):
			rest.extend(value)
			rest.extend(value.values())
		elif isinstance(value, list | tuple):
			rest.extend(value)
	return kind


def _may_hold_a_name(text: str) -> bool:
	lower = text.lower()
	if any(term in lower for term in FRAGMENTS):
		return True
	if ("\\u" in lower or not text.isascii()) and DISGUISE.search(lower):
		return _is_json(text) or (len(text) <= MAX_NAME and is_ours(text))
	return False


def names_ours(given: dict[str, Any]) -> bool:
	"""Whether one of our DocTypes stands in the place of a DocType, or of a table,
	anywhere in what is given.
	"""
	return any(is_name(text) for node in nodes(given) for text in named_in(node))


def nodes(given: dict[str, Any]) -> Iterator[Node]:
	"""The objects in it, without those that are conditions.

	What is JSON is opened where Frappe does so. Not where people write: a note may well hold JSON.
	"""
	rest: list[tuple[Any, str, bool]] = [(given, "", True)]
	while rest:
		value, doctype, is_asked = rest.pop()
		if isinstance(value, list):
			rest += [(opened(held), doctype, False) for held in value]
		elif isinstance(value, dict):
			doctype = _doctype_of(value) or doctype
			yield Node(value, doctype, _links_to_doctypes(doctype))
			is_asked = is_asked and not value.get(IN_URL)  # else these are the fields of a row
			inner = [(key, held) for key, held in value.items() if not CONDITIONS.search(key)]
			rest += [(_read(key, held, is_asked), doctype, False) for key, held in inner]


def _read(key: str, held: Any, is_asked: bool) -> Any:
	is_json = key in ROWS or JSON.search(key) or STATEMENT.search(key)
	return opened(held) if is_json or (is_asked and not TEXTS.search(key)) else held


def named_in(node: Node) -> Iterator[str]:
	"""The texts in an object that stand where a DocType should,
	or part of a statement that speaks of our tables.
	"""
	given, links = node.given, node.links
	for key, held in given.items():
		if is_place(key, links):
			yield from _texts(held)
		elif key in ROWS and isinstance(held, str) and not _is_json(held):
			yield held
		elif CONDITIONS.search(key) or (key == "fieldname" and isinstance(opened(held), dict)):
			yield from _named_in_conditions(held, links)  # or new values, by field
		elif STATEMENT.search(key):
			yield from filter(TABLE.search, _texts(held))
	if is_place(str(given.get("fieldname")), links):
		yield from _texts(given.get("value"))


def _named_in_conditions(held: Any, links: frozenset[str]) -> Iterator[str]:
	held = opened(held)
	if isinstance(held, str):
		yield from filter(TABLE.search, [held])
	elif isinstance(held, dict):
		for field, value in held.items():
			yield from _named_in_condition([field, "=", value], links)
	elif isinstance(held, list):
		if len(held) == 4 and is_ours(held[0]):
			yield held[0]  # one condition that stands alone
		for part in held:
			is_one = isinstance(part, list) and len(part) > 2 and isinstance(part[0], str)
			yield from (_named_in_condition if is_one else _named_in_conditions)(part, links)


def _named_in_condition(condition: list[Any], links: frozenset[str]) -> Iterator[str]:
	"""[DocType, field, operator, value], or the same without its first. What is compared with is a word."""
	*doctype, field, _operator, value = condition[:4]
	yield from map(str, doctype)
	yield from filter(TABLE.search, [str(field)])
	if is_place(str(field), links):
		yield from _texts(value)


def is_place(key: str, links: frozenset[str] = frozenset()) -> bool:
	"""Whether a DocType is what stands under this key."""
	return key == IN_URL or key in links or bool(PLACE.search(key))


def _doctype_of(node: dict[str, Any]) -> str:
	named = (node.get(key) for key in (IN_URL, "doctype", "dt"))
	return next((name for name in named if name and isinstance(name, str)), "")


def _links_to_doctypes(doctype: str) -> frozenset[str]:
	"""The fields of a DocType and of its tables in which a DocType is chosen; custom fields, too."""
	if not doctype:
		return frozenset()
	try:
		meta = frappe.get_meta(doctype)
		metas = [meta, *(frappe.get_meta(df.options) for df in meta.get_table_fields())]
	except frappe.DoesNotExistError:
		frappe.clear_last_message()
		return frozenset()
	fields = (df for meta in metas for df in meta.get_link_fields())
	return frozenset(df.fieldname for df in fields if df.options == "DocType")


def _texts(value: Any) -> Iterator[str]:
	"""Every text in it, keys too."""
	rest = [opened(value)]
	while rest:
		value = rest.pop()
		if isinstance(value, str):
			yield value
		elif isinstance(value, dict):
			yield from map(str, value)
			rest.extend(value.values())
		elif isinstance(value, list):
			rest.extend(value)


def _is_json(text: str) -> bool:
	return text.lstrip()[:1] in ("{", "[", '"')


def opened(value: Any) -> Any:
	"""What is JSON, as the methods of Frappe would read it."""
	if not isinstance(value, str) or not _is_json(value):
		return value
	try:
		return json.loads(value)
	except (ValueError, RecursionError):
		return value
