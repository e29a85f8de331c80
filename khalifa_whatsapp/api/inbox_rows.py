"""The inbox's list: which conversations, in which order, a page at a time by key.

A page is one statement however many conversations there are, and reads no more lines than it shows: their
names by index, each status by itself (no index has several in one order), then the rows of these names. A
cursor holds the last line's place and nothing else, and is never asked what its owner may see.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_filters, inbox_settings, lateness
from khalifa_whatsapp.api.inbox_filters import TABLE, Part
from khalifa_whatsapp.api.inbox_search import MAX_TYPED, digits_of, like, mark_matches, search_terms
from khalifa_whatsapp.api.message_text import last_line
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.errors import NotAllowed, UserError
from khalifa_whatsapp.core.ticket_access import holds
from khalifa_whatsapp.permissions import query_conditions

MESSAGE, CUSTOMER = "`tabKhalifa Message`", "`tabKhalifa Customer`"
FIELDS = (
	"name",
	"customer",
	"customer_name",
	"status",
	"agent",
	"agent_name",
	"branch",
	"device",
	"unread_count",
	"preview",
	"preview_label",
	*lateness.FIELDS,
	"last_message_ms",
	"is_branch_only",
	"version",
	"snoozed_ms",
	"snoozed_until_ms",
)
OPEN = ("Queued", "Open", "Pending")
# By which each view is ordered unless something else is asked for
OWN_SORTS = {
	"mine": "newest",
	"snoozed": "newest",
	"queue": "waiting",
	"delayed": "due",
	"all": "newest",
	"closed": "newest",
}
MAX_FOUND = 2_000  # messages that a search takes from the index of words


@dataclass(frozen=True, slots=True)
class ListQuery:
	"""A page that was asked for."""

	view: str
	search: str
	cursor: str
	limit: int
	filters: dict[str, str] = field(default_factory=dict)  # see `inbox_filters.read`
	sort: str = ""  # empty: the view's own order

	@property
	def is_search(self) -> bool:
		"""Whether words are looked for, in whatever view they are."""
		return bool(self.search.strip())


@dataclass(frozen=True, slots=True)
class View:
	"""Which rows, and the two columns of their own order: a number, then the name; `is_descending`: largest
	first.

	`statuses` are those that the view holds, when the index of its order begins with the status.
	"""

	where: str
	key: str
	is_descending: bool = True
	statuses: tuple[str, ...] = ()
	parts: tuple[Part, ...] = ()  # in another order than its own

	@property
	def ordered(self) -> tuple[Part, ...]:
		"""The lines that stand together, each with its place."""
		return self.parts or (Part("1 = 1", self.key),)


def page(actor: Actor, asked: ListQuery, now: int) -> tuple[list[dict[str, Any]], str]:
	"""Lines of the list, and the cursor of the next page (empty: no more)."""
	view = _asked_view(actor, asked, now)
	wheres, values = _wheres(actor, asked, view)
	if asked.cursor:
		values["at"], values["after"] = _read_cursor(asked.cursor)
	order = "desc" if view.is_descending else "asc"
	names = _names(view, wheres, asked)
	rows = _rows(
		f"1 = 1 order by page.place {order}, {TABLE}.name {order}",
		{**values, "limit": asked.limit + 1},
		"page.place",
		source=f"({names}) page straight_join {TABLE} on {TABLE}.name = page.ticket",
	)
	more = rows[asked.limit :]
	rows = rows[: asked.limit]
	cursor = _cursor(rows[-1]) if more and rows else ""
	return _shown(actor, asked, rows, now), cursor


def by_name(actor: Actor, names: list[str], asked: ListQuery, now: int) -> list[dict[str, Any]]:
	"""These conversations, as far as the reader may see them; `is_listed`:
	the list asked for holds it now.
	"""
	if not names:
		return []
	view = _asked_view(actor, asked, now)
	wheres, values = _wheres(actor, asked, view)
	listed = " and ".join(f"({where})" for where in wheres)
	seen = f"{TABLE}.name in %(names)s and ({_doubled(_seen(actor))})"
	place = inbox_filters.place_of(view.ordered)
	rows = _rows(seen, {**values, "names": names}, place, f"coalesce({listed}, 0)")
	return _shown(actor, asked, rows, now)


def all_names(actor: Actor, asked: ListQuery, now: int) -> list[str]:
	"""The names of the list's lines, in its order, as many as are asked for."""
	view = _asked_view(actor, asked, now)
	wheres, values = _wheres(actor, asked, view)
	names = _names(view, wheres, asked)
	# SQL: the list's own statement, so that what is meant is what is shown
	return [row[0] for row in frappe.db.sql(names, {**values, "limit": asked.limit})]


