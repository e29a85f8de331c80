"""A verified webhook call, kept byte for byte until it is applied and for a while after."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaWebhookEvent(MachineWrittenDocument):
	"""One call of a gateway, as it came."""


def on_doctype_update() -> None:
	add_indexes("Khalifa Webhook Event")
