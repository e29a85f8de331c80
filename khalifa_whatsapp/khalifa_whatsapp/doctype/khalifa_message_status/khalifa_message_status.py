"""Something a gateway said of a message: never changed, never deleted."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaMessageStatus(MachineWrittenDocument):
	"""Something that was said of a message: a status, a reaction, an edit."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Message Status")
