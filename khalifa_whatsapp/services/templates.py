"""Submitting a template that a person wrote, for the gateway's review.

Nothing is sent to the gateway that breaks a rule we know. What the gateway took is written down at once; what
nobody knows the end of (an answer that did not come) is looked up in the gateway's list a minute later.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from khalifa_whatsapp.core import records, template_state
from khalifa_whatsapp.core.errors import Changed, NotFound, UserError
from khalifa_whatsapp.core.template_drafts import TemplateDraft, components_of
from khalifa_whatsapp.core.template_rules import problems
from khalifa_whatsapp.core.templates import HeaderFile, file_of
from khalifa_whatsapp.drivers.abilities import SubmittedTemplate, TemplateAuthor
from khalifa_whatsapp.drivers.base import UnknownOutcome
from khalifa_whatsapp.services.unit_of_work import retrying, working
from khalifa_whatsapp.stores.base import Store

LOCK_SECONDS = 5
NOT_EDITABLE = "This template can't be changed now: Meta is reviewing it, or does not let it be changed."


def submit(
	store: Store,
	author: TemplateAuthor,
	name: str,
	draft: TemplateDraft,
	names: Collection[str],
	now_ms: int,
) -> records.ProviderTemplate:
	"""Submit a draft, or another text of a template that the gateway has. `names`: the account's templates.

	Raises `UserError` for what breaks a rule, and the driver's `SendError`.
	"""
	stored = store.provider_template(name)
	if stored is None:
		raise NotFound("no_such_template", "There is no such template.")
	with store.lock(f"templates:{stored.device}", LOCK_SECONDS) as is_ours:
		if not is_ours:
			raise Changed("templates_busy", "The templates are being synced. Try again in a minute.")
		return _submit(store, author, name, draft, names, now_ms)


def _submit(
	store: Store,
	author: TemplateAuthor,
	name: str,
	draft: TemplateDraft,
	names: Collection[str],
	now_ms: int,
) -> records.ProviderTemplate:
	stored = store.provider_template(name)
	if stored is None or not template_state.may_be_edited(stored.status):
		raise UserError("template_not_editable", NOT_EDITABLE)
	file = file_of(stored)
	for problem in problems(draft, file, names):
		raise UserError("template_rule", problem.text, **problem.values)
	components = components_of(draft, _example(store, author, file) if draft.needs_file and file else "")
	try:
		done = _send(author, stored, draft, components)
	except UnknownOutcome:
		_write(store, name, now_ms, {"needs_sync": 1})
		raise
	return _write(store, name, now_ms, _facts(stored, draft, components, done, now_ms))


def _example(store: Store, author: TemplateAuthor, file: HeaderFile) -> str:
	content = store.read_file(file.url)
	if not content:
		raise UserError("no_file", "The file is no longer there. Attach it again.")
	return author.upload_example(content, file.mime_type, file.name)


def _send(
	author: TemplateAuthor, stored: records.ProviderTemplate, draft: TemplateDraft, components: list[Any]
) -> SubmittedTemplate:
	if not stored.template_id:
		return author.create_template(
			draft.name, draft.language, draft.category, draft.parameter_format, components
		)
	# Meta takes no other category for what it has approved
	category = "" if stored.status == template_state.APPROVED else draft.category
	return author.edit_template(stored.template_id, category, components)


def _facts(
	stored: records.ProviderTemplate,
	draft: TemplateDraft,
	components: list[Any],
	done: SubmittedTemplate,
	now_ms: int,
) -> dict[str, Any]:
	return {
		"template_id": done.template_id,
		"status": done.status or template_state.PENDING,
		"status_ms": now_ms,
		"rejected_reason": "",
		"category": done.category or draft.category,
		"category_ms": now_ms,
		"components": json.dumps(components, ensure_ascii=False),
		"is_changed": 0,
		"submitted_ms": now_ms,
		"needs_sync": int(bool(stored.template_id)),  # what becomes of the text that it had, Meta says
	}


def _write(store: Store, name: str, now_ms: int, facts: dict[str, Any]) -> records.ProviderTemplate:
	def run() -> records.ProviderTemplate:
		with working(store, now_ms) as work:
			row = work.store.provider_template(name, locked=True)
			if row is None:
				raise NotFound("no_such_template", "There is no such template.")
			for fieldname, value in facts.items():
				setattr(row, fieldname, value)
			work.touch(row)
			return row

	return retrying(run)
