from __future__ import annotations

import hashlib

import frappe
from frappe.tests.utils import FrappeTestCase

from khalifa_whatsapp.core.doctypes import BY_NAME
from khalifa_whatsapp.core.records import RECORDS, WebhookEvent
from khalifa_whatsapp.setup import install
from khalifa_whatsapp.setup.indexes import add_all_indexes
from khalifa_whatsapp.stores.schema import INDEXES
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import make_agent, make_device, make_manager

UNIQUE_KEYS = (
	("Khalifa Ticket", "open_key"),
	("Khalifa Message", "message_key"),
	("Khalifa Message", "client_key"),
	("Khalifa Customer Identity", "identity_key"),
	("Khalifa Message Status", "log_key"),
	("Khalifa Delay Event", "delay_key"),
	("Khalifa Agent KPI", "kpi_key"),
	("Khalifa Webhook Event", "delivery_key"),
	("Khalifa Agent", "user"),
)


def columns_of(doctype: str) -> dict[str, str]:
	return {row.Field: row.Type for row in frappe.db.sql(f"show columns from `tab{doctype}`", as_dict=True)}


def indexes_of(doctype: str) -> dict[str, list[str]]:
	indexes: dict[str, list[str]] = {}
	for row in frappe.db.sql(f"show index from `tab{doctype}`", as_dict=True):
		indexes.setdefault(row.Key_name, []).append(row.Column_name)
	return indexes


class TestInstall(FrappeTestCase):
	def test_installing_twice_changes_nothing(self) -> None:
		frappe.db.set_single_value("Khalifa Settings", "delay_minutes", 22)
		install.after_install()
		before = self.footprint()
		install.after_install()
		self.assertEqual(self.footprint(), before)
		self.assertEqual(frappe.db.get_single_value("Khalifa Settings", "delay_minutes"), 22)
		frappe.db.set_single_value("Khalifa Settings", "delay_minutes", 15)

	def test_settings_hold_the_documented_defaults(self) -> None:
		settings = frappe.get_single("Khalifa Settings")
		self.assertEqual((settings.reopen_window_hours, settings.warn_percent), (24, 70))
		self.assertEqual((settings.pending_load, settings.default_region), (0.25, "EG"))
		settings.validate()

	def test_a_report_that_failed_once_opens_at_once_again(self) -> None:
		frappe.db.set_value("Report", "WhatsApp Agent KPI", "prepared_report", 1)
		install.after_migrate()
		self.assertEqual(frappe.db.get_value("Report", "WhatsApp Agent KPI", "prepared_report"), 0)

	def test_roles_reach_the_desk(self) -> None:
		for role in install.ROLES:
			self.assertEqual(frappe.db.get_value("Role", role, "desk_access"), 1)

	def test_ticket_numbers_grow_and_go_on_after_the_last_ticket(self) -> None:
		first, second = (frappe.db.get_next_sequence_val(install.TICKET_NUMBERS, slug="_seq") for _ in "12")
		self.assertGreater(second, first)
		self.assertEqual(install.last_ticket_number(), 0)

	def test_machine_times_are_bigint(self) -> None:
		for record in (*RECORDS, WebhookEvent):
			for column, column_type in columns_of(record.DOCTYPE).items():
				if column.endswith("_ms"):
					self.assertEqual(column_type, "bigint(20)", f"{record.DOCTYPE}.{column}")

	def test_unique_keys_are_kept_by_the_database(self) -> None:
		for doctype, fieldname in UNIQUE_KEYS:
			unique = frappe.db.get_column_index(f"tab{doctype}", fieldname, unique=True)
			self.assertTrue(unique, f"{doctype}.{fieldname}")

	def test_a_shorter_index_of_an_earlier_version_goes(self) -> None:
		frappe.db.add_index("Khalifa Message", ["status", "sent_ms"])
		self.assertIn("status_sent_ms_index", indexes_of("Khalifa Message"))
		before = indexes_of("Khalifa Message")
		add_all_indexes()
		self.assertEqual(before.keys() - indexes_of("Khalifa Message").keys(), {"status_sent_ms_index"})

	def test_indexes_over_several_fields_are_there(self) -> None:
		for doctype, wanted in INDEXES.items():
			present = list(indexes_of(doctype).values())
			for fields in wanted:
				self.assertIn(list(fields), present, doctype)

	def test_webhook_events_count_up(self) -> None:
		self.assertIn("bigint", columns_of("Khalifa Webhook Event")["name"])
		self.assertGreater(frappe.db.get_next_sequence_val("Khalifa Webhook Event"), 0)

	def test_every_doctype_of_the_site_is_in_the_table(self) -> None:
		"""Which of them are guarded says `tests/core/test_doctypes.py`."""
		ours = set(frappe.get_all("DocType", {"module": "Khalifa WhatsApp"}, pluck="name"))
		self.assertEqual(ours, set(BY_NAME))

	def footprint(self) -> dict[str, object]:
		doctypes = frappe.get_all("DocType", {"module": "Khalifa WhatsApp", "issingle": 0}, pluck="name")
		return {
			"indexes": {doctype: indexes_of(doctype) for doctype in doctypes},
			"roles": frappe.db.count("Role"),
			"settings": frappe.db.get_singles_dict("Khalifa Settings"),
			"sequences": frappe.db.sql("show full tables where Table_type = 'SEQUENCE'"),
		}


