"""One stretch of business hours on one weekday."""

from frappe.model.document import Document


class KhalifaWorkingHour(Document):
	"""A weekday and the hours in which a branch is open."""
