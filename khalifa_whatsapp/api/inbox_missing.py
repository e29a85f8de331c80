"""Who opens the inbox and can't work there yet: what is missing, and who can mend it."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.guards import AGENT_ROLE, MANAGER_ROLE, refuse

MAX_NAMES = 5


def what_is_missing(actor: Actor) -> dict[str, Any]:
	"""For a person with the agent's role and no agent record that may work: names of managers, no logins."""
	if AGENT_ROLE not in frappe.get_roles(actor.user):
		refuse(_("Only WhatsApp agents can do this."))
	is_switched_off = bool(frappe.db.exists("Khalifa Agent", {"user": actor.user}))
	return {"what": "switched_off" if is_switched_off else "no_record", "managers": _managers()}


def _managers() -> list[str]:
	users = get_users_with_role(MANAGER_ROLE)
	wanted = {"name": ("in", users or [""]), "enabled": 1}
	return frappe.get_all("User", wanted, pluck="full_name", order_by="full_name", limit=MAX_NAMES)


def may_become_agent(actor: Actor) -> bool:
	"""Whether this manager answers nobody because there is no agent record of him or her,
	and one could be made.
	"""
	if not actor.is_manager or actor.user == "Administrator":
		return False
	return not frappe.db.exists("Khalifa Agent", {"user": actor.user})
