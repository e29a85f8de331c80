"""A campaign's audience, for managers: the first lines before it is planned, and who is left out and why: as
a list to mend.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import frappe
from frappe import _
from frappe.utils.xlsxutils import make_xlsx

from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import audience
from khalifa_whatsapp.core.campaign_content import A, B, blanks
from khalifa_whatsapp.core.campaigns import SKIPPED, TEXT
from khalifa_whatsapp.core.cells import guarded
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.guards import manager_only, require_read
from khalifa_whatsapp.jobs import campaigns as job
from khalifa_whatsapp.jobs.audience import report_of, source_of
from khalifa_whatsapp.services.campaigns.audience import with_people
from khalifa_whatsapp.stores.base import Store

CAMPAIGN, RECIPIENT = "Khalifa Campaign", "Khalifa Campaign Recipient"
SHOWN = 10


@frappe.whitelist()
@manager_only
@endpoint
def preview(campaign: str) -> dict[str, Any]:
	"""The first lines as a plan would read them, the values that texts can ask for, and those that nothing
	fills in.

	`total` is None where only reading it all would tell.
	"""
	require_read(CAMPAIGN, campaign)
	source = source_of(campaign, is_whole=False)
	columns, needed = source.made.columns, _needed(campaign)
	store = on_site()
	with store.transaction():
		lines = with_people(store, source.made, list(islice(source.lines, SHOWN)))
		texts = _texts(store, campaign, lines)
	return {
		"values": [name for name in columns.names if name],
		"unknown": audience.unknown_names(needed, columns),
		"rows": [_shown(line) for line in lines],
		"total": source.total,
		"texts": texts,
	}


def _needed(campaign: str) -> tuple[str, ...]:
	"""The blanks of what the campaign says, as far as that can be told yet."""
	row = frappe.db.get_value(
		CAMPAIGN, campaign, ["text_a", "text_b", "template_parameters", "content_type"], as_dict=True
	)
	if row.content_type == TEXT:
		return blanks(row.text_a or "", row.text_b or "")
	try:
		return blanks(*map(str, json.loads(row.template_parameters or "{}").values()))
	except (ValueError, AttributeError):
		return ()  # the plan says so


def _texts(store: Store, campaign: str, lines: Sequence[audience.Line]) -> list[dict[str, str]]:
	"""What the first recipient would read, or why that can't be told."""
	known = store.campaigns([campaign])[campaign]
	first = next((line.values for line in lines if not line.why), {})
	try:
		content = job.content_of(known)
		variants = (A, B) if known.content_type == TEXT and known.text_b else (A,)
		return [{"variant": one, "text": content.freeze(first, one).text} for one in variants]
	except UserError as error:
		return [{"variant": A, "error": reason_text(error.text, error.values)}]


def _shown(line: audience.Line) -> dict[str, Any]:
	return {
		"line": line.number,
		"given": line.given,
		"phone": line.phone,
		"values": {name: value[:80] for name, value in line.values.items()},
		"why": reason_text(*audience.reason(line.why, line.given, line.detail)) if line.why else "",
	}


def reason_text(text: str, values: dict[str, Any] | None = None) -> str:
	"""The reason in the reader's language."""
	return _(text).format(**values) if values else _(text)


@frappe.whitelist()
@manager_only
@endpoint
def report_columns(report: str, filters: str = "") -> list[dict[str, str]]:
	"""The columns of a report that the manager may run, to choose the one with the recipients."""
	columns, _rows = report_of(report, filters)
	return [{"value": column.fieldname, "label": _(str(column.label or ""))} for column in columns]


@frappe.whitelist()
@manager_only
@endpoint
def skipped(campaign: str) -> list[dict[str, Any]]:
	"""How many lines are left out for which kind of reason, the commonest first."""
	require_read(CAMPAIGN, campaign)
	rows = frappe.get_all(
		RECIPIENT,
		{"campaign": campaign, "status": SKIPPED},
		["reason", "count(name) as count"],
		group_by="reason",
		order_by=None,
	)
	counts: Counter[str] = Counter()
	for row in rows:
		counts[audience.group_of(row.reason)] += row["count"]
	return [{"reason": _(audience.GROUPS[group]), "count": count} for group, count in counts.most_common()]


@frappe.whitelist()
@manager_only
@endpoint
def download_skipped(campaign: str, file_type: str = "xlsx") -> None:
	"""The lines that are left out, each with its reason, as a workbook or as CSV: to mend and plan anew."""
	require_read(CAMPAIGN, campaign)
	makers = {"xlsx": _workbook, "csv": _csv}
	if file_type not in makers:
		raise UserError("bad_file_type", "Choose Excel or CSV.")
	title = frappe.db.get_value(CAMPAIGN, campaign, "title")
	frappe.response["filename"] = f"{_('Skipped')} - {title}.{file_type}"
	frappe.response["filecontent"] = makers[file_type](list(_table(campaign)))
	frappe.response["type"] = "binary"


def _table(campaign: str) -> Iterator[list[Any]]:
	yield [_("Line"), _("Phone Number"), _("Customer Name"), _("Why")]
	fields = ["line", "address", "customer_name", "reason", "reason_values"]
	filters = {"campaign": campaign, "status": SKIPPED}
	for row in frappe.get_all(RECIPIENT, filters, fields, order_by="line", limit=0):
		why = reason_text(row.reason, json.loads(row.reason_values or "{}"))
		yield [row.line, *map(guarded, (row.address or "", row.customer_name or "", why))]


def _workbook(rows: Sequence[list[Any]]) -> bytes:
	return make_xlsx(rows, _(SKIPPED)).getvalue()


def _csv(rows: Sequence[list[Any]]) -> bytes:
	out = io.StringIO()
	csv.writer(out).writerows(rows)
	return out.getvalue().encode("utf-8-sig")  # Excel knows Arabic by the mark
