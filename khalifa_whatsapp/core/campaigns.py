"""Campaigns: which state follows which, and what each recipient's is.

A recipient's state is no field that somebody advances: it follows from facts (queued, sent, failed, answered,
…), each of which is set once. So statuses may come in any order and any number of times, and a recipient is
always in exactly one state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import Changed

# Campaign.status
DRAFT, AWAITING, SCHEDULED, RUNNING = "Draft", "Awaiting Approval", "Scheduled", "Running"
PAUSED, CANCELLED, FINISHED = "Paused", "Cancelled", "Finished"
# Campaign.plan_state; Clearing: the plan was taken back, and its recipients are being deleted
PLANNING, PLANNED, CLEARING = "Planning", "Planned", "Clearing"
TEXT, TEMPLATE = "Text", "Template"  # Campaign.content_type
ENDED = frozenset({CANCELLED, FINISHED})

# CampaignRecipient.status, in the order in which they are shown
WAITS, SKIPPED, QUEUED, SENT, DELIVERED = "Planned", "Skipped", "Queued", "Sent", "Delivered"
READ, REPLIED, FAILED, OPTED_OUT, TAKEN_BACK = "Read", "Replied", "Failed", "Opted Out", "Cancelled"
RECIPIENT_STATES = (
	WAITS,
	SKIPPED,
	QUEUED,
	SENT,
	DELIVERED,
	READ,
	REPLIED,
	FAILED,
	OPTED_OUT,
	TAKEN_BACK,
)
UNDER_WAY = frozenset({WAITS, QUEUED})  # a campaign ends when nobody is in one of these any more
# Why a recipient is where it is, beside what lists and gateways say
REASONS = {
	"in doubt": "Nobody knows whether it went: a person has to look.",
	"wants none": "Wants no promotions.",
	"twice": "Got this campaign already, as the same customer.",
}
IN_DOUBT, WANTS_NONE, TWICE = REASONS["in doubt"], REASONS["wants none"], REASONS["twice"]

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

# What people can do with a campaign, and in which states
PLAN, TAKE_BACK, START, APPROVE = "plan", "take_back", "start", "approve"
PAUSE, RESUME, CANCEL = "pause", "resume", "cancel"
_ACTS: Mapping[str, tuple[str, ...]] = {
	AWAITING: (APPROVE, TAKE_BACK, CANCEL),
	SCHEDULED: (PAUSE, CANCEL),
	RUNNING: (PAUSE, CANCEL),
	PAUSED: (RESUME, CANCEL),
}
_ACTS_OF_DRAFTS: Mapping[str, tuple[str, ...]] = {
	"": (PLAN,),
	PLANNING: (TAKE_BACK,),
	PLANNED: (START, TAKE_BACK),
	CLEARING: (),
}


def acts(status: str, plan_state: str) -> tuple[str, ...]:
	"""What people can do with a campaign now."""
	return _ACTS_OF_DRAFTS[plan_state] if status == DRAFT else _ACTS.get(status, ())


def require_act(act: str, campaign: records.Campaign) -> None:
	"""Refuse what can't be done in the campaign's state: it is another by now than the page showed."""
	if act not in acts(campaign.status, campaign.plan_state):
		raise Changed("campaign_changed", "The campaign has changed meanwhile. Look again.")


def may_change(field: str, status: str, plan_state: str) -> bool:
	"""Whether people may still write this field of a campaign; limits whenever it does not run,
	all else until it is planned.
	"""
	if field in LIMIT_FIELDS or field == "scheduled_on":
		return status != RUNNING and status not in ENDED
	return status == DRAFT and not plan_state


def needs_approval(campaign: records.Campaign, size: int) -> bool:
	"""Whether somebody else than who planned it must say yes first; a size of 0: never."""
	return bool(size) and campaign.planned_count > size and not campaign.approved_by


def status_when_started(campaign: records.Campaign, now_ms: int) -> str:
	"""Running, or Scheduled until its moment comes."""
	return SCHEDULED if (campaign.scheduled_ms or 0) > now_ms else RUNNING


class RecipientFacts(Protocol):
	"""What the state of a recipient follows from; a `records.CampaignRecipient` has it."""

	reason: str
	queued_ms: int | None
	sent_ms: int | None
	delivered_ms: int | None
	read_ms: int | None
	replied_ms: int | None
	failed_ms: int | None
	opted_out_ms: int | None
	cancelled_ms: int | None


def status_of(recipient: RecipientFacts) -> str:
	"""The one state that the facts amount to: what says most of the recipient counts."""
	if recipient.queued_ms is None:
		if recipient.cancelled_ms is not None:
			return TAKEN_BACK
		return SKIPPED if recipient.reason else WAITS
	for at_ms, status in (
		(recipient.opted_out_ms, OPTED_OUT),
		(recipient.replied_ms, REPLIED),
		(recipient.read_ms, READ),
		(recipient.delivered_ms, DELIVERED),
		(recipient.cancelled_ms, TAKEN_BACK),
		(recipient.failed_ms, FAILED),
		(recipient.sent_ms, SENT),
	):
		if at_ms is not None:
			return status
	return QUEUED


_REACHED = (records.SENT, records.DELIVERED, records.READ, records.PLAYED)


def follow(recipient: records.CampaignRecipient, message: records.Message, at_ms: int) -> None:
	"""Take over what has become of the recipient's message, as known at an instant; any number of times."""
	status = message.status
	place = _REACHED.index(status) if status in _REACHED else -1
	if place >= 0:
		recipient.sent_ms = recipient.sent_ms or message.started_ms or at_ms
	if place >= 1:
		recipient.delivered_ms = recipient.delivered_ms or at_ms
	if place >= 2:
		recipient.read_ms = recipient.read_ms or at_ms
	_follow_failure(recipient, message, at_ms)
	recipient.status = status_of(recipient)


