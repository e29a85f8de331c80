"""Which process owns a device's browser: one row per device, held by heartbeat."""

from frappe.model.document import Document


class KhalifaBrowserSession(Document):
	"""A browser with a login, and the process that owns it."""
