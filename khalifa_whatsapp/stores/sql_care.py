"""What customers wish and say of us: the log of consent, and surveys."""

from __future__ import annotations

from collections.abc import Collection

from khalifa_whatsapp.core import records
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.sql_base import CHUNK, Statements

CONSENT = table_of(records.ConsentEvent).name
AWAITING = (
	"((state IN ('Planned', 'Sent', 'Delivered') AND message IS NOT NULL) "
	"OR (state = 'Answered' AND comment_until_ms > ?))"
)


class CareQueries(Statements):
	"""Reads of the `Store` port for consent and satisfaction."""

	def known_consent_events(self, keys: Collection[str]) -> set[str]:
		known: set[str] = set()
		for start in range(0, len(ordered := sorted(keys)), CHUNK):
			part = ordered[start : start + CHUNK]
			marks = ", ".join("?" * len(part))
			sql = f"SELECT event_key FROM {CONSENT} WHERE event_key IN ({marks})"
			known.update(row[0] for row in self.rows(sql, part))
		return known

	def surveys(self, names: Collection[str]) -> dict[str, records.Satisfaction]:
		return self._by_name(records.Satisfaction, names, self.LOCK)

	def survey_of_cycle(self, survey_key: str) -> records.Satisfaction | None:
		return next(iter(self._in(records.Satisfaction, "survey_key", [survey_key], self.LOCK)), None)

	def survey_of_message(self, message: str) -> records.Satisfaction | None:
		return next(iter(self._in(records.Satisfaction, "message", [message], self.LOCK)), None)

	def due_surveys(self, now_ms: int, limit: int) -> list[records.Satisfaction]:
		where = "state = 'Planned' AND due_ms > 0 AND due_ms <= ?"
		return self._read(records.Satisfaction, where, (now_ms, limit), "ORDER BY due_ms, name LIMIT ?")

	def expired_surveys(self, now_ms: int, limit: int) -> list[records.Satisfaction]:
		where = "state IN ('Planned', 'Sent', 'Delivered') AND expires_ms > 0 AND expires_ms <= ?"
		order = f"ORDER BY expires_ms, name LIMIT ? {self.SKIP}"
		return self._read(records.Satisfaction, where, (now_ms, limit), order)

	def surveys_awaiting(
		self, customers: Collection[str], device: str, now_ms: int
	) -> list[records.Satisfaction]:
		rows: list[records.Satisfaction] = []
		for start in range(0, len(ordered := sorted(customers)), CHUNK):
			part = ordered[start : start + CHUNK]
			marks = ", ".join("?" * len(part))
			where = f"customer IN ({marks}) AND device = ? AND {AWAITING}"
			rows += self._read(
				records.Satisfaction, where, (*part, device, now_ms), f"ORDER BY sent_ms, name {self.LOCK}"
			)
		return rows
