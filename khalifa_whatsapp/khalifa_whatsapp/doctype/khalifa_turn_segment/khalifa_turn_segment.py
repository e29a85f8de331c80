"""Who held the ticket during a part of a turn."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaTurnSegment(MachineWrittenDocument):
	"""The part of a wait that one agent, or the queue, held."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Turn Segment")
