"""Templates and quick replies on a site: who may write and read them, what Meta says comes back, and files
stay private and go out as bytes.
"""

from __future__ import annotations

import io
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import audit, records
from khalifa_whatsapp.core.template_drafts import TemplateDraft, components_of
from khalifa_whatsapp.drivers.abilities import TemplateInfo
from khalifa_whatsapp.jobs import outbox, templates
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA, VISITOR, SiteCase, make_loop
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.web import METHOD
from simulation.simulators.cloud_api import CloudApiSimulator

META, TEMPLATE, REPLY = "Meta", "Khalifa Provider Template", "Khalifa Reply Template"
API = "khalifa_whatsapp.api."
PNG = b"\x89PNG\r\n\x1a\n picture"
OFFER = TemplateDraft(
	"offer",
	"ar",
	"MARKETING",
	header_kind="IMAGE",
	body="خصم {{1}}٪ لك.",
	examples={"body.1": "15"},
)


class TemplateCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, REPLY)
		self.addCleanup(frappe.db.delete, "File", {"attached_to_doctype": ("in", (TEMPLATE, REPLY))})

	def attach(self, doctype: str, name: str, content: bytes = PNG, file_name: str = "عرض.png") -> str:
		given = {
			"doctype": "File",
			"file_name": file_name,
			"is_private": 1,
			"content": content,
			"attached_to_doctype": doctype,
			"attached_to_name": name,
		}
		url = frappe.get_doc(given).insert(ignore_permissions=True).file_url
		frappe.db.commit()
		return str(url)

	def status_of(self, user: str, url: str) -> int:
		return int(self.as_(user).send("GET", url).status)