def _follow_failure(recipient: records.CampaignRecipient, message: records.Message, at_ms: int) -> None:
	is_failed = message.status == records.FAILED
	recipient.failed_ms = (recipient.failed_ms or at_ms) if is_failed else None
	recipient.error_code = message.error_code
	recipient.reason = message.error_text or "" if is_failed else ""
	if message.status == records.UNKNOWN:
		recipient.reason = IN_DOUBT
	if is_failed and message.error_kind == "opted_out":
		recipient.opted_out_ms = recipient.opted_out_ms or at_ms


def replied(recipient: records.CampaignRecipient, at_ms: int) -> None:
	"""The customer has written after it; of several such moments the first counts."""
	recipient.replied_ms = min(recipient.replied_ms or at_ms, at_ms)
	recipient.status = status_of(recipient)


def opted_out(recipient: records.CampaignRecipient, at_ms: int) -> None:
	"""The customer has stopped promotions after it."""
	recipient.opted_out_ms = min(recipient.opted_out_ms or at_ms, at_ms)
	recipient.status = status_of(recipient)


def skip(recipient: records.CampaignRecipient, reason: str, values: str = "") -> None:
	"""It goes to nobody, for this reason: a sentence of ours and, as JSON, what stands in its places."""
	recipient.reason, recipient.reason_values = reason, values
	recipient.status = status_of(recipient)


def take_back(recipient: records.CampaignRecipient, at_ms: int) -> None:
	"""The campaign is cancelled, and this message has not been handed over."""
	recipient.cancelled_ms = recipient.cancelled_ms or at_ms
	recipient.status = status_of(recipient)


COUNTS = {status: f"{status.lower().replace(' ', '_')}_count" for status in RECIPIENT_STATES}


def put_counts(campaign: records.Campaign, counts: Mapping[str, int]) -> bool:
	"""Write the number of recipients in each state down; whether it changed anything."""
	before = [campaign.total_count, *(getattr(campaign, name) for name in COUNTS.values())]
	for status, name in COUNTS.items():
		setattr(campaign, name, counts.get(status, 0))
	campaign.total_count = sum(counts.values())
	return before != [campaign.total_count, *(getattr(campaign, name) for name in COUNTS.values())]


def counts_of(campaign: records.Campaign) -> dict[str, int]:
	"""The number of recipients in each state, as written down."""
	return {status: getattr(campaign, name) for status, name in COUNTS.items()}
