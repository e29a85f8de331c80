"""The metrics: who may have them, that Prometheus can read them, that counters only grow and name nobody."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import frappe
from prometheus_client.parser import text_string_to_metric_families

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import metric_names as names
from khalifa_whatsapp.jobs import counters, minute, minute_mark, outbox
from khalifa_whatsapp.jobs.steps import StepsFailed
from khalifa_whatsapp.tests.case import (
	DEVICE,
	HUDA,
	MINUTE,
	MONA,
	VISITOR,
	SiteCase,
	nobody_answers,
	post_signed,
)
from khalifa_whatsapp.tests.test_others import counting
from khalifa_whatsapp.tests.web import Answer, Caller

SCRAPE, CHECK = "khalifa_whatsapp.api.metrics.scrape", "khalifa_whatsapp.api.health.check"
TOKEN = "a monitor's long secret 123".replace(" ", "-")


class MetricsCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		frappe.cache.delete(frappe.cache.make_key(counters.KEY))
		minute_mark.write(now_ms())
		frappe.db.set_value("WhatsApp Device", DEVICE, {"state": "Connected", "files_problem": None})
		self.set_up()
		self.addCleanup(self.set_up, addresses="", token="")

	def set_up(self, addresses: str = "", token: str = TOKEN) -> None:
		doc = frappe.get_doc("Khalifa Settings")
		doc.update({"monitor_token": token, "monitor_addresses": addresses})
		doc.save()
		frappe.db.commit()

	def with_token(self, method: str, token: str = TOKEN, http: str = "GET") -> Answer:
		caller = Caller({"Authorization": f"Bearer {token}"})
		return caller.send(http, f"/api/method/{method}")

	def samples(self) -> dict[tuple[str, tuple[str, ...]], float]:
		answer = self.with_token(SCRAPE)
		self.assertEqual(answer.status, 200, answer.text)
		families = list(text_string_to_metric_families(answer.text))
		self.assertTrue(all(family.documentation for family in families))
		rows = [sample for family in families for sample in family.samples]
		made = {
			(row.name, tuple(value for _, value in sorted(row.labels.items()))): row.value for row in rows
		}
		self.assertEqual(len(made), len(rows), "no sample twice")
		return made

	def count_rows(self) -> None:
		"""As if some minutes had passed since the last run."""
		with patch.object(counters, "LAG_MS", -MINUTE):
			counters.add([names.Increment(names.COUNTED_UNTIL, {}, now_ms() - 5 * MINUTE)])
			frappe.db.commit()
			counters.run(on_site())


class TestWhoMayRead(MetricsCase):
	def test_managers_the_token_and_listed_addresses_and_nobody_else(self) -> None:
		self.assertEqual(self.as_(HUDA).read(SCRAPE).status, 200)
		self.assertEqual(self.with_token(SCRAPE).status, 200)
		for caller in (Caller(), self.as_(MONA), self.as_(VISITOR)):
			answer = caller.read(SCRAPE)
			self.assertEqual((answer.status, answer.text), (403, "forbidden\n"))
		self.set_up(addresses="10.9.0.0/16\n192.0.2.7")
		for address, status in (("10.9.3.4", 200), ("192.0.2.7", 200), ("192.0.2.8", 403), ("x", 403)):
			forwarded = {"environ_base": {"REMOTE_ADDR": address}}
			self.assertEqual(
				Caller().send("GET", f"/api/method/{SCRAPE}", **forwarded).status, status, address
			)

	def test_the_token_opens_the_health_check_s_parts_too(self) -> None:
		answer = self.with_token(CHECK)
		self.assertEqual(answer.status, 200, answer.text)
		self.assertIn("devices", answer.message["parts"])
		self.assertEqual(Caller().read(CHECK).message, {"status": "ok"})

	def test_the_newer_path_of_frappe_answers_the_same(self) -> None:
		self.assertEqual(Caller().send("GET", f"/api/v1/method/{CHECK}").message, {"status": "ok"})
		answer = Caller({"Authorization": f"Bearer {TOKEN}"}).send("GET", f"/api/v1/method/{CHECK}")
		self.assertIn("parts", answer.message)

	def test_a_wrong_token_and_a_site_without_one_are_refused(self) -> None:
		for method in (SCRAPE, CHECK):
			for token in (TOKEN[:-1], TOKEN + "x", "", "é"):
				self.assertIn(self.with_token(method, token).status, (200, 401, 403))
				self.assertNotIn("devices", self.with_token(method, token).text)
		self.set_up(token="")
		self.assertEqual(self.with_token(SCRAPE).status, 401)

	def test_the_token_opens_nothing_else(self) -> None:
		for method in ("frappe.auth.get_logged_user", "khalifa_whatsapp.api.cards.devices_down"):
			self.assertEqual(self.with_token(method).status, 401)
		self.assertEqual(self.with_token(SCRAPE, http="POST").status, 401)

	def test_a_head_request_has_the_status_and_no_body(self) -> None:
		answer = Caller().send("HEAD", f"/api/method/{CHECK}")
		self.assertEqual((answer.status, answer.raw), (200, b""))
		minute_mark.write(now_ms() - 10 * MINUTE)
		self.assertEqual(Caller().send("HEAD", f"/api/method/{CHECK}").status, 503)

	def test_settings_that_would_let_anybody_in_are_refused(self) -> None:
		self.assertRaises(frappe.ValidationError, self.set_up, token="short")
		self.assertRaises(frappe.ValidationError, self.set_up, addresses="everybody")
		frappe.db.rollback()

	def test_the_token_is_nowhere_to_be_read(self) -> None:
		for path in ("/api/resource/Khalifa Settings/Khalifa Settings", f"/api/method/{SCRAPE}"):
			self.assertNotIn(TOKEN, self.as_(HUDA).send("GET", path).text)
		self.assertNotIn(TOKEN, json.dumps(frappe.get_all("Version", fields=["data"]), default=str))


class TestWhatIsCounted(MetricsCase):
	def messages(self, direction: str, status: str) -> float:
		return self.samples().get(("khalifa_messages_total", (DEVICE, direction, status)), 0)

	def test_messages_by_device_direction_and_status(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(ticket)
		outbox.run(DEVICE)
		self.count_rows()
		self.assertEqual(self.messages("incoming", "received"), 1)
		self.assertEqual(self.messages("outgoing", "queued"), 1)
		self.assertEqual(self.messages("outgoing", "sent"), 1)
		made = self.samples()
		self.assertEqual(made["khalifa_send_wait_seconds_count", (DEVICE,)], 1)
		self.assertEqual(made["khalifa_send_wait_seconds_bucket", (DEVICE, "+Inf")], 1)
		self.assertLessEqual(
			made["khalifa_send_wait_seconds_bucket", (DEVICE, "1.0")],
			made["khalifa_send_wait_seconds_bucket", (DEVICE, "60.0")],
		)

	def test_a_stretch_is_counted_once_and_counters_never_fall(self) -> None:
		self.write()
		self.count_rows()
		before = self.samples()
		counters.run(on_site())
		self.assertEqual(self.messages("incoming", "received"), 1)
		frappe.db.sql("DELETE FROM `tabKhalifa Message`")
		frappe.db.commit()
		minute.run()
		after = self.samples()
		for key, value in before.items():
			if key[0].endswith("_total"):
				self.assertGreaterEqual(after[key], value, key)

	def test_refused_webhook_calls_are_counted_without_the_database(self) -> None:
		raw = b'{"device": "Loop", "events": []}'
		post_signed(raw)  # what is read once
		with counting() as made:
			for _ in range(3):
				self.assertEqual(post_signed(raw, secret="wrong").status, 401)
		written = [sql for sql in made if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]
		self.assertEqual(written, [])
		key = ("khalifa_webhook_refusals_total", ("wrong signature", "401"))
		self.assertEqual(self.samples()[key], 3)
		counters.run(on_site())
		self.assertEqual(self.samples()[key], 3, "moved, not counted twice")
		post_signed(raw, secret="wrong")
		self.assertEqual(self.samples()[key], 4)

	def test_runs_and_durations_of_jobs(self) -> None:
		minute.run()
		minute.run()
		made = self.samples()
		self.assertEqual(made["khalifa_job_runs_total", ("minute", "ok")], 2)
		self.assertEqual(made["khalifa_job_seconds_count", ("minute",)], 2)
		self.assertGreater(made["khalifa_job_seconds_sum", ("minute",)], 0)
		self.assertLess(
			abs(made["khalifa_job_last_run_timestamp_seconds", ("minute",)] - now_ms() / 1000), 60
		)

	def test_a_run_that_fails_is_counted_as_failed(self) -> None:
		with patch.object(minute, "PARTS", {"presence": lambda store: 1 / 0}):
			self.assertRaises(StepsFailed, minute.run)
		self.assertEqual(self.samples()["khalifa_job_runs_total", ("minute", "failed")], 1)

	def test_what_is_so_now(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, {"state": "QR", "breaker_state": "Open"})
		self.addCleanup(frappe.db.set_value, "WhatsApp Device", DEVICE, {"breaker_state": "Closed"})
		self.deliver({"type": "poke"})
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET received_ms = received_ms - %s", (3 * MINUTE,))
		frappe.db.commit()
		made = self.samples()
		self.assertEqual(made["khalifa_device_up", (DEVICE,)], 0)
		self.assertEqual(made["khalifa_device_state", (DEVICE, "QR")], 1)
		self.assertEqual(made["khalifa_device_breaker_open", (DEVICE,)], 1)
		self.assertEqual(made["khalifa_webhook_events", ("New",)], 1)
		self.assertGreaterEqual(made["khalifa_webhook_event_oldest_seconds", ()], 180)
		self.assertEqual(made["khalifa_health", ("intake",)], 0)
		self.assertEqual(made["khalifa_health", ("database",)], 1)
		self.assertGreater(made["khalifa_disk_free_bytes", ()], 0)

	def test_no_phone_no_name_and_no_word_of_anybody(self) -> None:
		self.reply(self.ticket_of(self.mona, "+201001234567"), "very private words")
		outbox.run(DEVICE)
		self.count_rows()
		text = self.with_token(SCRAPE).text
		for secret in ("1001234567", "Samy", "Mona", "private", "@", TOKEN):
			self.assertNotIn(secret, text)

	def test_a_scrape_reads_few_statements_however_many_messages_there_are(self) -> None:
		self.samples()
		with counting() as few:
			self.samples()
		for number in range(12):
			self.write(f"+2010012345{number:02}")
		with counting() as many:
			self.samples()
		self.assertLessEqual(len(many), len(few) + 1)
		self.assertLess(len(many), 60)

	def test_it_is_made_without_redis_too(self) -> None:
		self.as_(HUDA)
		with nobody_answers(cache=False):
			self.assertEqual(self.as_(HUDA).read(SCRAPE).status, 200)

	def reply(self, ticket: str, text: str = "hello") -> Any:
		answer = self.as_(MONA).call(
			"khalifa_whatsapp.api.conversation.reply",
			ticket=ticket,
			body=text,
			client_key=f"key-{self.keys}-{text[:3]}",
			seen_ms=now_ms(),
		)
		self.assertEqual(answer.status, 200, answer.text)
