"""A customer's wish about promotions: never changed, never deleted."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaConsentEvent(MachineWrittenDocument):
	"""Who wished what, when, and how we know of it."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Consent Event")
