"""When a campaign stops itself: too many failures, too many who want no more, a number in trouble.

Shares are of what was handed over since a person last let it go on; below the smallest sample nothing is
judged. A limit of 0 means that nobody wants to be stopped by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from khalifa_whatsapp.core.records import Campaign

# Meta's codes for «too much»: 131048 customers blocked or reported the number too often; 131049 Meta holds
# back more marketing to this customer. Both say that the campaign annoys, not that a message was wrong.
HELD_BACK = ("131048", "131049")
REASONS = {
	"failed": "{share} % of the messages failed; the limit is {limit} %.",
	"opted out": "{share} % of the recipients stopped promotions; the limit is {limit} %.",
	"held back": "WhatsApp held back {share} % of the messages: customers get too many; "
	"the limit is {limit} %.",
}
BAD_QUALITY, RESTRICTED = "RED", "Restricted"  # what a gateway says of a number (`WhatsApp Device`)


@dataclass(frozen=True, slots=True)
class Tally:
	"""What has become of messages so far: handed over with whatever result, and those with a bad one."""

	handed_over: int = 0
	failed: int = 0
	opted_out: int = 0
	held_back: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
	"""What is known of the device: its login, and what the gateway says of its number."""

	state: str = ""
	quality: str = ""
	messaging_limit: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
	"""A sentence of ours, and what stands in its places."""

	text: str
	values: Mapping[str, object] = field(default_factory=dict)


def why_stop(campaign: Campaign, tally: Tally, device: Condition) -> Reason | None:
	"""Why the campaign must not go on by itself; None: it may."""
	if device.state == RESTRICTED:
		return Reason("WhatsApp has restricted the number.")
	if device.quality.upper() == BAD_QUALITY:
		return Reason("WhatsApp calls the quality of the number low: customers block or report it.")
	if tally.handed_over < max(campaign.min_sample, 1):
		return None
	for count, limit, why in (
		(tally.failed, campaign.max_failure_percent, "failed"),
		(tally.opted_out, campaign.max_opt_out_percent, "opted out"),
		(tally.held_back, campaign.max_refusal_percent, "held back"),
	):
		if limit and count * 100 > limit * tally.handed_over:
			return Reason(REASONS[why], {"share": round(100 * count / tally.handed_over, 1), "limit": limit})
	return None
