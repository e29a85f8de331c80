"""A quick reply: a text that an agent picks by typing / in the inbox."""

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.core.quick_replies import KNOWN, MAX_CAPTION, language_of, unknown
from khalifa_whatsapp.guards import current_actor, refuse_file

MAX_SHORTCUT, MAX_CATEGORY = 40, 60
PRIVATE = "/private/files/"


class KhalifaReplyTemplate(Document):
	"""A quick reply, for everybody or for one agent."""

	def before_insert(self) -> None:
		actor = current_actor()
		if not actor.is_manager:
			self.agent = actor.agent  # only managers write for everybody

	def validate(self) -> None:
		self.validate_shortcut()
		self.clean_texts()
		self.validate_blanks()
		self.validate_file()
		self.keep_usage()

	def validate_shortcut(self) -> None:
		"""One word, without the slash that is typed before it."""
		self.shortcut = (self.shortcut or "").strip().lstrip("/")
		if (
			not self.shortcut
			or len(self.shortcut) > MAX_SHORTCUT
			or any(char.isspace() for char in self.shortcut)
		):
			frappe.throw(_("A shortcut is one word of 1 to {0} characters.").format(MAX_SHORTCUT))

	def clean_texts(self) -> None:
		"""Texts that any screen can show, and the language they are in."""
		self.title = safe_name(self.title or "") or self.shortcut
		self.category = safe_name(self.category or "", MAX_CATEGORY) or None
		# searches show it, and Frappe's sanitiser lets JSON and styles pass
		self.body = without_tags(self.body or "")
		self.language = self.language or language_of(self.body)
		self.validate_only_one()

	def validate_file(self) -> None:
		"""A text beside a file is its caption; the file is private, and never a link."""
		if not self.attachment:
			return
		if not self.attachment.startswith(PRIVATE):
			frappe.throw(_("Attach the file here as a private file: a link can't be used."))
		if self.has_value_changed("attachment"):
			refuse_file(self.attachment)
		if len(self.body) > MAX_CAPTION:
			frappe.throw(
				_("Beside a file the text may have {0} characters at most; it has {1}.").format(
					MAX_CAPTION, len(self.body)
				)
			)

	def keep_usage(self) -> None:
		"""Counted by sending alone."""
		before = self.get_doc_before_save()
		self.usage_count = before.usage_count if before else 0
		self.last_used_on = before.last_used_on if before else None

	def validate_blanks(self) -> None:
		"""A name in braces that nobody fills in would reach the customer as it was written."""
		if names := unknown(self.body):
			known = ", ".join(f"{{{name}}}" for name in KNOWN)
			unfilled = ", ".join(f"{{{name}}}" for name in names)
			frappe.throw(_("Nobody fills in {0}. What can be filled in: {1}.").format(unfilled, known))

	def validate_only_one(self) -> None:
		"""A shortcut stands for one text only, among those of the same owner and language."""
		same = {
			"shortcut": self.shortcut,
			"language": self.language or ("is", "not set"),
			"agent": self.agent or ("is", "not set"),
			"name": ("!=", self.name or ""),
		}
		if frappe.db.exists("Khalifa Reply Template", same):
			frappe.throw(_("There is a quick reply with the shortcut {0} already.").format(self.shortcut))
