"""One recipient of a campaign, and what became of it."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaCampaignRecipient(MachineWrittenDocument):
	"""A recipient of a campaign: what was frozen when it was planned, and what became of it."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Campaign Recipient")
