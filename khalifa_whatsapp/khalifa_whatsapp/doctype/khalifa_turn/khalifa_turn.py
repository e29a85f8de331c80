"""One wait of a customer, from the first unanswered message to its end."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaTurn(MachineWrittenDocument):
	"""One wait of a customer for an answer."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Turn")
