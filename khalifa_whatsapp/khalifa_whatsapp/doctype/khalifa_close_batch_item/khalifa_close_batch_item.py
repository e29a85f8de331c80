"""One ticket of a «close all» run, and what became of it."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaCloseBatchItem(MachineWrittenDocument):
	"""A ticket of a *Close All*, and what became of it."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Close Batch Item")
