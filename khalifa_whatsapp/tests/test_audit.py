"""Who did what: settings, devices, roles, merges, exports. Nobody takes a line away."""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.core import audit, records
from khalifa_whatsapp.core.audit import SECRET
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, VISITOR, SiteCase, settings
from khalifa_whatsapp.tests.records import make_user
from khalifa_whatsapp.tests.test_others import counting

ENTRY = "Khalifa Audit Entry"
PUT, RESOURCE = "PUT", "/api/resource/"
EXPORT = "frappe.desk.reportview.export_query"


class AuditCase(SiteCase):
	def entries(self, **filters: Any) -> list[Any]:
		frappe.db.rollback()
		return frappe.get_all(ENTRY, filters, ["*"], order_by="at_ms, name")

	def entry(self, **filters: Any) -> Any:
		rows = self.entries(**filters)
		self.assertEqual(len(rows), 1, rows)
		return rows[0]

	def changes(self, row: Any) -> dict[str, tuple[str, str]]:
		listed = json.loads(row.details)["changes"]
		return {change["field"]: (change["old"], change["new"]) for change in listed}


class TestWhatIsWrittenDown(AuditCase):
	def test_a_change_of_the_settings_names_the_field_and_both_values(self) -> None:
		settings(delay_minutes=15)
		answer = self.as_(HUDA).send(
			PUT, f"{RESOURCE}Khalifa Settings/Khalifa Settings", json={"delay_minutes": 20}
		)
		self.assertEqual(answer.status, 200, answer.text)
		row = self.entry(kind=audit.SETTINGS)
		self.assertEqual((row.action, row.actor, row.actor_name), (audit.CHANGED, HUDA, "Huda"))
		self.assertEqual(self.changes(row), {"delay_minutes": ("15", "20")})
		self.assertIn("15 → 20", row.summary)

	def test_a_save_that_changes_nothing_is_no_line(self) -> None:
		doc = frappe.get_doc("Khalifa Settings")
		doc.save()
		frappe.db.commit()
		self.assertEqual(self.entries(kind=audit.SETTINGS), [])

	def test_a_secret_is_said_to_be_changed_and_is_nowhere(self) -> None:
		secret = "brand-new-secret-of-the-loop"
		answer = self.as_(HUDA).send(
			PUT, f"{RESOURCE}WhatsApp Device/{DEVICE}", json={"verify_token": secret, "max_per_day": 77}
		)
		self.assertEqual(answer.status, 200, answer.text)
		row = self.entry(kind=audit.DEVICE, actor=HUDA)
		self.assertEqual(self.changes(row), {"max_per_day": ("0", "77"), "verify_token": (SECRET, SECRET)})
		self.assertNotIn(secret, json.dumps(row, default=str))
		self.as_(HUDA).send(PUT, f"{RESOURCE}WhatsApp Device/{DEVICE}", json={"max_per_day": 0})
		self.assertEqual(self.changes(self.entries(kind=audit.DEVICE)[-1]), {"max_per_day": ("77", "0")})

	def test_roles_that_are_given_and_taken_and_no_others(self) -> None:
		user = make_user("audited@other.example", "Audited")
		doc = frappe.get_doc("User", user)
		doc.add_roles("WhatsApp Manager", "Blogger")
		doc.remove_roles("WhatsApp Manager")
		frappe.db.commit()
		rows = self.entries(kind=audit.ROLE, document=user)
		self.assertEqual(
			[(row.action, row.summary) for row in rows],
			[(audit.GIVEN, "role: WhatsApp Manager"), (audit.TAKEN, "role: WhatsApp Manager")],
		)

	def test_a_user_who_has_nothing_to_do_with_us_costs_no_query(self) -> None:
		user = frappe.get_doc("User", make_user("bystander@other.example", "Bystander", "Blogger"))
		user.load_doc_before_save()
		user.first_name = "By"
		with counting() as made:
			site_audit.user_saved(user)
			site_audit.user_deleted(user)
		self.assertEqual(made, [])

	def test_merged_customers(self) -> None:
		for phone in ("+201001234501", "+201001234502"):
			self.write(phone)
		gone, kept = (self.only(records.Customer, phone=f"+20100123450{n}").name for n in (1, 2))
		done = self.as_(HUDA).call("khalifa_whatsapp.api.customers.merge", source=gone, target=kept)
		self.assertEqual(done.status, 200, done.text)
		row = self.entry(kind=audit.CUSTOMER)
		self.assertEqual((row.action, row.document, row.actor), (audit.MERGED, kept, HUDA))
		self.assertEqual(json.loads(row.details)["values"]["merged"], gone)
		self.assertNotIn("2010012345", json.dumps(row, default=str))

	def test_an_export_says_who_what_and_by_which_fields_not_what_was_looked_for(self) -> None:
		self.write()
		answer = self.as_(HUDA).read(
			EXPORT,
			doctype="Khalifa Customer",
			file_format_type="CSV",
			title="Customers",
			fields=json.dumps(["name", "customer_name"]),
			filters=json.dumps([["Khalifa Customer", "customer_name", "=", "Samy"]]),
			view="Report",
		)
		self.assertEqual(answer.status, 200, answer.text)
		row = self.entry(kind=audit.EXPORT)
		self.assertEqual(
			(row.action, row.document_type, row.actor), (audit.EXPORTED, "Khalifa Customer", HUDA)
		)
		self.assertIn("customer_name", row.summary)
		self.assertNotIn("Samy", json.dumps(row, default=str))

	def test_beginning_and_ending_a_login_is_a_deed(self) -> None:
		frappe.get_doc("WhatsApp Device", DEVICE).new_webhook_secret()
		frappe.db.commit()
		row = self.entry(action=audit.NEW_SECRET)
		self.assertEqual((row.kind, row.document), (audit.DEVICE, DEVICE))


