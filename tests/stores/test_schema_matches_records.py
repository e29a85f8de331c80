"""The DocType JSON is the one schema: every field of a record must be a field of its DocType,
of a type that keeps it.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from khalifa_whatsapp.core.records import RECORDS, WebhookEvent

DOCTYPES = Path(__file__).parents[2] / "khalifa_whatsapp" / "khalifa_whatsapp" / "doctype"
UNIQUE_KEYS = {
	"open_key",
	"message_key",
	"client_key",
	"identity_key",
	"log_key",
	"delay_key",
	"kpi_key",
	"delivery_key",
	"notice_key",
	"template_key",
}
TEXT_TYPES = {
	"Autocomplete",
	"Attach",
	"Data",
	"Link",
	"Dynamic Link",
	"Select",
	"Code",
	"Text",
	"Small Text",
	"Long Text",
	"Date",
}
NUMBER_TYPES = {"int": {"Int", "Check", "Duration"}, "float": {"Float"}}
CUSTOMER_TEXT = {"body", "data", "reactions", "value"}


def schema_of(doctype: str) -> dict[str, Any]:
	slug = doctype.lower().replace(" ", "_")
	return json.loads((DOCTYPES / slug / f"{slug}.json").read_text(encoding="utf-8"))


def docfields_of(doctype: str) -> dict[str, dict[str, Any]]:
	return {df["fieldname"]: df for df in schema_of(doctype)["fields"]}


def all_schemas() -> list[dict[str, Any]]:
	return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DOCTYPES.glob("*/*.json"))]


@pytest.mark.parametrize("record", [*RECORDS, WebhookEvent], ids=lambda record: record.__name__)
def test_every_record_field_is_a_docfield(record: type) -> None:
	docfields = docfields_of(record.DOCTYPE)
	missing = [f.name for f in fields(record) if f.name != "name" and f.name not in docfields]
	assert missing == []


@pytest.mark.parametrize("record", [*RECORDS, WebhookEvent], ids=lambda record: record.__name__)
def test_the_type_of_a_docfield_can_keep_the_record_field(record: type) -> None:
	docfields = docfields_of(record.DOCTYPE)
	for f in fields(record):
		if f.name == "name":
			continue
		python_type = str(f.type).split(" | ")[0]
		allowed = NUMBER_TYPES.get(python_type, TEXT_TYPES)
		assert docfields[f.name]["fieldtype"] in allowed, f"{record.__name__}.{f.name}: {python_type}"


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema["name"])
def test_a_doctype_names_each_field_once_and_orders_all(schema: dict[str, Any]) -> None:
	names = [df["fieldname"] for df in schema["fields"]]
	assert len(names) == len(set(names))
	assert schema["field_order"] == names


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema["name"])
def test_machine_times_are_bigint_and_hidden(schema: dict[str, Any]) -> None:
	for df in schema["fields"]:
		if df["fieldname"].endswith("_ms"):
			assert (df["fieldtype"], df.get("length"), df.get("hidden")) == ("Int", 20, 1), df["fieldname"]


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema["name"])
def test_unique_keys_hold_a_digest_and_nothing_longer(schema: dict[str, Any]) -> None:
	for df in schema["fields"]:
		if df["fieldname"] in UNIQUE_KEYS:
			assert (df["fieldtype"], df.get("length"), df.get("unique")) == ("Data", 64, 1), df["fieldname"]


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema["name"])
def test_no_child_table_or_title_holds_customers_words(schema: dict[str, Any]) -> None:
	names = {df["fieldname"] for df in schema["fields"]}
	if schema.get("istable"):
		assert not names & CUSTOMER_TEXT
	assert schema.get("title_field") not in CUSTOMER_TEXT | {"preview"}
