"""Taking the demonstration away: by its marks, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import frappe

from khalifa_whatsapp.core.doctypes import DOCTYPES
from khalifa_whatsapp.demo import watch
from khalifa_whatsapp.demo.company import CUSTOMER_MARK, DEVICE, DOMAIN, OWNER
from khalifa_whatsapp.guards import forget_actors
from khalifa_whatsapp.jobs import search_index
from khalifa_whatsapp.site_devices import forget_devices

MODULE = "Khalifa WhatsApp"
# What is an agent's alone; his or her tickets are the company's
OF_AGENT = {
	doctype.name: doctype.agent_field
	for doctype in DOCTYPES
	if doctype.agent_field and doctype.name != "Khalifa Agent"
}
# Tables that speak of any record: columns of its DocType and name
TRACES = {
	watch.ENTRY: ("document_type", "document"),
	"Comment": ("reference_doctype", "reference_name"),
	"Version": ("ref_doctype", "docname"),
	"Tag Link": ("document_type", "document_name"),
	"Notification Log": ("document_type", "document_name"),
	"DocShare": ("share_doctype", "share_name"),
	"ToDo": ("reference_type", "reference_name"),
	"View Log": ("reference_doctype", "reference_name"),
	"Deleted Document": ("deleted_doctype", "deleted_name"),
	"__Auth": ("doctype", "name"),
	"__global_search": ("doctype", "name"),
}
OF_USER = {
	"Has Role": "parent",
	"Notification Settings": "name",
	"Notification Log": "for_user",
	"Sessions": "user",
	"__UserSettings": "user",
	"__Auth": "name",
	"DefaultValue": "parent",
	"Activity Log": "user",
	"Contact": "user",
}


def remove_all() -> dict[str, list[str]]:
	"""Delete every row of the demonstration, in one transaction. Gives agents and branches that must stay."""
	frappe.db.commit()
	tickets = _names("Khalifa Ticket", {"device": DEVICE}) if _is_ours() else []
	customers = _names("Khalifa Customer", {"name": ("like", f"{CUSTOMER_MARK}%")})
	kept_customers = _used("customer", customers)
	agents = _names("Khalifa Agent", {"user": ("like", f"%@{DOMAIN}")})
	branches = _names("Khalifa Branch", {"owner": OWNER})
	kept = {"Khalifa Agent": _used("agent", agents, "resolved_for", "missed_for")}
	kept["Khalifa Branch"] = sorted({*_used("branch", branches), *_branches_of_others(branches, agents)})
	if _is_ours():
		_delete_linked("Khalifa Campaign", _names("Khalifa Campaign", {"device": DEVICE}))
	_delete_linked("Khalifa Ticket", tickets)
	_delete_linked("Khalifa Customer", [name for name in customers if name not in kept_customers])
	if _is_ours():
		_delete_template_rows()
		_delete_linked("WhatsApp Device", [DEVICE])
	_delete("Khalifa Close Batch", "requested_by", [OWNER])
	_remove_agents(agents, kept["Khalifa Agent"])
	gone = [name for name in branches if name not in kept["Khalifa Branch"]]
	_delete("Khalifa Working Hour", "parent", gone)
	_delete_records("Khalifa Branch", gone)
	_remove_days()
	_delete("Khalifa Calendar Exception", "owner", [OWNER])
	_delete_records("Khalifa Reply Template", _names("Khalifa Reply Template", {"owner": OWNER}))
	_delete_records("Khalifa Message Rate", _names("Khalifa Message Rate", {"owner": OWNER}))
	_delete_records("Khalifa Auto Reply", _names("Khalifa Auto Reply", {"owner": OWNER}))
	_remove_tags()
	watch.remove()
	frappe.db.commit()
	search_index.rebuild()  # the newest messages are gone: see there
	frappe.clear_cache()
	forget_devices()
	forget_actors()
	return {doctype: names for doctype, names in kept.items() if names}


def _is_ours() -> bool:
	return frappe.db.get_value("WhatsApp Device", DEVICE, "owner") == OWNER


def _names(doctype: str, filters: dict[str, object]) -> list[str]:
	return frappe.get_all(doctype, filters, pluck="name", limit=0)


def _used(field: str, names: Sequence[str], *more: str) -> list[str]:
	"""Those of the names that a ticket of another device speaks of."""
	if not names:
		return []
	used: set[str] = set()
	for column in (field, *more):
		others = {"device": ("!=", DEVICE), column: ("in", names)}
		used |= set(frappe.get_all("Khalifa Ticket", others, pluck=column, distinct=True, limit=0))
	return sorted(used)


def _branches_of_others(branches: Sequence[str], agents: Sequence[str]) -> list[str]:
	"""Branches that agents or devices of the company's own belong to."""
	if not branches:
		return []
	own_agents = {"branch": ("in", branches), "name": ("not in", [*agents, ""])}
	own_devices = {"branch": ("in", branches), "name": ("!=", DEVICE)}
	return [
		*frappe.get_all("Khalifa Agent", own_agents, pluck="branch"),
		*frappe.get_all("WhatsApp Device", own_devices, pluck="branch"),
	]