class TestAppendOnly(AuditCase):
	def setUp(self) -> None:
		super().setUp()
		self.as_(HUDA).send(PUT, f"{RESOURCE}WhatsApp Device/{DEVICE}", json={"max_per_hour": 5})
		self.addCleanup(frappe.db.set_value, "WhatsApp Device", DEVICE, "max_per_hour", 0)
		self.name = self.entry(kind=audit.DEVICE).name
		make_user("sys@other.example", "System", "System Manager")
		frappe.db.commit()

	def test_managers_read_it_and_nobody_else(self) -> None:
		path = f"{RESOURCE}{ENTRY}/{self.name}"
		self.assertEqual(self.as_(HUDA).send("GET", path).status, 200)
		self.assertEqual(self.as_(HUDA).send("GET", f"{RESOURCE}{ENTRY}").status, 200)
		for user in (MONA, VISITOR):
			self.assertEqual(self.as_(user).send("GET", path).status, 403)

	def test_not_even_a_system_manager_changes_deletes_or_adds_a_line(self) -> None:
		path = f"{RESOURCE}{ENTRY}/{self.name}"
		for send in (
			lambda: self.as_(HUDA).send(PUT, path, json={"summary": "x"}),
			lambda: self.as_(HUDA).send("DELETE", path),
			lambda: self.as_(HUDA).send("POST", f"{RESOURCE}{ENTRY}", json={"kind": "Device"}),
		):
			self.assertEqual(send().status, 403)
		frappe.set_user("sys@other.example")
		self.addCleanup(frappe.set_user, "Administrator")
		for user in ("sys@other.example", "Administrator"):
			frappe.set_user(user)
			doc = frappe.get_doc(ENTRY, self.name)
			doc.summary = "nothing happened"
			self.assertRaises(frappe.PermissionError, doc.save, ignore_permissions=True)
			doc = frappe.get_doc(ENTRY, self.name)
			doc.flags.by_use_case = True
			self.assertRaises(frappe.PermissionError, doc.save, ignore_permissions=True)
			self.assertRaises(frappe.PermissionError, frappe.delete_doc, ENTRY, self.name, force=True)
			new = frappe.get_doc({"doctype": ENTRY, "kind": "Device", "action": "Changed"})
			self.assertRaises(frappe.PermissionError, new.insert, ignore_permissions=True)
			with self.assertRaises(frappe.PermissionError):
				frappe.rename_doc(ENTRY, self.name, "other", force=True)
		self.assertEqual(len(self.entries(kind=audit.DEVICE)), 1)
