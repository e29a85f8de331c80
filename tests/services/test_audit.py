"""Deeds of use cases are written down with them, by whoever did them, and not when they did not happen."""

from __future__ import annotations

import pytest

from khalifa_whatsapp.core import audit, records
from khalifa_whatsapp.core.errors import Changed, NotAllowed
from khalifa_whatsapp.services.campaigns import lifecycle
from khalifa_whatsapp.services.customers import decisions
from tests.services.harness import MANAGER
from tests.services.test_campaigns import OTHER, CampaignDesk, lines, phone


@pytest.fixture
def desk() -> CampaignDesk:
	return CampaignDesk(agents=1)


def deeds(desk: CampaignDesk, kind: str) -> list[tuple[str, str | None]]:
	entries = sorted(desk.all(records.AuditEntry), key=lambda row: row.name)
	return [(entry.action, entry.actor) for entry in entries if entry.kind == kind]


def test_what_people_do_with_a_campaign_is_written_down_with_their_names(desk):
	desk.start(lines(range(3)))
	lifecycle.pause(desk.store, OTHER, "C1", desk.now)
	lifecycle.resume(desk.store, MANAGER, "C1", desk.now)
	lifecycle.cancel(desk.store, OTHER, "C1", desk.now)
	assert deeds(desk, audit.CAMPAIGN) == [
		(audit.PLANNED, MANAGER.user),
		(audit.STARTED, MANAGER.user),
		(audit.PAUSED, OTHER.user),
		(audit.RESUMED, MANAGER.user),
		(audit.CANCELLED, OTHER.user),
	]


def test_what_is_refused_is_no_deed(desk):
	desk.start(lines(range(3)))
	before = deeds(desk, audit.CAMPAIGN)
	with pytest.raises(Changed):
		lifecycle.resume(desk.store, MANAGER, "C1", desk.now)
	with pytest.raises(NotAllowed):
		lifecycle.cancel(desk.store, desk.actor("A0"), "C1", desk.now)
	assert deeds(desk, audit.CAMPAIGN) == before


def test_merged_customers_are_named_by_their_rows_alone(desk):
	for number in (1, 2):
		desk.write(phone(number))
	one, two = sorted(customer.name for customer in desk.all(records.Customer))
	decisions.merge(desk.store, MANAGER, one, two, desk.now)
	(entry,) = [row for row in desk.all(records.AuditEntry) if row.kind == audit.CUSTOMER]
	assert (entry.action, entry.document, entry.actor) == (audit.MERGED, two, MANAGER.user)
	assert one in entry.summary
	assert "2010012" not in entry.summary + entry.details + entry.document_title
