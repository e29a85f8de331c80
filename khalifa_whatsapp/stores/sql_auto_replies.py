"""What automatic replies ask of the database: what customers have been told, and what was said of late."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.sql_base import CHUNK, Statements

MESSAGE = table_of(records.Message).name
AT_ONCE = 50  # parts of one statement
RULE_FIELDS = (
	"name",
	"kind",
	"body",
	"match_type",
	"terms",
	"pattern",
	"device",
	"branch",
	"priority",
	"cooldown_minutes",
	"is_once",
	"wait_minutes",
)
HOUR_FIELDS = ("parent", "day", "start_time", "end_time")


class AutoReplyQueries(Statements):
	"""Reads of the `Store` port that only automatic replies need."""

	def stored_auto_replies(self) -> tuple[tuple[tuple[Any, ...], ...], tuple[tuple[Any, ...], ...]]:
		"""The enabled rules as they are stored (`RULE_FIELDS`), and their active hours (`HOUR_FIELDS`)."""
		rules = self.rows(f"SELECT {', '.join(RULE_FIELDS)} FROM `tabKhalifa Auto Reply` WHERE enabled = 1")
		if not rules:
			return (), ()
		hours = self.rows(
			f"SELECT {', '.join(HOUR_FIELDS)} FROM `tabKhalifa Working Hour` "
			"WHERE parenttype = 'Khalifa Auto Reply' ORDER BY parent, idx"
		)
		return tuple(map(tuple, rules)), tuple(map(tuple, hours))

	def auto_replies_had(
		self, customers: Collection[str], rules: Collection[str]
	) -> list[tuple[str, str, int, int]]:
		had: list[tuple[str, str, int, int]] = []
		names, wanted = sorted(rules), sorted(customers)
		for first in range(0, len(names), CHUNK):
			for start in range(0, len(wanted), CHUNK):
				some, part = names[first : first + CHUNK], wanted[start : start + CHUNK]
				sql = (
					f"SELECT customer, auto_reply, COUNT(*), MAX(sent_ms) FROM {MESSAGE} "
					f"WHERE auto_reply IN ({', '.join('?' * len(some))}) "
					f"AND customer IN ({', '.join('?' * len(part))}) GROUP BY customer, auto_reply"
				)
				had += [
					(who, rule, int(count), last) for who, rule, count, last in self.rows(sql, (*some, *part))
				]
		return had

	def latest_messages(self, since_ms: Mapping[str, int], limit: int) -> dict[str, list[records.Message]]:
		select = (
			f"SELECT * FROM (SELECT {table_of(records.Message).select} FROM {MESSAGE} "
			"WHERE ticket = ? AND sent_ms >= ? AND direction = ? AND origin <> 'Note' "
			"ORDER BY sent_ms DESC, name DESC LIMIT ?) t"
		)
		latest: dict[str, list[records.Message]] = {name: [] for name in since_ms}
		wanted = [
			(name, since, direction, limit)
			for name, since in sorted(since_ms.items())
			for direction in (records.INCOMING, records.OUTGOING)
		]
		for start in range(0, len(wanted), AT_ONCE):
			part = wanted[start : start + AT_ONCE]
			values = [value for one in part for value in one]
			for row in self.rows(" UNION ALL ".join([select] * len(part)), values):
				message = records.Message(*row)
				latest[message.ticket].append(message)
		return latest

	def tickets_to_reply(self, now_ms: int, limit: int) -> list[records.Ticket]:
		order = f"ORDER BY auto_check_ms LIMIT ? {self.SKIP}"
		return self._read(records.Ticket, "auto_check_ms > 0 AND auto_check_ms <= ?", (now_ms, limit), order)
