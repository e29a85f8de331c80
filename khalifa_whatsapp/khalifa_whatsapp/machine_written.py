"""What all machine-written DocTypes have in common."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.model.document import Document

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.guards import refuse_change_by_hand

CHUNK = 2_000
# Gateways come again with what they posted for seven days at most (Meta's figure): until then a row's key
# says that it is known, whatever Log Settings say
KEEP_KEYS_DAYS = 14


class MachineWrittenDocument(Document):
	"""A row that only use cases write.

	People read it; nobody edits or deletes it, not even an administrator.
	"""

	def validate(self) -> None:
		refuse_change_by_hand(self)

	def before_rename(self, old: str, new: str, merge: bool = False) -> None:
		refuse_change_by_hand(self)

	def on_trash(self) -> None:
		refuse_change_by_hand(self)


def clear_older(doctype: str, days: int, moment: str, filters: dict[str, Any], least_days: int = 0) -> None:
	"""Delete rows whose `moment` (epoch milliseconds) is older than so many days, chunk by chunk, each in a
	transaction of its own: what Log Settings ask for.
	"""
	before = now_ms() - max(days, least_days) * DAY_MS
	while names := frappe.get_all(doctype, {**filters, moment: ("<", before)}, pluck="name", limit=CHUNK):
		frappe.db.delete(doctype, {"name": ("in", names)})
		frappe.db.commit()
