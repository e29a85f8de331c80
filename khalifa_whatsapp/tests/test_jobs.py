"""What runs without anybody asking: drains, the minute, the hour, the night;
and what may go wrong under them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.loopback import LoopbackDriver, message_item, status_item
from khalifa_whatsapp.jobs import close_all, hourly, intake, minute, minute_mark, nightly, outbox, wake
from khalifa_whatsapp.jobs.steps import StepsFailed
from khalifa_whatsapp.services.tickets import bulk_close as batches
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.stores.base import TicketFilter
from khalifa_whatsapp.tests.case import (
	DEVICE,
	MINUTE,
	held_elsewhere,
	kill_own_connection,
	nobody_answers,
	settings,
)
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.worker import CLOSE_ALL, INTAKE, MANAGER, OUTBOX, JobCase


class TestIntake(JobCase):
	def test_webhook_events_become_tickets_and_tickets_find_their_agents(self) -> None:
		self.online(self.mona, self.ali)
		self.post(3)
		self.assertEqual(intake.run(DEVICE), {"webhook_events": 3, "messages": 3, "assigned": 3})
		self.effects(3)
		self.assertEqual({ticket.agent for ticket in self.all(records.Ticket)}, {self.mona, self.ali})
		self.assertEqual(intake.run(DEVICE), {"webhook_events": 0, "messages": 0, "assigned": 0})

	def test_rows_belong_to_the_system_and_times_are_the_sites_own(self) -> None:
		self.post()
		with signed_in("Guest"):
			intake.run(DEVICE)
		row = frappe.db.get_value(
			"Khalifa Ticket", {}, ["owner", "opened_on", "opened_ms", "creation"], as_dict=True
		)
		self.assertEqual(row.owner, "Administrator")
		there = datetime.fromtimestamp(row.opened_ms / 1000, ZoneInfo(get_system_timezone())).replace(
			tzinfo=None
		)
		self.assertLess(abs(row.opened_on - there), timedelta(seconds=1))
		self.assertLess(abs(row.creation - frappe.utils.now_datetime()), timedelta(minutes=1))

	def test_a_webhook_event_that_fails_waits_alone_and_the_others_go_on(self) -> None:
		self.post(3)
		really = LoopbackDriver.parse

		def parse(driver: LoopbackDriver, raw: bytes) -> Any:
			if b"hello 2" in raw:
				raise ZeroDivisionError("hello 2")
			return really(driver, raw)

		with patch.object(LoopbackDriver, "parse", parse):
			self.assertEqual(intake.run(DEVICE)["webhook_events"], 2)
		self.assertEqual([event.status for event in self.events()], ["Done", "Failed", "Done"])
		failed = self.events()[1]
		self.assertIn("ZeroDivisionError", failed.error)
		self.assertNotIn("hello", failed.error)
		self.assertGreater(failed.next_ms, now_ms())
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET next_ms = 0")
		frappe.db.commit()
		intake.run(DEVICE)
		self.effects(3)

	def test_a_webhook_event_that_always_fails_dies_after_eight_times(self) -> None:
		self.post()
		with patch.object(LoopbackDriver, "parse", side_effect=ZeroDivisionError):
			for _ in range(9):
				intake.run(DEVICE)
				frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET next_ms = 0")
				frappe.db.commit()
		(event,) = self.events()
		self.assertEqual((event.status, event.attempts), ("Dead", 8))

	def test_a_device_that_is_gone_or_disabled_waits(self) -> None:
		self.post()
		self.assertEqual(intake.run("None such"), {})
		frappe.db.set_value("WhatsApp Device", DEVICE, "enabled", 0)
		frappe.db.commit()
		forget_devices()
		self.assertEqual((intake.run(DEVICE), outbox.run(DEVICE)), ({}, {}))
		frappe.db.set_value("WhatsApp Device", DEVICE, "enabled", 1)
		frappe.db.commit()
		forget_devices()
		intake.run(DEVICE)
		self.effects(1)

	def test_what_came_in_as_the_drain_ended_is_not_left_lying(self) -> None:
		self.post()
		really, late = intake.drain.drain, [1]

		def drain_and_then(*given: Any, **more: Any) -> Any:
			taken = really(*given, **more)
			if late:
				late.clear()
				self.post(first=2)
			return taken

		with patch.object(intake.drain, "drain", drain_and_then):
			self.assertEqual(intake.run(DEVICE)["webhook_events"], 2)
		self.effects(2)


class TestOutbox(JobCase):
	def test_what_is_queued_is_sent_once_and_its_status_settles_it(self) -> None:
		ticket = self.ticket_of(self.mona)
		message = self.reply(ticket, "hello back")
		self.assertEqual(outbox.run(DEVICE)["sent"], 1)
		self.assertEqual([out.body for out in self.driver().sent], ["hello back"])
		self.assertEqual(outbox.run(DEVICE)["sent"], 0)
		sent = self.only(records.Message, name=message.name)
		self.assertEqual((sent.status, sent.attempts), (records.SENT, 1))
		self.deliver(
			status_item(sent.gateway_id, "read", now_ms()),
			status_item(sent.gateway_id, "delivered", now_ms()),
		)
		intake.run(DEVICE)
		self.assertEqual(self.only(records.Message, name=message.name).status, records.READ)

	def test_refusals_of_the_gateway_wait_fail_or_stop(self) -> None:
		ticket = self.ticket_of(self.mona)
		for error, status in (
			(base.Retryable("busy"), records.MSG_QUEUED),
			(base.Permanent("no such number"), records.FAILED),
			(base.UnknownOutcome("read timeout"), records.UNKNOWN),
		):
			message = self.reply(ticket)
			self.driver().failures.append(error)
			outbox.run(DEVICE)
			self.assertEqual(self.only(records.Message, name=message.name).status, status)
			frappe.db.sql("DELETE FROM `tabKhalifa Message` WHERE name = %s", (message.name,))
			frappe.db.commit()
		self.assertEqual(self.driver().sent, [])

	def test_a_sender_that_died_leaves_its_message_unknown_and_nobody_sends_it_again(self) -> None:
		message = self.reply(self.ticket_of(self.mona))
		frappe.db.sql("UPDATE `tabKhalifa Message` SET status = 'Sending' WHERE name = %s", (message.name,))
		frappe.db.commit()
		self.assertEqual(outbox.run(DEVICE)["unknown"], 1)
		self.assertEqual(self.driver().sent, [])
		self.assertEqual(self.only(records.Message, name=message.name).status, records.UNKNOWN)

	def test_a_pause_of_the_device_or_of_everything_counts_at_once_and_loses_nothing(self) -> None:
		message = self.reply(self.ticket_of(self.mona))
		for doctype, name, field in (
			("WhatsApp Device", DEVICE, "is_paused"),
			("Khalifa Settings", "Khalifa Settings", "is_sending_paused"),
		):
			self.set_and_clean_up(doctype, name, field, 1)
			self.assertEqual(outbox.run(DEVICE)["sent"], 0)
			self.assertEqual(self.only(records.Message, name=message.name).status, records.MSG_QUEUED)
			frappe.db.set_value(doctype, name, field, 0)
			frappe.db.commit()
		self.assertEqual(outbox.run(DEVICE)["sent"], 1)

	def set_and_clean_up(self, doctype: str, name: str, field: str, value: int) -> None:
		frappe.db.set_value(doctype, name, field, value)
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_value, doctype, name, field, 0)

	def test_a_gateway_that_is_down_opens_the_breaker_and_notifies_managers_once(self) -> None:
		for number in range(6):
			self.reply(self.ticket_of(self.mona, f"+2010012399{number:02}"))
		self.driver().failures.extend(base.Retryable("The gateway refused the connection.") for _ in range(9))
		self.assertEqual(outbox.run(DEVICE)["retried"], 5)
		self.assertEqual(outbox.run(DEVICE)["retried"], 0)
		row = frappe.db.get_value("WhatsApp Device", DEVICE, ["breaker_state", "last_error_text"])
		self.assertEqual(row, ("Open", "The gateway refused the connection."))
		notifications = frappe.get_all("Notification Log", {"document_name": DEVICE}, ["for_user", "subject"])
		self.assertEqual(len(notifications), len({one.for_user for one in notifications}))
		self.assertTrue(any("needs you" in one.subject for one in notifications))

	def tearDown(self) -> None:
		frappe.db.sql(
			"UPDATE `tabWhatsApp Device` SET breaker_state = 'Closed', breaker_failures = 0, "
			"breaker_until_ms = 0 WHERE name = %s",
			(DEVICE,),
		)
		frappe.db.delete("Notification Log", {"document_name": DEVICE})
		frappe.db.commit()
		super().tearDown()

	def test_a_connection_that_dies_as_the_gateway_answers_costs_no_message_its_outcome(self) -> None:
		message = self.reply(self.ticket_of(self.mona))
		really = LoopbackDriver.send

		def send_and_die(driver: LoopbackDriver, out: base.Outgoing) -> base.Accepted:
			kill_own_connection()
			return really(driver, out)

		with patch.object(LoopbackDriver, "send", send_and_die):
			outbox.run(DEVICE)
		outbox.run(DEVICE)
		self.assertEqual(len(self.driver().sent), 1)
		self.assertEqual(self.only(records.Message, name=message.name).status, records.SENT)


class TestMinute(JobCase):
	def test_it_writes_down_that_the_scheduler_lives(self) -> None:
		before = now_ms()
		minute.run()
		self.assertLessEqual(minute_mark.age_ms(), now_ms() - before)

	def test_it_empties_no_cache_of_the_whole_site(self) -> None:
		with patch.object(frappe, "clear_cache") as cleared:
			minute.run()
		self.assertEqual([call for call in cleared.call_args_list if not call.kwargs.get("user")], [])

	def test_it_wakes_what_is_due(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(ticket)
		self.post(first=7)
		for kind in ("intake", "outbox"):
			wake.allow_next_wake(kind, DEVICE)
		minute.run()
		self.assertEqual(sorted(self.woken()), [INTAKE, OUTBOX])

	def test_a_wait_over_the_threshold_becomes_one_delay(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.make_older(ticket, 14 * MINUTE)
		minute.run()
		self.assertEqual(self.all(records.DelayEvent), [])
		self.make_older(ticket, 2 * MINUTE)
		minute.run()
		minute.run()
		delay = self.only(records.DelayEvent, kind="Agent")
		self.assertEqual((delay.agent, delay.ticket), (self.mona, ticket))
		self.assertEqual(self.only(records.DelayEvent, kind="Customer").ticket, ticket)

	def test_time_outside_business_hours_does_not_count(self) -> None:
		ticket = self.ticket_of(self.mona)
		here = datetime.now(ZoneInfo(get_system_timezone()))
		other_day = (here + timedelta(days=3)).strftime("%A")
		doc = frappe.get_single("Khalifa Settings")
		doc.append(hours_field(), {"day": other_day, "start_time": "09:00:00", "end_time": "17:00:00"})
		doc.save()
		frappe.db.commit()
		self.make_older(ticket, 60 * MINUTE)
		minute.run()
		self.assertEqual(self.all(records.DelayEvent), [])
		doc.reload()
		doc.set(hours_field(), [])
		doc.save()
		self.make_older(ticket, 0)
		minute.run()
		self.assertEqual(len(self.all(records.DelayEvent, kind="Agent")), 1)

	def test_the_threshold_is_the_managers_setting(self) -> None:
		ticket = self.ticket_of(self.mona)
		settings(delay_minutes=90, customer_delay_minutes=90)
		self.make_older(ticket, 60 * MINUTE)
		minute.run()
		self.assertEqual(self.all(records.DelayEvent), [])
		settings(delay_minutes=15, customer_delay_minutes=15)
		self.make_older(ticket, 0)
		minute.run()
		self.assertEqual(len(self.all(records.DelayEvent, kind="Agent")), 1)

	def make_older(self, ticket: str, age_ms: int) -> None:
		"""All that is known of the ticket happened that much earlier; the clock is looked at anew."""
		frappe.db.sql(
			"UPDATE `tabKhalifa Turn` SET started_ms = started_ms - %s, known_ms = known_ms - %s",
			(age_ms,) * 2,
		)
		frappe.db.sql("UPDATE `tabKhalifa Turn Segment` SET from_ms = from_ms - %s", (age_ms,))
		frappe.db.sql(
			"UPDATE `tabKhalifa Ticket` SET waiting_since_ms = waiting_since_ms - %s, "
			"next_check_ms = 1 WHERE name = %s",
			(age_ms, ticket),
		)
		frappe.db.commit()

	def test_tickets_of_silent_agents_go_to_those_who_are_there(self) -> None:
		ticket = self.ticket_of(self.mona)
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET heartbeat_ms = 1 WHERE name = %s", (self.mona,))
		frappe.db.commit()
		self.online(self.ali)
		minute.run()
		self.assertEqual(self.ticket(ticket).agent, self.ali)
		self.assertEqual(self.only(records.Agent, name=self.mona).presence, records.OFFLINE)
		self.assertEqual(len(self.all(records.TicketEvent, event="requeued")), 1)

	def test_it_hands_out_what_nobody_was_there_for(self) -> None:
		ticket = self.write()
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET presence = 'Online', heartbeat_ms = %s", (now_ms(),))
		frappe.db.commit()
		minute.run()
		self.assertIsNotNone(self.ticket(ticket).agent)

	def test_one_part_that_fails_does_not_stop_the_others_and_is_logged_without_words(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.make_older(ticket, 60 * MINUTE)
		with patch.object(minute.presence, "sweep", side_effect=ZeroDivisionError("secret words")):
			self.assertRaises(StepsFailed, minute.run)
		self.assertEqual(len(self.all(records.DelayEvent, kind="Agent")), 1)
		frappe.db.rollback()
		log = frappe.get_last_doc("Error Log")
		self.assertIn("presence", log.method)
		self.assertNotIn("secret words", log.error)

	def test_it_runs_without_any_redis(self) -> None:
		self.post()
		with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers():
			wake.wake_due()
			wake.wake_close_all()


class TestHourAndNight(JobCase):
	def test_the_hour_counts_today(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(ticket)
		hourly.run()
		hourly.run()
		row = self.only(records.AgentKpi, agent=self.mona, period="Daily")
		self.assertEqual((row.messages_sent, row.turns_answered, row.agent_name), (1, 1, "Mona Adel"))

	def test_the_night_counts_days_that_changed_and_their_months(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(ticket)
		for table, field in (("Message", "sent_ms"), ("Turn Segment", "to_ms"), ("Turn", "ended_ms")):
			frappe.db.sql(
				f"UPDATE `tabKhalifa {table}` SET {field} = {field} - %s WHERE {field} > 0", (DAY_MS,)
			)
		frappe.db.commit()
		day = on_site().rules().calendar.local_date(now_ms() - DAY_MS)
		with on_site().transaction():
			on_site().mark_day(day, is_dirty=1)
		nightly.run()
		self.assertEqual(on_site().dirty_days(10), [])
		daily = self.only(records.AgentKpi, agent=self.mona, period="Daily", start_date=day)
		self.assertEqual(daily.messages_sent, 1)
		self.only(records.AgentKpi, agent=self.mona, period="Monthly", start_date=day.replace(day=1))
		before = [(k.name, k.messages_sent, k.turns_answered) for k in self.all(records.AgentKpi)]
		with on_site().transaction():
			on_site().mark_day(day, is_dirty=1)
		nightly.run()
		self.assertEqual(
			[(k.name, k.messages_sent, k.turns_answered) for k in self.all(records.AgentKpi)], before
		)

	def test_the_night_clears_old_bodies_and_keeps_their_keys(self) -> None:
		self.post(2)
		intake.run(DEVICE)
		self.deliver({"type": "poke"})
		keys = [event.delivery_key for event in self.events()]
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET received_ms = %s", (now_ms() - 31 * DAY_MS,))
		frappe.db.sql(
			"UPDATE `tabKhalifa Webhook Event` SET received_ms = %s WHERE delivery_key = %s",
			(now_ms(), keys[1]),
		)
		frappe.db.commit()
		nightly.run()
		bodies = [bool(event.body) for event in self.events()]
		self.assertEqual(bodies, [False, True, True], "cleared · too young · not taken in yet")
		self.assertEqual([event.delivery_key for event in self.events()], keys)

	def test_a_replay_after_a_month_still_meets_its_key(self) -> None:
		item = message_item("+201001234567", "hello", "in-1", 1_795_000_000_000)
		self.deliver(item)
		intake.run(DEVICE)
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET received_ms = 1")
		frappe.db.commit()
		nightly.run()
		self.deliver(item)
		(event,) = self.events()
		self.assertEqual((event.seen_count, event.status, event.body), (2, "Done", ""))


class TestCloseAll(JobCase):
	def start(self, count: int = 3) -> str:
		self.post(count)
		intake.run(DEVICE)
		return batches.start(on_site(), MANAGER, TicketFilter(), "the end", now_ms()).name

	def test_a_batch_whose_worker_died_goes_on_where_it_was(self) -> None:
		batch = self.start()
		really, steps = batches._close, []

		def die_at_the_third(*given: Any) -> None:
			steps.append(1)
			if len(steps) == 3:
				raise SystemExit("killed")
			really(*given)

		with patch.object(batches, "CHUNK", 2), patch.object(batches, "_close", die_at_the_third):
			self.assertRaises(SystemExit, close_all.run, batch=batch)
		self.assertEqual(self.only(records.CloseBatch).closed, 2)
		self.assertEqual(close_all.run(batch=batch), "Done")
		self.assertEqual(
			(self.only(records.CloseBatch).closed, len(self.all(records.TicketEvent, event="closed"))), (3, 3)
		)

	def test_the_minute_job_goes_on_with_batches_that_stand_still(self) -> None:
		young = self.start()
		minute.run()
		self.assertNotIn(CLOSE_ALL, self.woken())
		frappe.db.sql("UPDATE `tabKhalifa Close Batch` SET requested_ms = requested_ms - 180000")
		frappe.db.commit()
		minute.run()
		self.assertIn((CLOSE_ALL, young), [(method, given.get("batch")) for method, given in self.enqueued])
		del self.enqueued[:]
		close_all.run(batch=young)
		minute.run()
		self.assertNotIn(CLOSE_ALL, self.woken())

	def test_two_workers_on_one_batch_are_one_too_many(self) -> None:
		batch = self.start()
		with held_elsewhere(f"close_all:{batch}"):
			self.assertEqual(close_all.run(batch=batch), "busy")
		self.assertEqual(close_all.run(batch=batch), "Done")

	def test_a_batch_goes_on_though_its_manager_has_left(self) -> None:
		batch = self.start()
		frappe.db.sql("UPDATE `tabKhalifa Close Batch` SET requested_by = 'gone@desk.example'")
		frappe.db.commit()
		self.assertEqual(close_all.run(batch=batch), "Done")

	def test_no_such_batch(self) -> None:
		self.assertEqual(close_all.run(batch="none"), "")
		(alert,) = frappe.get_all("Khalifa Alert", ["step", "error"])
		self.assertEqual((alert.step, alert.error), ("close all run", "UserError no_such_batch"))


class TestWaking(JobCase):
	def test_waking_never_raises(self) -> None:
		for cache, queue in ((True, False), (False, True), (True, True)):
			with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers(cache=cache, queue=queue):
				wake.wake_intake(DEVICE)
				wake.wake_outbox(DEVICE)
				wake.enqueue_close_all("batch")
				wake.allow_next_wake("intake", DEVICE)

	def test_a_second_wake_waits_until_the_first_job_has_begun(self) -> None:
		wake.wake_intake(DEVICE)
		wake.wake_intake(DEVICE)
		wake.wake_outbox(DEVICE)
		self.assertEqual(self.woken(), [INTAKE, OUTBOX])
		intake.run(DEVICE)
		wake.wake_intake(DEVICE)
		self.assertEqual(self.woken(), [INTAKE, OUTBOX, INTAKE])


def hours_field() -> str:
	meta = frappe.get_meta("Khalifa Settings")
	return next(df.fieldname for df in meta.fields if df.options == "Khalifa Working Hour")


_really_enqueue = frappe.enqueue
