from __future__ import annotations

import frappe
from frappe.model.base_document import get_controller
from frappe.tests.utils import FrappeTestCase

from khalifa_whatsapp.core.records import RECORDS, Agent, Campaign, Customer, ProviderTemplate
from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.records import make_agent, make_conversation, make_user

EDITED_BY_PEOPLE = (Agent, Campaign, Customer, ProviderTemplate)


class TestAppendOnly(FrappeTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user("kw-sys@example.com", "System", "System Manager")
		make_conversation("KT-900001", make_agent("kw-a1@example.com", "Mona"), "hello")

	def test_every_machine_written_doctype_is_a_ledger(self) -> None:
		for record in RECORDS:
			if record not in EDITED_BY_PEOPLE:
				self.assertTrue(
					issubclass(get_controller(record.DOCTYPE), MachineWrittenDocument), record.DOCTYPE
				)

	def test_not_even_the_administrator_changes_a_row(self) -> None:
		for doctype, name in self.rows():
			doc = frappe.get_doc(doctype, name)
			self.assertRaises(frappe.PermissionError, doc.save)

	def test_not_even_the_administrator_deletes_a_row(self) -> None:
		for doctype, name in self.rows():
			self.assertRaises(frappe.PermissionError, frappe.delete_doc, doctype, name)
			self.assertRaises(frappe.PermissionError, frappe.delete_doc, doctype, name, force=True)
			self.assertTrue(frappe.db.exists(doctype, name))

	def test_a_system_manager_has_no_way_by_rest(self) -> None:
		with signed_in("kw-sys@example.com"):
			for doctype, name in self.rows():
				change = {"doctype": doctype, "name": name, "fieldname": "ticket", "value": "x"}
				self.assertRaises(frappe.PermissionError, call, "frappe.client.set_value", **change)
				self.assertRaises(
					frappe.PermissionError, call, "frappe.client.delete", doctype=doctype, name=name
				)
				row = {"doctype": doctype, "ticket": "KT-900001", "flags": {"by_use_case": 1}}
				self.assertRaises(frappe.PermissionError, call, "frappe.client.insert", doc=row)

	def test_flags_from_a_request_are_not_believed(self) -> None:
		doc = frappe.get_doc("Khalifa Ticket Event", "E-KT-900001")
		doc.update({"flags": {"by_use_case": 1}, "is_late": 1})
		self.assertRaises(frappe.PermissionError, doc.save)
		new = frappe.get_doc(
			{"doctype": "Khalifa Ticket Event", "ticket": "KT-900001", "flags": {"by_use_case": 1}}
		)
		self.assertRaises(frappe.PermissionError, new.insert)

	def test_a_row_can_not_be_renamed(self) -> None:
		for doctype, name in self.rows():
			for force in (False, True):
				with self.assertRaises(frappe.PermissionError):
					frappe.rename_doc(doctype, name, f"{name}-x", force=force)

	def test_a_use_case_may_write(self) -> None:
		doc = frappe.get_doc("Khalifa Ticket Event", "E-KT-900001")
		doc.flags.by_use_case = True
		doc.is_late = 1
		doc.save()
		self.assertEqual(frappe.db.get_value("Khalifa Ticket Event", doc.name, "is_late"), 1)

	def test_a_customer_is_made_and_deleted_by_use_cases_only(self) -> None:
		new = frappe.get_doc({"doctype": "Khalifa Customer", "customer_name": "By hand"})
		self.assertRaises(frappe.PermissionError, new.insert)
		self.assertRaises(
			frappe.PermissionError, frappe.delete_doc, "Khalifa Customer", "C-KT-900001", force=True
		)

	def rows(self) -> list[tuple[str, str]]:
		return [
			("Khalifa Ticket", "KT-900001"),
			("Khalifa Ticket Event", "E-KT-900001"),
			("Khalifa Message", "M-KT-900001"),
		]
