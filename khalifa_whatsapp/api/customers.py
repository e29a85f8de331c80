"""Who a customer is: one person under two names, or a new one under an old number."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api.decorators import actor, endpoint
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.guards import agent_only, manager_only, require_read
from khalifa_whatsapp.services.customers import decisions, new_holder


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def link_phone(customer: str, phone: str) -> dict[str, Any]:
	"""Give a customer you can see one more phone."""
	require_read("Khalifa Customer", customer)
	row = decisions.link_phone(on_site(), actor(), customer, phone, now_ms())
	return {"customer": customer, "kind": row.kind, "value": row.value}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def merge(source: str, target: str) -> dict[str, Any]:
	"""Make one customer part of another."""
	kept = decisions.merge(on_site(), actor(), source, target, now_ms())
	return {"customer": kept.name, "customer_name": kept.customer_name}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def keep_apart(customer: str) -> dict[str, Any]:
	"""Say that a customer is not the other one that he or she was taken for."""
	return {"customer": decisions.keep_apart(on_site(), actor(), customer, now_ms()).name}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def new_person(ticket: str) -> dict[str, Any]:
	"""The number of a conversation has a new holder: a customer of his or her own,
	who gets what was said since.
	"""
	return {"ticket": new_holder.new_person(on_site(), actor(), ticket, now_ms()).name}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def same_person(ticket: str) -> dict[str, Any]:
	"""The conversation's customer is who he or she was, under another id of WhatsApp's."""
	return {"ticket": new_holder.same_person(on_site(), actor(), ticket, now_ms()).name}
