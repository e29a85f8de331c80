"""One run of «close all»: what was asked, how far it is, how it ended."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaCloseBatch(MachineWrittenDocument):
	"""One *Close All*: what it was asked to close, and how far it is."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Close Batch")
