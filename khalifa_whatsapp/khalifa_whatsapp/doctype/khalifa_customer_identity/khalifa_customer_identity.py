"""One name a gateway has for a customer."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaCustomerIdentity(MachineWrittenDocument):
	"""A number or an id by which a gateway knows a customer."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Customer Identity")
