"""A message template as the gateway knows it, kept in step by the sync."""

from frappe.model.document import Document


class KhalifaProviderTemplate(Document):
	pass
