"""A campaign on a site: people write its form, machines write the rest, and it goes out once to each."""

from __future__ import annotations

from collections import Counter
from typing import Any

import frappe
from frappe.utils.password import update_password

from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import campaigns as job
from khalifa_whatsapp.jobs import outbox
from khalifa_whatsapp.tests.case import DEVICE, HOST, HUDA, MONA, PASSWORD, SiteCase, clear
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import make_user
from khalifa_whatsapp.tests.web import Answer

API = "khalifa_whatsapp.api.campaigns."
DOCTYPE, RECIPIENT = "Khalifa Campaign", "Khalifa Campaign Recipient"
OTHER = f"oth3r@{HOST}"
LIST = (
	"Phone,Name,Offer\n01001234501,Mona,10 %\n٠١٠٠١٢٣٤٥٠٢,Sara,20 %\n+20 100 123 4501,Mona,10 %\nhello,x,y\n"
)


class TestCampaigns(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		clear(DOCTYPE)
		self.driver().sent.clear()

	def make(self, **fields: Any) -> str:
		given = {"title": "Offer", "device": DEVICE, "text_a": "Dear {customer}: {Offer}", **fields}
		with signed_in(HUDA):
			doc = frappe.get_doc(
				{"doctype": DOCTYPE, "audience_source": "List", "audience_list": LIST, **given}
			).insert()
		frappe.db.commit()
		return doc.name

	def call(self, act: str, campaign: str, user: str = HUDA, **more: Any) -> Answer:
		return self.as_(user).call(API + act, campaign=campaign, **more)

	def done(self, act: str, campaign: str, user: str = HUDA, **more: Any) -> dict[str, Any]:
		answer = self.call(act, campaign, user, **more)
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message

	def planned(self, **fields: Any) -> str:
		name = self.make(**fields)
		self.assertEqual(self.done("plan", name)["plan_state"], "Planning")
		self.assertEqual(self.enqueued.pop()[0], "khalifa_whatsapp.jobs.campaigns.plan")
		self.assertEqual(job.plan(name), "done")
		return name

	def rows(self) -> list[records.CampaignRecipient]:
		return sorted(self.all(records.CampaignRecipient), key=lambda row: row.line)

	def minute(self) -> None:
		job.run_minute()
		outbox.run(DEVICE)
		job.run_minute()

	def test_a_list_is_planned_and_everybody_in_it_gets_it_once(self) -> None:
		name = self.planned()
		self.assertEqual([row.status for row in self.rows()], ["Planned", "Planned", "Skipped", "Skipped"])
		self.assertEqual([row.text for row in self.rows()][:2], ["Dear Mona: 10 %", "Dear Sara: 20 %"])
		state = self.done("state", name)
		self.assertEqual((state["total"], state["counts"]["Planned"]), (4, 2))
		self.assertEqual(state["acts"], ["start", "take_back"])
		self.assertEqual(state["estimate"]["days"], 1)
		self.assertEqual(state["warnings"], [])
		self.assertEqual(self.done("start", name)["status"], "Running")
		self.minute()
		self.assertEqual(
			Counter(one.body for one in self.driver().sent), Counter(["Dear Mona: 10 %", "Dear Sara: 20 %"])
		)
		state = self.done("state", name)
		self.assertEqual((state["status"], state["counts"]["Sent"], state["acts"]), ("Finished", 2, []))
		row = frappe.get_doc(RECIPIENT, self.rows()[0].name)
		self.assertEqual(frappe.db.get_value("Khalifa Message", row.message, "campaign"), name)
		self.assertTrue(row.sent_on)
		self.assertEqual(frappe.db.get_value(DOCTYPE, name, "sent_count"), 2)

	def test_a_reply_opens_a_conversation_that_shows_the_campaign(self) -> None:
		name = self.planned()
		self.done("start", name)
		self.minute()
		ticket = self.write("+201001234501", "yes please")
		self.assertEqual(
			frappe.db.get_value("Khalifa Ticket", ticket, ["campaign", "status"]), (name, "Queued")
		)
		self.assertEqual(self.rows()[0].status, "Replied")

	def test_what_stands_in_the_way_of_a_plan_is_said_in_the_form(self) -> None:
		name = self.make(text_a="Dear {nobody}")
		self.done("plan", name)
		self.assertEqual(job.plan(name), "refused")
		state = self.done("state", name)
		self.assertEqual((state["plan_state"], state["total"]), ("", 0))
		self.assertIn("nobody", state["status_reason"])

	def test_an_empty_text_is_refused_at_once(self) -> None:
		answer = self.call("plan", self.make(text_a=""))
		self.assertEqual((answer.status, answer.code), (417, "campaign_without_text"), answer.text)

	def test_machines_fields_are_not_for_people(self) -> None:
		name = self.make()
		with signed_in(HUDA):
			doc = frappe.get_doc(DOCTYPE, name)
			doc.update({"status": "Running", "approved_by": HUDA, "plan_state": "Planned", "sent_count": 9})
			doc.save()
		stored = frappe.get_doc(DOCTYPE, name)
		self.assertEqual((stored.status, stored.approved_by, stored.sent_count), ("Draft", None, 0))

	def test_what_was_planned_with_can_not_be_changed(self) -> None:
		name = self.planned()
		with signed_in(HUDA):
			doc = frappe.get_doc(DOCTYPE, name)
			doc.text_a = "something else"
			self.assertRaisesRegex(frappe.ValidationError, "Text can't be changed", doc.save)
			doc.reload()
			doc.daily_cap = 7
			doc.save()
		frappe.db.commit()
		self.done("take_back", name)
		self.assertEqual(self.rows(), [])
		with signed_in(HUDA):
			doc = frappe.get_doc(DOCTYPE, name)
			doc.text_a = "something else"
			doc.save()

	def test_a_form_is_refused_that_makes_no_sense(self) -> None:
		for fields, said in (
			({"title": " "}, "title"),
			({"share_b": 101}, "between 0 and 100"),
			({"quiet_from": "25:00", "quiet_to": "09:00"}, "time of the day"),
			({"quiet_from": "21:00"}, "both"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, said):
				self.make(**fields)

	def test_a_large_campaign_needs_another_manager(self) -> None:
		frappe.db.set_single_value("Khalifa Settings", "campaign_approval_size", 1)
		frappe.db.commit()
		self.addCleanup(frappe.db.set_single_value, "Khalifa Settings", "campaign_approval_size", 500)
		make_user(OTHER, "Other", "WhatsApp Manager")
		update_password(OTHER, PASSWORD)
		frappe.db.commit()
		name = self.planned()
		self.assertEqual(self.done("start", name)["status"], "Awaiting Approval")
		self.assertEqual(self.call("approve", name).status, 403)
		self.assertEqual(self.done("approve", name, OTHER)["status"], "Running")

	def test_pause_resume_cancel(self) -> None:
		name = self.planned()
		self.done("start", name)
		job.run_minute()
		self.done("pause", name)
		outbox.run(DEVICE)
		self.assertEqual(self.driver().sent, [])
		self.assertEqual(self.call("pause", name).status, 409)
		self.done("resume", name)
		state = self.done("cancel", name)
		self.assertEqual((state["status"], state["counts"]["Cancelled"]), ("Cancelled", 2))
		self.minute()
		self.assertEqual(self.driver().sent, [])

	def test_a_trial_goes_to_ones_own_phone_once(self) -> None:
		name = self.make()
		for _ in range(2):
			self.done("send_test", name, phone="0100 123 4599", client_key="one")
		outbox.run(DEVICE)
		self.assertEqual([one.body for one in self.driver().sent], ["Dear (customer): (Offer)"])
		answer = self.call("send_test", name, phone="12", client_key="two")
		self.assertEqual(answer.status, 417, answer.text)

	def test_agents_have_no_business_here(self) -> None:
		name = self.make()
		for act in ("plan", "start", "pause", "resume", "cancel", "approve", "take_back", "state"):
			self.assertEqual(self.call(act, name, MONA).status, 403)
		with signed_in(MONA):
			self.assertRaises(frappe.PermissionError, frappe.get_list, DOCTYPE)

	def test_a_form_that_is_open_meanwhile_does_not_undo_what_machines_wrote(self) -> None:
		name = self.planned()
		with signed_in(HUDA):
			doc = frappe.get_doc(DOCTYPE, name)
		self.done("start", name)
		frappe.db.rollback()
		with signed_in(HUDA):
			doc.title = "Other"
			self.assertRaises(frappe.ValidationError, doc.save)
		self.assertEqual(frappe.db.get_value(DOCTYPE, name, "status"), "Running")
