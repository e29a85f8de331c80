"""A recipient is in exactly one state, whatever comes in whatever order; counts are a fold of the rows."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.campaign_records import Campaign, CampaignRecipient
from khalifa_whatsapp.core.errors import Changed

NOW = 1_795_168_800_000
FACTS = [field.name for field in fields(CampaignRecipient) if field.name.endswith("_ms")]
STATUSES = (records.MSG_QUEUED, records.SENDING, records.UNKNOWN, records.SENT)
LATER = (records.DELIVERED, records.READ, records.PLAYED)


def recipient(**facts: object) -> CampaignRecipient:
	return CampaignRecipient("R1", "k", "C1", 1, **facts)  # type: ignore[arg-type]


def message(status: str, **more: object) -> records.Message:
	given = {"direction": records.OUTGOING, "origin": records.CAMPAIGN, "content_type": "text", **more}
	return records.Message("M1", "T1", "P1", "D1", status=status, sent_ms=NOW, received_ms=NOW, **given)  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from(FACTS), st.one_of(st.none(), st.integers(1, 9))), st.text(max_size=3))
def test_whatever_is_known_amounts_to_exactly_one_state(facts, reason):
	assert campaigns.status_of(recipient(reason=reason, **facts)) in campaigns.RECIPIENT_STATES


def acts_on(row: CampaignRecipient) -> dict[str, object]:
	"""What may happen to a recipient whose message was delivered, read and answered."""
	return {
		"sent": lambda: campaigns.follow(row, message(records.SENT), NOW + 1),
		"delivered": lambda: campaigns.follow(row, message(records.DELIVERED), NOW + 2),
		"read": lambda: campaigns.follow(row, message(records.READ), NOW + 3),
		"replied": lambda: campaigns.replied(row, NOW + 5),
		"replied again": lambda: campaigns.replied(row, NOW + 4),
		"opted out": lambda: campaigns.opted_out(row, NOW + 6),
	}


@given(st.data())
def test_any_order_of_what_happens_ends_in_the_same_state(data):
	names = data.draw(st.lists(st.sampled_from(list(acts_on(recipient()))), unique=True, min_size=1))
	repeated = data.draw(st.lists(st.sampled_from(names), max_size=4))
	ends = set()
	for order in (data.draw(st.permutations(names + repeated)), names):
		row = recipient(queued_ms=NOW, message="M1")
		for name in order:
			acts_on(row)[name]()  # type: ignore[operator]
		ends.add((row.status, row.replied_ms, row.opted_out_ms))
	assert len(ends) == 1


@pytest.mark.parametrize("order", list(itertools.permutations([*STATUSES, *LATER], 3)))
def test_a_message_that_moves_forward_never_moves_its_recipient_back(order):
	row, ranks = recipient(queued_ms=NOW), []
	for status in sorted(order, key=[*STATUSES, *LATER].index):
		campaigns.follow(row, message(status), NOW)
		ranks.append(campaigns.RECIPIENT_STATES.index(row.status))
	assert ranks == sorted(ranks)


def test_a_failure_that_turns_out_to_be_none_is_lifted():
	row = recipient(queued_ms=NOW)
	campaigns.follow(row, message(records.FAILED, error_text="Not on WhatsApp.", error_code="131026"), NOW)
	assert (row.status, row.reason, row.error_code) == ("Failed", "Not on WhatsApp.", "131026")
	campaigns.follow(row, message(records.DELIVERED), NOW + 1)
	assert (row.status, row.reason, row.error_code, row.failed_ms) == ("Delivered", "", None, None)


def test_whom_the_gateway_refused_for_having_stopped_promotions_is_opted_out_and_not_failed():
	row = recipient(queued_ms=NOW)
	campaigns.follow(row, message(records.FAILED, error_kind="opted_out", error_text="Stopped."), NOW)
	assert row.status == "Opted Out"


def test_what_is_in_doubt_stays_queued_and_says_so():
	row = recipient(queued_ms=NOW)
	campaigns.follow(row, message(records.UNKNOWN, error_text="No answer."), NOW)
	assert (row.status, row.reason) == ("Queued", campaigns.IN_DOUBT)
	campaigns.follow(row, message(records.SENT), NOW)
	assert (row.status, row.reason) == ("Sent", "")


@given(st.lists(st.sampled_from(campaigns.RECIPIENT_STATES)))
def test_counts_are_a_fold_of_the_rows(statuses):
	campaign = Campaign("C1", "Offer", "D1", total_count=7, failed_count=7)
	campaigns.put_counts(campaign, Counter(statuses))
	assert campaign.total_count == len(statuses) == sum(campaigns.counts_of(campaign).values())
	assert not campaigns.put_counts(campaign, Counter(statuses))


@pytest.mark.parametrize(
	("status", "plan_state", "acts"),
	[
		("Draft", "", {"plan"}),
		("Draft", "Planning", {"take_back"}),
		("Draft", "Planned", {"start", "take_back"}),
		("Awaiting Approval", "Planned", {"approve", "take_back", "cancel"}),
		("Scheduled", "Planned", {"pause", "cancel"}),
		("Running", "Planned", {"pause", "cancel"}),
		("Paused", "Planned", {"resume", "cancel"}),
		("Cancelled", "Planned", set()),
		("Finished", "Planned", set()),
	],
)
def test_each_state_allows_what_follows_from_it(status, plan_state, acts):
	campaign = Campaign("C1", "Offer", "D1", status=status, plan_state=plan_state)
	for act in ("plan", "take_back", "start", "approve", "pause", "resume", "cancel"):
		if act in acts:
			campaigns.require_act(act, campaign)
		else:
			with pytest.raises(Changed):
				campaigns.require_act(act, campaign)


def test_what_was_planned_with_stays_and_limits_change_only_while_it_rests():
	assert campaigns.may_change("text_a", "Draft", "")
	assert not campaigns.may_change("text_a", "Draft", "Planned")
	assert not campaigns.may_change("audience_list", "Paused", "Planned")
	assert campaigns.may_change("daily_cap", "Paused", "Planned")
	assert not campaigns.may_change("daily_cap", "Running", "Planned")
	assert not campaigns.may_change("daily_cap", "Finished", "Planned")


def test_a_large_campaign_waits_for_somebody_else():
	campaign = Campaign("C1", "Offer", "D1", planned_count=501)
	assert campaigns.needs_approval(campaign, 500)
	assert not campaigns.needs_approval(campaign, 501)
	assert not campaigns.needs_approval(campaign, 0)
	assert not campaigns.needs_approval(replace(campaign, approved_by="m@example.com"), 500)
