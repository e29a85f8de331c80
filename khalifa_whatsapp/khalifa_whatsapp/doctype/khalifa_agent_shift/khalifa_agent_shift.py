"""One stretch of an agent's working time on one weekday."""

from frappe.model.document import Document


class KhalifaAgentShift(Document):
	pass
