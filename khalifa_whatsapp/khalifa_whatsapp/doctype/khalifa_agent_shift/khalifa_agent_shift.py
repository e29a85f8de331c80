"""One stretch of an agent's working time on one weekday."""

from frappe.model.document import Document


class KhalifaAgentShift(Document):
	"""A weekday and the hours in which an agent works."""
