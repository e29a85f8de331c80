"""The endpoints of gateways: what is stored, what is refused, and what the caller learns from it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import frappe
from frappe.database.mariadb.database import MariaDBDatabase
from frappe.model.document import Document
from werkzeug.test import EnvironBuilder, run_wsgi_app

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import loopback
from khalifa_whatsapp.drivers.cloud_api.verify import sign
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable
from khalifa_whatsapp.stores.site_store import SiteStore
from khalifa_whatsapp.tests.case import (
	DEVICE,
	RECEIVE,
	SECRET,
	nobody_answers,
	post_signed,
	settings,
)
from khalifa_whatsapp.tests.web import METHOD, Answer, Caller, in_thread
from khalifa_whatsapp.tests.webhook_case import (
	HOOKS,
	META_SECRET,
	OCTETS,
	REFUSED,
	TOKEN,
	WebhookCase,
	corpus,
	post_meta,
	post_shop,
)


class TestHandshake(WebhookCase):
	def ask(self, **query: str) -> Answer:
		return Caller().send("GET", f"{METHOD}{HOOKS}cloud_api", query_string=query)

	def hub(self, token: str, challenge: str = "1158201444") -> dict[str, str]:
		return {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}

	def test_the_right_token_gets_its_challenge_back_as_plain_text(self) -> None:
		answer = self.ask(device="Meta", **self.hub(TOKEN))
		self.assertEqual((answer.status, answer.raw), (200, b"1158201444"))
		self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))

	def test_any_other_token_is_refused(self) -> None:
		for query in (self.hub("wrong"), self.hub(""), self.hub("رمز"), {"hub.mode": "subscribe"}, {}):
			self.refused(self.ask(device="Meta", **query))

	def test_a_challenge_that_a_browser_could_run_is_not_repeated(self) -> None:
		self.refused(self.ask(device="Meta", **self.hub(TOKEN, "<script>alert(1)</script>")))

	def test_a_device_of_another_kind_or_of_no_kind_shakes_no_hands(self) -> None:
		for device in ("Shop", DEVICE, "Browser", "None such", "meta", ""):
			self.refused(self.ask(device=device, **self.hub(TOKEN)))


class TestWhatIsStored(WebhookCase):
	def test_every_known_webhook_event_is_stored_byte_for_byte_and_once(self) -> None:
		for provider, post in (("cloud_api", post_meta), ("wppconnect", lambda raw: post_shop(raw, self.k))):
			bodies = corpus(provider)
			if not bodies:
				self.skipTest(f"no corpus of {provider} beside this copy of the app")
			self.setUp()
			for raw in [*bodies, *bodies]:
				self.assertEqual(post(raw).status, 200)
			self.assertEqual(sorted(self.stored()), sorted((raw, 2) for raw in bodies))

	def test_the_corpus_is_taken_in_without_one_webhook_event_that_dies_or_waits(self) -> None:
		for device, post in (("Meta", post_meta), ("Shop", lambda raw: post_shop(raw, self.k))):
			bodies = corpus("cloud_api" if device == "Meta" else "wppconnect")
			for raw in bodies:
				post(raw)
			with self.quiet():
				intake.run(device)
		states = {event.status for event in self.events()}
		self.assertLessEqual(states, {"Done", "Ignored"})
		self.assertTrue(not states or self.all(records.Message))

	def test_a_message_becomes_a_ticket_with_its_words_unchanged(self) -> None:
		terms = '<b>"ألو"</b> {{7*7}} %s \'; DROP TABLE x; -- 👩‍👩‍👧 \u200f؟'
		ticket = self.write(body=terms)
		self.assertEqual(self.only(records.Message).body, terms)
		self.assertEqual(self.ticket(ticket).status, records.QUEUED)
		self.assertNotIn("<", self.ticket(ticket).preview)

	def test_signed_nonsense_is_taken_and_then_dead(self) -> None:
		broken = (
			b"",
			b"{",
			b"[]",
			b"null",
			b'"text"',
			b"12",
			b"\xff\xfe{}",
			b"{}",
			b'{"events": 3}',
			b"[" * 20_000,
		)
		for raw in broken:
			self.assertEqual(post_signed(raw, headers=OCTETS).status, 200, raw[:20])
		self.assertEqual(sorted(self.stored()), sorted((raw, 1) for raw in broken))
		intake.run(DEVICE)
		self.assertEqual({event.status for event in self.events()}, {"Dead"})
		for event in self.events():
			self.assertTrue(event.error)
			self.assertNotIn("Traceback", event.error)

	def test_json_of_a_wrong_shape_is_stored_whatever_frappe_makes_of_it(self) -> None:
		bodies = (
			b"[]",
			b"{}",
			b'{"entry": {}}',
			b'{"entry": [null, 3, {"changes": "x"}]}',
			b'{"object": [1]}',
		)
		for raw in bodies:
			self.assertEqual(post_meta(raw).status, 200, raw)
		with self.quiet():
			intake.run("Meta")
		self.assertLessEqual({event.status for event in self.events()}, {"Dead", "Ignored"})

	def test_arguments_inside_a_body_are_no_arguments_of_the_endpoint(self) -> None:
		raw = json.dumps({"device": "Other", "k": "x", "doctype": "User", "flags": 1, "events": []}).encode()
		self.assertEqual(post_signed(raw).status, 200)
		self.assertEqual([event.device for event in self.events()], [DEVICE])

	def test_types_that_nobody_knows_are_ignored_with_their_reason(self) -> None:
		self.deliver({"type": "poke", "id": "1"}, {"type": ["message"]}, {"no": "type"})
		intake.run(DEVICE)
		(event,) = self.events()
		self.assertEqual(event.status, "Ignored")
		self.assertIn("type", event.error)

	def test_a_bad_item_does_not_take_the_good_one_with_it(self) -> None:
		self.deliver(
			{"type": "message"}, loopback.message_item("+201001234567", "hello", "in-1", 1_795_000_000_000)
		)
		intake.run(DEVICE)
		self.assertEqual(self.only(records.Message).body, "hello")

	def test_a_body_that_is_no_utf_8_is_stored_byte_for_byte(self) -> None:
		raw = b'{"device": "Loop", "events": [], "x": "\xff\xfe\x00"}'
		self.assertEqual(post_signed(raw, headers=OCTETS).status, 200)
		self.assertEqual(self.stored(), [(raw, 1)])

	def test_a_form_is_stored_as_the_bytes_it_was(self) -> None:
		raw = b"device=Other&cmd=frappe.ping&payload=%7B%7D"
		form = {"Content-Type": "application/x-www-form-urlencoded"}
		answer = post_signed(raw, headers=form)
		if answer.raw != b"ok":  # `cmd` in a form names another method, as everywhere in Frappe
			self.assertEqual(self.events(), [])
		raw = b"device=Other&payload=%7B%7D"
		self.assertEqual(post_signed(raw, headers=form).raw, b"ok")
		self.assertEqual(self.stored(), [(raw, 1)])

	def test_content_types_make_no_difference(self) -> None:
		for kind in (
			"text/plain",
			"application/json; charset=utf-8",
			"multipart/form-data",
			"",
			"x/y; boundary=z",
		):
			raw = json.dumps({"device": DEVICE, "events": [], "kind": kind}).encode()
			self.assertEqual(post_signed(raw, headers={"Content-Type": kind}).status, 200, kind)
		self.assertEqual(len(self.events()), 5)

	def test_the_same_body_for_two_devices_is_two_webhook_events(self) -> None:
		raw = b'{"events": []}'
		post_signed(raw)
		post_signed(raw, "secret-of-the-other", "Other")
		self.assertEqual([event.device for event in self.events()], [DEVICE, "Other"])

	def test_a_hundred_replays_change_a_count_and_nothing_else(self) -> None:
		raw = self.signed_message()
		for _ in range(100):
			post_signed(raw)
		self.assertEqual(self.stored(), [(raw, 100)])
		intake.run(DEVICE)
		post_signed(raw)
		intake.run(DEVICE)
		self.assertEqual((len(self.all(records.Message)), self.events()[0].seen_count), (1, 101))

	def test_sixteen_posts_of_one_webhook_event_at_once_are_one_row(self) -> None:
		raw = self.signed_message()
		headers = {**OCTETS, loopback.SIGNATURE_HEADER: sign(SECRET, raw)}
		callers = [Caller(headers) for _ in range(16)]

		def post(caller: Caller) -> int:
			return caller.send("POST", METHOD + RECEIVE, query_string={"device": DEVICE}, data=raw).status

		with ThreadPoolExecutor(16) as pool:
			self.assertEqual(list(pool.map(post, callers)), [200] * 16)
		self.assertEqual(self.stored(), [(raw, 16)])

	def signed_message(self) -> bytes:
		item = loopback.message_item("+201001234567", "hello", "in-1", 1_795_000_000_000)
		return json.dumps({"device": DEVICE, "events": [item]}).encode()


class TestRefusals(WebhookCase):
	def test_a_signature_must_be_there_and_be_right(self) -> None:
		raw = b'{"entry": []}'
		right = sign(META_SECRET, raw)
		wrong = (
			sign("wrong", raw),
			sign(META_SECRET, raw + b" "),
			sign(SECRET, raw),
			right.removeprefix("sha256="),
			right.replace("sha256", "sha1"),
			right[:-1],
			right + "0",
			"sha256=",
			f" {right}, {right}",
			"sha256=" + "0" * 8000,
			"sha256=é",
		)
		for signature in wrong:
			self.refused(post_meta(raw, signature))
		path, query = f"{METHOD}{HOOKS}cloud_api", {"device": "Meta"}
		self.refused(Caller().send("POST", path, query_string=query, data=raw))
		self.assertEqual(post_meta(raw, right.upper().replace("SHA", "sha")).status, 200)

	def test_the_body_must_be_the_one_that_was_signed(self) -> None:
		raw = b'{"entry":[]}'
		self.refused(post_meta(b'{"entry": []}', sign(META_SECRET, raw)))

	def test_a_device_must_be_the_callers_own_and_of_the_endpoints_kind(self) -> None:
		raw = b"{}"
		for device in (
			"Other",
			"Meta",
			"Shop",
			"Browser",
			"None such",
			"",
			"loop",
			"Loop ",
			"😀",
			"x" * 5000,
			"' OR 1=1",
		):
			self.refused(post_signed(raw, device=device))
		for device in (DEVICE, "Shop", "Other"):
			self.refused(post_meta(raw, device=device))
		self.refused(
			Caller().send(
				"POST", METHOD + RECEIVE, data=raw, headers={loopback.SIGNATURE_HEADER: sign(SECRET, raw)}
			)
		)

	def test_an_address_secret_must_be_the_devices_own(self) -> None:
		raw = b'{"event": "x"}'
		for k in (None, "", "wrong", self.k_of_other, self.k[:-1], self.k.upper(), "é", "x" * 9000):
			self.refused(post_shop(raw, k))
		self.refused(post_shop(raw, None, X_K=self.k))
		self.refused(post_shop(raw, self.k, device="Shop 2"))
		self.assertEqual(post_shop(raw, self.k).status, 200)

	def test_the_old_address_works_for_a_day_after_a_new_one_was_made(self) -> None:
		shop = frappe.get_doc("WhatsApp Device", "Shop")
		new = shop.new_webhook_secret()["url"].rpartition("k=")[2]
		frappe.db.commit()
		forget_devices()
		self.assertEqual(post_shop(b"{}", self.k).status, 200)
		self.assertEqual(post_shop(b"{}", new).status, 200)
		long_ago = frappe.utils.add_to_date(frappe.utils.now_datetime(), hours=-1)
		frappe.db.set_value("WhatsApp Device", "Shop", "previous_webhook_secret_until", long_ago)
		frappe.db.commit()
		forget_devices()
		old, type(self).k = self.k, new
		self.assertEqual(post_shop(b"{}", old).status, 401)

	def test_a_disabled_device_is_no_device(self) -> None:
		frappe.db.set_value("WhatsApp Device", "Other", "enabled", 0)
		frappe.db.commit()
		self.refused(post_signed(b"{}", "secret-of-the-other", "Other"))
		frappe.db.set_value("WhatsApp Device", "Other", "enabled", 1)
		frappe.db.commit()

	def test_only_listed_addresses_use_a_endpoint_with_a_list(self) -> None:
		def post(peer: str, forwarded: str | None = None) -> Answer:
			headers = {"X-Forwarded-For": forwarded} if forwarded else {}
			peer_is = {"REMOTE_ADDR": peer}
			raw = f"{peer}{forwarded}".encode()
			return post_signed(
				raw, "secret-of-the-office", "Office", headers={**OCTETS, **headers}, environ_base=peer_is
			)

		for peer, forwarded in (
			("127.0.0.1", None),
			("10.2.0.1", None),
			("127.0.0.1", "10.2.0.1"),
			("127.0.0.1", "10.1.2.3, 8.8.8.8"),
			("8.8.8.8", "10.1.2.3"),
			("127.0.0.1", "not an address"),
			("127.0.0.1", "10.1.2.3:80"),
		):
			self.refused(post(peer, forwarded))
		for peer, forwarded in (
			("10.1.2.3", None),
			("127.0.0.1", "10.1.2.3"),
			("127.0.0.1", "8.8.8.8, 10.1.2.3"),
			("2001:db8::1", None),
		):
			self.assertEqual(post(peer, forwarded).status, 200, (peer, forwarded))

	def test_a_body_over_the_limit_is_refused_before_anything_else(self) -> None:
		settings(max_webhook_bytes=1000, max_gateway_bytes=2000)
		forget_devices()
		for answer in (
			post_meta(b"x" * 1001, **OCTETS),
			post_meta(b"x" * 1001, "sha256=wrong", **OCTETS),
			post_shop(b"x" * 2001, self.k, **OCTETS),
		):
			self.assertEqual((answer.status, answer.raw), (413, b"too large"))
		self.assertEqual(self.events(), [])
		self.assertEqual(post_meta(b"x" * 1000, **OCTETS).status, 200)
		self.assertEqual(post_shop(b"x" * 2000, self.k, **OCTETS).status, 200)
		settings(max_webhook_bytes=3 << 20, max_gateway_bytes=25 << 20)

	def test_other_http_methods_are_no_endpoint(self) -> None:
		for method in ("GET", "PUT", "DELETE", "PATCH"):
			path = METHOD + RECEIVE
			answer = Caller().send(
				method,
				path,
				query_string={"device": DEVICE},
				headers={loopback.SIGNATURE_HEADER: sign(SECRET, b"")},
			)
			self.assertEqual(answer.status, 403, method)
		self.assertEqual(self.events(), [])

	def test_nothing_in_a_refusal_distinguishes_one_cause_from_another(self) -> None:
		answers = (
			post_meta(b"{}", "sha256=" + "0" * 64),
			post_meta(b"{}", device="None such"),
			post_shop(b"{}", "wrong"),
			post_signed(b"{}", device="Browser"),
		)
		self.assertEqual(
			{(a.status, a.raw, a.headers["Content-Type"]) for a in answers},
			{(*REFUSED, "text/plain; charset=utf-8")},
		)


class TestTheWayToTheAnswer(WebhookCase):
	"""A gateway's answer waits for one insert: no document, no queue, no cache."""

	def open(self, raw: bytes) -> tuple[int, list[Any], list[Any]]:
		"""Post, and see what was enqueued before the response had left, and after."""
		headers = {"X-Frappe-Site-Name": frappe.local.site, loopback.SIGNATURE_HEADER: sign(SECRET, raw)}
		builder = EnvironBuilder(
			METHOD + RECEIVE, method="POST", query_string={"device": DEVICE}, data=raw, headers=headers
		)

		def call() -> tuple[int, list[Any], list[Any]]:
			chunks, status, _ = run_wsgi_app(frappe.app.application, builder.get_environ())
			before = list(self.enqueued)
			for _ in chunks:
				pass
			chunks.close()
			return int(status.split()[0]), before, list(self.enqueued)

		return in_thread(call)

	def test_the_worker_is_woken_after_the_response_and_not_before(self) -> None:
		status, before, after = self.open(b'{"events": []}')
		self.assertEqual((status, before), (200, []))
		self.assertEqual(
			[(method, given["device"]) for method, given in after],
			[("khalifa_whatsapp.jobs.intake.run", DEVICE)],
		)

	def test_a_storm_of_webhook_events_wakes_one_worker(self) -> None:
		for number in range(5):
			post_signed(b'{"events": [], "n": %d}' % number)
		self.assertEqual(len(self.enqueued), 1)

	def test_no_document_is_made_and_one_statement_writes(self) -> None:
		post_signed(b"{}")
		said: list[str] = []
		really = MariaDBDatabase.sql

		def listen(db: Any, query: Any, *values: Any, **more: Any) -> Any:
			said.append(str(query))
			return really(db, query, *values, **more)

		no_document = patch.object(Document, "insert", side_effect=AssertionError("a document"))
		with (
			no_document,
			patch.object(Document, "save", side_effect=AssertionError),
			patch.object(MariaDBDatabase, "sql", listen),
		):
			self.assertEqual(post_signed(b'{"events": []}').status, 200)
		ours = [query for query in said if "Khalifa" in query or "WhatsApp" in query]
		self.assertEqual(len(ours), 1, ours)
		self.assertTrue(ours[0].startswith("INSERT INTO `tabKhalifa Webhook Event`"))

	def test_it_answers_without_any_redis(self) -> None:
		raws = [b'{"events": [], "n": %d}' % number for number in range(3)]
		with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers(cache=False):
			self.assertEqual(post_signed(raws[0]).status, 200)
		with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers(queue=False):
			self.assertEqual(post_signed(raws[1]).status, 200)
		with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers():
			forget_devices()
			self.assertEqual(post_signed(raws[2]).status, 200)
		self.assertEqual([body for body, _ in self.stored()], raws)

	def test_a_database_that_is_away_is_reported_with_a_time_to_come_again(self) -> None:
		for error in (StoreUnavailable("away"), Conflict("deadlock")):
			with patch.object(SiteStore, "record_webhook_event", side_effect=error):
				answer = post_signed(b"{}")
			self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "5"))
		self.assertEqual(self.events(), [])

	def test_a_connection_that_died_is_opened_again(self) -> None:
		really, tries = SiteStore._insert_webhook_event, []

		def die_first(store: SiteStore, row: tuple[Any, ...]) -> bool:
			if not tries:
				tries.append(frappe.db.sql("SELECT CONNECTION_ID()")[0][0])
				frappe.db._conn._force_close()
			return really(store, row)

		with patch.object(SiteStore, "_insert_webhook_event", die_first):
			self.assertEqual(post_signed(b"{}").status, 200)
		self.assertEqual(len(self.events()), 1)

	def test_what_a_gateway_sends_leaves_no_trace_in_the_error_log(self) -> None:
		before = frappe.db.count("Error Log")
		post_signed(b"{not json}", headers=OCTETS)
		with self.quiet():
			intake.run(DEVICE)
		self.assertEqual(frappe.db.count("Error Log"), before)


_really_enqueue = frappe.enqueue
