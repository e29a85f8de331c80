"""A quick reply: a text that an agent picks by typing / in the inbox."""

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.core.quick_replies import KNOWN, unknown
from khalifa_whatsapp.guards import current_actor

MAX_SHORTCUT = 40


class KhalifaReplyTemplate(Document):
	"""A quick reply, for everybody or for one agent."""

	def before_insert(self) -> None:
		actor = current_actor()
		if not actor.is_manager:
			self.agent = actor.agent  # only managers write for everybody

	def validate(self) -> None:
		self.shortcut = (self.shortcut or "").strip().lstrip("/")
		if (
			not self.shortcut
			or len(self.shortcut) > MAX_SHORTCUT
			or any(char.isspace() for char in self.shortcut)
		):
			frappe.throw(_("A shortcut is one word of 1 to {0} characters.").format(MAX_SHORTCUT))
		self.validate_only_one()
		self.title = safe_name(self.title or "") or self.shortcut
		# searches show it, and Frappe's sanitiser lets JSON and styles pass
		self.body = without_tags(self.body or "")
		self.validate_blanks()

	def validate_blanks(self) -> None:
		"""A name in braces that nobody fills in would reach the customer as it was written."""
		if names := unknown(self.body):
			known = ", ".join(f"{{{name}}}" for name in KNOWN)
			unfilled = ", ".join(f"{{{name}}}" for name in names)
			frappe.throw(_("Nobody fills in {0}. What can be filled in: {1}.").format(unfilled, known))

	def validate_only_one(self) -> None:
		"""A shortcut stands for one text only, among those of the same owner."""
		same = {
			"shortcut": self.shortcut,
			"agent": self.agent or ("is", "not set"),
			"name": ("!=", self.name or ""),
		}
		if frappe.db.exists("Khalifa Reply Template", same):
			frappe.throw(_("There is a quick reply with the shortcut {0} already.").format(self.shortcut))
