"""What every store must do, as tests: mix `StoreContract` into a test class and say how to make a store.

It uses nothing but `assert`, so that it runs under pytest and under unittest. `make_store()` gives a store
that holds none of these tests' rows; `other_store(store)` another one on the same database, as another
process has it. Everything a test writes carries the test's own `tag`, so that it may share a database with
others.
"""

from __future__ import annotations

from khalifa_whatsapp.tests.contracts.store_auto_replies import AutoRepliesContract
from khalifa_whatsapp.tests.contracts.store_campaigns import CampaignsContract
from khalifa_whatsapp.tests.contracts.store_care import CareContract
from khalifa_whatsapp.tests.contracts.store_costs import CostsContract
from khalifa_whatsapp.tests.contracts.store_events import WebhookEventsContract
from khalifa_whatsapp.tests.contracts.store_measures import MeasuresContract
from khalifa_whatsapp.tests.contracts.store_outbox import OutboxContract
from khalifa_whatsapp.tests.contracts.store_reads import ReadsContract
from khalifa_whatsapp.tests.contracts.store_rows import RowsContract


class StoreContract(
	RowsContract,
	WebhookEventsContract,
	ReadsContract,
	OutboxContract,
	MeasuresContract,
	AutoRepliesContract,
	CampaignsContract,
	CareContract,
	CostsContract,
):
	"""The promises of `stores.base.Store`."""
