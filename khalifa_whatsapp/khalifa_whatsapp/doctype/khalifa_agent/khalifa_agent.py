"""An employee who answers. Presence and load are kept by use cases; people edit the rest."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.guards import AGENT_ROLE, forget_actors
from khalifa_whatsapp.khalifa_whatsapp.forms import validate_hours
from khalifa_whatsapp.setup.indexes import add_indexes

MAX_CAPACITY = 1000


class KhalifaAgent(Document):
	"""An employee who answers customers: the login, the branch, and how many conversations at once."""

	def validate(self) -> None:
		self.validate_user()
		self.validate_name()
		self.validate_capacity()
		validate_hours(self.shifts)

	def on_update(self) -> None:
		self.give_role()
		forget_actors()

	def on_trash(self) -> None:
		forget_actors()

	def validate_user(self) -> None:
		"""The login is a person's own."""
		if self.user in ("Guest", "Administrator"):
			frappe.throw(_("{0} is not an employee. Choose the employee's own user.").format(self.user))

	def validate_name(self) -> None:
		"""A login is not a name: customers and colleagues read this."""
		self.employee_name = safe_name(self.employee_name or "")
		if not self.employee_name or "@" in self.employee_name:
			frappe.throw(_("Write the employee's real name, not a login."))

	def validate_capacity(self) -> None:
		"""At least one conversation at once, and no absurd number."""
		if not 1 <= cint(self.capacity) <= MAX_CAPACITY:
			frappe.throw(_("Capacity must be between {0} and {1}.").format(1, MAX_CAPACITY))

	def give_role(self) -> None:
		"""An agent without the role would see an empty screen."""
		if self.enabled and AGENT_ROLE not in frappe.get_roles(self.user):
			user = frappe.get_doc("User", self.user)
			user.flags.ignore_permissions = True
			user.add_roles(AGENT_ROLE)


def on_doctype_update() -> None:
	add_indexes("Khalifa Agent")
