"""What the outbox asks of the database: what is due, what is in doubt, how fast a device has been sending."""

from __future__ import annotations

from collections.abc import Collection

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.breaker import Breaker
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.core.pacing import HOUR_MS, MINUTE_MS, Pace, Traffic
from khalifa_whatsapp.stores.base import SendGate
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.sql_base import Statements

MESSAGE = table_of(records.Message).name
DEVICE = "`tabWhatsApp Device`"
MAX_LOOKED_AT = 20_000  # queued messages of one device; customers who must wait may hold the first places
MAX_ERROR = 500


class OutboxQueries(Statements):
	"""Reads and writes of the `Store` port that only sending needs."""

	# -- what is due
	def devices_with_due_messages(self, now_ms: int) -> list[str]:
		sql = (
			f"SELECT DISTINCT device FROM {MESSAGE} "
			"WHERE (status = 'Queued' AND next_retry_ms <= ?) OR status = 'Sending'"
		)
		return [row[0] for row in self.rows(sql, (now_ms,))]

	def due_messages(
		self, device: str, now_ms: int, limit: int, but_not: Collection[str] = ()
	) -> list[records.Message]:
		"""Conversations before campaigns; a message waits for the same customer's earlier ones."""
		order = f"ORDER BY (priority >= 2), sent_ms, name LIMIT ? OFFSET ? {self.LOCK}"
		held = sorted(but_not)
		where = "device = ? AND status = 'Queued'"
		if held:
			where += f" AND COALESCE(campaign, '') NOT IN ({', '.join('?' * len(held))})"
		first: dict[str, records.Message] = {}
		page = limit * 4
		for start in range(0, MAX_LOOKED_AT, page):
			messages = self._read(records.Message, where, (device, *held, page, start), order)
			for message in messages:
				first.setdefault(message.customer, message)
			due = [m for m in first.values() if (m.next_retry_ms or 0) <= now_ms]
			if len(due) >= limit or len(messages) < page:
				break
		return sorted(due, key=lambda message: message.priority)[:limit]

	# -- what is in doubt
	def doubtful_messages(self, device: str) -> list[records.Message]:
		where = "device = ? AND status IN ('Sending', 'Unknown')"
		return self._read(records.Message, where, (device,), f"ORDER BY sent_ms, name {self.LOCK}")

	def abandoned_messages(self, device: str) -> list[records.Message]:
		return self._read(records.Message, "device = ? AND status = 'Sending'", (device,), self.LOCK)

	def unknown_messages(
		self, device: str, since_ms: int, until_ms: int, limit: int
	) -> list[records.Message]:
		where = "device = ? AND status = 'Unknown' AND started_ms BETWEEN ? AND ?"
		return self._read(
			records.Message, where, (device, since_ms, until_ms, limit), "ORDER BY started_ms, name LIMIT ?"
		)

	# -- pace
	def traffic(
		self, device: str, pace: Pace, now_ms: int, day_start_ms: int, text_keys: Collection[str]
	) -> Traffic:
		return Traffic(
			last_ms=self._started(device, 1, 0),
			minute_edge_ms=self._started(device, pace.max_per_minute, now_ms - MINUTE_MS),
			hour_edge_ms=self._started(device, pace.max_per_hour, now_ms - HOUR_MS),
			equal_today=self._equal_texts(device, day_start_ms, text_keys)
			if pace.max_identical_per_day
			else {},
			**self._of_today(device, day_start_ms),
		)

	def _started(self, device: str, place: int, after_ms: int) -> int | None:
		"""When the message before the last `place - 1` was handed over, if that was after `after_ms`."""
		if place < 1:
			return None
		sql = (
			f"SELECT started_ms FROM {MESSAGE} WHERE device = ? AND started_ms > ? "
			"ORDER BY started_ms DESC LIMIT 1 OFFSET ?"
		)
		return next((row[0] for row in self.rows(sql, (device, after_ms, place - 1))), None)

	def _of_today(self, device: str, day_start_ms: int) -> dict[str, int]:
		sql = (
			"SELECT COUNT(*), COALESCE(SUM(priority = 0), 0), COALESCE(SUM(is_new_chat), 0) "
			f"FROM {MESSAGE} WHERE device = ? AND started_ms >= ?"
		)
		counts = [int(count) for count in self.rows(sql, (device, day_start_ms))[0]]
		return dict(zip(("today", "replies_today", "new_chats_today"), counts, strict=True))

	def _equal_texts(self, device: str, day_start_ms: int, text_keys: Collection[str]) -> dict[str, int]:
		wanted = sorted(filter(None, set(text_keys)))
		if not wanted:
			return {}
		marks = ", ".join("?" * len(wanted))
		sql = (
			f"SELECT text_key, COUNT(*) FROM {MESSAGE} WHERE device = ? AND started_ms >= ? "
			f"AND text_key IN ({marks}) GROUP BY text_key"
		)
		return {key: int(count) for key, count in self.rows(sql, (device, day_start_ms, *wanted))}

	# -- the device
	def send_gate(self, device: str) -> SendGate:
		sql = (
			"SELECT is_paused, breaker_state, breaker_failures, breaker_failed_ms, "
			"breaker_until_ms, breaker_reason, "
			"drained_ms "
			f"FROM {DEVICE} WHERE name = ?"
		)
		for is_paused, state, failures, failed_ms, until_ms, reason, drained_ms in self.rows(sql, (device,)):
			breaker = Breaker(state or "Closed", failures, failed_ms, until_ms, reason or "")
			return SendGate(bool(is_paused), breaker, drained_ms)
		return SendGate(True, Breaker())  # a device that is gone sends nothing

	def save_breaker(self, device: str, breaker: Breaker) -> None:
		self.run(
			f"UPDATE {DEVICE} SET breaker_state = ?, breaker_failures = ?, breaker_failed_ms = ?, "
			"breaker_until_ms = ?, breaker_reason = ? WHERE name = ?",
			(
				breaker.state,
				breaker.failures,
				breaker.failed_ms,
				breaker.until_ms,
				without_tags(breaker.reason)[:MAX_ERROR],
				device,
			),
		)

	def note_drain(self, device: str, now_ms: int) -> None:
		self.run(f"UPDATE {DEVICE} SET drained_ms = ? WHERE name = ?", (now_ms, device))

	def stale_messages(self, device: str, until_ms: int) -> list[records.Message]:
		where = f"device = ? AND status = 'Queued' AND sent_ms <= ? {self.LOCK}"
		return self._read(records.Message, where, (device, until_ms))

	def note_error(self, device: str, code: str, text: str, at_ms: int) -> None:
		self.run(
			f"UPDATE {DEVICE} SET last_error_code = ?, last_error_text = ?, last_error_ms = ?, last_error_on "
			"= ? "
			"WHERE name = ?",
			(safe_name(code), without_tags(text)[:MAX_ERROR], at_ms, self._local(at_ms), device),
		)

	# -- files of customers
	def devices_without_files(self, now_ms: int) -> list[str]:
		sql = f"SELECT DISTINCT device FROM {MESSAGE} WHERE media_state = 'Waiting' AND next_retry_ms <= ?"
		return [row[0] for row in self.rows(sql, (now_ms,))]

	def messages_without_file(self, device: str, now_ms: int, limit: int) -> list[records.Message]:
		where = "device = ? AND media_state = 'Waiting' AND next_retry_ms <= ?"
		return self._read(
			records.Message, where, (device, now_ms, limit), "ORDER BY attempts, received_ms, name LIMIT ?"
		)
