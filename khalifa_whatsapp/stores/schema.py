"""The one schema: DocType JSON, read as data, and the composite indexes that DocTypes can't declare."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from functools import lru_cache
from pathlib import Path
from typing import Any

DOCTYPES = Path(__file__).parents[1] / "khalifa_whatsapp" / "doctype"

# Indexes over several fields, by DocType. Each serves one read of `stores/sql.py` or one list in Desk.
INDEXES: dict[str, list[tuple[str, ...]]] = {
	"Khalifa Webhook Event": [("device", "status", "next_ms"), ("status", "received_ms")],
	"Khalifa Ticket": [
		("customer", "device", "closed_ms"),
		("status", "queue_rank", "waiting_since_ms"),
		("agent", "status", "waiting_since_ms"),
		("next_check_ms",),
		("due_by_ms", "agent"),
		("rules_version", "branch"),
		("opened_ms",),
		("first_responded_ms",),
		("closed_ms", "resolved_for"),
		("status", "last_message_ms"),
		("last_message_ms",),
		("status", "waiting_since_ms"),
		("agent", "status", "last_message_ms"),
		("auto_check_ms",),
		("snoozed_until_ms",),
	],
	"Khalifa Ticket Event": [("ticket", "at_ms"), ("at_ms", "event", "to_agent", "from_agent")],
	"Khalifa Message": [
		("ticket", "sent_ms"),
		("status", "sent_ms", "device", "ticket"),
		("device", "gateway_id"),
		("agent", "origin", "sent_ms"),
		("device", "started_ms", "priority"),
		("media_state", "received_ms"),
		("price_state", "delivered_ms"),
		("auto_reply", "customer", "sent_ms"),
		("campaign", "started_ms"),
	],
	"Khalifa Turn": [("answer",), ("ended_ms",)],
	"Khalifa Turn Segment": [
		("agent", "end_reason", "to_ms", "is_first", "biz_time"),
		("agent", "counted_ms", "is_late_transfer"),
	],
	"Khalifa Delay Event": [("at_ms", "agent"), ("closed_ms", "at_ms")],
	"Khalifa Presence Log": [("agent", "to_ms"), ("to_ms", "from_ms")],
	"Khalifa Agent KPI": [("period", "start_date", "agent")],
	"Khalifa Message Status": [("callback",), ("message", "at_ms")],
	"Khalifa Close Batch Item": [("batch", "result")],
	"Khalifa Device Notice": [("notified_ms", "at_ms")],
	"Khalifa Consent Event": [("at_ms",)],
	"Khalifa Satisfaction": [
		("state", "due_ms"),
		("state", "expires_ms"),
		("agent", "answered_ms", "score"),
		("delivered_ms",),
		("answered_ms",),
		("score", "notified_ms"),
	],
	"Khalifa Customer": [("opted_out_ms",)],
	"Khalifa Campaign": [("status",)],
	"Khalifa Campaign Recipient": [
		("campaign", "status", "line"),
		("campaign", "customer"),
		("campaign", "queued_ms"),
		("customer", "queued_ms"),
	],
	"Khalifa Provider Template": [("template_id",)],
	"Khalifa Audit Entry": [("at_ms",), ("kind", "at_ms"), ("actor", "at_ms"), ("document_type", "document")],
}

_NO_COLUMN = frozenset(
	{
		"Section Break",
		"Column Break",
		"Tab Break",
		"HTML",
		"Button",
		"Table",
		"Table MultiSelect",
		"Heading",
		"Fold",
		"Image",
	}
)
_NUMBERS = {"Int": "INTEGER", "Check": "INTEGER", "Float": "REAL", "Percent": "REAL", "Currency": "REAL"}


@lru_cache
def doctype(name: str) -> dict[str, Any]:
	"""A DocType's definition."""
	folder = name.lower().replace(" ", "_")
	return json.loads((DOCTYPES / folder / f"{folder}.json").read_text(encoding="utf-8"))


def doctypes() -> list[str]:
	"""Names of all our DocTypes."""
	return sorted(json.loads(path.read_text(encoding="utf-8"))["name"] for path in DOCTYPES.glob("*/*.json"))


