"""Campaigns: which state follows which, and what each recipient's is."""

from __future__ import annotations

DRAFT, AWAITING, SCHEDULED, RUNNING = "Draft", "Awaiting Approval", "Scheduled", "Running"
PAUSED, CANCELLED, FINISHED = "Paused", "Cancelled", "Finished"
PLANNING, PLANNED = "Planning", "Planned"  # `Campaign.plan_state`

# What people write of a campaign: what every recipient gets is fixed by the plan, limits only while it goes
CONTENT_FIELDS = frozenset(
	{
		"device",
		"is_promotion",
		"content_type",
		"text_a",
		"text_b",
		"share_b",
		"template",
		"template_parameters",
	}
)
LIMIT_FIELDS = frozenset(
	{
		"title",
		"scheduled_ms",
		"daily_cap",
		"per_minute",
		"quiet_from",
		"quiet_to",
		"reply_window_days",
		"max_failure_percent",
		"max_opt_out_percent",
		"max_refusal_percent",
		"min_sample",
		"price",
		"currency",
	}
)
WRITTEN_BY_PEOPLE = CONTENT_FIELDS | LIMIT_FIELDS  # fields of `records.Campaign` that no use case changes
PERCENTAGES = ("share_b", "max_failure_percent", "max_opt_out_percent", "max_refusal_percent")
ENDED = frozenset({CANCELLED, FINISHED})


def may_change(field: str, status: str, plan_state: str) -> bool:
	"""Whether people may still write this field of a campaign; limits whenever it does not run,
	all else until it is planned.
	"""
	if field in LIMIT_FIELDS or field == "scheduled_on":
		return status != RUNNING and status not in ENDED
	return status == DRAFT and not plan_state
