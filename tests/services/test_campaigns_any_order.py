"""Whatever people, customers and gateways do in whatever order: each recipient is in one state, counts are
those of the rows, nobody gets a campaign twice or after having said stop.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.errors import Changed
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.services.campaigns import lifecycle, watch
from tests.services.harness import MANAGER, MINUTE
from tests.services.test_campaigns import CampaignDesk, lines, phone

PEOPLE = 8
NUMBER = st.integers(1, PEOPLE)
ACTS = st.one_of(
	st.tuples(st.sampled_from(["feed", "send", "minute", "look", "pause", "resume", "cancel"]), st.just(0)),
	st.tuples(st.sampled_from(["sent", "delivered", "read", "failed", "reply", "stop"]), NUMBER),
)


def act(desk: CampaignDesk, what: str, number: int) -> None:
	if what in ("pause", "resume", "cancel"):
		with suppress(Changed):
			getattr(lifecycle, what)(desk.store, MANAGER, "C1", desk.now)
	elif what in ("sent", "delivered", "read", "failed"):
		message = desk.rows()[number - 1].message
		if message and desk.message(message).gateway_id:
			desk.status(desk.message(message), what)
	elif what == "reply":
		desk.write(phone(number))
	elif what == "stop":
		if any(c.phone == phone(number) for c in desk.all(records.Customer)):
			desk.opt_out(number)
	elif what == "send":
		desk.send(desk.device.pace)
	elif what == "look":
		watch.look(desk.store, desk.now)
	else:
		getattr(desk, what)()
	desk.now += 1_000


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_each_recipient_is_in_one_state_and_counts_are_those_of_the_rows(acts):
	desk = CampaignDesk(pace=Pace(max_per_minute=2), agents=0)
	desk.start(lines(range(1, PEOPLE + 1)))
	for what, number in acts:
		act(desk, what, number)
		assert all(row.status == campaigns.status_of(row) for row in desk.rows())
	watch.look(desk.store, desk.now)
	rows = desk.rows()
	assert {k: v for k, v in campaigns.counts_of(desk.campaign).items() if v} == Counter(
		row.status for row in rows
	)
	bodies = Counter(out.body for out in desk.driver.sent)
	assert max(bodies.values(), default=0) <= 1
	for row in rows:
		if row.status in ("Planned", "Skipped", "Cancelled"):
			assert bodies[row.text] == 0
		if row.status in ("Sent", "Delivered", "Read", "Replied"):
			assert bodies[row.text] == 1
	for message in desk.all(records.Message):
		customer = next(c for c in desk.all(records.Customer) if c.name == message.customer)
		if message.campaign and customer.is_opted_out and message.started_ms:
			assert message.started_ms <= (customer.opted_out_ms or 0)


def test_the_acts_reach_their_ends() -> None:
	"""Were nothing ever sent, the test above would hold of nothing."""
	desk = CampaignDesk(pace=Pace(max_per_minute=2), agents=0)
	desk.start(lines(range(1, PEOPLE + 1)))
	for _ in range(PEOPLE):
		act(desk, "minute", 0)
		desk.now += MINUTE
	act(desk, "read", 1)
	act(desk, "stop", 2)
	act(desk, "reply", 3)
	watch.look(desk.store, desk.now)
	assert desk.states() == {"Read": 1, "Opted Out": 1, "Replied": 1, "Sent": PEOPLE - 3}
