"""Is the help desk alive? What a monitor learns, and what only a manager does."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.api import health
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.jobs import minute, minute_mark
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MINUTE, MONA, VISITOR, SiteCase, nobody_answers
from khalifa_whatsapp.tests.web import Answer, Caller

CHECK = "khalifa_whatsapp.api.health.check"
PARTS = {"database", *health.PARTS}


class TestHealth(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.mark(0)
		self.set_state("Connected")

	def mark(self, age_ms: int) -> None:
		minute_mark.write(now_ms() - age_ms)
		frappe.db.commit()

	def set_state(self, state: str, **fields: object) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, {"state": state, "files_problem": None, **fields})
		frappe.db.commit()

	def ask(self, user: str | None = None) -> Answer:
		return (self.as_(user) if user else Caller()).read(CHECK)

	def failing(self) -> set[str]:
		answer = self.ask(HUDA)
		parts = {name for name, part in answer.message["parts"].items() if not part["ok"]}
		self.assertEqual(answer.status, 503 if parts else 200)
		self.assertEqual(self.ask().status, answer.status)
		return parts

	def test_guests_and_agents_learn_the_status_and_no_more(self) -> None:
		for user in (None, VISITOR, MONA):
			answer = self.ask(user)
			self.assertEqual((answer.status, answer.message), (200, {"status": "ok"}))
			self.assertEqual(set(answer.json), {"message"})
		self.mark(10 * MINUTE)
		for user in (None, VISITOR, MONA):
			answer = self.ask(user)
			self.assertEqual((answer.status, answer.message), (503, {"status": "failing"}))

	def test_a_manager_sees_every_part(self) -> None:
		answer = self.ask(HUDA)
		self.assertEqual(set(answer.message["parts"]), PARTS)
		self.assertEqual(self.failing(), set())

	def test_files_that_can_not_be_fetched_show_with_the_reason(self) -> None:
		self.set_state("Connected", files_problem="The disk is full.")
		self.assertEqual(self.failing(), {"files"})
		self.assertEqual(self.ask(HUDA).message["parts"]["files"]["problems"], {DEVICE: "The disk is full."})

	def test_a_scheduler_that_sleeps_shows(self) -> None:
		self.mark(2 * MINUTE)
		self.assertEqual(self.failing(), set())
		self.mark(4 * MINUTE)
		self.assertEqual(self.failing(), {"minute_job"})
		minute.run()
		self.assertEqual(self.failing(), set())

	def test_a_site_whose_scheduler_never_ran_is_failing(self) -> None:
		minute_mark.delete()
		frappe.db.commit()
		frappe.clear_cache()
		self.assertEqual(self.failing(), {"minute_job"})

	def test_webhook_events_that_nobody_takes_in_show(self) -> None:
		self.deliver({"type": "poke"})
		self.assertEqual(self.failing(), set())
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET received_ms = received_ms - %s", (3 * MINUTE,))
		frappe.db.commit()
		self.assertEqual(self.failing(), {"intake"})

	def test_a_device_that_lost_its_session_shows_until_it_is_disabled(self) -> None:
		for state in ("Disconnected", "Restricted", "QR"):
			self.set_state(state)
			self.assertEqual(self.failing(), {"devices"})
		self.set_state("Disconnected", enabled=0)
		self.assertEqual(self.failing(), set())
		self.set_state("Connected", enabled=1)

	def test_redis_that_is_away_shows(self) -> None:
		self.as_(HUDA)
		with nobody_answers(cache=False):
			answer = self.ask(HUDA)
			self.assertEqual((answer.status, answer.message["parts"]["queue"]["ok"]), (503, False))
		with nobody_answers():
			self.assertEqual((self.ask().status, self.ask().message), (503, {"status": "failing"}))

	def test_it_is_read_and_nothing_else(self) -> None:
		self.assertEqual(Caller().call(CHECK).status, 403)
