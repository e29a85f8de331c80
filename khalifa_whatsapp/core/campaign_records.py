"""The rows of campaigns, as `records` has those of conversations; everybody else takes them from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(slots=True)
class Campaign:
	"""One text or template to many customers. People write what it says and its limits; the rest is ours."""

	DOCTYPE: ClassVar[str] = "Khalifa Campaign"
	name: str
	title: str
	device: str
	is_promotion: int = 1
	status: str = "Draft"  # `core.campaigns`
	status_reason: str = ""  # why it is in it: an English sentence of ours, translated where it is shown
	status_values: str = ""  # JSON: what stands in its places
	content_type: str = "Text"  # Text Template
	text_a: str = ""
	text_b: str = ""
	share_b: int = 50
	template: str | None = None
	template_parameters: str = ""  # JSON {parameter: text with {columns}}
	scheduled_ms: int | None = None
	daily_cap: int = 0
	per_minute: int = 0
	quiet_from: str = ""  # "21:00"
	quiet_to: str = ""
	reply_window_days: int = 7
	max_failure_percent: int = 20
	max_opt_out_percent: int = 5
	max_refusal_percent: int = 10
	min_sample: int = 50
	plan_state: str = ""  # Planning Planned Clearing
	plan_cursor: str = ""  # how far the audience is read, in the words of its source
	estimated_end_ms: int | None = None
	estimated_days: int = 0
	limited_by: str = ""  # the limit that decides how long it takes
	price: float = 0
	currency: str = ""
	estimated_cost: float = 0
	estimated_currency: str = ""
	unpriced_count: int = 0  # recipients whose message has no rate
	planned_by: str | None = None  # user
	planned_by_name: str | None = None
	planned_ms: int | None = None
	approved_by: str | None = None  # user
	approved_by_name: str | None = None
	approved_ms: int | None = None
	started_ms: int | None = None
	ended_ms: int | None = None
	judged_from_ms: int | None = None  # what was queued before is not judged again: a person went on
	total_count: int = 0
	planned_count: int = 0
	skipped_count: int = 0
	queued_count: int = 0
	sent_count: int = 0
	delivered_count: int = 0
	read_count: int = 0
	replied_count: int = 0
	failed_count: int = 0
	opted_out_count: int = 0
	cancelled_count: int = 0


@dataclass(slots=True)
class CampaignRecipient:
	"""One person (or unusable line) of a campaign's audience. `status` follows from the other facts."""

	DOCTYPE: ClassVar[str] = "Khalifa Campaign Recipient"
	name: str
	recipient_key: str  # unique: campaign and person; of a line that is skipped, campaign and line
	campaign: str
	line: int  # place in the audience, from 1
	customer: str | None = None  # None: unknown to us until it is queued
	customer_name: str = ""
	address: str = ""  # phone number in E.164, or what the line had in its place
	variant: str = "A"  # A B
	parameters: str = ""  # JSON {column: value}, as they were when planned
	text: str = ""  # what it says, or what the template shows, as it was when planned
	data: str = ""  # JSON: what the template needs besides
	status: str = "Planned"  # `core.campaigns.RECIPIENT_STATES`
	reason: str = (
		""  # why it was skipped, failed or waits: an English sentence of ours, translated where shown
	)
	reason_values: str = ""  # JSON: what stands in its places
	error_code: str | None = None  # the gateway's
	message: str | None = None
	ticket: str | None = None
	queued_ms: int | None = None
	sent_ms: int | None = None
	delivered_ms: int | None = None
	read_ms: int | None = None
	replied_ms: int | None = None
	failed_ms: int | None = None
	opted_out_ms: int | None = None
	cancelled_ms: int | None = None
