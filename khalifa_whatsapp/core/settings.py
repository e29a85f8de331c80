"""Everything a manager can tune, as plain values. A store fills it from Khalifa Settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from khalifa_whatsapp.core.auto_replies import RuleBook
from khalifa_whatsapp.core.calendar import Calendar

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
# What customers read until a manager writes something else
SURVEY_TEXT = "يهمنا رأيك: إيه تقييمك لخدمتنا في المحادثة دي؟"
SURVEY_COMMENT_TEXT = "آسفين إن الخدمة ما كانتش زي ما تحب. قول لنا إيه اللي ضايقك؟"
OPT_OUT_TEXT = "تم إيقاف العروض، ومش هنبعت لك عروض تاني. لو حبيت ترجّعها ابعت: اشتراك أو START"
OPT_IN_TEXT = "تم تفعيل العروض من جديد. لو حبيت توقفها ابعت: إيقاف أو STOP"


@dataclass(frozen=True, slots=True)
class Settings:
	"""Field names are those of Khalifa Settings; units are in the names."""

	reopen_window_hours: int = 24
	delay_minutes: float = 15
	customer_delay_minutes: float = 15
	warn_percent: int = 70
	escalate_factor: float = 2
	late_transfer_percent: int = 50
	pending_load: float = 0.25
	default_capacity: int = 6
	heartbeat_stale_minutes: float = 3
	heartbeat_requeue_minutes: float = 10
	default_region: str = "EG"
	max_webhook_bytes: int = 3 * 1024 * 1024
	max_gateway_bytes: int = 25 * 1024 * 1024
	max_text_length: int = 4096
	raw_event_retention_days: int = 30
	drain_batch: int = 100
	weight_first_response: float = 25
	weight_response: float = 20
	weight_delays: float = 20
	weight_resolution: float = 15
	weight_satisfaction: float = 20
	first_response_target_minutes: float = 3
	first_response_worst_minutes: float = 15
	response_target_minutes: float = 3
	response_worst_minutes: float = 15
	delay_rate_target: float = 2
	delay_rate_worst: float = 20
	resolution_rate_target: float = 95
	resolution_rate_worst: float = 60
	satisfaction_target: float = 95
	satisfaction_worst: float = 60
	satisfaction_smoothing: float = 10
	is_sending_paused: int = 0
	max_attempts: int = 10
	unknown_minutes: float = 15
	max_media_bytes: int = 25 * 1024 * 1024
	breaker_failures: int = 5
	breaker_window_seconds: float = 60
	breaker_open_seconds: float = 60
	restarts_per_hour: int = 3
	min_sample_daily: int = 5
	min_sample_monthly: int = 20
	hint_joining: int = 1
	max_auto_replies: int = 3
	survey_enabled: int = 0
	survey_delay_minutes: float = 10
	survey_expiry_hours: float = 24
	survey_text: str = SURVEY_TEXT
	survey_template: str = ""
	survey_thanks_text: str = ""
	survey_asks_comment: int = 1
	survey_comment_text: str = SURVEY_COMMENT_TEXT
	survey_comment_minutes: float = 60
	confirms_opt_out: int = 1
	opt_out_text: str = OPT_OUT_TEXT
	opt_in_text: str = OPT_IN_TEXT
	campaign_approval_size: int = 500
	alert_quiet_minutes: int = 240
	alert_device_minutes: float = 5
	alert_failure_percent: float = 20
	alert_failure_sample: int = 20
	alert_event_minutes: float = 2
	alert_message_minutes: float = 15
	alert_job_minutes: float = 3
	alert_worker_minutes: float = 5
	alert_token_days: int = 7
	alert_disk_gb: float = 1
	audit_retention_days: int = 0

	@classmethod
	def from_row(cls, row: Mapping[str, Any]) -> Settings:
		"""Settings from stored values; one that is missing, empty or can't be read keeps its default."""
		return cls(**cls._split(row)[0])

	@classmethod
	def unreadable(cls, row: Mapping[str, Any]) -> list[str]:
		"""Names of stored values that can't be read."""
		return cls._split(row)[1]

	@classmethod
	def _split(cls, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
		values, wrong = {}, []
		for f in fields(cls):
			if row.get(f.name) in (None, ""):
				continue
			try:
				values[f.name] = _READ[f.type](row[f.name])
			except (TypeError, ValueError, OverflowError):
				wrong.append(f.name)
		return values, wrong


def _whole(value: Any) -> int:
	return int(float(value))


_READ: dict[Any, Callable[[Any], Any]] = {"int": _whole, "float": float, "str": str}


@dataclass(frozen=True, slots=True)
class BranchRules:
	"""What differs in one branch: its hours and its delay threshold."""

	calendar: Calendar
	delay_ms: int
	customer_delay_ms: int


@dataclass(frozen=True, slots=True)
class Rules:
	"""The settings and calendars that decisions need, read once per transaction."""

	settings: Settings
	calendar: Calendar
	branches: Mapping[str, BranchRules] = field(default_factory=dict)
	auto_replies: RuleBook = field(default_factory=RuleBook)

	def of_branch(self, branch: str | None) -> BranchRules:
		"""The branch's own rules, or the company's."""
		if branch is not None and branch in self.branches:
			return self.branches[branch]
		return BranchRules(
			self.calendar,
			round(self.settings.delay_minutes * MINUTE_MS),
			round(self.settings.customer_delay_minutes * MINUTE_MS),
		)
