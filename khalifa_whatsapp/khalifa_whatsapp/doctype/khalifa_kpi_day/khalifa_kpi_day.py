"""One day of the KPI calendar, and whether its numbers must be computed again."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaKPIDay(MachineWrittenDocument):
	"""A day, and whether its figures must be computed again."""


def on_doctype_update() -> None:
	add_indexes("Khalifa KPI Day")
