"""A macro: several acts on a conversation by one tap."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.core import macros
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.core.quick_replies import unknown
from khalifa_whatsapp.services.tickets.actions import CLOSE_REASONS


class KhalifaMacro(Document):
	"""A macro, for everybody or for one agent."""

	def validate(self) -> None:
		self.clean_texts()
		self.validate_steps()
		self.validate_blanks()

	def clean_texts(self) -> None:
		"""Texts that any screen can show."""
		self.title = safe_name(self.title or "", macros.MAX_TITLE)
		if not self.title:
			frappe.throw(_("Write the macro's title."))
		for row in self.steps:
			row.text = without_tags(row.text or "")
			row.tag = safe_name((row.tag or "").replace(",", " "))

	def validate_steps(self) -> None:
		"""What nobody could ever do is refused while it is written."""
		wrong = macros.first_wrong([macros.step_of(row.as_dict()) for row in self.steps], CLOSE_REASONS)
		if wrong is not None:
			frappe.throw(_(macros.MESSAGES[wrong.code]).format(**wrong.values))

	def validate_blanks(self) -> None:
		"""A name in braces that nobody fills in would reach the customer as it was written."""
		for number, row in enumerate(self.steps, 1):
			if names := unknown(row.text or ""):
				shown = ", ".join(f"{{{name}}}" for name in names)
				frappe.throw(_(macros.MESSAGES["unknown_blanks"]).format(number=number, names=shown))
