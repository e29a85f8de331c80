"""One stretch of business hours on one weekday."""

from frappe.model.document import Document


class KhalifaWorkingHour(Document):
	pass
