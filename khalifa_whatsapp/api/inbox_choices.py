"""What a list of the inbox can be narrowed to."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.guards import agent_only, current_actor

MAX_TAGS = 200


@frappe.whitelist()
@agent_only
@endpoint
def filters() -> dict[str, Any]:
	"""Numbers of ours, tags of customers and, for managers, agents; branches come with `inbox.boot`."""
	link = frappe.qb.DocType("Tag Link")
	tags = frappe.qb.from_(link).select(link.tag).distinct().where(link.document_type == "Khalifa Customer")
	in_use = tags.orderby(link.tag).limit(MAX_TAGS).run()
	devices = frappe.get_all("WhatsApp Device", pluck="name", order_by="name")
	return {"devices": devices, "tags": [row[0] for row in in_use], "agents": _agents()}


def _agents() -> list[dict[str, str]]:
	if not current_actor().is_manager:
		return []
	rows = frappe.get_all("Khalifa Agent", fields=["name", "employee_name"], order_by="employee_name")
	return [{"value": row.name, "label": row.employee_name} for row in rows]
