"""A message template: written in this form as a draft and submitted, or as the gateway knows it, kept in step
by the sync and by what the gateway posts of it.

People write its text; what the gateway says of it (status, quality, what it has approved) only use cases do.
"""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.core import template_state
from khalifa_whatsapp.core.keys import template_key
from khalifa_whatsapp.core.template_drafts import TemplateDraft, draft_of
from khalifa_whatsapp.core.template_forms import draft_from, value_kinds, value_rows
from khalifa_whatsapp.guards import refuse, refuse_change_by_hand, refuse_file
from khalifa_whatsapp.setup.indexes import add_indexes

TEMPLATE = "Khalifa Provider Template"
PRIVATE = "/private/files/"
# What the gateway says, and how each is in a draft that it does not know yet
OF_GATEWAY = {
	"status": template_state.DRAFT,
	"quality": "",
	"rejected_reason": "",
	"template_id": "",
	"synced_on": None,
	"components": None,
	"status_ms": 0,
	"category_ms": 0,
	"quality_ms": 0,
	"submitted_ms": 0,
	"needs_sync": 0,
}
# What a template is known by: of one that was submitted, it stays
IDENTITY = ("template_name", "language", "device", "parameter_format")


class KhalifaProviderTemplate(Document):
	"""A message template of one device: a draft, or as the gateway has it."""

	def validate(self) -> None:
		if not self.flags.by_use_case:
			self.keep_what_the_gateway_says()
			self.validate_text()
			self.set_key()
		self.set_values()

	def before_rename(self, old: str, new: str, merge: bool = False) -> None:
		refuse_change_by_hand(self)

	def on_trash(self) -> None:
		if self.status != template_state.DRAFT and not self.flags.by_use_case:
			refuse(_("Meta has this template. Delete it in Meta's manager: it goes here with the next sync."))

	def keep_what_the_gateway_says(self) -> None:
		"""A form or a call may send any field: what only the gateway knows stays as it is stored."""
		before = self.get_doc_before_save()
		for fieldname, empty in OF_GATEWAY.items():
			self.set(fieldname, before.get(fieldname) if before else empty)
		if before and before.status != template_state.DRAFT:
			for fieldname in IDENTITY:
				self.set(fieldname, before.get(fieldname))
		self.is_changed = int(self.draft() != self.submitted())

	def validate_text(self) -> None:
		"""Another text only while Meta would take it; a file only from here."""
		before = self.get_doc_before_save()
		if before and self.draft() != _draft(before) and not template_state.may_be_edited(self.status):
			frappe.throw(_("Meta is reviewing this template, or does not let it be changed."))
		if self.header_file and not self.header_file.startswith(PRIVATE):
			frappe.throw(_("Attach the header's file here as a private file: a link can't be used."))
		if self.header_file and self.has_value_changed("header_file"):
			refuse_file(self.header_file)

	def set_key(self) -> None:
		"""The key by which the sync and webhooks know it; one text for a name and a language."""
		self.template_key = template_key(self.device, self.template_name, self.language)
		same = {"template_key": self.template_key, "name": ("!=", self.name or "")}
		if frappe.db.exists(TEMPLATE, same):
			frappe.throw(
				_("There is a template {0} in the language {1} already.").format(
					self.template_name, self.language
				)
			)

	def set_values(self) -> None:
		"""A row for each variable, and what of it is needed to fill the template in."""
		form = self.as_dict()
		kinds = value_kinds(form)
		self.set("template_values", value_rows(draft_from(form), kinds))
		self.value_kinds = json.dumps(kinds) if kinds else None
		self.header_file_name = _file_name(self.header_file)

	def draft(self) -> TemplateDraft:
		"""What stands in the form."""
		return _draft(self)

	def submitted(self) -> TemplateDraft | None:
		"""What the gateway was given last; None of a draft."""
		try:
			components = json.loads(self.components or "null")
		except ValueError:
			components = None
		if not isinstance(components, list):
			return None
		return draft_of(self.template_name, self.language, self.category, self.parameter_format, components)


def _draft(doc: Any) -> TemplateDraft:
	return draft_from(doc.as_dict())


def _file_name(url: str | None) -> str | None:
	"""What customers see as a document's name."""
	return frappe.db.get_value("File", {"file_url": url}, "file_name") if url else None


def on_doctype_update() -> None:
	add_indexes(TEMPLATE)
