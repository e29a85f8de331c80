"""Background work that fails: what did not fail runs, what did is known, and no log holds anybody's words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

import khalifa_whatsapp.api as api
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.jobs import (
	alerts,
	hourly,
	minute,
	nightly,
	outbox,
	wake,
)
from khalifa_whatsapp.jobs.steps import StepsFailed
from khalifa_whatsapp.tests.case import (
	DEVICE,
	HUDA,
	MINUTE,
	MONA,
	clear,
	kill_own_connection,
	make_loop,
	settings,
)
from khalifa_whatsapp.tests.test_broken_devices import HEALTH, HEARTBEAT
from khalifa_whatsapp.tests.worker import JobCase

CANARY, PHONE = "c4nary words of a customer", "201009998877"
API = Path(api.__file__).parent


class StepCase(JobCase):
	def setUp(self) -> None:
		super().setUp()
		self.clean()
		self.addCleanup(self.clean)
		settings(alert_quiet_minutes=0)
		self.addCleanup(settings, alert_quiet_minutes=240)

	def clean(self) -> None:
		frappe.db.rollback()
		frappe.db.delete("Notification Log", {"document_type": ("in", ("WhatsApp Device", "Khalifa Alert"))})
		frappe.db.delete("Error Log")
		clear("Khalifa Alert")
		frappe.db.commit()

	def failing(self) -> list[tuple[str, str]]:
		rows = self.as_(HUDA).read(HEALTH).message["parts"]["jobs"]["failing"]
		return sorted((row["step"], row["device"]) for row in rows)

	def notified(self) -> int:
		frappe.db.rollback()
		of_steps = {"document_type": "Khalifa Alert", "for_user": HUDA, "subject": ("like", "A part%")}
		return frappe.db.count("Notification Log", of_steps)


def broken(*given: Any, **more: Any) -> None:
	terms, phone = CANARY, PHONE
	raise ValueError(f"{terms} {phone}")


class TestSteps(StepCase):
	def test_every_step_of_the_minute_fails_by_itself(self) -> None:
		ran: list[str] = []
		parts: dict[str, Callable[..., Any]] = {
			one: (lambda store, one=one: ran.append(one)) for one in minute.PARTS
		}
		for name in minute.PARTS:
			ran.clear()
			with (
				patch.object(minute, "PARTS", {**parts, name: broken}),
				self.assertRaises(StepsFailed) as failed,
			):
				minute.run()
			self.assertEqual(str(failed.exception), name)
			self.assertEqual(set(ran), set(minute.PARTS) - {name})
			self.assertEqual(self.failing(), [(name, "")])
			minute.run()
			self.assertEqual(self.failing(), [])

	def test_the_hour_and_the_night_go_on_too(self) -> None:
		for job, module, name, others in (
			(hourly, hourly.kpi, "rollup_today", [(hourly, "wake_looks")]),
			(
				nightly,
				nightly.kpi,
				"rollup_dirty",
				[(nightly, "forget_old_events"), (nightly.search_index, "run")],
			),
			(
				nightly,
				nightly.search_index,
				"run",
				[(nightly.kpi, "rollup_dirty"), (nightly, "forget_old_events")],
			),
		):
			with contextlib.ExitStack() as stack:
				ran = [stack.enter_context(patch.object(*place)) for place in others]
				stack.enter_context(patch.object(module, name, broken))
				self.assertRaises(StepsFailed, job.run)
			self.assertTrue(all(one.called for one in ran), name)
			job.run()
			self.assertEqual(self.failing(), [])

	def test_what_fails_is_reported_once_counted_and_forgotten_when_it_works(self) -> None:
		for _ in range(3):
			with patch.object(minute.presence, "sweep", broken):
				self.assertRaises(StepsFailed, minute.run)
		(row,) = self.as_(HUDA).read(HEALTH).message["parts"]["jobs"]["failing"]
		self.assertEqual((row["step"], row["times"]), ("presence", 3))
		self.assertRegex(row["error"], r"^ValueError at tests/test_steps\.py:\d+ broken$")
		self.assertLess(abs(now_ms() - row["since_ms"]), MINUTE)
		self.assertGreaterEqual(row["last_ms"], row["since_ms"])
		self.assertEqual((self.notified(), frappe.db.count("Error Log")), (1, 1))
		card = self.as_(HUDA).call("khalifa_whatsapp.api.cards.failing_jobs")
		self.assertEqual(card.message["value"], 1)
		minute.run()
		self.assertEqual((self.failing(), frappe.get_all("Khalifa Alert", {"is_solved": 0})), ([], []))
		with patch.object(minute.presence, "sweep", broken):
			self.assertRaises(StepsFailed, minute.run)
		self.assertEqual(self.notified(), 2, "the next time is news")

	def test_each_device_is_woken_by_itself(self) -> None:
		make_loop("Second", "another secret")
		self.addCleanup(frappe.delete_doc, "WhatsApp Device", "Second", force=True)
		for device in (DEVICE, "Second"):
			self.reply(self.ticket_of(self.mona, "+20100123456" + str(len(device))))
			sql = "UPDATE `tabKhalifa Message` SET device = %s WHERE direction = 'Outgoing' AND device = %s"
			frappe.db.sql(sql, ("Second", DEVICE))
			self.reply(self.ticket_of(self.mona, "+20100123456" + str(len(device))))
		frappe.db.commit()
		really, woken = wake.wake_outbox, []

		def wake_one(device: str) -> None:
			if device == DEVICE:
				broken()
			woken.append(device)
			really(device)

		with patch.object(wake, "wake_outbox", wake_one):
			self.assertRaises(StepsFailed, wake.wake_due)
			self.assertEqual(self.as_(MONA).call(HEARTBEAT).status, 200)
		self.assertEqual(set(woken), {"Second"})
		self.assertEqual(self.failing(), [("wake outbox", DEVICE)])
		wake.wake_due()
		self.assertEqual(self.failing(), [])

	def test_alerts_of_devices_that_are_gone_are_forgotten(self) -> None:
		alerts.alert_of_job("outbox", "Gone", "ValueError")
		self.assertEqual(self.failing(), [("outbox", "Gone")])
		minute.run()
		self.assertEqual(self.failing(), [])

	def test_a_database_that_dies_in_a_step_stops_nothing_but_what_needs_it(self) -> None:
		with patch.object(
			minute.parked, "apply_parked", lambda *given: kill_own_connection() or on_site().backlog(0)
		):
			self.assertRaises(StepsFailed, minute.run)
		frappe.connect()
		minute.run()
		self.assertEqual(self.failing(), [])

	def test_a_manager_is_notified_of_a_device_s_trouble_once_until_it_is_over(self) -> None:
		def alert(reason: str = "It is broken.") -> bool:
			return alerts.alert_managers(DEVICE, reason)

		self.assertEqual((alert(), alert(), alert("Another reason.")), (True, False, True))
		alerts.clear_alerts(DEVICE, but=("Another reason.",))
		self.assertEqual((alert(), alert("Another reason.")), (True, False))
		frappe.db.sql("UPDATE `tabKhalifa Alert` SET last_ms = last_ms - 86400001")
		self.assertTrue(alert(), "nobody has said so for a day: it is news")
		rows = frappe.get_all(
			"Notification Log", {"document_name": DEVICE, "for_user": HUDA}, pluck="subject"
		)
		self.assertEqual(len(rows), 4)

	def test_rows_of_alerts_are_for_managers_and_written_by_nobody(self) -> None:
		alerts.alert_of_job("outbox", DEVICE, "ValueError")
		listed = self.as_(HUDA).send("GET", "/api/resource/Khalifa Alert").json["data"]
		self.assertEqual(len(listed), 1)
		name = listed[0]["name"]
		self.assertEqual(self.as_(HUDA).send("DELETE", f"/api/resource/Khalifa Alert/{name}").status, 403)
		self.assertEqual(self.as_(MONA).send("GET", f"/api/resource/Khalifa Alert/{name}").status, 403)


class TestOutboxRows(StepCase):
	def test_one_message_that_can_t_be_prepared_fails_alone(self) -> None:
		bad = self.reply(self.ticket_of(self.mona, "+201001234501"), "first")
		good = self.reply(self.ticket_of(self.mona, "+201001234502"), "second")
		frappe.db.sql(
			"UPDATE `tabKhalifa Message` SET content_type = 'location', data = '{' WHERE name = %s",
			(bad.name,),
		)
		frappe.db.commit()
		self.assertEqual(
			outbox.run(DEVICE), {"sent": 1, "retried": 0, "failed": 1, "unknown": 0, "settled": 0}
		)
		rows = dict(
			frappe.get_all("Khalifa Message", {"direction": "Outgoing"}, ["name", "status"], as_list=True)
		)
		self.assertEqual(rows, {bad.name: "Failed", good.name: "Sent"})

	def test_one_that_can_t_be_claimed_waits_alone_and_is_shown(self) -> None:
		bad = self.reply(self.ticket_of(self.mona, "+201001234501"), "first")
		self.reply(self.ticket_of(self.mona, "+201001234502"), "second")
		really = outbox.dispatch._claim
		with patch.object(
			outbox.dispatch, "_claim", lambda run, name: broken() if name == bad.name else really(run, name)
		):
			self.assertEqual(outbox.run(DEVICE), {})
		self.assertEqual(frappe.db.count("Khalifa Message", {"status": "Sent"}), 1)
		self.assertEqual(
			frappe.db.get_value("Khalifa Message", bad.name, ["status", "attempts"]), ("Queued", 0)
		)
		self.assertEqual(self.failing(), [("outbox", DEVICE)])
		self.assertEqual(outbox.run(DEVICE)["sent"], 1)
		self.assertEqual(self.failing(), [])

	def test_a_driver_that_breaks_while_it_sends_leaves_doubt_and_the_others(self) -> None:
		for number in (1, 2):
			self.reply(self.ticket_of(self.mona, f"+20100123450{number}"), f"text {number}")
		really = type(self.driver()).send

		def send(driver: Any, message: Any) -> Any:
			return broken() if message.body == "text 1" else really(driver, message)

		with patch.object(type(self.driver()), "send", send):
			done = outbox.run(DEVICE)
		self.assertEqual((done["sent"], done["unknown"]), (1, 1))
		text, code = frappe.db.get_value(
			"Khalifa Message", {"status": "Unknown"}, ["error_text", "error_code"]
		)
		self.assertNotIn(CANARY, text + code)
		self.assertIn("ValueError", code)
