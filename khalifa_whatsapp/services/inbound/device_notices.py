"""What a gateway says of the number, the account and its templates: kept with its moment, and managers are
notified.

The row is what lasts; the minute job notifies managers of rows that nobody was notified of yet. The order in
which a gateway delivers is no order of events, so each fact carries its own moment and the latest stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from khalifa_whatsapp.core import records, template_state
from khalifa_whatsapp.core.keys import digest, template_key
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.unit_of_work import UnitOfWork
from khalifa_whatsapp.stores.base import DEVICE_FACTS

BAD_QUALITY = "RED"


class Notices:
	"""The notices of one batch of one device."""

	def __init__(self, work: UnitOfWork, device: str) -> None:
		self.work = work
		self.device = device
		self.templates: dict[str, records.ProviderTemplate] = {}
		self.known: set[str] = set()  # keys of notices that are kept already

	def read(self, events: Iterable[base.Event]) -> None:
		"""Read the templates that the events speak of."""
		spoken_of = [event for event in events if isinstance(event, base.TemplateStatus)]
		if spoken_of:
			keys = {self._key(event) for event in spoken_of}
			ids = {event.template_id for event in spoken_of}
			rows = self.work.store.provider_templates(self.device, keys, ids)
			self.templates = {row.template_key: row for row in rows}

	def account(self, event: base.AccountNotice, received_ms: int) -> None:
		"""Something about the number or the account."""
		at_ms = event.at_ms or received_ms
		if event.facts.get("state"):
			self.work.changes.device_states[self.device] = (event.facts["state"], "", at_ms)
		facts = [(name, event.facts[name], at_ms) for name in DEVICE_FACTS if event.facts.get(name)]
		if facts:
			self.work.changes.device_facts.setdefault(self.device, []).extend(facts)
		if event.text:
			self._keep(
				event.kind, event.severity, event.text, event.values, event, received_ms, event.is_for_people
			)

	def template(self, event: base.TemplateStatus, received_ms: int) -> None:
		"""Something about a template: its row follows, and what it says of the text is asked for anew."""
		row = self._row(event)
		at_ms = event.at_ms or received_ms
		self.work.touch(row)
		row.needs_sync = 1
		if event.status:
			self._status(row, event, at_ms, received_ms)
		if event.category:
			self._category(row, event, at_ms, received_ms)
		if event.quality:
			self._quality(row, event, at_ms, received_ms)

	def _row(self, event: base.TemplateStatus) -> records.ProviderTemplate:
		by_id = (row for row in self.templates.values() if row.template_id == event.template_id)
		row = self.templates.get(self._key(event)) or next(by_id, None)
		if row is None:
			row = self.work.add(
				records.ProviderTemplate(
					self.work.new_name(),
					self._key(event),
					self.device,
					event.template_id,
					event.name,
					event.language,
				)
			)
			self.templates[row.template_key] = row
		return row

	def _key(self, event: base.TemplateStatus) -> str:
		return template_key(self.device, event.name, event.language)

	def _status(
		self, row: records.ProviderTemplate, event: base.TemplateStatus, at_ms: int, received_ms: int
	) -> None:
		if at_ms >= (row.status_ms or 0):
			row.status, row.rejected_reason, row.status_ms = event.status, event.reason, at_ms
		severity = base.WARNING if template_state.is_warning(event.status) else base.INFO
		values = {"status": event.status, "reason": event.reason}
		self._keep_of(row, severity, template_state.sentence(event.status), values, event, received_ms)

	def _category(
		self, row: records.ProviderTemplate, event: base.TemplateStatus, at_ms: int, received_ms: int
	) -> None:
		values = {"category": event.category}
		if at_ms >= (row.category_ms or 0):
			row.category, row.category_ms = event.category, at_ms
		text = (
			"Meta put the template {template} ({language}) into another category: {category}. Its price "
			"changes."
		)
		self._keep_of(row, base.WARNING, text, values, event, received_ms)

	def _quality(
		self, row: records.ProviderTemplate, event: base.TemplateStatus, at_ms: int, received_ms: int
	) -> None:
		if at_ms >= (row.quality_ms or 0):
			row.quality, row.quality_ms = event.quality, at_ms
		is_bad = event.quality == BAD_QUALITY
		text = "The quality of the template {template} ({language}) is now: {quality}."
		values = {"quality": event.quality}
		self._keep_of(row, base.WARNING if is_bad else base.INFO, text, values, event, received_ms, is_bad)

	def _keep_of(
		self,
		row: records.ProviderTemplate,
		severity: str,
		text: str,
		values: dict[str, str],
		event: base.TemplateStatus,
		received_ms: int,
		is_for_people: bool = True,
	) -> None:
		named = {"template": row.template_name or row.template_id, "language": row.language, **values}
		self._keep("template", severity, text, named, event, received_ms, is_for_people)

	def _keep(
		self,
		kind: str,
		severity: str,
		text: str,
		values: Mapping[str, str],
		event: base.AccountNotice | base.TemplateStatus,
		received_ms: int,
		is_for_people: bool,
	) -> None:
		"""One row for each thing said, however often it is delivered:
		without a moment of its own, one a day.
		"""
		at_ms = event.at_ms or received_ms
		moment = event.at_ms or received_ms // DAY_MS
		stored = json.dumps(
			{name: value for name, value in values.items() if value}, ensure_ascii=False, sort_keys=True
		)
		key = digest("notice", self.device, kind, text, stored, str(moment))
		if key in self.known or self.work.store.has_device_notice(key):
			return
		self.known.add(key)
		self.work.add(
			records.DeviceNotice(
				self.work.new_name(),
				key,
				self.device,
				kind,
				severity,
				at_ms,
				text,
				stored,
				notified_ms=None if is_for_people else received_ms,
			)
		)
