"""A button of a message template."""

from frappe.model.document import Document


class KhalifaTemplateButton(Document):
	"""A row of the table in the template's form."""
