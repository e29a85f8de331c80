"""The store of a Frappe site: MariaDB through the site's own connection.

A use case is one transaction here: it begins with a commit (a fresh snapshot), ends with a commit, and is
rolled back whole on any error, so that a deadlock can be met by doing it again. Webhook events and locks go
straight to SQL; what people must hear is published to their own rooms after the commit.

One file, because connection, locks and what is read of the site are one dialect, as in `sqlite_store`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import frappe
import pymysql
from frappe.realtime import clear_realtime_log
from frappe.utils import get_system_timezone

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.auto_replies import RuleBook, is_usable, rule_from_row
from khalifa_whatsapp.core.calendar import Calendar, CalendarError, calendar_from_rows
from khalifa_whatsapp.core.campaigns import WRITTEN_BY_PEOPLE
from khalifa_whatsapp.core.records import Agent, Campaign
from khalifa_whatsapp.core.settings import MINUTE_MS, BranchRules, Rules, Settings
from khalifa_whatsapp.stores.base import Changes, Conflict, StoreUnavailable
from khalifa_whatsapp.stores.schema import Table, table_of
from khalifa_whatsapp.stores.site_notices import publish
from khalifa_whatsapp.stores.sql import EVENT, WRITE_ORDER, SqlStore
from khalifa_whatsapp.stores.sql_auto_replies import RULE_FIELDS
from khalifa_whatsapp.stores.sql_values import pack_body

INSERT_CHUNK = 200
RULES_SECONDS = 5
AUTO_REPLY = "Khalifa Auto Reply"
EVENT_SEQUENCE = "khalifa_webhook_event_id_seq"
TICKET_SEQUENCE = "khalifa_ticket_number_seq"
# Whoever may read a row may read its owner. Who did it is in fields of its own, which only managers see.
ROW_OWNER = "Administrator"
# 1205 lock wait, 1213 deadlock, 1020 snapshot changed (MariaDB 11.6 and later), 1062 duplicate key
_CONFLICTS = frozenset({1205, 1213, 1020, 1062})
_LOST = frozenset({2003, 2006, 2013, 2055, 1927, 4031, 1053, 0})


class SiteStore(SqlStore):
	"""A `Store` on the site of this process. Make one per request, job or loop."""

	LOCK = " FOR UPDATE"
	SKIP = " FOR UPDATE SKIP LOCKED"
	HAS_NOTES = (
		f"{SqlStore.HAS_NOTES} OR COALESCE(_user_tags, '') <> '' OR COALESCE(_comments, '') NOT IN ('', '[]')"
	)

	def __init__(self) -> None:
		self._rules: Rules | None = None
		self._rules_until = 0.0
		self._is_inside = False

	# -- transactions and locks
	@contextmanager
	def transaction(self) -> Iterator[None]:
		if self._is_inside:
			raise RuntimeError("transactions don't nest")
		self._guarded(frappe.db.commit)
		with self._until_commit():
			yield

	@contextmanager
	def _until_commit(self) -> Iterator[None]:
		"""What is written in the block is committed at its end, or rolled back;
		its reads may be of an old snapshot.
		"""
		self._is_inside = True
		try:
			yield
			frappe.db.commit()
		except BaseException as error:  # rolls back whatever stopped it, then lets it go on
			self._abandon()
			known = _translated(error)
			if known is error:
				raise
			raise known from error
		finally:
			self._is_inside = False

	def _guarded(self, act: Any) -> None:
		"""Do it; a connection that has died is opened again, once."""
		try:
			act()
		except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
			if not isinstance(_translated(error), StoreUnavailable):
				raise
			reconnect()

	def _abandon(self) -> None:
		"""Roll back; on a dead connection there is nothing to roll back any more.

		Nobody is told of what was undone.
		"""
		frappe.db.after_commit.reset()
		frappe.db.before_commit.reset()
		clear_realtime_log()
		with suppress(pymysql.err.OperationalError, pymysql.err.InterfaceError):
			frappe.db.rollback()

	@contextmanager
	def lock(self, name: str, wait_seconds: float = 0) -> Iterator[bool]:
		"""`GET_LOCK`: the server frees it when the connection dies.

		Names are the server's: ours carry the site's.
		"""
		full = "kw:" + hashlib.sha256(f"{frappe.conf.db_name}:{name}".encode()).hexdigest()[:40]
		is_ours = self.rows("SELECT GET_LOCK(?, ?)", (full, wait_seconds))[0][0] == 1
		try:
			yield is_ours
		finally:
			if is_ours:
				with suppress(pymysql.err.OperationalError, pymysql.err.InterfaceError, StoreUnavailable):
					self.rows("SELECT RELEASE_LOCK(?)", (full,))

	# -- statements
	def rows(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
		with _as_port_errors():
			return frappe.db.sql(sql.replace("?", "%s"), tuple(values))

	def run(self, sql: str, values: Sequence[Any] = ()) -> int:
		self.rows(sql, values)
		return frappe.db._cursor.rowcount

	def read_file(self, url: str) -> bytes | None:
		"""Read as the system: whoever may send it was asked when it was attached."""
		name = frappe.db.get_value("File", {"file_url": url, "is_private": 1, "is_folder": 0})
		if not url or not name:
			return None
		path = frappe.get_doc("File", name).get_full_path()
		with suppress(FileNotFoundError):
			return Path(path).read_bytes()
		return None

	# -- writing
	def save(self, changes: Changes) -> None:
		for kind in sorted({*changes.created, *changes.updated}, key=WRITE_ORDER.__getitem__):
			self._write(kind, changes.created.get(kind, []), is_new=True)
			self._write(kind, list(changes.updated.get(kind, {}).values()), is_new=False)
		self.save_names(changes.renamed)
		for day in sorted(changes.dirty_days):
			self.mark_day(day, is_dirty=1)
		for device, state in changes.device_states.items():
			self._save_device_state(device, *state)
		self.save_device_facts(changes.device_facts)
		publish(changes.notices)

	def _write(self, kind: type, records: list[Any], is_new: bool) -> None:
		"""Rows in few statements.

		Updating known rows is an insert whose every key exists: one statement for many.
		"""
		table = table_of(kind)
		names = [*table.fields, *(field for field, _ in table.people_times), *table.stamps, *_STANDARD]
		row_marks = ", ".join([*table.values, *["?"] * (len(names) - len(table.fields))])
		head = f"INSERT INTO {table.name} ({', '.join(f'`{name}`' for name in names)}) VALUES "
		tail = "" if is_new else _on_duplicate(table)
		for start in range(0, len(records), INSERT_CHUNK):
			part = records[start : start + INSERT_CHUNK]
			values = [value for record in part for value in self._values(table, record)]
			self.rows(head + ", ".join([f"({row_marks})"] * len(part)) + tail, values)

	def _values(self, table: Table, record: Any) -> list[Any]:
		now_ms = time.time_ns() // 1_000_000
		now = self._local(now_ms)
		people = [self._local(getattr(record, field)) for _, field in table.people_times]
		stamps = [now_ms] * len(table.stamps)
		return [*attrgetter(*table.fields)(record), *people, *stamps, now, now, ROW_OWNER, ROW_OWNER]

	def _local(self, instant_ms: int | None) -> datetime | None:
		"""The moment on the site's clock, as Frappe stores it: without a zone."""
		if not instant_ms:
			return None
		return datetime.fromtimestamp(instant_ms / 1000, _zone(get_system_timezone())).replace(tzinfo=None)

	def _save_device_state(self, device: str, state: str, detail: str, at_ms: int) -> None:
		self.rows(
			"UPDATE `tabWhatsApp Device` SET state = ?, state_detail = ?, state_ms = ?, state_on = ? "
			"WHERE name = ? AND state_ms <= ?",
			(_STATES.get(state, "Unknown"), safe_name(detail), at_ms, self._local(at_ms), device, at_ms),
		)

	def mark_day(self, day: date, is_dirty: int, computed_ms: int = 0) -> None:
		now = self._local(time.time_ns() // 1_000_000)
		self.rows(
			"INSERT INTO `tabKhalifa KPI Day` (name, kpi_date, is_dirty, computed_ms, computed_on, "
			"creation, modified, "
			"owner, modified_by) VALUES (?, ?, ?, ?, ?, ?, ?, 'Administrator', 'Administrator') "
			"ON DUPLICATE KEY UPDATE is_dirty = VALUES(is_dirty), computed_ms = GREATEST(computed_ms, "
			"VALUES(computed_ms)), "
			"computed_on = COALESCE(VALUES(computed_on), computed_on)",
			(day.isoformat(), day, is_dirty, computed_ms, self._local(computed_ms), now, now),
		)

	def next_ticket_names(self, count: int) -> list[str]:
		sql = f"SELECT NEXTVAL(`{TICKET_SEQUENCE}`) FROM `seq_1_to_{int(count)}`"
		return [f"KT-{row[0]:06d}" for row in self.rows(sql)]

	def record_webhook_event(
		self, device: str, provider: str, key: str, body: bytes, received_ms: int
	) -> bool:
		"""One statement and a commit: nothing else stands between a gateway and its answer."""
		row = (device, provider, key, *pack_body(body), received_ms)
		try:
			return self._insert_webhook_event(row)
		except StoreUnavailable:  # the key makes a second try harmless
			reconnect()
			return self._insert_webhook_event(row)

	def _insert_webhook_event(self, row: tuple[Any, ...]) -> bool:
		now = self._local(row[-1])
		with self._until_commit():
			touched = self.run(
				f"INSERT INTO {EVENT} (name, creation, modified, owner, modified_by, device, provider, "
				"delivery_key, "
				"body, is_base64, received_ms, seen_count, status) "
				f"VALUES (NEXTVAL(`{EVENT_SEQUENCE}`), ?, ?, 'Guest', 'Guest', ?, ?, ?, ?, ?, ?, 1, 'New') "
				"ON DUPLICATE KEY UPDATE seen_count = seen_count + 1",
				(now, now, *row),
			)
		return touched == 1

	# -- settings
	def rules(self) -> Rules:
		if self._rules is None or time.monotonic() > self._rules_until:
			with _as_port_errors():
				self._rules = replace(read_rules(), auto_replies=_rule_book(self.stored_auto_replies()))
			self._rules_until = time.monotonic() + RULES_SECONDS
		return self._rules

	def wrong_rules(self) -> list[str]:
		"""What can't be read of settings and hours."""
		with _as_port_errors():
			return wrong_rules() + [
				f"{AUTO_REPLY} {name}" for name in _wrong_rules_of(self.stored_auto_replies())
			]

	def agents_in_shift(self) -> dict[str, Calendar]:
		rows: dict[str, list[tuple[Any, ...]]] = {}
		for parent, *cells in self.rows(
			"SELECT parent, day, start_time, "
			"end_time FROM `tabKhalifa Agent Shift` WHERE parenttype = 'Khalifa Agent'"
		):
			rows.setdefault(parent, []).append(tuple(cells))
		zone = get_system_timezone()
		return {agent: _calendar(zone, tuple(shifts), ()) for agent, shifts in rows.items()}


@lru_cache
def _zone(name: str) -> ZoneInfo:
	return ZoneInfo(name)


_STANDARD = ("creation", "modified", "owner", "modified_by")
_STATES = {
	"connected": "Connected",
	"connecting": "Connecting",
	"qr": "QR",
	"disconnected": "Disconnected",
	"restricted": "Restricted",
}


# What managers edit in the form meanwhile; and who wrote last, which would tell colleagues the agent's login
_KEPT_OF_AGENTS = frozenset({"name", "user", "employee_name", "branch", "enabled", "capacity", "modified_by"})
_KEPT = {table_of(Agent): _KEPT_OF_AGENTS, table_of(Campaign): frozenset({"name", *WRITTEN_BY_PEOPLE})}


@lru_cache
def _on_duplicate(table: Table) -> str:
	kept = _KEPT.get(table, frozenset({"name"}))
	fields = [
		*table.fields,
		*(field for field, _ in table.people_times),
		*table.stamps,
		"modified",
		"modified_by",
	]
	pairs = ", ".join(f"`{field}` = VALUES(`{field}`)" for field in fields if field not in kept)
	return f" ON DUPLICATE KEY UPDATE {pairs}"


def wrong_rules() -> list[str]:
	"""Names of settings, and rows of hours, holidays and shifts, that can't be read:
	all else is used without them.
	"""
	wrong = Settings.unreadable(stored_settings())
	zone = get_system_timezone()
	for table, cells, place in (
		("Khalifa Working Hour", "day, start_time, end_time", 0),
		("Khalifa Calendar Exception", "date, start_time, end_time", 1),
		("Khalifa Agent Shift", "day, start_time, end_time", 0),
	):
		for parent, idx, *row in frappe.db.sql(
			f"SELECT parent, idx, {cells} FROM `tab{table}` ORDER BY parent, idx"
		):
			if not _is_right(zone, tuple(row), place):
				wrong.append(f"{table} {parent} {idx}")
	return wrong


def stored_settings() -> dict[str, Any]:
	"""Khalifa Settings as they are stored, by field."""
	return dict(frappe.db.sql("SELECT field, value FROM `tabSingles` WHERE doctype = 'Khalifa Settings'"))


def read_rules() -> Rules:
	"""Settings, calendars and branches as they are stored now: five queries."""
	settings = Settings.from_row(stored_settings())
	zone = get_system_timezone()
	hours = _children("Khalifa Working Hour", "parent, day, start_time, end_time")
	overrides = _children("Khalifa Calendar Exception", "parent, date, start_time, end_time")
	exceptions = tuple(overrides.get("Khalifa Settings", ()))
	company = _calendar(zone, tuple(hours.get("Khalifa Settings", ())), exceptions)
	branches = {}
	for row in frappe.db.sql(
		"SELECT name, delay_minutes, customer_delay_minutes, "
		"always_open FROM `tabKhalifa Branch` WHERE enabled = 1"
	):
		name, delay, customer_delay, always_open = row
		own = hours.get(name)
		calendar = _calendar(zone, tuple(own), exceptions) if own else company
		branches[name] = BranchRules(
			_calendar(zone, (), ()) if always_open else calendar,
			round((delay or settings.delay_minutes) * MINUTE_MS),
			round((customer_delay or settings.customer_delay_minutes) * MINUTE_MS),
		)
	return Rules(settings, company, branches)


StoredRules = tuple[tuple[tuple[Any, ...], ...], tuple[tuple[Any, ...], ...]]


@lru_cache(maxsize=16)
def _rules_of(zone: str, stored: StoredRules) -> tuple[RuleBook, tuple[str, ...]]:
	"""The automatic replies by their content; and the names of those that can't be used."""
	rows, hours = stored
	by_rule: dict[str, list[tuple[Any, ...]]] = {}
	for rule, *cells in hours:
		by_rule.setdefault(rule, []).append(tuple(cells))
	rules, wrong = [], []
	for row in rows:
		values = dict(zip(RULE_FIELDS, row, strict=True))
		active = tuple(by_rule.get(row[0], ()))
		rule = rule_from_row(values, _calendar(zone, active, ()) if active else None)
		if is_usable(rule):
			rules.append(rule)
		else:
			wrong.append(rule.name)
	return RuleBook(rules), tuple(wrong)


def _rule_book(stored: StoredRules) -> RuleBook:
	return _rules_of(get_system_timezone(), stored)[0]


def _wrong_rules_of(stored: StoredRules) -> tuple[str, ...]:
	return _rules_of(get_system_timezone(), stored)[1]


def _children(doctype: str, fields: str) -> dict[str, list[tuple[Any, ...]]]:
	"""Rows by parent; a rule of automatic replies may be called like a branch, and its hours are its own."""
	rows: dict[str, list[tuple[Any, ...]]] = {}
	for parent, *cells in frappe.db.sql(
		f"SELECT {fields} FROM `tab{doctype}` WHERE parenttype <> %s ORDER BY parent, idx", (AUTO_REPLY,)
	):
		rows.setdefault(parent, []).append(tuple(cells))
	return rows


@lru_cache(maxsize=256)
def _calendar(
	zone: str, weekly: tuple[tuple[Any, ...], ...], overrides: tuple[tuple[Any, ...], ...]
) -> Calendar:
	"""A calendar by its content: the same rows give the same object, with its tables warm.

	Rows that nobody can read are left out: one must not stop every conversation of the company.
	"""
	try:
		return _made(zone, weekly, overrides)
	except CalendarError:
		right = (
			[row for row in weekly if _is_right(zone, row, 0)],
			[row for row in overrides if _is_right(zone, row, 1)],
		)
		return _made(zone, *right)


def _made(zone: str, weekly: Iterable[tuple[Any, ...]], overrides: Iterable[tuple[Any, ...]]) -> Calendar:
	return calendar_from_rows(
		zone,
		[{"day": day, "start_time": start, "end_time": end} for day, start, end in weekly],
		[{"date": day, "start_time": start, "end_time": end} for day, start, end in overrides],
	)


def _is_right(zone: str, row: tuple[Any, ...], place: int) -> bool:
	"""Whether a weekly row (place 0) or a dated one (1) can be read."""
	try:
		_made(zone, [] if place else [row], [row] if place else [])
	except CalendarError:
		return False
	return True


def reconnect() -> None:
	"""Open the site's connection again, for the same user;
	`StoreUnavailable` when the database does not answer.
	"""
	try:
		frappe.connect(set_admin_as_user=False)
		frappe.db.connect()
	except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
		raise StoreUnavailable("the database does not answer") from error


@contextmanager
def _as_port_errors() -> Iterator[None]:
	try:
		yield
	except (
		pymysql.err.Error,
		frappe.ValidationError,
		frappe.QueryDeadlockError,
		frappe.QueryTimeoutError,
	) as error:
		known = _translated(error)
		if known is error:
			raise
		raise known from error


def _translated(error: BaseException) -> BaseException:
	"""The port's word for what the database said; anything else as it is."""
	if isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | frappe.DuplicateEntryError):
		return Conflict(type(error).__name__)
	code = error.args[0] if isinstance(error, pymysql.err.MySQLError) and error.args else None
	if code in _CONFLICTS:
		return Conflict(f"{type(error).__name__} {code}")
	if isinstance(error, pymysql.err.InterfaceError) or (
		isinstance(error, pymysql.err.OperationalError) and code in _LOST
	):
		return StoreUnavailable(f"{type(error).__name__} {code}")
	return error
