"""Consent and satisfaction on a site: from a message to the log, from a closing to the report."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe.desk.query_report import run

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import audit, records
from khalifa_whatsapp.core.keys import survey_key
from khalifa_whatsapp.jobs import minute, nightly, outbox, satisfaction
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MINUTE, MONA, SiteCase, settings
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import insert

CARE, CONVERSATION, INBOX = (f"khalifa_whatsapp.api.{name}." for name in ("care", "conversation", "inbox"))
REPORT = "WhatsApp Satisfaction"
PHONE = "+201001234567"


class CareCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		settings(survey_enabled=1, survey_delay_minutes=0)

	def closed(self, phone: str = PHONE) -> str:
		ticket = self.ticket_of(self.mona, phone)
		self.as_(MONA).call(f"{CONVERSATION}reply", ticket=ticket, body="an answer", client_key=f"k{phone}")
		self.assertEqual(self.as_(MONA).call(f"{CONVERSATION}close", ticket=ticket).status, 200)
		return ticket

	def ask(self) -> None:
		"""What the minute job does, and the sender after it."""
		frappe.db.rollback()
		minute.PARTS["surveys"](on_site())
		outbox.run(DEVICE)

	def asked(self) -> str:
		ticket = self.closed()
		self.ask()
		return ticket

	def survey(self) -> records.Satisfaction:
		return self.only(records.Satisfaction)

	def head(self, ticket: str, user: str = MONA) -> dict[str, Any]:
		return self.as_(user).call(f"{INBOX}open_conversation", ticket=ticket).message["ticket"]

	def figures(self, **filters: Any) -> tuple[list[dict[str, Any]], Any]:
		with signed_in(HUDA):
			report = run(REPORT, filters=json.dumps(filters), ignore_prepared_report=True)
		return report["result"], report.get("report_summary")


class TestSatisfaction(CareCase):
	def test_a_closed_conversation_is_asked_about_answered_and_counted(self) -> None:
		ticket = self.asked()
		self.assertEqual(self.survey().state, "Sent")
		self.assertEqual(self.head(ticket)["survey"]["label"], "Asked for a rating")
		self.write(body="٤/٥")
		survey = self.survey()
		self.assertEqual((survey.state, survey.score, survey.agent), ("Answered", 4, self.mona))
		self.assertEqual(self.ticket(ticket).status, "Closed")
		self.assertIsNotNone(frappe.db.get_value("Khalifa Satisfaction", survey.name, "answered_on"))
		self.assertEqual(self.head(ticket)["survey"]["label"], "Rated 4 of 5")

		nightly.run()
		row = self.only(records.AgentKpi, agent=self.mona, period="Daily")
		self.assertEqual((row.ratings, row.ratings_good), (1, 1))
		with signed_in(HUDA):
			figure = frappe.get_attr("khalifa_whatsapp.api.cards.satisfaction")()
			counted = run(
				"WhatsApp Counted Rows",
				filters=json.dumps({"agent": self.mona, "metric": "ratings"}),
				ignore_prepared_report=True,
			)["result"]
		self.assertEqual(figure["value"], 100)
		self.assertEqual([one["ticket"] for one in counted], [ticket])
		with signed_in(MONA):
			self.assertEqual(frappe.get_list("Khalifa Satisfaction", pluck="score"), [4])
		with signed_in(ALI):
			self.assertEqual(frappe.get_list("Khalifa Satisfaction"), [])

	def test_managers_are_notified_once_of_a_low_score_and_once_of_its_comment(self) -> None:
		self.asked()
		self.write(body="1")
		for _minute in range(2):
			satisfaction.notify_managers()
		wanted = {"for_user": HUDA, "document_type": "Khalifa Satisfaction"}
		subjects = frappe.get_all("Notification Log", wanted, pluck="subject", order_by="creation")
		self.assertEqual(subjects, ["Samy rated the service 1 of 5."])
		self.write(body="the driver came two hours late")
		satisfaction.notify_managers()
		subjects = frappe.get_all("Notification Log", wanted, pluck="subject", order_by="creation")
		self.assertEqual(subjects[1:], ["Samy rated the service 1 of 5 and wrote why."])
		self.assertEqual(self.survey().comment, "the driver came two hours late")
		frappe.db.delete("Notification Log", wanted)
		frappe.db.commit()

	def test_an_agent_asks_by_hand_and_a_colleague_can_not(self) -> None:
		settings(survey_enabled=0)
		ticket = self.closed()
		self.assertTrue(self.head(ticket)["may_ask"])
		self.assertEqual(self.as_(ALI).call(f"{CARE}ask_rating", ticket=ticket).status, 404)
		self.assertEqual(self.as_(MONA).call(f"{CARE}ask_rating", ticket=ticket).status, 200)
		self.assertFalse(self.head(ticket)["may_ask"])
		again = self.as_(MONA).call(f"{CARE}ask_rating", ticket=ticket)
		self.assertEqual((again.status, again.code), (409, "asked_already"))
		self.assertEqual(self.survey().is_by_hand, 1)

	def test_a_device_that_is_off_keeps_its_surveys_and_its_fault_is_nobody_elses(self) -> None:
		self.closed()
		self.addCleanup(self.switch, 1)
		self.switch(0)
		self.ask()
		self.assertEqual(self.survey().state, "Planned")
		self.switch(1)
		self.ask()
		self.assertEqual(self.survey().state, "Sent")

	def switch(self, enabled: int) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "enabled", enabled)
		frappe.db.commit()
		forget_devices()

	def rated(self, number: int, score: int | None, agent: str | None, **more: Any) -> None:
		at_ms = now_ms() - MINUTE
		answered = {"state": "Answered", "answered_ms": at_ms, "score": score} if score else {}
		insert(
			records.Satisfaction(
				f"V-{number}",
				survey_key(f"KT-{number}", 1),
				f"KT-{number}",
				"C-1",
				DEVICE,
				1,
				agent=agent,
				**{"state": "Delivered", "message": f"M-{number}", "delivered_ms": at_ms, **answered, **more},
			)
		)

	def test_the_report_says_what_its_shares_rest_on(self) -> None:
		for number, score in enumerate((5, 5, 4, 1, None, None)):
			self.rated(number, score, self.mona, branch=self.north)
		self.rated(7, 2, None, comment="=cmd|' /C calc'!A0")
		frappe.db.commit()
		rows, summary = self.figures()
		by_name = {row["bucket"]: row for row in rows}
		mona = by_name["Mona Adel"]
		shown = ("delivered", "answered", "response_rate", "ratings", "ratings_good", "satisfaction")
		self.assertEqual([mona[name] for name in shown], [6, 4, 66.7, 4, 3, 75.0])
		self.assertIn("30–95%", mona["interval"])
		self.assertEqual(by_name["Managers"]["ratings"], 1)
		self.assertEqual([by_name["Total"][name] for name in shown], [7, 5, 71.4, 5, 3, 60.0])
		self.assertEqual(summary[0]["value"], "7")
		for group in ("Branch", "Day", "Week", "Month"):
			rows, _summary = self.figures(group_by=group)
			self.assertEqual(rows[-1]["ratings"], 5, group)
		comments, _summary = self.figures(group_by="Comments")
		self.assertEqual(sorted(row["score"] for row in comments), [1, 2])
		self.assertFalse(any((row["comment"] or "").startswith("=") for row in comments))

	def test_a_template_of_the_settings_is_refused_when_it_can_not_ask(self) -> None:
		template = insert(
			records.ProviderTemplate("T-1", "t".ljust(64, "x"), DEVICE, "1", "rate", "ar", "APPROVED")
		)
		body = {"type": "BODY", "text": "Rate us, {{1}}"}
		name = getattr(template, "name", "T-1")
		frappe.db.set_value("Khalifa Provider Template", name, "components", json.dumps([body]))
		with signed_in(HUDA):
			doc = frappe.get_doc("Khalifa Settings")
			doc.survey_template = name
			with self.assertRaisesRegex(frappe.ValidationError, "variables"):
				doc.save()
			without = json.dumps([{**body, "text": "From 1 to 5?"}])
			frappe.db.set_value("Khalifa Provider Template", name, "components", without)
			doc = frappe.get_doc("Khalifa Settings")
			doc.survey_template = name
			doc.save()
			doc.survey_text = "x" * 2_000
			with self.assertRaisesRegex(frappe.ValidationError, "1000"):
				doc.save()
		frappe.db.rollback()


class TestConsent(CareCase):
	def test_a_word_is_logged_confirmed_and_shown(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.write(body="إيقاف")
		event = self.only(records.ConsentEvent)
		self.assertEqual((event.wish, event.source, event.is_confirmed), ("Stopped", "Message", 1))
		self.assertTrue(self.head(ticket)["opted_out"])
		panel = self.as_(MONA).call(f"{INBOX}customer", ticket=ticket).message
		self.assertEqual((panel["opted_out"], panel["consent"]["source"]), (True, "Message"))
		with signed_in(MONA), self.assertRaises(frappe.PermissionError):
			frappe.get_list("Khalifa Consent Event")

	def test_an_agent_writes_down_a_wish_with_its_source(self) -> None:
		ticket = self.ticket_of(self.mona)
		given = {"ticket": ticket, "is_stopped": 1}
		refused = self.as_(MONA).call(f"{CARE}set_promotions", source="", **given)
		self.assertEqual((refused.status, refused.code), (417, "no_source"))
		self.assertEqual(self.as_(ALI).call(f"{CARE}set_promotions", source="By Phone", **given).status, 404)
		done = self.as_(MONA).call(f"{CARE}set_promotions", source="By Phone", **given)
		self.assertEqual(done.message, {"opted_out": True})
		event = self.only(records.ConsentEvent)
		self.assertEqual((event.actor, event.actor_name, event.source), (MONA, "Mona Adel", "By Phone"))
		self.assertEqual(self.only(records.Customer).is_opted_out, 1)

	def test_a_manager_imports_a_list_and_an_agent_can_not(self) -> None:
		lines = ["01001234567", "+20 100 123 4567,Samy", "phone", "=1+1"]
		self.assertEqual(self.as_(MONA).call(f"{CARE}import_opt_outs", lines=json.dumps(lines)).status, 403)
		answer = self.as_(HUDA).call(f"{CARE}import_opt_outs", lines=json.dumps(lines))
		results = [one["result"] for one in answer.message]
		self.assertEqual(results, ["stopped", "twice", "wrong", "wrong"])
		self.assertIn("phone", answer.message[2]["text"])
		self.assertEqual(self.only(records.Customer, phone=PHONE).is_opted_out, 1)
		entry = self.only(records.AuditEntry, action=audit.IMPORTED)
		self.assertEqual((entry.actor, entry.summary), (HUDA, "Promotions Stopped: 1 / 4"))
		for bad in ('{"a": 1}', "[[1]]"):
			self.assertEqual(self.as_(HUDA).call(f"{CARE}import_opt_outs", lines=bad).status, 417, bad)

	def test_nobody_edits_the_log(self) -> None:
		self.ticket_of(self.mona)
		self.write(body="stop")
		event = self.only(records.ConsentEvent)
		with signed_in(HUDA):
			doc = frappe.get_doc("Khalifa Consent Event", event.name)
			doc.wish = "Resumed"
			with self.assertRaises((frappe.PermissionError, frappe.ValidationError)):
				doc.save()
			with self.assertRaises((frappe.PermissionError, frappe.ValidationError)):
				doc.delete()
		frappe.db.rollback()
