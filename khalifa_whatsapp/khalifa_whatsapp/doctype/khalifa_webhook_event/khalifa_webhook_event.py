"""A verified webhook call, kept byte for byte until it is applied and for a while after."""

from khalifa_whatsapp.khalifa_whatsapp.ledger import LedgerDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaWebhookEvent(LedgerDocument):
	pass


def on_doctype_update() -> None:
	add_indexes("Khalifa Webhook Event")
