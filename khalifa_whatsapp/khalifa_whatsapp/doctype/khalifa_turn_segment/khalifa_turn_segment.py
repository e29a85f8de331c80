"""Who held the ticket during a part of a turn."""

from khalifa_whatsapp.khalifa_whatsapp.ledger import LedgerDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaTurnSegment(LedgerDocument):
	pass


def on_doctype_update() -> None:
	add_indexes("Khalifa Turn Segment")
