"""A variable of a message template: its kind, and the example that the gateway reviews it with."""

from frappe.model.document import Document


class KhalifaTemplateVariable(Document):
	"""A row of the table in the template's form."""
