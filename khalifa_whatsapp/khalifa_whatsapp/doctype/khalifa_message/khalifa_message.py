"""One message or note of a ticket; an outgoing one is its own outbox row."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaMessage(MachineWrittenDocument):
	"""A message, a call or a note in a conversation."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Message")
