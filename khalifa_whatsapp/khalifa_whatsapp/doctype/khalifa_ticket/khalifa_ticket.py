"""One conversation episode with one customer on one device.

Every change goes through a use case, which keeps ticket, ledgers and queue in step; a form only shows it.
"""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaTicket(MachineWrittenDocument):
	"""A conversation, from its first message until it is closed."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Ticket")
