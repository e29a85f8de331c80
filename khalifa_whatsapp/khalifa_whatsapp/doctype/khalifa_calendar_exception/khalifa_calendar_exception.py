"""A date whose hours differ from its weekday's."""

from frappe.model.document import Document


class KhalifaCalendarException(Document):
	"""A date with other hours than usual, or none."""
