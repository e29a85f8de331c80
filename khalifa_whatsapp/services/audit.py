"""Who did what: written down with the deed itself, in its transaction, and never changed afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.audit import AuditEntry
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def note(
	work: UnitOfWork,
	kind: str,
	action: str,
	*,
	document_type: str = "",
	document: str = "",
	title: str = "",
	values: Mapping[str, Any] | None = None,
	changes: Sequence[audit.Change] = (),
) -> AuditEntry:
	"""Write down that whoever the work is for did `action` to a thing of `kind` (see `core.audit`).

	`document_type` and `document` name its row, `title` is what people call it. `values` is whatever else
	matters, by English words that are shown (counts, names of rows): no phone and no customer's words. It
	is stored if the work is, and only then.
	"""
	more = values or {}
	return work.add(
		AuditEntry(
			work.new_name(),
			kind,
			action,
			work.now_ms,
			actor=work.actor.user,
			actor_name=work.actor.full_name or "",
			document_type=document_type,
			document=document,
			document_title=title[: audit.MAX_VALUE],
			summary=audit.summary_of(changes, more),
			details=json.dumps(audit.details_of(changes, more), ensure_ascii=False),
		)
	)
