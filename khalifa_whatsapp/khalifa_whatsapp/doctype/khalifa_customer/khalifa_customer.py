"""A person who writes to us. People edit notes and the linked record; everything else is for use cases."""

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.guards import refuse_change_by_hand
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaCustomer(Document):
	"""A person who writes to us, by whatever numbers and ids."""

	def before_insert(self) -> None:
		refuse_change_by_hand(self)

	def validate(self) -> None:
		self.validate_reference()

	def on_trash(self) -> None:
		refuse_change_by_hand(self)

	def validate_reference(self) -> None:
		"""A link to another record needs both its type and its name."""
		if bool(self.reference_doctype) == bool(self.reference_name):
			return
		frappe.throw(_("Fill in both Linked Document Type and Linked Document, or none of them."))


def on_doctype_update() -> None:
	add_indexes("Khalifa Customer")
