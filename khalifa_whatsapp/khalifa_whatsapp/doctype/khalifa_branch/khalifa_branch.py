"""A place of the company with its own hours, thresholds and agents."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.jobs.wake import wake_deadlines
from khalifa_whatsapp.khalifa_whatsapp.forms import validate_hours

MAX_DELAY_MINUTES = 7 * 24 * 60


class KhalifaBranch(Document):
	"""A branch with its opening hours and limits."""

	def before_insert(self) -> None:
		self.branch_name = safe_name(self.branch_name or "")  # Desk's lists put it into attributes as it is

	def before_rename(self, old: str, new: str, merge: bool = False) -> str:
		return safe_name(new)

	def validate(self) -> None:
		self.address = without_tags(self.address or "")
		self.validate_delays()
		validate_hours(self.working_hours)

	def on_update(self) -> None:
		if self.get_doc_before_save():  # in a new one nobody waits yet
			wake_deadlines()

	def validate_delays(self) -> None:
		"""Limits are minutes; 0 stands for the limit in the settings."""
		for fieldname in ("delay_minutes", "customer_delay_minutes"):
			if not 0 <= flt(self.get(fieldname)) <= MAX_DELAY_MINUTES:
				label = _(self.meta.get_label(fieldname))
				frappe.throw(_("{0} must be between {1} and {2}.").format(label, 0, MAX_DELAY_MINUTES))