def _names(view: View, wheres: list[str], asked: ListQuery) -> str:
	"""The statement that finds a page's names. It stops where the page is full, a search too."""
	joined = f" left join {CUSTOMER} c on c.name = {TABLE}.customer" if asked.is_search else ""
	statuses = [f"{TABLE}.status = '{status}'" for status in view.statuses] or ["1 = 1"]
	order, sign = ("desc", "<") if view.is_descending else ("asc", ">")
	pieces = []
	for part in view.ordered:
		place, name = part.place, f"{TABLE}.name"
		after = f"{place} {sign} %(at)s or ({place} = %(at)s and {name} {sign} %(after)s)"
		for status in statuses:
			where = [*wheres, part.where, status, *([after] if asked.cursor else [])]
			pieces.append(
				f"(select {name} as ticket, {place} as place from {TABLE}{joined} "
				f"where {' and '.join(f'({one})' for one in where)} "
				f"order by {place} {order}, {name} {order} limit %(limit)s)"
			)
	return f"{' union all '.join(pieces)} order by place {order}, ticket {order} limit %(limit)s"


def is_descending(actor: Actor, asked: ListQuery) -> bool:
	"""Whether the list's largest `place` comes first."""
	return _asked_view(actor, asked, 0).is_descending


def _wheres(actor: Actor, asked: ListQuery, view: View) -> tuple[list[str], dict[str, Any]]:
	"""What a line of the list must be, and the values of these conditions."""
	values: dict[str, Any] = {"pins": inbox_settings.of_reader().pins or ("",)}
	wheres = [_doubled(view.where), _doubled(_seen(actor)), *inbox_filters.conditions(asked.filters, values)]
	if asked.is_search:
		wheres.append(_search(actor, asked.search, values))
	return wheres, values


def counts(actor: Actor, filters: dict[str, str] | None = None) -> dict[str, int]:
	"""How many lines each view has with these filters, and unread messages of one's own; each by an index.

	What is somebody's own by its view is not asked of the permissions again: that would read every row.
	"""
	now, narrowed = now_ms(), filters or {}
	mine, unread = _mine(actor, now, narrowed)
	delayed = _view(actor, "delayed", now).where
	counted = {
		"mine": mine,
		"queue": _count(_view(actor, "queue", now).where, _seen(actor), narrowed),
		"delayed": _count(delayed, "1 = 1", narrowed),
	}
	more = ["snoozed", *(["all"] if actor.is_manager else [])]
	counted |= {name: _count(_view(actor, name, now).where, "1 = 1", narrowed) for name in more}
	return {**counted, "unread": unread}


def _mine(actor: Actor, now: int, filters: dict[str, str]) -> tuple[int, int]:
	"""How many conversations are one's own and pass the filters, and how many unread messages all have."""
	if not actor.agent:
		return 0, 0
	values: dict[str, Any] = {}
	passes = " and ".join(["1 = 1", *inbox_filters.conditions(filters, values)])
	where = _doubled(_view(actor, "mine", now).where)
	# SQL: a view's condition is text, for the statements that were measured
	sql = (
		f"select coalesce(sum({passes}), 0), coalesce(sum({TABLE}.unread_count), 0) "
		f"from {TABLE} where {where}"
	)
	mine, unread = frappe.db.sql(sql, values)[0]
	return int(mine), int(unread)


def names_from(given: Any) -> list[str]:
	"""Names of conversations, from JSON or a list."""
	try:
		loaded = json.loads(given) if isinstance(given, str) else given
	except ValueError:
		loaded = None
	if not isinstance(loaded, list) or not all(isinstance(name, str) for name in loaded):
		raise UserError("bad_argument", "{argument} has a value that can't be used.", argument="tickets")
	return loaded


def _seen(actor: Actor) -> str:
	return query_conditions(actor.user, "Khalifa Ticket") or "1 = 1"


def _doubled(condition: str) -> str:
	"""A condition for a statement that has parameters: there a percent sign is written twice."""
	return condition.replace("%", "%%")


def _asked_view(actor: Actor, asked: ListQuery, now: int) -> View:
	"""The view; or, for a search, everything that the reader may see:
	who looks for a customer does not know the tab.
	"""
	view = _view(actor, asked.view, now)
	if asked.is_search:
		return View("1 = 1", f"{TABLE}.last_message_ms", statuses=(*OPEN, "Closed"))
	if asked.sort not in ("", OWN_SORTS[asked.view]):
		view = replace(view, is_descending=True, parts=inbox_filters.ordered(asked.sort))
	if asked.view == "mine" and inbox_settings.of_reader().pins:
		view = replace(view, parts=inbox_filters.pinned_first(view.ordered))
	return view


