"""A stretch of time in which an agent was online, away or offline."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaPresenceLog(MachineWrittenDocument):
	"""A stretch of time in which an agent was online, away or offline."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Presence Log")
