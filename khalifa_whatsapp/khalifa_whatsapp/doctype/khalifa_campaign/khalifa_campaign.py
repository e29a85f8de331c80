"""A campaign. People write what it says and its limits; use cases plan, start and count it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_datetime, get_system_timezone

from khalifa_whatsapp.core import campaigns, pacing
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.guards import refuse_change_by_hand
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaCampaign(Document):
	"""One text or template to many customers."""

	def validate(self) -> None:
		self.validate_still_open()
		self.validate_title()
		self.validate_limits()
		self.validate_quiet_hours()
		self.set_start()

	def before_rename(self, old: str, new: str, merge: bool = False) -> None:
		refuse_change_by_hand(self)

	def on_trash(self) -> None:
		refuse_change_by_hand(self)

	def validate_still_open(self) -> None:
		"""What recipients were planned with stays as it was; limits may be changed until it runs again."""
		before = self.get_doc_before_save()
		if before is None:
			return
		written = [df for df in self.meta.get_fieldnames_with_value(with_field_meta=True) if not df.read_only]
		changed = [df.label for df in written if self._is_closed(df.fieldname, before)]
		if changed:
			labels = ", ".join(_(label) for label in changed)
			frappe.throw(
				_("{0} can't be changed any more. Take the plan back, or copy the campaign.").format(labels)
			)

	def _is_closed(self, field: str, before: Document) -> bool:
		is_same = (self.get(field) or "") == (before.get(field) or "")
		return not is_same and not campaigns.may_change(field, before.status, before.plan_state or "")

	def validate_title(self) -> None:
		"""A name that lists and tickets can show."""
		self.title = safe_name(self.title or "")
		if not self.title:
			frappe.throw(_("Give the campaign a title."))

	def validate_limits(self) -> None:
		"""Shares are percentages."""
		for field in campaigns.PERCENTAGES:
			if not 0 <= (self.get(field) or 0) <= 100:
				label = _(self.meta.get_label(field))
				frappe.throw(_("{0} must be between {1} and {2}.").format(label, 0, 100))

	def validate_quiet_hours(self) -> None:
		"""Times of the day, both or none."""
		for field in ("quiet_from", "quiet_to"):
			try:
				pacing.minute_of(self.get(field))
			except ValueError:
				label = _(self.meta.get_label(field))
				frappe.throw(_("{0}: write a time of the day like 21:00.").format(label))
		if bool(self.quiet_from) != bool(self.quiet_to):
			frappe.throw(_("Fill in both Quiet From and Quiet To, or none of them."))

	def set_start(self) -> None:
		"""The same moment for machines."""
		self.scheduled_ms = _instant_ms(get_datetime(self.scheduled_on)) if self.scheduled_on else 0


def _instant_ms(local: datetime) -> int:
	return round(local.replace(tzinfo=ZoneInfo(get_system_timezone())).timestamp() * 1000)


def on_doctype_update() -> None:
	add_indexes("Khalifa Campaign")
