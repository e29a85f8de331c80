"""The table of DocTypes against the DocTypes' JSON and controllers, against the records and the hooks."""

from __future__ import annotations

import ast
import inspect
import json
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from khalifa_whatsapp import hooks
from khalifa_whatsapp.access.attachable import ATTACHABLE
from khalifa_whatsapp.core.actor import AGENT_ROLE
from khalifa_whatsapp.core.doctypes import BY_NAME, CHECKED, DOCTYPES, FILTERED, GUARDED, DocType, Rows
from khalifa_whatsapp.core.records import RECORDS, WebhookEvent

FOLDER = Path(__file__).parents[2] / "khalifa_whatsapp" / "khalifa_whatsapp" / "doctype"
RIGHTS = {
	"amend",
	"cancel",
	"create",
	"delete",
	"email",
	"export",
	"import",
	"print",
	"read",
	"report",
	"select",
	"share",
	"submit",
	"write",
}
OURS = "khalifa_whatsapp.permissions"
# People change a customer's notes; the document of a lease, which plain statements keep, is only shown
NO_LEDGER = {"Khalifa Customer", "Khalifa Browser Session"}
EVERY = pytest.mark.parametrize("doctype", DOCTYPES, ids=lambda doctype: doctype.name)


@cache
def schemas() -> dict[str, dict[str, Any]]:
	documents = (json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*/*.json"))
	return {schema["name"]: schema for schema in documents}


def permissions(schema: dict[str, Any], level: int) -> dict[str, set[str]]:
	"""What the JSON lets each role do with the fields of a level."""
	rows = [row for row in schema["permissions"] if row.get("permlevel", 0) == level]
	assert not [row for row in rows if row.get("if_owner")]
	assert len({row["role"] for row in rows}) == len(rows)
	return {row["role"]: {right for right in RIGHTS if row.get(right)} for row in rows}


def levels(schema: dict[str, Any]) -> dict[int, list[str]]:
	by_level: dict[int, list[str]] = {}
	for df in schema["fields"]:
		by_level.setdefault(df.get("permlevel", 0), []).append(df["fieldname"])
	return by_level


def test_every_doctype_of_the_module_is_in_the_table_once_and_no_other():
	assert sorted(doctype.name for doctype in DOCTYPES) == sorted(schemas())


@EVERY
def test_roles_may_do_what_the_table_says_and_nothing_else(doctype: DocType):
	wanted = {role: set(rights) for role, rights in doctype.rights.items() if rights}
	assert permissions(schemas()[doctype.name], 0) == wanted


def test_agents_see_no_row_exactly_where_their_role_has_no_right():
	for doctype in DOCTYPES:
		if not doctype.is_child:
			assert (doctype.rows is Rows.NONE) is not bool(doctype.agents), doctype.name


@EVERY
def test_the_kind_of_table_is_the_one_that_is_said(doctype: DocType):
	schema = schemas()[doctype.name]
	kind = (bool(schema.get("istable")), bool(schema.get("issingle")))
	assert kind == (doctype.is_child, doctype.is_single)


@EVERY
def test_what_is_hidden_from_agents_is_what_the_table_says(doctype: DocType):
	schema = schemas()[doctype.name]
	if not doctype.rights.get(AGENT_ROLE):
		assert not doctype.hidden  # agents read nothing of it
		return
	closed = [
		field
		for level, fields in levels(schema).items()
		if "read" not in permissions(schema, level).get(AGENT_ROLE, ()) and level
		for field in fields
	]
	assert sorted(closed) == sorted(doctype.hidden)


@EVERY
def test_colleagues_logins_are_hidden_from_agents(doctype: DocType):
	logins = [df["fieldname"] for df in schemas()[doctype.name]["fields"] if df.get("options") == "User"]
	if doctype.agents:
		assert sorted(logins) == sorted(doctype.hidden)


@EVERY
def test_fields_of_a_higher_level_are_read_by_the_rest_and_written_by_managers_or_by_nobody(doctype: DocType):
	schema = schemas()[doctype.name]
	for level in levels(schema):
		if not level:
			continue
		given = permissions(schema, level)
		readers = {role for role, rights in doctype.rights.items() if "read" in rights}
		assert readers - {AGENT_ROLE} <= set(given) <= readers, level
		assert {frozenset(rights - {"write"}) for rights in given.values()} == {frozenset({"read"})}, level
		writers = {role for role, rights in given.items() if "write" in rights}
		may_write = {role for role, rights in doctype.rights.items() if "write" in rights} - {AGENT_ROLE}
		assert writers in (set(), may_write), level


def test_every_permission_belongs_to_a_level_that_has_fields():
	for name, schema in schemas().items():
		used = {row.get("permlevel", 0) for row in schema["permissions"]}
		assert used <= set(levels(schema)), name


@EVERY
def test_a_form_makes_rows_only_where_people_do(doctype: DocType):
	assert bool(schemas()[doctype.name].get("in_create")) is not doctype.is_made_by_people


@EVERY
def test_what_no_role_writes_nobody_changes_by_hand(doctype: DocType):
	"""Not even the administrator, whom no role binds."""
	slug = doctype.name.lower().replace(" ", "_")
	tree = ast.parse((FOLDER / slug / f"{slug}.py").read_text(encoding="utf-8"))
	bases = {ast.unparse(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases}
	is_ledger = not doctype.is_made_by_people and doctype.name not in NO_LEDGER
	assert bases == {"MachineWrittenDocument" if is_ledger else "Document"}


@EVERY
def test_the_columns_by_which_rows_are_chosen_are_there(doctype: DocType):
	fields = {df["fieldname"] for df in schemas()[doctype.name]["fields"]} | {"name", "parent"}
	if doctype.rows is Rows.OF_VISIBLE_TICKETS:
		assert "ticket" in fields
	if doctype.rows in (Rows.OWN, Rows.OWN_AND_SHARED):
		assert doctype.agent_field
	assert not doctype.agent_field or doctype.agent_field in fields


def test_rows_of_use_cases_are_guarded():
	records = {record.DOCTYPE for record in (*RECORDS, WebhookEvent)}
	assert records <= GUARDED
	made_by_people = {name for name in records if BY_NAME[name].is_made_by_people}
	assert made_by_people == {"Khalifa Agent", "Khalifa Campaign", "Khalifa Provider Template"}


def test_every_doctype_that_is_not_guarded_holds_nothing_of_customers_or_colleagues():
	"""Such a DocType is named here, too: that nobody may read it wrongly was thought about."""
	assert set(BY_NAME) - GUARDED == {"Khalifa Branch", "Khalifa Working Hour", "Khalifa Calendar Exception"}


# hooks.py


def names_of_hooks() -> set[str]:
	"""What Frappe takes for hooks: see `frappe._load_app_hooks`."""
	members = inspect.getmembers(hooks, lambda held: not isinstance(held, ModuleType | FunctionType | type))
	return {name for name, _held in members if not name.startswith("_")}


def test_nothing_in_hooks_is_taken_for_a_hook_that_is_none():
	assert names_of_hooks() == {
		"after_install",
		"after_migrate",
		"after_request",
		"after_uninstall",
		"app_description",
		"app_email",
		"app_include_js",
		"app_license",
		"app_name",
		"app_publisher",
		"app_title",
		"auth_hooks",
		"before_uninstall",
		"default_log_clearing_doctypes",
		"doc_events",
		"has_permission",
		"override_doctype_class",
		"override_whitelisted_methods",
		"permission_query_conditions",
		"scheduler_events",
	}


def test_lists_and_records_of_every_guarded_doctype_are_asked_about():
	for name, doctype in BY_NAME.items():
		has_list, has_record = (
			doctype.is_guarded and not doctype.is_single,
			doctype.is_guarded and not doctype.is_child,
		)
		condition = hooks.permission_query_conditions.get(name)
		assert condition == (f"{OURS}.query_conditions" if has_list else None), name
		permission = hooks.has_permission.get(name)
		assert permission == (f"{OURS}.has_permission" if has_record else None), name


def test_no_doctype_of_frappe_is_asked_about_that_has_nothing_of_ours():
	assert set(hooks.permission_query_conditions) == FILTERED | set(ATTACHABLE)
	assert set(hooks.has_permission) <= CHECKED | set(ATTACHABLE)
