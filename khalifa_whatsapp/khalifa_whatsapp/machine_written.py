"""What all machine-written DocTypes have in common."""

from __future__ import annotations

from frappe.model.document import Document

from khalifa_whatsapp.guards import refuse_change_by_hand


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
