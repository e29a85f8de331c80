"""What a customer said of a conversation, or that he or she was asked."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaSatisfaction(MachineWrittenDocument):
	"""One question to a customer how a conversation was."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Satisfaction")
