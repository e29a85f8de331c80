"""A message template as the gateway knows it,
kept in step by the sync and by what the gateway posts of it.
"""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaProviderTemplate(MachineWrittenDocument):
	"""A message template as the gateway has approved it."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Provider Template")
