"""What agents may filter, sort and group by: the columns that they may read, and nothing else.

Frappe takes columns that somebody may not read out of the answer, but still filters, sorts and groups by
them. So a list answers guesses: «are there messages whose sender begins with m?», letter by letter, until the
login is known. All of Frappe's lists, counts, charts and searches are built by one class, which v15 gives no
hook to; so our check is put in front of the step in which that class takes the unreadable columns out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import frappe
from frappe import _
from frappe.database.utils import DefaultOrderBy
from frappe.model import get_permitted_fields
from frappe.model.db_query import DatabaseQuery
from frappe.utils import escape_html, get_filter

from khalifa_whatsapp.guards import is_agent, is_manager, refuse

# Columns of every row that hold logins, or JSON with logins
OF_LOGINS = frozenset({"owner", "modified_by", "_assign", "_comments", "_liked_by", "_seen"})
# fmt: off
KEYWORDS = frozenset({
	"and", "as", "asc", "avg", "coalesce", "count", "desc", "distinct", "div", "ifnull", "in", "is", "like",
	"locate", "max", "min", "not", "null", "nullif", "or", "sum",
})
# fmt: on
OF_LOGIN = re.compile(r"\b(?:" + "|".join(sorted(OF_LOGINS)) + r")\b", re.IGNORECASE)
FLAGS = re.ASCII | re.IGNORECASE
QUOTED = r"'(?:[^'\\]|\\.|'')*'" + r'|"(?:[^"\\]|\\.|"")*"'
TOKEN = re.compile(rf"({QUOTED})|`([^`]*)`|([a-z_][a-z0-9_]*)|[0-9.]+|[\s(),*+/<>=!%-]", FLAGS)
COMMENT = re.compile(r"--|/\*")
ALIAS = re.compile(r"\sas\s+[`'\"]?([a-z_][a-z0-9_]*)[`'\"]?\s*$", FLAGS)
PLAIN = re.compile(r"\s*(?:`tab[^`]+`\.)?`?(\w+|\*)`?(?:\s+as\s+[`'\"]?\w+[`'\"]?)?\s*", FLAGS)


# Conditions that hold whatever else is allowed, by DocType; `attached_rows` gives them, row by row and for
# whole tables
RULES: dict[str, tuple[Callable[[str | None, str], str], Callable[[str | None, str], str]]] = {}


def guard_queries(guarded: frozenset[str]) -> None:
	"""Look at every query on one of these DocTypes, once it is built and before it runs."""
	checked = DatabaseQuery.apply_fieldlevel_read_permissions
	if getattr(checked, "guarded_for_khalifa", False):
		return

	def apply_fieldlevel_read_permissions(query: DatabaseQuery) -> None:
		if not is_installed():
			return checked(query)
		check_query(query, guarded)
		checked(query)
		if query.doctype == "File" and not query.flags.ignore_permissions and is_agent(query.user):
			hide_uploaders(query, guarded)
		add_rule(query)
		return None

	apply_fieldlevel_read_permissions.guarded_for_khalifa = True  # type: ignore[attr-defined]
	DatabaseQuery.apply_fieldlevel_read_permissions = apply_fieldlevel_read_permissions


def is_installed() -> bool:
	"""Whether the app is on this site: a process serves all sites of its bench, and has one class for all."""
	return "khalifa_whatsapp" in frappe.get_hooks("app_name")


def add_rule(query: DatabaseQuery) -> None:
	"""Take a rule out from among the conditions of the hooks, and put it beside all others.

	Frappe joins those without brackets, also where one is an «or» (of Event, File, Number Card); and what is
	shared goes past them.
	"""
	if query.doctype not in RULES or query.flags.ignore_permissions:
		return
	by_row, of_all = RULES[query.doctype]
	if condition := by_row(query.user, query.doctype):
		among = [text.replace(condition, "1 = 1") for text in query.conditions]
		rule = condition if query.limit_page_length else of_all(query.user, query.doctype)
		query.conditions[:] = [*among, f"({rule})"]


def check_query(query: DatabaseQuery, guarded: frozenset[str]) -> None:
	"""Refuse a query that speaks of a column which its user may not read, whatever it would find."""
	if query.flags.ignore_permissions or guarded.isdisjoint(_doctypes(query)):
		return
	if not is_manager(query.user):
		_Columns(query).check()


def hide_uploaders(query: DatabaseQuery, guarded: frozenset[str]) -> None:
	"""A list of Files, for an agent: names in the place of logins where a File hangs on a row of ours, and
	only there.

	A query that does more with a login than show it, finds no such File.
	"""
	ours = ", ".join(frappe.db.escape(name, percent=False) for name in sorted(guarded))
	is_attached_to_ours = f"ifnull(`tabFile`.attached_to_doctype, '') in ({ours})"
	for place, field in enumerate(query.fields):
		shown = PLAIN.fullmatch(field or "")
		if shown and shown[1].lower() in OF_LOGINS:
			query.fields[place] = _name_of_uploader(shown[1].lower(), field, is_attached_to_ours)
		elif OF_LOGIN.search(field or ""):
			query.conditions.append(f"not {is_attached_to_ours}")
	compared = (
		part if isinstance(part, str) else str(part[-3]) for part in (*query.filters, *query.or_filters)
	)
	if any(OF_LOGIN.search(text) for text in (query.order_by, query.group_by, *compared) if text):
		query.conditions.append(f"not {is_attached_to_ours}")


def _name_of_uploader(column: str, field: str, is_attached_to_ours: str) -> str:
	"""Of the columns with several logins, nothing."""
	alias, login, own = ALIAS.search(field), f"`tabFile`.`{column}`", frappe.db.escape(frappe.session.user)
	agent = f"(select a.employee_name from `tabKhalifa Agent` a where a.user = {login} limit 1)"
	full = f"(select u.full_name from `tabUser` u where u.name = {login} and u.full_name not like '%%@%%')"
	name = f"coalesce({agent}, {full}, '')" if column in ("owner", "modified_by") else "''"
	shown = f"(case when {is_attached_to_ours} and {login} != {own} then {name} else {login} end)"
	return f"{shown} as `{alias[1] if alias else column}`"


def _doctypes(query: DatabaseQuery) -> list[str]:
	"""Those that the query reads, whether by a join, a child table or a link."""
	tables = [query.doctype, *(table[4:-1] for table in query.tables)]
	return list(dict.fromkeys([*tables, *(link.doctype for link in query.link_tables)]))


class _Columns:
	"""The columns of one query."""

	def __init__(self, query: DatabaseQuery) -> None:
		self.query = query
		doctypes = _doctypes(query)
		self.tables = {f"tab{name}" for name in doctypes} | set(query.linked_table_aliases)
		readable: set[str] = set()
		self.hidden = set(OF_LOGINS)
		for doctype in doctypes:
			if doctype == "User":
				self.refuse(doctype)  # a link to a colleague leads to the login
			parent = query.parent_doctype or query.doctype
			of_table = set(get_permitted_fields(doctype, parent, query.user))
			readable |= of_table
			self.hidden |= set(frappe.get_meta(doctype).get_valid_columns()) - of_table
		self.readable = (readable | {"_user_tags"}) - self.hidden

	def check(self) -> None:
		self.drop_hidden_fields()
		fields = [field for field in self.query.fields if field]
		for field in fields:
			if not PLAIN.fullmatch(field):
				self.check_keywords(ALIAS.sub("", field))
		for condition in (*self.query.filters, *self.query.or_filters):
			self.check_filter(condition)
		aliases = {alias[1].lower() for field in fields if (alias := ALIAS.search(field))} - self.hidden
		for expression in (self.query.order_by, self.query.group_by):
			if expression and expression != DefaultOrderBy:
				self.check_keywords(expression, aliases)

	def drop_hidden_fields(self) -> None:
		"""Frappe's own step skips the field behind one that it takes out of rows with keys."""
		if not self.query.as_list:
			self.query.fields[:] = [field for field in self.query.fields if not self.is_hidden(field)]

	def is_hidden(self, field: str) -> bool:
		"""Logins in `OF_LOGINS` are turned into names when the answer leaves."""
		column = PLAIN.fullmatch(field)
		return bool(column) and column[1].lower() in self.hidden - OF_LOGINS

	def check_filter(self, condition: Any) -> None:
		if isinstance(condition, str):
			return self.check_keywords(condition)
		parsed = get_filter(self.query.doctype, condition)
		if not self.is_about_oneself(parsed):
			self.check_keywords(parsed.fieldname)
		return None

	def is_about_oneself(self, condition: Any) -> bool:
		"""As when one asks for what one has liked: the login in it is one's own, and whole."""
		asked = str(condition.value).strip("%")
		return (
			condition.fieldname in OF_LOGINS
			and condition.operator in ("=", "like")
			and asked == self.query.user
		)

	def check_keywords(self, expression: str, aliases: Any = frozenset()) -> None:
		"""Refuse an expression in which anything is not known to be harmless."""
		end = 0
		for token in TOKEN.finditer(expression):
			quoted, named, term = token.groups()
			is_login = quoted and "@" in quoted  # it would come back as a name, if somebody has it
			if token.start() != end or is_login or not (quoted or self.is_known(named or term, aliases)):
				self.refuse(named or term or expression)
			end = token.end()
		if end != len(expression) or COMMENT.search(re.sub(QUOTED, "", expression)):
			self.refuse(expression)

	def is_known(self, term: str | None, aliases: Any) -> bool:
		return term is None or term in self.tables or term.lower() in self.readable | KEYWORDS | aliases

	def refuse(self, term: str) -> None:
		term = frappe.bold(escape_html(term))
		refuse(_("You may not search, sort or group by {0}.").format(term))