class TestForms(FrappeTestCase):
	def test_settings_out_of_range_are_refused(self) -> None:
		bad = {
			"delay_minutes": 0,
			"warn_percent": 101,
			"pending_load": 2,
			"default_region": "Egypt",
			"drain_batch": 10**9,
			"resolution_rate_target": 50,
			"first_response_worst_minutes": 1,
		}
		for fieldname, value in bad.items():
			settings = frappe.get_single("Khalifa Settings")
			settings.set(fieldname, value)
			self.assertRaises(frappe.ValidationError, settings.validate)

	def test_hours_that_make_no_calendar_are_refused(self) -> None:
		settings = frappe.get_single("Khalifa Settings")
		settings.append("calendar_exceptions", {"date": "2026-11-21", "start_time": "09:00"})
		self.assertRaises(frappe.ValidationError, settings.validate)

	def test_a_login_is_not_an_employees_name(self) -> None:
		agent = frappe.get_doc(
			{"doctype": "Khalifa Agent", "employee_name": "a@b.c", "user": "x@example.com"}
		)
		self.assertRaises(frappe.ValidationError, agent.validate)

	def test_a_device_says_what_it_lacks(self) -> None:
		device = frappe.get_doc(
			{"doctype": "WhatsApp Device", "device_name": "Cloud", "provider": "cloud_api"}
		)
		self.assertRaisesRegex(frappe.ValidationError, "App Secret", device.insert)

	def test_only_one_device_is_the_default(self) -> None:
		for name in ("Default 1", "Default 2"):
			frappe.get_doc("WhatsApp Device", make_device(name)).update({"is_default": 1}).save()
		self.assertEqual(frappe.get_all("WhatsApp Device", {"is_default": 1}, pluck="name"), ["Default 2"])

	def test_a_new_webhook_secret_is_shown_once_and_kept_as_a_digest(self) -> None:
		device = frappe.get_doc("WhatsApp Device", make_device())
		first = device.new_webhook_secret()["url"].rpartition("k=")[2]
		second = device.new_webhook_secret()["url"].rpartition("k=")[2]
		device.reload()
		self.assertEqual(len(second), 64)
		self.assertEqual(device.webhook_secret_digest, hashlib.sha256(second.encode()).hexdigest())
		self.assertEqual(device.previous_webhook_secret_digest, hashlib.sha256(first.encode()).hexdigest())
		self.assertNotIn(second, frappe.as_json(device))

	def test_only_managers_make_a_webhook_secret(self) -> None:
		device = frappe.get_doc("WhatsApp Device", make_device())
		make_agent("kw-a1@example.com", "Mona")
		with signed_in("kw-a1@example.com"):
			self.assertRaises(frappe.PermissionError, device.new_webhook_secret)
		with signed_in(make_manager("kw-m@example.com")):
			self.assertIn("k=", device.new_webhook_secret()["url"])