def _view(actor: Actor, name: str, now: int) -> View:
	me = frappe.db.escape(actor.agent or "", percent=False)
	is_open = f"{TABLE}.status in ('Queued', 'Open', 'Pending')"
	held = f"{TABLE}.agent = {me} and {TABLE}.status in ('Open', 'Pending')"
	# What is put aside leaves the list, unless the customer waits for us in it
	mine = f"{held} and ({TABLE}.snoozed_ms = 0 or {TABLE}.waiting_since_ms > 0)"
	whose = "1 = 1" if actor.is_manager else f"{TABLE}.agent = {me}"
	views = {
		"mine": View(mine, f"{TABLE}.last_message_ms", statuses=("Open", "Pending")),
		"snoozed": View(f"{held} and {TABLE}.snoozed_ms > 0", f"{TABLE}.last_message_ms"),
		"queue": View(f"{TABLE}.status = 'Queued'", f"{TABLE}.waiting_since_ms", False),
		"delayed": View(
			f"{lateness.delayed_sql(now)} and {whose}",
			f"{TABLE}.due_by_ms",
			False,
		),
		"all": View(is_open, f"{TABLE}.last_message_ms", statuses=OPEN),
		"closed": View(f"{TABLE}.status = 'Closed' and {whose}", f"{TABLE}.last_message_ms"),
	}
	if name not in views:
		raise UserError("no_such_view", "There is no such list of conversations.")
	if name == "all" and not actor.is_manager:
		raise NotAllowed("only_managers_see_all", "Only managers see everybody's conversations.")
	return views[name]


def _rows(
	where: str, values: dict[str, Any], key: str, is_listed: str = "1", source: str = TABLE
) -> list[dict[str, Any]]:
	"""Lines with what they show; how far the last message came, where it is one of ours."""
	listed = ", ".join(f"{TABLE}.{field}" for field in FIELDS)
	# SQL: as measured, the names by index first and their rows straight after (`straight_join`)
	sql = (
		f"select {listed}, {key} as place, {is_listed} as is_listed, c.phone, "
		f"(select if(m.direction = 'Outgoing', m.status, null) from {MESSAGE} m where m.ticket = "
		f"{TABLE}.name "
		"and m.origin != 'Note' order by m.sent_ms desc, m.name desc limit 1) as last_out_status "
		f"from {source} left join {CUSTOMER} c on c.name = {TABLE}.customer where {where}"
	)
	return frappe.db.sql(sql, values, as_dict=True)


def _count(where: str, seen: str, filters: dict[str, str]) -> int:
	values: dict[str, Any] = {}
	wheres = [_doubled(where), _doubled(seen), *inbox_filters.conditions(filters, values)]
	# SQL: a view's condition is text, for the statements that were measured
	sql = f"select count(*) from {TABLE} where {' and '.join(f'({one})' for one in wheres)}"
	return int(frappe.db.sql(sql, values)[0][0])


def _shown(actor: Actor, asked: ListQuery, rows: list[dict[str, Any]], now: int) -> list[dict[str, Any]]:
	if asked.is_search:
		mark_matches(rows, asked.search)
	clock, pins = lateness.Clock(now), inbox_settings.of_reader().pins
	for row in rows:
		row["ticket"] = row.pop("name")
		row["preview"] = last_line(row["preview"], row.pop("preview_label"))
		row["is_mine"] = holds(actor, row)
		row["is_pinned"] = row["ticket"] in pins
		row["waited"] = clock.waited(row)
	return rows


def _search(actor: Actor, text: str, values: dict[str, Any]) -> str:
	"""Names and numbers of customers, and words of messages, as people type them."""
	plain = normalise(text)[:MAX_TYPED]
	values["like"] = like(plain)
	customers = [f"{TABLE}.customer_name like %(like)s", "c.search_text like %(like)s"]
	if digits := digits_of(plain):
		values["digits"] = like(digits)
		customers.append("c.phone like %(digits)s")
	terms = search_terms(plain)
	if terms:
		customers.append(_in_messages(terms, values))
	values["ticket"] = text.strip().upper()
	return " or ".join([*customers, f"{TABLE}.name = %(ticket)s"])


def _in_messages(terms: list[str], values: dict[str, Any]) -> str:
	"""Conversations with a message that has all these words.

	The index of words knows where rare ones are. Of frequent ones it names some conversations, and never the
	reader's own before others: then each line is looked into, in the list's order, until the page is full,
	which is soon.
	"""
	# SQL: qb's `Match` takes one word
	tickets = frappe.db.sql(
		f"select m.ticket from {MESSAGE} m where match(m.search_text) against (%s in boolean mode) "
		f"limit {MAX_FOUND + 1}",
		(" ".join(f"+{term}*" for term in terms),),
	)
	if len(tickets) <= MAX_FOUND:
		values["tickets"] = sorted({row[0] for row in tickets}) or [""]
		return f"{TABLE}.name in %(tickets)s"
	values.update({f"word{place}": like(term) for place, term in enumerate(terms)})
	likes = " and ".join(f"m.search_text like %(word{place})s" for place in range(len(terms)))
	return f"(select 1 from {MESSAGE} m where m.ticket = {TABLE}.name and {likes} limit 1) = 1"


def _cursor(row: dict[str, Any]) -> str:
	return base64.urlsafe_b64encode(json.dumps([row["place"], row["name"]]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, str]:
	try:
		place, name = json.loads(base64.urlsafe_b64decode(cursor.encode()))
		return int(place), str(name)
	except (ValueError, TypeError) as error:
		raise UserError("bad_cursor", "The list has changed. Load it again.") from error
