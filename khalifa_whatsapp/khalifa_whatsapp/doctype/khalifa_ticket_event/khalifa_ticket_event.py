"""What happened to a ticket, in order: never changed, never deleted."""

from khalifa_whatsapp.khalifa_whatsapp.ledger import LedgerDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaTicketEvent(LedgerDocument):
	pass


def on_doctype_update() -> None:
	add_indexes("Khalifa Ticket Event")
