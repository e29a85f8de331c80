"""Counts and sums of one agent in one day or month, rebuilt whole from the ledgers."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaAgentKPI(MachineWrittenDocument):
	"""The figures of one agent in one day or month."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Agent KPI")
