"""A breach of the promised time; it stays when the answer comes."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaDelayEvent(MachineWrittenDocument):
	"""A wait that passed its limit, and whom it is charged to."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Delay Event")
