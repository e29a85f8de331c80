"""An agent, a colleague's ticket, and every way there is to it."""

from __future__ import annotations

import subprocess
import sys

import frappe
from frappe.core.doctype.file.utils import find_file_by_url
from frappe.desk import query_report
from frappe.desk.form.load import getdoc
from frappe.tests.utils import FrappeTestCase

from khalifa_whatsapp.core.doctypes import CHECKED, DOCTYPES, Rows
from khalifa_whatsapp.core.records import RECORDS, DelayEvent, Segment, Turn, WebhookEvent
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.records import (
	NOW_MS,
	insert,
	make_agent,
	make_branch,
	make_conversation,
	make_manager,
	make_user,
)

A1, A2, MANAGER = "kw-a1@example.com", "kw-a2@example.com", "kw-m@example.com"
SYSTEM, STRANGER = "kw-sys@example.com", "kw-nobody@example.com"
OWN, FOREIGN, QUEUE = "KT-800001", "KT-800002", "KT-800003"
QUEUE_OF_A1, QUEUE_OF_A2 = "KT-800004", "KT-800005"
VISIBLE_TO_A1 = {OWN, QUEUE, QUEUE_OF_A1}
ALL = {OWN, FOREIGN, QUEUE, QUEUE_OF_A1, QUEUE_OF_A2}
OF_TICKET = {"Khalifa Ticket Event": "E-", "Khalifa Message": "M-", "Khalifa Customer": "C-"}


