"""What happened to a ticket, in order: never changed, never deleted."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaTicketEvent(MachineWrittenDocument):
	"""Something that happened to a ticket, and who did it."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Ticket Event")