def columns(name: str) -> list[dict[str, Any]]:
	"""The fields of a DocType that are columns."""
	fields = doctype(name)["fields"]
	return [field for field in fields if field["fieldtype"] not in _NO_COLUMN and not field.get("is_virtual")]


def sqlite_ddl(name: str) -> list[str]:
	"""The statements that make a DocType's table and indexes in SQLite, as Frappe makes them in MariaDB."""
	definition = doctype(name)
	table = f"tab{name}"
	is_counter = definition.get("autoname") == "autoincrement"
	parts = ["`name` INTEGER PRIMARY KEY AUTOINCREMENT" if is_counter else "`name` TEXT PRIMARY KEY"]
	if definition.get("istable"):
		parts += [
			"`parent` TEXT",
			"`parentfield` TEXT",
			"`parenttype` TEXT",
			"`idx` INTEGER NOT NULL DEFAULT 0",
		]
	parts += [_sqlite_column(field) for field in columns(name)]
	suffix = "" if is_counter else " WITHOUT ROWID"
	statements = [f"CREATE TABLE IF NOT EXISTS `{table}` ({', '.join(parts)}){suffix}"]
	singles = [(f["fieldname"],) for f in columns(name) if f.get("search_index") and not f.get("unique")]
	for number, fields in enumerate([*singles, *INDEXES.get(name, [])]):
		listed = ", ".join(f"`{field}`" for field in fields)
		statements.append(f"CREATE INDEX IF NOT EXISTS `{table}_{number}` ON `{table}` ({listed})")
	return statements


def _sqlite_column(field: dict[str, Any]) -> str:
	kind = _NUMBERS.get(field["fieldtype"])
	unique = " UNIQUE" if field.get("unique") else ""
	if kind:
		default = field.get("default") or 0
		return f"`{field['fieldname']}` {kind} NOT NULL DEFAULT {default}{unique}"
	affinity = "NUMERIC" if field["fieldtype"] == "Duration" else "TEXT"
	return f"`{field['fieldname']}` {affinity}{unique}"


@dataclasses.dataclass(frozen=True)
class Table:
	"""How a record class lies in its table."""

	name: str
	fields: tuple[str, ...]
	select: str  # column list that gives a record's values: numbers that mean «none» come back as NULL
	values: tuple[str, ...]  # placeholders that take a record's values, field by field
	people_times: tuple[tuple[str, str], ...]  # (Datetime field, the *_ms field it shows)
	# when a row was last written, in machine time, where somebody asks for what has changed
	stamps: tuple[str, ...]


@lru_cache
def table_of(record: type) -> Table:
	"""The table of a record class."""
	hints = typing.get_type_hints(record)
	fields = tuple(field.name for field in dataclasses.fields(record))
	kinds = {field["fieldname"]: field["fieldtype"] for field in columns(record.DOCTYPE)}  # type: ignore[attr-defined]
	select, values = [], []
	for field in fields:
		is_optional = isinstance(hints[field], types.UnionType) and type(None) in hints[field].__args__
		if kinds.get(field) == "Duration":
			select.append(f"CAST(`{field}` AS SIGNED)")
			values.append("?")
		elif is_optional and kinds.get(field) in _NUMBERS:
			select.append(f"NULLIF(`{field}`, 0)")
			values.append("COALESCE(?, 0)")
		else:
			select.append(f"`{field}`")
			values.append("?")
	return Table(
		f"`tab{record.DOCTYPE}`",
		fields,
		", ".join(select),
		tuple(values),
		_people_times(fields, kinds),  # type: ignore[attr-defined]
		tuple(name for name in ("changed_ms",) if name in kinds),
	)


def _people_times(fields: tuple[str, ...], kinds: dict[str, str]) -> tuple[tuple[str, str], ...]:
	pairs = []
	for field in fields:
		if field.endswith("_ms"):
			stem = field.removesuffix("_ms")
			pairs += [(name, field) for name in (f"{stem}_on", stem) if kinds.get(name) == "Datetime"]
	return tuple(pairs)