class TestTemplates(TemplateCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.sim = CloudApiSimulator(now_ms)
		cls.sim.start()
		cls.addClassCleanup(cls.sim.stop)
		config = cls.sim.config()
		make_loop(
			META,
			config.app_secrets[0],
			provider="cloud_api",
			phone_number_id=config.phone_number_id,
			business_account_id=config.business_account_id,
			base_url=config.base_url,
			api_version=config.api_version,
			access_token=config.access_token,
		)
		frappe.db.commit()

	def setUp(self) -> None:
		super().setUp()
		self.sim.templates.rows.clear()
		forget_devices()

	def draft(self, **more: Any) -> Any:
		given = {
			"doctype": TEMPLATE,
			"template_name": "order_ready",
			"language": "ar",
			"category": "UTILITY",
			"device": META,
			"body": "أهلاً {{1}}، طلبك جاهز.",
			**more,
		}
		with signed_in(HUDA):
			doc = frappe.get_doc(given).insert()
			for row in doc.template_values:
				row.example = "منى"
			doc.save()
		frappe.db.commit()
		return doc

	def test_a_manager_writes_submits_and_edits_a_template(self) -> None:
		doc = self.draft()
		self.assertEqual((doc.status, doc.is_changed), ("DRAFT", 1))
		with signed_in(HUDA):
			self.assertEqual(call(f"{API}templates.submit", template=doc.name), {"status": "PENDING"})
		(row,) = self.sim.templates.rows
		self.assertEqual((row["name"], row["components"][0]["text"]), ("order_ready", doc.body))
		acts = frappe.get_all(records.AuditEntry.DOCTYPE, {"document": doc.name}, pluck="action")
		self.assertLessEqual({audit.CREATED, audit.SUBMITTED}, set(acts))
		doc.reload()
		self.assertEqual((doc.status, doc.template_id, doc.is_changed), ("PENDING", row["id"], 0))
		with signed_in(HUDA), self.assertRaisesRegex(frappe.ValidationError, "reviewing"):
			doc.update({"body": "أهلاً {{1}}، تعال."}).save()
		row["status"] = "APPROVED"
		with signed_in(HUDA):
			self.assertEqual(call(f"{API}device_tools.sync_templates", device=META)["templates"], 1)
			doc.reload()
			self.assertEqual((doc.status, doc.template_values[0].example), ("APPROVED", "منى"))
			doc.update({"body": "أهلاً {{1}}، طلبك جاهز الآن.", "template_name": "other"}).save()
			self.assertEqual((doc.is_changed, doc.template_name), (1, "order_ready"))
			templates.store_templates(META, on_site_templates(self.sim))
			doc.reload()
			self.assertEqual(doc.body, "أهلاً {{1}}، طلبك جاهز الآن.", "a sync leaves it")
			self.assertNotIn("الآن", doc.components)
			call(f"{API}templates.submit", template=doc.name)
		self.assertIn("الآن", row["components"][0]["text"])

	def test_metas_words_are_shown_and_rules_are_said_before(self) -> None:
		self.sim.templates.add("order_ready", "ar", [{"type": "BODY", "text": "x"}])
		doc = self.draft()
		with signed_in(HUDA):
			with self.assertRaisesRegex(frappe.ValidationError, "There is content in ar already"):
				call(f"{API}templates.submit", template=doc.name)
			doc.update({"body": "{{1}} أهلاً"}).save()
			with self.assertRaisesRegex(frappe.ValidationError, "begin or end with a variable"):
				call(f"{API}templates.submit", template=doc.name)
			seen = call(f"{API}templates.look", form=doc.as_json())
		self.assertEqual([one["fieldname"] for one in seen["problems"]], ["body"])
		self.assertEqual((seen["preview"]["body"], seen["preview"]["is_rtl"]), ("منى أهلاً", True))

	def test_only_what_people_write_is_taken_from_a_form(self) -> None:
		doc = self.draft(status="APPROVED", template_id="9", components="[]", needs_sync=1)
		facts = ["status", "template_id", "components", "needs_sync"]
		self.assertEqual(frappe.db.get_value(TEMPLATE, doc.name, facts), ("DRAFT", "", None, 0))
		with signed_in(HUDA):
			self.assertRaises(frappe.ValidationError, self.draft)
			self.assertRaises(
				frappe.ValidationError, doc.update({"header_file": "https://example.com/a.png"}).save
			)

	def test_a_sync_keeps_drafts_and_what_has_just_been_submitted(self) -> None:
		doc = self.draft()
		templates.store_templates(META, [])
		self.assertTrue(frappe.db.exists(TEMPLATE, doc.name))
		with signed_in(HUDA):
			call(f"{API}templates.submit", template=doc.name)
		templates.store_templates(META, [])
		self.assertTrue(frappe.db.exists(TEMPLATE, doc.name))
		with signed_in(HUDA), self.assertRaises(frappe.PermissionError):
			frappe.delete_doc(TEMPLATE, doc.name)
		frappe.db.set_value(TEMPLATE, doc.name, "submitted_ms", 1)
		templates.store_templates(META, [])
		self.assertFalse(frappe.db.exists(TEMPLATE, doc.name))
		self.assertEqual(frappe.db.count("Khalifa Template Variable", {"parent": doc.name}), 0)

	def test_agents_read_what_is_approved_and_write_nothing(self) -> None:
		doc = self.draft(buttons=[{"kind": "Quick Reply", "text": "secret plan"}])
		with signed_in(MONA):
			for method, given in (
				("look", {"form": doc.as_json()}),
				("submit", {"template": doc.name}),
				("choices", {}),
			):
				self.assertRaises(frappe.PermissionError, call, f"{API}templates.{method}", **given)
			self.assertEqual(frappe.get_list(TEMPLATE), [])
			self.assertEqual(
				frappe.get_list("Khalifa Template Button", fields=["text"], parent_doctype=TEMPLATE), []
			)
			self.assertRaises(frappe.PermissionError, frappe.get_doc({"doctype": TEMPLATE}).insert)
		frappe.db.set_value(TEMPLATE, doc.name, "status", "APPROVED")
		with signed_in(MONA):
			self.assertEqual(len(frappe.get_list(TEMPLATE)), 1)

	def test_every_page_of_a_long_list_is_read(self) -> None:
		for number in range(230):
			self.sim.templates.add(f"t{number}", "ar", [{"type": "BODY", "text": "x"}])
		with signed_in(HUDA):
			done = call(f"{API}device_tools.sync_templates", device=META)
		self.assertEqual(done, {"templates": 230, "new": 230, "removed": 0, "failed": 0})


def on_site_templates(sim: CloudApiSimulator) -> list[TemplateInfo]:
	return [
		TemplateInfo(row["id"], row["name"], row["language"], row["status"], row["category"],
			components=tuple(row["components"]))
		for row in sim.templates.rows
	]  # fmt: skip


class TestSending(TemplateCase):
	def setUp(self) -> None:
		super().setUp()
		info = TemplateInfo(
			"1", "offer", "ar", "APPROVED", "MARKETING", components=tuple(components_of(OFFER, "h"))
		)
		templates.store_templates(DEVICE, [info])
		self.template = frappe.db.get_value(TEMPLATE, {"device": DEVICE})
		self.talk = self.ticket_of(self.mona)

	def send(self, **more: Any) -> Any:
		given = {"ticket": self.talk, "template": self.template, "client_key": "t1", "values": ["15"]}
		return call(f"{API}conversation.send_template", **{**given, **more})

	def test_a_picture_goes_with_the_template_and_stays_with_the_conversation(self) -> None:
		with signed_in(MONA):
			(offered,) = call(f"{API}inbox.templates", ticket=self.talk)
			self.assertEqual((offered["why_not"], offered["needs_file"]), ("", True))
			with self.assertRaisesRegex(frappe.ValidationError, "header is a file"):
				self.send()
		doc = frappe.get_doc(TEMPLATE, self.template)
		doc.header_file = self.attach(TEMPLATE, doc.name)
		with signed_in(HUDA):
			doc.save()
		self.assertEqual((doc.header_file_name, doc.is_changed), ("عرض.png", 0))
		frappe.db.commit()
		for user, status in ((HUDA, 200), (MONA, 200), (VISITOR, 403)):
			self.assertEqual(self.status_of(user, doc.header_file), status, user)
		with signed_in(MONA):
			for values in ([], ["15", "16"], [" "], ["a\nb"]):
				self.assertRaises(frappe.ValidationError, self.send, values=values)
			self.send()
		frappe.db.commit()
		message = self.only(records.Message, direction="Outgoing")
		self.assertNotEqual(message.file_url, doc.header_file)
		frappe.delete_doc("File", frappe.db.get_value("File", {"file_url": doc.header_file}), force=True)
		frappe.db.commit()
		outbox.run(DEVICE)
		(sent,) = self.driver().sent
		self.assertEqual((sent.header_media.kind, sent.header_media.content), ("image", PNG))
		self.assertEqual((sent.name, sent.body_values), ("offer", ("15",)))
		answer = self.as_(MONA).send("GET", f"{METHOD}{API}media.download?message={message.name}")
		self.assertEqual((answer.status, answer.raw), (200, PNG))

	def test_a_file_of_another_conversation_is_not_taken(self) -> None:
		other = self.write("+201001234568")
		url = self.attach("Khalifa Ticket", other)
		with signed_in(MONA):
			self.assertRaises(frappe.DoesNotExistError, self.send, file_url=url)
			self.send(file_url=self.attach("Khalifa Ticket", self.talk))


class TestQuickReplies(TemplateCase):
	def reply(self, shortcut: str, agent: str | None = None, **more: Any) -> Any:
		given = {
			"doctype": REPLY,
			"shortcut": shortcut,
			"body": "أهلاً {customer}",
			"agent": agent,
			"enabled": 1,
		}
		doc = frappe.get_doc({**given, **more}).insert(ignore_permissions=True)
		frappe.db.commit()
		return doc

	def with_file(self, shortcut: str, agent: str | None = None) -> Any:
		doc = self.reply(shortcut, agent)
		doc.attachment = self.attach(REPLY, doc.name)
		doc.save(ignore_permissions=True)
		frappe.db.commit()
		return doc

	def send(self, ticket: str, reply: str, key: str = "q1", body: str = "أهلاً منى") -> Any:
		return call(f"{API}conversation.reply", ticket=ticket, body=body, client_key=key, quick_reply=reply)

	def test_a_file_goes_with_its_text_and_uses_are_counted_once(self) -> None:
		shared = self.with_file("offer")
		ticket = self.ticket_of(self.mona)
		with signed_in(MONA):
			self.send(ticket, shared.name)
			frappe.db.commit()
			self.send(ticket, shared.name)
			self.send(ticket, self.reply("plain").name, "q2", "text")
		frappe.db.commit()
		first, second = sorted(
			self.all(records.Message, direction="Outgoing"), key=lambda one: one.content_type
		)
		self.assertEqual((first.content_type, first.body), ("image", "أهلاً منى"))
		self.assertEqual((second.content_type, second.file_url), ("text", None))
		self.assertEqual(frappe.db.get_value(REPLY, shared.name, "usage_count"), 1)
		with signed_in(HUDA):
			shared.reload().update({"title": "x", "usage_count": 99}).save()
		self.assertEqual(frappe.db.get_value(REPLY, shared.name, "usage_count"), 1)
		outbox.run(DEVICE)
		self.assertIn(PNG, [getattr(one, "content", b"") for one in self.driver().sent])

	def test_a_colleagues_own_are_closed_and_shared_files_are_the_agents(self) -> None:
		his, shared = self.with_file("his", self.ali), self.with_file("all")
		ticket = self.ticket_of(self.mona)
		with signed_in(MONA):
			self.assertRaises(frappe.PermissionError, self.send, ticket, his.name)
			self.assertRaises(
				frappe.PermissionError, frappe.get_doc(REPLY, his.name).check_permission, "read"
			)
			offered = call(f"{API}inbox.quick_replies", ticket=ticket)
			self.assertEqual([one["shortcut"] for one in offered], ["all"])
		self.assertEqual(self.all(records.Message, direction="Outgoing"), [])
		for user, url, status in (
			(MONA, his.attachment, 403),
			(ALI, his.attachment, 200),
			(MONA, shared.attachment, 200),
			(HUDA, his.attachment, 200),
			(VISITOR, shared.attachment, 403),
		):
			self.assertEqual(self.status_of(user, url), status, (user, url))
		files = {"doctype": "File", "filters": {"file_url": his.attachment}}
		self.assertEqual(self.as_(MONA).call("frappe.client.get_list", **files).message, [])

	def test_an_agent_attaches_a_file_to_ones_own(self) -> None:
		own, shared = self.reply("mine", self.mona), self.reply("all")
		for doc, status in ((own, 200), (shared, 403)):
			data = {
				"doctype": REPLY, "docname": doc.name, "fieldname": "attachment", "is_private": "1",
				"file": (io.BytesIO(PNG), "own.png", "image/png"),
			}  # fmt: skip
			answer = self.as_(MONA).send("POST", f"{METHOD}upload_file", data=data)
			self.assertEqual(answer.status, status, doc.shortcut)

	def test_a_file_that_one_may_not_read_is_not_taken_into_ones_own(self) -> None:
		his = self.with_file("his", self.ali)
		note = frappe.get_doc({"doctype": "Note", "title": frappe.generate_hash()}).insert()
		salaries = self.attach("Note", note.name, b"salaries", "salaries.txt")
		own = self.reply("mine", self.mona)
		for url in (his.attachment, salaries, "/private/files/no.png"):
			with signed_in(MONA):
				new = frappe.get_doc({"doctype": REPLY, "shortcut": "new", "body": "x", "attachment": url})
				self.assertRaises(frappe.PermissionError, new.insert)
				own.reload().attachment = url
				self.assertRaises(frappe.PermissionError, own.save)
		self.assertFalse(frappe.db.get_value(REPLY, own.name, "attachment"))

	def test_links_and_long_captions_are_refused(self) -> None:
		for url in ("https://example.com/a.png", "/files/a.png"):
			self.assertRaises(frappe.ValidationError, self.reply, "a", attachment=url)
		doc = self.with_file("b")
		doc.body = "x" * 1025
		self.assertRaisesRegex(frappe.ValidationError, "1024", doc.save)

	def test_the_same_shortcut_may_be_in_two_languages(self) -> None:
		self.reply("hi")
		self.reply("hi", body="Hello {customer}")
		self.assertRaises(frappe.ValidationError, self.reply, "hi", body="Hello again")
		ticket = self.write(body="Hello there")
		with signed_in(HUDA):
			offered = call(f"{API}inbox.quick_replies", ticket=ticket)
		self.assertEqual([one["language"] for one in offered], ["English", "Arabic"])

	def test_blanks_are_filled_from_the_conversation_and_its_branch(self) -> None:
		frappe.db.set_value("Khalifa Branch", self.north, {"address": "12 Nile St", "phone": "0502233"})
		self.addCleanup(frappe.db.set_value, "Khalifa Branch", self.north, {"address": None, "phone": None})
		ticket = self.ticket_of(self.mona)
		frappe.db.set_value("Khalifa Ticket", ticket, "branch", self.north)
		frappe.db.commit()
		with signed_in(MONA):
			values = call(f"{API}inbox.quick_reply_values", ticket=ticket)
			seen = call(f"{API}inbox.look_at_quick_reply", body="{branch_address} {price}")
		self.assertEqual(sorted(values), sorted(seen["known"]))
		self.assertEqual((values["branch_address"], values["phone"]), ("12 Nile St", "+201001234567"))
		self.assertEqual((values["customer"], values["agent"]), ("Samy", "Mona Adel"))
		self.assertEqual(seen["unknown"], ["price"])
		self.assertIn(self.as_(ALI).call(f"{API}inbox.quick_reply_values", ticket=ticket).status, (403, 404))
