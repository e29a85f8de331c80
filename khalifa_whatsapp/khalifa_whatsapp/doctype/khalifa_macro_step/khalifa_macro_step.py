"""One step of a macro."""

from frappe.model.document import Document


class KhalifaMacroStep(Document):
	"""A row of the table in the macro's form."""