class PermissionCase(FrappeTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		east, west = make_branch("East"), make_branch("West")
		cls.a1, cls.a2 = make_agent(A1, "Mona", east), make_agent(A2, "Ali", west)
		make_manager(MANAGER)
		make_user(SYSTEM, "System", "System Manager")
		make_user(STRANGER, "Nobody", "Blogger")
		make_conversation(OWN, cls.a1, "words for a1")
		make_conversation(FOREIGN, cls.a2, "private of a2")
		make_conversation(QUEUE, None, "anybody")
		make_conversation(QUEUE_OF_A1, None, "east only", branch=east, is_branch_only=1)
		make_conversation(QUEUE_OF_A2, None, "west only", branch=west, is_branch_only=1)

	def tickets_of(self, user: str) -> set[str]:
		with signed_in(user):
			return set(frappe.get_list("Khalifa Ticket", pluck="name", limit=0)) & ALL

	def refused(self, method: str, **arguments: object) -> None:
		self.assertRaises(frappe.PermissionError, call, method, **arguments)


class TestWhoSeesWhat(PermissionCase):
	def test_an_agent_sees_his_tickets_and_the_queue_of_his_branch(self) -> None:
		self.assertEqual(self.tickets_of(A1), VISIBLE_TO_A1)
		self.assertEqual(self.tickets_of(A2), {FOREIGN, QUEUE, QUEUE_OF_A2})

	def test_managers_see_all(self) -> None:
		for user in (MANAGER, SYSTEM, "Administrator"):
			self.assertEqual(self.tickets_of(user), ALL, user)

	def test_guests_and_other_users_see_nothing(self) -> None:
		for user in ("Guest", STRANGER):
			with signed_in(user):
				for doctype in (record.DOCTYPE for record in (*RECORDS, WebhookEvent)):
					self.assertRaises(frappe.PermissionError, frappe.get_list, doctype)

	def test_what_belongs_to_a_ticket_follows_it(self) -> None:
		with signed_in(A1):
			for doctype, prefix in OF_TICKET.items():
				names = {name for name in frappe.get_list(doctype, pluck="name", limit=0) if "KT-8" in name}
				self.assertEqual(names, {prefix + ticket for ticket in VISIBLE_TO_A1}, doctype)
				self.assertTrue(frappe.has_permission(doctype, "read", doc=prefix + OWN))
				self.assertFalse(frappe.has_permission(doctype, "read", doc=prefix + FOREIGN))

	def test_list_and_single_record_always_agree(self) -> None:
		for user in (A1, A2, MANAGER):
			seen = self.tickets_of(user)
			with signed_in(user):
				for ticket in ALL:
					may_read = frappe.has_permission("Khalifa Ticket", "read", doc=ticket)
					self.assertEqual(may_read, ticket in seen, (user, ticket))

	def test_an_agent_reads_and_does_nothing_else(self) -> None:
		with signed_in(A1):
			for doctype in CHECKED - {"Khalifa Reply Template"}:
				for right in ("create", "write", "delete", "share", "export", "print", "email"):
					self.assertFalse(frappe.has_permission(doctype, right), (doctype, right))

	def test_settings_devices_and_webhook_events_are_not_for_agents(self) -> None:
		closed = {doctype.name for doctype in DOCTYPES if doctype.rows is Rows.NONE}
		self.assertLessEqual({"Khalifa Settings", "WhatsApp Device", "Khalifa Webhook Event"}, closed)
		with signed_in(A1):
			for doctype in closed:
				self.assertFalse(frappe.has_permission(doctype, "read"), doctype)
		with signed_in(MANAGER):
			self.assertFalse(frappe.has_permission("Khalifa Webhook Event", "read"))

	def test_an_agent_sees_only_his_own_row_and_numbers(self) -> None:
		with signed_in(A1):
			self.assertEqual(frappe.get_list("Khalifa Agent", pluck="name"), [self.a1])

	def test_access_is_gone_the_moment_a_ticket_moves(self) -> None:
		with signed_in(A1):
			self.assertTrue(frappe.has_permission("Khalifa Message", "read", doc=f"M-{OWN}"))
			frappe.db.set_value("Khalifa Ticket", OWN, "agent", self.a2)
			self.assertFalse(frappe.has_permission("Khalifa Message", "read", doc=f"M-{OWN}"))
			self.assertNotIn(OWN, frappe.get_list("Khalifa Ticket", pluck="name", limit=0))
		frappe.db.set_value("Khalifa Ticket", OWN, "agent", self.a1)

	def test_a_disabled_agent_sees_nothing(self) -> None:
		frappe.db.set_value("Khalifa Agent", self.a1, "enabled", 0)
		self.assertEqual(self.tickets_of(A1), set())
		frappe.db.set_value("Khalifa Agent", self.a1, "enabled", 1)

	def test_ledger_rows_of_a_foreign_ticket_stay_closed_even_to_the_agent_they_name(self) -> None:
		insert(Turn("T-8", FOREIGN, f"C-{FOREIGN}", "Test Device", None, 1, NOW_MS, NOW_MS))
		insert(Segment("S-8", "T-8", FOREIGN, self.a1, None, NOW_MS))
		insert(DelayEvent("D-8", "8" * 64, "Agent", FOREIGN, "T-8", NOW_MS, agent=self.a1))
		with signed_in(A1):
			for doctype in ("Khalifa Turn", "Khalifa Turn Segment", "Khalifa Delay Event"):
				self.assertEqual(frappe.get_list(doctype, fields=["name", "ticket.preview"]), [], doctype)


class TestAccessRoutes(PermissionCase):
	"""The ways that plain permission hooks leave open."""

	def test_queries_are_guarded_before_the_first_request_asks_for_a_list(self) -> None:
		"""Of whatever DocType: its links may lead to ours."""
		asked = "assert DatabaseQuery.apply_fieldlevel_read_permissions.guarded_for_khalifa"
		imports = (
			"from frappe.model.db_query import DatabaseQuery; import khalifa_whatsapp.access.method_policy"
		)
		done = subprocess.run([sys.executable, "-c", f"{imports}; {asked}"], check=False)
		self.assertEqual(done.returncode, 0)

	def test_counting_does_not_read_letter_by_letter(self) -> None:
		guess = {"doctype": "Khalifa Message", "filters": {"body": ("like", "private of a2%")}}
		with signed_in(A1):
			self.assertEqual(call("frappe.client.get_count", **guess), 0)
			own = {"doctype": "Khalifa Message", "filters": {"body": ("like", "words for a1%")}}
			self.assertEqual(call("frappe.client.get_count", **own), 1)
			self.assertEqual(call("frappe.desk.reportview.get_count", **guess, distinct=0), 0)
		with signed_in(MANAGER):
			self.assertEqual(call("frappe.client.get_count", **guess), 1)
		with signed_in("Guest"):
			self.refused("frappe.client.get_count", **guess)

	def test_child_tables_show_no_rows_of_others(self) -> None:
		for agent in (self.a1, self.a2):
			doc = frappe.get_doc("Khalifa Agent", agent)
			doc.set("shifts", [{"day": "Monday", "start_time": "09:00:00", "end_time": "17:00:00"}])
			doc.save()
		with signed_in(A1):
			rows = call(
				"frappe.client.get_list",
				doctype="Khalifa Agent Shift",
				parent="Khalifa Agent",
				fields=["parent"],
			)
			self.assertEqual({row.parent for row in rows}, {self.a1})
			self.assertEqual(call("frappe.client.get_count", doctype="Khalifa Branch"), 2)

	def test_a_query_report_is_not_for_agents(self) -> None:
		for doctype in ("Khalifa Message", "Khalifa Ticket", "Khalifa Customer"):
			report = frappe.get_doc(
				{
					"doctype": "Report",
					"report_name": f"All of {doctype}",
					"ref_doctype": doctype,
					"report_type": "Query Report",
					"is_standard": "No",
					"query": f"select name from `tab{doctype}`",
				}
			).insert()
			with signed_in(A1):
				self.assertRaises(frappe.PermissionError, query_report.run, report.name)

	def test_a_foreign_link_is_not_confirmed(self) -> None:
		with signed_in(A1):
			for doctype, prefix in {**OF_TICKET, "Khalifa Ticket": ""}.items():
				foreign = call("frappe.client.validate_link", doctype=doctype, docname=prefix + FOREIGN)
				missing = call("frappe.client.validate_link", doctype=doctype, docname="missing")
				self.assertEqual(foreign, missing)
				own = call("frappe.client.validate_link", doctype=doctype, docname=prefix + OWN)
				self.assertEqual(own.name, prefix + OWN)

	def test_a_title_is_not_shown(self) -> None:
		title = "frappe.desk.search.get_link_title"
		with signed_in(A1):
			self.assertEqual(call(title, doctype="Khalifa Ticket", docname=FOREIGN), FOREIGN)
			self.assertEqual(call(title, doctype="Khalifa Ticket", docname=OWN), f"Customer {OWN}")
			self.assertEqual(call(title, doctype="Khalifa Agent", docname=self.a2), "Ali")
		with signed_in(STRANGER):
			self.refused(title, doctype="Khalifa Agent", docname=self.a2)

	def test_a_foreign_ticket_can_not_be_liked_tagged_or_followed(self) -> None:
		with signed_in(A1):
			self.refused("frappe.desk.like.toggle_like", doctype="Khalifa Ticket", name=FOREIGN, add="Yes")
			self.refused("frappe.desk.doctype.tag.tag.add_tag", tag="x", dt="Khalifa Ticket", dn=FOREIGN)
			call("frappe.desk.like.toggle_like", doctype="Khalifa Ticket", name=OWN, add="Yes")
			following = {"doctype": "Khalifa Ticket", "doc_name": FOREIGN, "user": A1}
			self.assertFalse(call("frappe.desk.form.document_follow.follow_document", **following))
		self.assertFalse(frappe.db.get_value("Khalifa Ticket", FOREIGN, "_liked_by"))
		self.assertIn(A1, frappe.db.get_value("Khalifa Ticket", OWN, "_liked_by"))

	def test_tags_do_not_reveal_foreign_tickets(self) -> None:
		add, tagged = "frappe.desk.doctype.tag.tag.add_tag", "frappe.desk.doctype.tag.tag.get_tagged_docs"
		with signed_in(A2):
			call(add, tag="urgent", dt="Khalifa Ticket", dn=FOREIGN)
		with signed_in(A1):
			call(add, tag="urgent", dt="Khalifa Ticket", dn=OWN)
			rows = call(tagged, doctype="Khalifa Ticket", tag="%urgent%")
			self.assertEqual([row[0] for row in rows], [OWN])
			self.assertEqual(call("frappe.desk.doctype.tag.tag.get_documents_for_tag", tag="#urgent"), [])
		with signed_in(MANAGER):
			rows = call("frappe.desk.doctype.tag.tag.get_documents_for_tag", tag="#urgent")
			self.assertEqual({row["name"] for row in rows}, {OWN, FOREIGN})
			self.assertNotIn("Customer", str([row["content"] for row in rows]))

	def test_tags_can_be_taken_off_and_hold_no_markup(self) -> None:
		with signed_in(A1):
			call(
				"frappe.desk.doctype.tag.tag.add_tag",
				tag="<b>vip</b>,x",
				dt="Khalifa Customer",
				dn=f"C-{OWN}",
			)
			self.assertEqual(frappe.db.get_value("Khalifa Customer", f"C-{OWN}", "_user_tags"), ",bvip/bx")
			call(
				"frappe.desk.doctype.tag.tag.remove_tag", tag="bvip/bx", dt="Khalifa Customer", dn=f"C-{OWN}"
			)
			self.assertFalse(frappe.db.get_value("Khalifa Customer", f"C-{OWN}", "_user_tags"))
			self.refused("frappe.desk.doctype.tag.tag.add_tag", tag="x", dt="Khalifa Message", dn=f"M-{OWN}")

	def test_nobody_shares_or_assigns(self) -> None:
		for user in (MANAGER, "Administrator"):
			with signed_in(user):
				for doctype, prefix in {**OF_TICKET, "Khalifa Ticket": ""}.items():
					target = {"doctype": doctype, "name": prefix + FOREIGN}
					with self.assertRaises((frappe.ValidationError, frappe.PermissionError)):
						call("frappe.share.add", **target, user=A1, read=1)
					with self.assertRaises(frappe.ValidationError):
						call("frappe.desk.form.assign_to.add", **target, assign_to=[A1])
		self.assertFalse(frappe.db.exists("DocShare", {"user": A1, "share_doctype": ("like", "Khalifa%")}))
		self.assertNotIn(FOREIGN, self.tickets_of(A1))

	def test_state_can_not_be_written(self) -> None:
		for user in (A1, MANAGER, SYSTEM, "Administrator"):
			with signed_in(user):
				change = {"doctype": "Khalifa Ticket", "name": OWN, "fieldname": "status", "value": "Closed"}
				self.refused("frappe.client.set_value", **change)
		self.assertEqual(frappe.db.get_value("Khalifa Ticket", OWN, "status"), "Open")

	def test_machine_fields_of_a_customer_keep_their_value_under_a_managers_save(self) -> None:
		with signed_in(MANAGER):
			customer = frappe.get_doc("Khalifa Customer", f"C-{OWN}")
			customer.update({"notes": "Prefers the morning", "last_agent": self.a2, "is_opted_out": 1})
			customer.save()
		customer.reload()
		self.assertEqual(
			(customer.notes, customer.last_agent, customer.is_opted_out), ("Prefers the morning", None, 0)
		)

	def test_presence_of_an_agent_keeps_its_value_under_a_managers_save(self) -> None:
		with signed_in(MANAGER):
			agent = frappe.get_doc("Khalifa Agent", self.a1)
			agent.update({"presence": "Online", "capacity": 9})
			agent.save()
		agent.reload()
		self.assertEqual((agent.presence, agent.capacity), ("Offline", 9))

	def test_the_usual_routes_are_closed_too(self) -> None:
		message, ticket = f"M-{FOREIGN}", FOREIGN
		with signed_in(A1):
			self.refused("frappe.client.get", doctype="Khalifa Message", name=message)
			self.refused("frappe.client.delete", doctype="Khalifa Ticket", name=ticket)
			self.refused(
				"frappe.client.insert", doc={"doctype": "Khalifa Message", "ticket": OWN, "body": "forged"}
			)
			self.assertRaises(frappe.PermissionError, getdoc, "Khalifa Ticket", ticket)
			row = call(
				"frappe.client.get_value",
				doctype="Khalifa Message",
				fieldname="body",
				filters={"name": message},
			)
			self.assertFalse(row)
			hits = call("frappe.desk.search.search_link", doctype="Khalifa Customer", txt="Customer")
			self.assertNotIn(f"C-{FOREIGN}", str(hits))

	def test_a_link_does_not_lead_to_a_device(self) -> None:
		with signed_in(A1):
			secret = ["name", "device.base_url"]
			self.assertRaises(frappe.PermissionError, frappe.get_list, "Khalifa Ticket", fields=secret)
			through = [["WhatsApp Device", "base_url", "like", "http%"]]
			self.assertRaises(frappe.PermissionError, frappe.get_list, "Khalifa Ticket", filters=through)


class TestFiles(PermissionCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.own, cls.foreign = attach(OWN, b"a1's picture"), attach(FOREIGN, b"a2's picture")

	def test_the_list_shows_files_of_visible_conversations(self) -> None:
		with signed_in(A1):
			names = frappe.get_list("File", {"attached_to_doctype": "Khalifa Message"}, pluck="name")
			self.assertEqual(names, [self.own.name])
			count = {"doctype": "File", "filters": {"file_url": self.foreign.file_url}}
			self.assertEqual(call("frappe.client.get_count", **count), 0)
		with signed_in(MANAGER):
			self.assertTrue(frappe.has_permission("File", "read", doc=self.foreign.name))

	def test_a_foreign_file_can_not_be_claimed(self) -> None:
		url = self.foreign.file_url
		name = url.rpartition("/")[2]
		forms = (
			url,
			url.replace("/files/", "/files/./"),
			url.replace("/files/", "//files//"),
			f"/files/../private/files/{name}",
			url.replace("private", "%70rivate"),
			frappe.utils.get_url(url),
		)
		with signed_in(A1):
			for form in forms:
				claim = {"doctype": "File", "file_url": form, "is_private": 1, "file_name": "mine.png"}
				with self.assertRaises(frappe.PermissionError, msg=form):
					frappe.get_doc(claim).insert()
				with self.assertRaises(frappe.PermissionError, msg=form):
					frappe.get_doc(claim).insert(ignore_permissions=True)
				with_content = {**claim, "content": "x", "file_url": frappe.utils.get_url(url)}
				self.assertRaises(frappe.PermissionError, frappe.get_doc(with_content).insert)
				by_name = {"doctype": "File", "is_private": 1, "file_name": name}
				self.assertRaises(frappe.PermissionError, frappe.get_doc(by_name).insert)
			self.assertFalse(frappe.get_all("File", {"owner": A1, "file_name": ("in", ("mine.png", name))}))
			self.assertIsNone(find_file_by_url(url))

	def test_an_attach_field_does_not_claim_a_foreign_file(self) -> None:
		with signed_in(A1):
			user = frappe.get_doc("User", A1)
			user.user_image = self.foreign.file_url
			user.save(ignore_permissions=True)
			self.assertFalse(frappe.get_all("File", {"attached_to_doctype": "User", "attached_to_name": A1}))
			self.assertIsNone(find_file_by_url(self.foreign.file_url))

	def test_a_file_can_not_be_turned_into_a_claim_later(self) -> None:
		with signed_in(A1):
			mine = frappe.get_doc(
				{"doctype": "File", "file_name": "note.txt", "content": "mine", "is_private": 1}
			)
			mine.insert()
			for content in ("mine", "", None):
				mine.reload()
				mine.update({"file_url": self.foreign.file_url, "content": content})
				self.assertRaises(frappe.PermissionError, mine.save)

	def test_equal_contents_of_two_conversations_are_two_files(self) -> None:
		with signed_in(A1):
			copy = frappe.get_doc(
				{"doctype": "File", "file_name": "same.png", "content": b"a2's picture", "is_private": 1}
			).insert()
			self.assertNotEqual(copy.file_url, self.foreign.file_url)

	def test_one_may_point_again_at_what_one_can_read(self) -> None:
		with signed_in(A1):
			again = {
				"doctype": "File",
				"file_url": self.own.file_url,
				"is_private": 1,
				"file_name": "again.png",
			}
			self.assertTrue(frappe.get_doc(again).insert().is_downloadable())

	def test_files_of_conversations_are_never_public(self) -> None:
		self.assertRaises(frappe.ValidationError, attach, OWN, b"public", is_private=0)
		self.own.reload()
		self.own.is_private = 0
		self.assertRaises(frappe.ValidationError, self.own.save)

	def test_the_uploader_loses_a_file_of_a_conversation_that_moved(self) -> None:
		file = attach(OWN, b"sent by a1", owner=A1)
		with signed_in(A1):
			self.assertTrue(frappe.has_permission("File", "read", doc=file.name))
			self.assertFalse(frappe.has_permission("File", "write", doc=file.name))
			self.assertTrue(find_file_by_url(file.file_url))
			frappe.db.set_value("Khalifa Ticket", OWN, "agent", self.a2)
			self.assertFalse(frappe.has_permission("File", "read", doc=file.name))
			self.assertIsNone(find_file_by_url(file.file_url))
		frappe.db.set_value("Khalifa Ticket", OWN, "agent", self.a1)


def attach(
	ticket: str, content: bytes, owner: str | None = None, is_private: int = 1
) -> frappe.model.document.Document:
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"{frappe.generate_hash(length=32)}.bin",
			"content": content,
			"is_private": is_private,
			"attached_to_doctype": "Khalifa Message",
			"attached_to_name": f"M-{ticket}",
		}
	).insert(ignore_permissions=True)
	if owner:
		frappe.db.set_value("File", file.name, "owner", owner)
	return file
