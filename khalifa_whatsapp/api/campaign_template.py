"""The places of a template that a campaign fills in, for the dialog that asks for them."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.campaign_content import key_of
from khalifa_whatsapp.core.errors import NotFound
from khalifa_whatsapp.core.templates import shape_of
from khalifa_whatsapp.guards import manager_only


@frappe.whitelist()
@manager_only
@endpoint
def places(template: str) -> dict[str, Any]:
	"""What the template says, and the names of its places in their order."""
	stored = on_site().campaign_template(template)
	if stored is None:
		raise NotFound("no_such_template", "There is no such template.")
	shape = shape_of(frappe.parse_json(stored.components or "[]"), stored.parameter_format or "POSITIONAL")
	return {
		"text": "\n".join(filter(None, (shape.header, shape.body, shape.footer))),
		"places": [key_of(variable) for variable in shape.variables],
	}
