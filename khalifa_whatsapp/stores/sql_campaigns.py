"""What campaigns ask of the database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_type_hints

from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.campaign_stops import HELD_BACK, Condition, Tally
from khalifa_whatsapp.core.pacing import MINUTE_MS, Pace, Traffic
from khalifa_whatsapp.stores.base_campaigns import StoredTemplate
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.sql_base import CHUNK, Statements

CAMPAIGN = table_of(records.Campaign).name
RECIPIENT = table_of(records.CampaignRecipient).name
MESSAGE = table_of(records.Message).name
COUNTRY_DIGITS = 4  # the + and the longest country code
HANDED_OVER = (
	rules.SENT,
	rules.DELIVERED,
	rules.READ,
	rules.REPLIED,
	rules.FAILED,
	rules.OPTED_OUT,
)
_TEXTS = tuple(name for name, hint in get_type_hints(records.Campaign).items() if hint is str)


class CampaignQueries(Statements):
	"""Reads and writes of the `Store` port that only campaigns need."""

	# -- campaigns
	def campaigns(self, names: Collection[str]) -> dict[str, records.Campaign]:
		rows = self._in(records.Campaign, "name", names, self.LOCK)
		return {row.name: _without_nulls(row) for row in rows}

	def campaigns_in(self, statuses: Collection[str]) -> list[records.Campaign]:
		rows = self._in(records.Campaign, "status", statuses)
		return sorted(map(_without_nulls, rows), key=lambda row: (row.planned_ms or 0, row.name))

	def campaigns_on(self, device: str) -> list[records.Campaign]:
		where = "status IN ('Running', 'Paused') AND device = ?"
		return [_without_nulls(row) for row in self._read(records.Campaign, where, (device,))]

	def campaigns_to_count(self, since_ms: int) -> list[records.Campaign]:
		where = "plan_state = 'Planned' AND (ended_ms = 0 OR ended_ms >= ?)"
		return [
			_without_nulls(row) for row in self._read(records.Campaign, where, (since_ms,), "ORDER BY name")
		]

	def campaign_template(self, name: str) -> StoredTemplate | None:
		sql = (
			"SELECT device, template_name, language, status, components, parameter_format, category "
			"FROM `tabKhalifa Provider Template` WHERE name = ?"
		)
		return next((StoredTemplate(*(cell or "" for cell in row)) for row in self.rows(sql, (name,))), None)

	# -- recipients
	def recipient_lines(self, keys: Collection[str]) -> dict[str, int]:
		lines: dict[str, int] = {}
		ordered = sorted(keys)
		for start in range(0, len(ordered), CHUNK):
			part = ordered[start : start + CHUNK]
			sql = f"SELECT recipient_key, line FROM {RECIPIENT} WHERE recipient_key IN ({_marks(part)})"
			lines.update({key: int(line) for key, line in self.rows(sql, part)})
		return lines

	def waiting_recipients(self, campaign: str, limit: int) -> list[records.CampaignRecipient]:
		return self._read(
			records.CampaignRecipient,
			"campaign = ? AND status = 'Planned'",
			(campaign, limit),
			f"ORDER BY line LIMIT ? {self.LOCK}",
		)

	def recipients_of_customers(
		self, campaign: str, customers: Collection[str]
	) -> list[records.CampaignRecipient]:
		ordered = sorted(customers)
		stored: list[records.CampaignRecipient] = []
		for start in range(0, len(ordered), CHUNK):
			part = ordered[start : start + CHUNK]
			where = f"campaign = ? AND customer IN ({_marks(part)})"
			stored += self._read(records.CampaignRecipient, where, (campaign, *part))
		return stored

	def recipients_of_messages(self, messages: Collection[str]) -> list[records.CampaignRecipient]:
		return self._in(records.CampaignRecipient, "message", messages, self.LOCK)

	def recipients_written_to(
		self, customers: Collection[str], since_ms: int
	) -> list[records.CampaignRecipient]:
		extra = f" AND queued_ms >= {int(since_ms)}"
		return self._in(records.CampaignRecipient, "customer", customers, self.LOCK, extra)

	def queued_recipients(self, campaign: str, limit: int) -> list[records.CampaignRecipient]:
		return self._read(
			records.CampaignRecipient,
			"campaign = ? AND status = 'Queued' AND reason <> ?",
			(campaign, rules.IN_DOUBT, limit),
			f"ORDER BY line LIMIT ? {self.LOCK}",
		)

	def recipient_counts(self, campaign: str) -> dict[str, int]:
		sql = f"SELECT status, COUNT(*) FROM {RECIPIENT} WHERE campaign = ? GROUP BY status"
		return {status: int(count) for status, count in self.rows(sql, (campaign,))}

	def count_under_way(self, campaign: str) -> int:
		sql = f"SELECT COUNT(*) FROM {RECIPIENT} WHERE campaign = ? AND status = 'Queued' AND reason <> ?"
		return int(self.rows(sql, (campaign, rules.IN_DOUBT))[0][0])

	def campaign_tally(self, campaign: str, since_ms: int) -> Tally:
		sql = (
			f"SELECT COALESCE(SUM(status IN ({_marks(HANDED_OVER)})), 0), "
			"COALESCE(SUM(status = 'Failed'), 0), COALESCE(SUM(status = 'Opted Out'), 0), "
			f"COALESCE(SUM(error_code IN ({_marks(HELD_BACK)})), 0) "
			f"FROM {RECIPIENT} WHERE campaign = ? AND queued_ms >= ?"
		)
		counts = self.rows(sql, (*HANDED_OVER, *HELD_BACK, campaign, max(since_ms, 1)))[0]
		return Tally(*map(int, counts))

	def drop_recipients(self, campaign: str, limit: int) -> int:
		names = [
			row[0]
			for row in self.rows(
				f"SELECT name FROM {RECIPIENT} WHERE campaign = ? AND queued_ms = 0 LIMIT ?",
				(campaign, limit),
			)
		]
		if not names:
			return 0
		return self.run(f"DELETE FROM {RECIPIENT} WHERE name IN ({_marks(names)})", names)

	# -- limits
	def campaign_traffic(self, campaign: str, pace: Pace, now_ms: int, day_start_ms: int) -> Traffic:
		return Traffic(
			minute_edge_ms=self._handed_over(campaign, pace.max_per_minute, now_ms - MINUTE_MS),
			today=self._count_handed_over(campaign, day_start_ms) if pace.max_per_day else 0,
		)

	def _handed_over(self, campaign: str, place: int, after_ms: int) -> int | None:
		if place < 1:
			return None
		sql = (
			f"SELECT started_ms FROM {MESSAGE} WHERE campaign = ? AND started_ms > ? "
			"ORDER BY started_ms DESC LIMIT 1 OFFSET ?"
		)
		return next((row[0] for row in self.rows(sql, (campaign, after_ms, place - 1))), None)

	def _count_handed_over(self, campaign: str, since_ms: int) -> int:
		sql = f"SELECT COUNT(*) FROM {MESSAGE} WHERE campaign = ? AND started_ms >= ?"
		return int(self.rows(sql, (campaign, since_ms))[0][0])

	def customers_promoted_to(self, device: str, since_ms: int) -> int:
		sql = (
			f"SELECT COUNT(*) FROM {MESSAGE} WHERE device = ? AND started_ms >= ? AND priority = 2 "
			"AND origin = 'Campaign'"
		)
		return int(self.rows(sql, (device, since_ms))[0][0])

	def count_new_chats(self, campaign: str, device: str) -> int:
		sql = (
			f"SELECT COUNT(*) FROM {RECIPIENT} r WHERE r.campaign = ? AND r.status = 'Planned' "
			"AND (r.customer IS NULL OR NOT EXISTS (SELECT 1 FROM `tabKhalifa Ticket` t "
			"WHERE t.customer = r.customer AND t.device = ?))"
		)
		return int(self.rows(sql, (campaign, device))[0][0])

	def recipient_numbers(self, campaign: str) -> list[tuple[str, int]]:
		sql = (
			f"SELECT MIN(address), COUNT(*) FROM {RECIPIENT} WHERE campaign = ? AND status = 'Planned' "
			f"GROUP BY SUBSTR(address, 1, {COUNTRY_DIGITS})"
		)
		return [(address, int(count)) for address, count in self.rows(sql, (campaign,))]

	# -- what happens elsewhere
	def customers_opted_out(self, since_ms: int, limit: int) -> list[tuple[str, int]]:
		sql = (
			"SELECT name, opted_out_ms FROM `tabKhalifa Customer` WHERE opted_out_ms >= ? "
			"AND is_opted_out = 1 ORDER BY opted_out_ms, name LIMIT ?"
		)
		return [(name, int(at_ms)) for name, at_ms in self.rows(sql, (max(since_ms, 1), limit))]

	def device_condition(self, device: str) -> Condition:
		sql = "SELECT state, quality, messaging_limit FROM `tabWhatsApp Device` WHERE name = ?"
		return next(
			(Condition(*(cell or "" for cell in row)) for row in self.rows(sql, (device,))), Condition()
		)


def _marks(values: Collection[Any]) -> str:
	return ", ".join("?" * len(values))


def _without_nulls(campaign: records.Campaign) -> records.Campaign:
	"""A form leaves NULL where nothing was written."""
	for name in _TEXTS:
		if getattr(campaign, name) is None:
			setattr(campaign, name, "")
	return campaign