def _delete_linked(doctype: str, names: Sequence[str]) -> None:
	"""The records, and all rows of ours that are about one of them."""
	for owner, field in _links_to(doctype):
		if owner != "Khalifa Settings":
			gone = _names(owner, {field: ("in", names)}) if names else []
			_delete_records(owner, gone)
	_delete_records(doctype, names)


def _links_to(doctype: str) -> list[tuple[str, str]]:
	"""(DocType, field) of our Links to a DocType; customers and branches that merely name one stay."""
	ours = frappe.get_all("DocType", {"module": MODULE, "issingle": 0}, pluck="name")
	fields = frappe.get_all(
		"DocField", {"parent": ("in", ours), "fieldtype": "Link", "options": doctype}, ["parent", "fieldname"]
	)
	return [(field.parent, field.fieldname) for field in fields if field.parent != doctype]


def _delete_template_rows() -> None:
	templates = _names("Khalifa Provider Template", {"device": DEVICE})
	for table in ("Khalifa Template Button", "Khalifa Template Variable"):
		_delete(table, "parent", templates)


def _delete_records(doctype: str, names: Sequence[str]) -> None:
	_delete(doctype, "name", names)
	_delete_files(doctype, names)
	for trace, (kind, name) in TRACES.items():
		table = frappe.qb.DocType(trace)
		for part in _parts(names):
			speaks_of_it = (table[kind] == doctype) & table[name].isin(part)
			frappe.qb.from_(table).delete().where(speaks_of_it).run()


def _delete(doctype: str, field: str, names: Sequence[str]) -> None:
	table = frappe.qb.DocType(doctype)
	for part in _parts(names):
		frappe.qb.from_(table).delete().where(table[field].isin(part)).run()


def _delete_files(doctype: str, names: Sequence[str]) -> None:
	for part in _parts(names):
		attached = {"attached_to_doctype": doctype, "attached_to_name": ("in", part)}
		for name in frappe.get_all("File", attached, pluck="name"):
			frappe.delete_doc("File", name, force=True, ignore_permissions=True, delete_permanently=True)


def _parts(names: Sequence[str]) -> list[tuple[str, ...]]:
	return [tuple(names[start : start + 1000]) for start in range(0, len(names), 1000)]


def _remove_agents(agents: Sequence[str], kept: Sequence[str]) -> None:
	"""Agents with their users. Who holds others' tickets stays, and works no more."""
	for name in kept:
		frappe.db.set_value("Khalifa Agent", name, {"enabled": 0, "presence": "Offline"})
	gone = [name for name in agents if name not in kept]
	for doctype, field in OF_AGENT.items():
		_delete(doctype, field, gone)
	staying = {frappe.db.get_value("Khalifa Agent", name, "user") for name in kept}
	users = [name for name in _names("User", {"name": ("like", f"%@{DOMAIN}")}) if name not in staying]
	_delete_records("Khalifa Agent", gone)
	for doctype, field in OF_USER.items():
		_delete(doctype, field, users)
	_delete_records("User", users)


def _remove_days() -> None:
	"""KPI days that are only the demonstration's; the company's own are counted again without it."""
	day = frappe.qb.DocType("Khalifa KPI Day")
	if frappe.db.exists("Khalifa Ticket", {"name": ("is", "set")}):
		counted_again = frappe.qb.update(day).set(day.owner, "Administrator").set(day.is_dirty, 1)
		counted_again.where(day.owner == OWNER).run()
	else:
		frappe.qb.from_(day).delete().where(day.owner == OWNER).run()


def _remove_tags() -> None:
	for tag in _names("Tag", {"owner": OWNER}):
		if not frappe.db.exists("Tag Link", {"tag": tag}):
			_delete("Tag", "name", [tag])
