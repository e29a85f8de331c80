"""The inbox's server half: lists by key, threads, files, search;
and that nobody reads what is a colleague's.
"""

from __future__ import annotations

import io
import json
from typing import Any

import frappe

from khalifa_whatsapp.access.stored_files import keep
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake, outbox
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA, VISITOR
from khalifa_whatsapp.tests.web import METHOD
from khalifa_whatsapp.tests.worker import JobCase

API = "khalifa_whatsapp.api.inbox."
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class InboxCase(JobCase):
	def ask(self, user: str, method: str, **given: Any) -> Any:
		answer = self.as_(user).call(API + method, **given)
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message

	def listed(self, user: str, view: str = "mine", **given: Any) -> list[str]:
		return [row["ticket"] for row in self.ask(user, "conversations", view=view, **given)["rows"]]


class TestTheList(InboxCase):
	def test_each_view_holds_what_it_says_and_only_what_the_reader_may_see(self) -> None:
		mine = self.ticket_of(self.mona)
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET presence = 'Offline'")
		frappe.db.commit()
		waiting = self.write("+201119876543")
		self.assertEqual((self.listed(MONA), self.listed(MONA, "queue")), ([mine], [waiting]))
		self.assertEqual((self.listed(ALI), self.listed(ALI, "queue")), ([], [waiting]))
		self.assertEqual(set(self.listed(HUDA, "all")), {mine, waiting})
		self.assertEqual(self.as_(MONA).call(f"{API}conversations", view="all").status, 403)
		counts = self.ask(MONA, "conversations")["counts"]
		self.assertEqual((counts["mine"], counts["queue"], counts["unread"]), (1, 1, 1))
		self.assertNotIn(MONA, json.dumps(self.ask(HUDA, "conversations", view="all")))

	def test_a_line_has_a_tick_while_the_last_message_is_ours(self) -> None:
		def tick() -> Any:
			return self.ask(
				HUDA, "conversations", view="closed" if self.ticket(name).status == records.CLOSED else "all"
			)["rows"][0]["last_out_status"]

		name = self.ticket_of(self.mona)
		self.assertIsNone(tick())
		self.reply(name, "50")
		self.assertEqual(tick(), records.MSG_QUEUED)
		self.as_(MONA).call("khalifa_whatsapp.api.conversation.note", ticket=name, body="colleagues only")
		self.assertEqual(tick(), records.MSG_QUEUED)
		self.write(body="thanks")
		self.as_(MONA).call("khalifa_whatsapp.api.conversation.close", ticket=name, reason="no_reply_needed")
		self.assertIsNone(tick(), "the customer had the last word, and waits for nothing")

	def test_pages_follow_each_other_without_a_gap_or_a_repetition(self) -> None:
		expected = {self.write(f"+20100555{n:04}") for n in range(13)}
		for view in ("queue", "all"):
			seen: list[str] = []
			cursor = ""
			while True:
				page = self.ask(HUDA, "conversations", view=view, cursor=cursor, limit=5)
				seen += [row["ticket"] for row in page["rows"]]
				cursor = page["next_cursor"]
				if not cursor:
					break
			self.assertEqual((len(seen), set(seen)), (13, expected), view)

	def test_a_page_costs_as_many_queries_for_many_as_for_few(self) -> None:
		for n in range(12):
			self.write(f"+20100555{n:04}")
		counted = [self.queries(HUDA, limit) for limit in (2, 12)]
		self.assertEqual(counted[0], counted[1])

	def queries(self, user: str, limit: int) -> int:
		from khalifa_whatsapp.api import inbox
		from khalifa_whatsapp.tests.endpoints import signed_in

		with signed_in(user):
			inbox.conversations("all", limit=limit)
			with self.counted() as count:
				inbox.conversations("all", limit=limit)
		return len(count)

	def counted(self) -> Any:
		from contextlib import contextmanager
		from unittest.mock import patch

		really = frappe.db.sql

		@contextmanager
		def watch() -> Any:
			seen: list[str] = []

			def noted(query: Any, *given: Any, **more: Any) -> Any:
				seen.append(str(query))
				return really(query, *given, **more)

			with patch.object(frappe.db, "sql", noted):
				yield seen

		return watch()

	def test_a_cursor_or_a_view_that_makes_no_sense_is_refused(self) -> None:
		for given in ({"cursor": "nonsense"}, {"cursor": "WzEsMiwzXQ=="}, {"view": "everything"}):
			self.assertEqual(
				self.as_(HUDA).call(f"{API}conversations", **{"view": "queue", **given}).status, 417, given
			)

	def test_names_numbers_and_words_are_found_however_they_are_typed(self) -> None:
		self.deliver(message_item("+201001234567", "عايز أعرف سِعر الدَّواء", "in-a", now_ms(), "أحمد مُنى"))
		self.deliver(message_item("+201119876543", "شكراً", "in-b", now_ms(), "سامي"))
		with self.quiet():
			intake.run(DEVICE)
		frappe.db.commit()
		first = frappe.db.get_value("Khalifa Ticket", {"customer_name": ("like", "%أحمد%")})
		for terms in (
			"احمد",
			"أحمد",
			"01001234567",
			"1234567",
			"الدواء",
			"سعر",
			"اعرف",
			"+20 100 123 4567",
			first.lower(),
		):
			self.assertEqual(self.listed(HUDA, "all", search=terms), [first], terms)
		for terms in ("لا يوجد", "%", "_", "' OR 1=1 --", '+*"()', "0000000"):
			self.assertNotIn(first, self.listed(HUDA, "all", search=terms), terms)

	def test_a_search_says_what_it_found_and_leaves_the_view_aside(self) -> None:
		self.deliver(
			message_item("+201001234567", "عايز أعرف سِعر الدَّواء لو سمحت", "in-a", now_ms(), "أحمد مُنى")
		)
		with self.quiet():
			intake.run(DEVICE)
		frappe.db.commit()
		ticket = self.only(records.Ticket).name

		def hits(terms: str, user: str = HUDA, view: str = "closed") -> Any:
			return [
				row["matched"] for row in self.ask(user, "conversations", view=view, search=terms)["rows"]
			]

		self.assertEqual(hits("احمد"), [{"what": "name", "snippet": []}])
		self.assertEqual(hits("0100 123"), [{"what": "phone", "snippet": []}])
		self.assertEqual(hits(ticket.lower()), [{"what": "ticket", "snippet": []}])
		[hit] = hits("الدواء سعر")
		self.assertEqual(hit["what"], "message")
		self.assertEqual([term for term, is_hit in hit["snippet"] if is_hit], ["سِعر", "الدَّواء"])
		frappe.db.set_value("Khalifa Ticket", ticket, {"agent": self.ali, "status": "Open"})
		frappe.db.commit()
		self.assertEqual(hits("احمد", MONA, "mine"), [], "a colleague's")
		self.assertEqual(len(hits("احمد", ALI, "queue")), 1)
		frappe.db.sql("UPDATE `tabKhalifa Message` SET is_revoked = 1")
		frappe.db.commit()
		self.assertNotIn(
			"الد", json.dumps(hits("الدواء"), ensure_ascii=False), "words that were taken back are not shown"
		)
		self.assertNotIn("matched", self.ask(HUDA, "conversations", view="all")["rows"][0])

	def test_a_line_that_is_no_longer_ones_own_is_gone(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(
			[row["ticket"] for row in self.ask(MONA, "rows", tickets=[ticket])["rows"]], [ticket]
		)
		self.assertEqual(self.ask(ALI, "rows", tickets=[ticket])["rows"], [])

	def test_a_line_says_whether_the_list_that_was_asked_for_holds_it(self) -> None:
		mine = self.ticket_of(self.mona)
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET presence = 'Offline'")
		frappe.db.commit()
		waiting = self.write("+201119876543")
		for view, search, held in (
			("mine", "", {mine}),
			("queue", "", {waiting}),
			("closed", "", set()),
			("delayed", "", set()),
			("mine", "1234567", {mine}),
			("mine", "nobody", set()),
			("queue", "1234567", {mine}),
		):
			lines = self.ask(MONA, "rows", tickets=[mine, waiting, "KT-999999"], view=view, search=search)[
				"rows"
			]
			self.assertEqual(
				{row["ticket"] for row in lines}, {mine, waiting}, "what may be seen is there in any list"
			)
			self.assertEqual({row["ticket"] for row in lines if row["is_listed"]}, held, (view, search))
		self.assertEqual(self.as_(MONA).call(f"{API}rows", tickets=[mine], view="all").status, 403)

	def test_a_single_line_comes_as_it_stands_in_its_list(self) -> None:
		for n in range(4):
			self.write(f"+20100555{n:04}")
		for view in ("queue", "all"):
			page = self.ask(HUDA, "conversations", view=view)
			names = [row["ticket"] for row in page["rows"]]
			alone = self.ask(HUDA, "rows", tickets=names[::-1], view=view)["rows"]
			self.assertEqual(sorted(alone, key=_by_name), sorted(page["rows"], key=_by_name), view)
			places = [(row["place"], row["ticket"]) for row in page["rows"]]
			self.assertEqual(places, sorted(places, reverse=bool(page["is_descending"])), view)

	def test_fifty_lines_are_one_statement_and_more_are_not_given(self) -> None:
		from khalifa_whatsapp.api import inbox
		from khalifa_whatsapp.tests.endpoints import signed_in

		names = [self.write(f"+20100555{n:04}") for n in range(3)] + [f"KT-9{n:05}" for n in range(47)]
		late = self.write("+201119876543")
		with signed_in(HUDA):
			inbox.rows(names[:1], "all")
			with self.counted() as few:
				inbox.rows(names[:1], "all")
			with self.counted() as many:
				answer = inbox.rows([*names, late], "all")
		self.assertEqual((len(few), {row["ticket"] for row in answer["rows"]}), (len(many), set(names[:3])))


def _by_name(row: dict[str, Any]) -> str:
	return row["ticket"]


class TestTheThread(InboxCase):
	def test_messages_and_events_come_in_their_order_a_page_at_a_time(self) -> None:
		ticket = self.ticket_of(self.mona)
		for number in range(7):
			self.reply(ticket, f"answer {number}")
		outbox.run(DEVICE)
		latest = self.ask(MONA, "thread", ticket=ticket, limit=5)
		older = self.ask(MONA, "thread", ticket=ticket, limit=5, before=latest["next_before"])
		bodies = [item["body"] for item in [*older["items"], *latest["items"]] if item["kind"] == "message"]
		self.assertEqual(bodies, ["hello", *(f"answer {n}" for n in range(7))])
		self.assertEqual(older["next_before"], "")
		answer = latest["items"][-1]
		self.assertEqual((answer["sender_name"], answer["status"]), ("Mona Adel", "Sent"))
		self.assertTrue(
			any(item["kind"] == "event" and "Mona Adel" in item["text"] for item in older["items"])
		)
		self.assertTrue(latest["ticket"]["rights"]["reply"])
		self.assertNotIn(MONA, json.dumps([latest, older]))

	def test_a_quote_a_reaction_and_what_was_taken_back_are_shown_as_they_are(self) -> None:
		ticket = self.ticket_of(self.mona)
		asked = self.only(records.Message, direction="Incoming")
		actor = Actor(MONA, "Mona Adel", self.mona)
		answers.reply(on_site(), actor, ticket, "yes", "k1", now_ms(), reply_to=asked.message_key)
		answers.react(on_site(), actor, ticket, asked.name, "❤️", "k2", now_ms())
		outbox.run(DEVICE)
		first, *_rest, last = [
			i for i in self.ask(MONA, "thread", ticket=ticket)["items"] if i["kind"] == "message"
		]
		self.assertEqual(first["reactions"], [{"emoji": "❤️", "count": 1, "by": ["me"]}])
		self.assertEqual(last["reply_to"]["body"], "hello")
		frappe.db.set_value("Khalifa Message", asked.name, "is_revoked", 1)
		frappe.db.commit()
		items = self.ask(MONA, "thread", ticket=ticket)["items"]
		self.assertNotIn("hello", json.dumps(items))

	def test_changes_bring_what_is_new_and_what_changed(self) -> None:
		ticket = self.ticket_of(self.mona)
		before = self.ask(MONA, "thread", ticket=ticket)["now_ms"]
		frappe.db.sql("UPDATE `tabKhalifa Message` SET changed_ms = changed_ms - 60000")
		frappe.db.commit()
		message = self.reply(ticket)
		items = self.ask(MONA, "changes", ticket=ticket, after_ms=before)["items"]
		self.assertEqual([item["name"] for item in items if item["kind"] == "message"], [message.name])

	def test_a_foreign_conversation_and_none_are_refused_alike(self) -> None:
		ticket = self.ticket_of(self.mona)
		for method in (
			"thread",
			"changes",
			"customer",
			"typing",
			"templates",
			"add_tag",
			"save_customer_notes",
		):
			foreign = self.as_(ALI).call(API + method, ticket=ticket, tag="x")
			missing = self.as_(ALI).call(API + method, ticket="KT-999999", tag="x")
			self.assertEqual((foreign.status, foreign.said), (missing.status, missing.said), method)
			self.assertIn(foreign.status, (403, 404), method)

	def test_colleagues_see_who_is_writing_and_nobody_sees_himself(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.ask(MONA, "typing", ticket=ticket)
		self.assertEqual(self.ask(HUDA, "thread", ticket=ticket)["typing"], ["Mona Adel"])
		self.assertEqual(self.ask(MONA, "thread", ticket=ticket)["typing"], [])

	def test_a_conversation_says_which_campaign_it_answers_by_its_title_alone(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.ask(MONA, "thread", ticket=ticket)["ticket"]["campaign"], "")
		row = {"doctype": "Khalifa Campaign", "title": "Autumn care", "device": DEVICE, "text_a": "Come by"}
		campaign = frappe.get_doc(row).insert()
		frappe.db.set_value("Khalifa Ticket", ticket, "campaign", campaign.name)
		frappe.db.commit()
		self.assertEqual(self.ask(MONA, "thread", ticket=ticket)["ticket"]["campaign"], "Autumn care")
		self.assertEqual(
			self.as_(MONA).call("frappe.client.get", doctype=campaign.doctype, name=campaign.name).status, 403
		)

	def test_the_customer_s_panel_shows_only_what_its_reader_may_see(self) -> None:
		ticket = self.ticket_of(self.mona)
		panel = self.ask(MONA, "customer", ticket=ticket)
		self.assertEqual((panel["name"], panel["phones"], panel["tickets"]), ("Samy", ["+201001234567"], []))
		self.ask(MONA, "add_tag", ticket=ticket, tag="VIP")
		self.ask(MONA, "save_customer_notes", ticket=ticket, notes="allergic to <b>penicillin</b>")
		panel = self.ask(HUDA, "customer", ticket=ticket)
		self.assertEqual((panel["tags"], panel["notes"]), (["VIP"], "allergic to ‹b›penicillin‹/b›"))
		self.assertEqual(self.ask(MONA, "remove_tag", ticket=ticket, tag="VIP"), {"tags": []})

	def test_a_conversation_is_opened_and_read_by_one_question(self) -> None:
		ticket = self.ticket_of(self.mona)
		opened = self.ask(HUDA, "open_conversation", ticket=ticket, view="all")
		self.assertEqual(
			(opened["row"]["unread_count"], opened["row"]["is_listed"]),
			(1, 1),
			"a manager's look reads nothing",
		)
		opened = self.ask(MONA, "open_conversation", ticket=ticket, is_seen=0)
		self.assertEqual(opened["ticket"]["unread_count"], 1, "not before one's eyes")
		opened = self.ask(MONA, "open_conversation", ticket=ticket)
		self.assertEqual(
			(opened["ticket"]["unread_count"], opened["row"]["unread_count"], opened["counts"]["unread"]),
			(0, 0, 0),
		)
		self.assertEqual((opened["customer"]["name"], opened["ticket"]["rights"]["reply"]), ("Samy", True))
		self.assertEqual([item["body"] for item in opened["items"] if item["kind"] == "message"], ["hello"])
		self.assertEqual(self.ticket(ticket).unread_count, 0)
		for user, name in ((ALI, ticket), (MONA, "KT-999999")):
			self.assertIn(self.as_(user).call(f"{API}open_conversation", ticket=name).status, (403, 404))

	def test_a_quick_reply_with_a_blank_that_nobody_knows_is_not_saved(self) -> None:
		def save(body: str) -> None:
			frappe.get_doc(doctype="Khalifa Reply Template", shortcut="p", body=body, enabled=1).insert()

		self.addCleanup(frappe.db.rollback)
		for body in ("{price} pounds", "{{1}}", "{السعر}"):
			with self.assertRaisesRegex(
				frappe.ValidationError, r"\{customer\}, \{agent\}, \{branch\}, \{ticket\}"
			):
				save(body)
		save("{customer}: {} {+}")

	def test_whoever_can_t_work_yet_learns_what_is_missing_and_others_are_refused(self) -> None:
		self.assertEqual(self.as_(VISITOR).call(f"{API}boot").status, 403)
		frappe.db.set_value("Khalifa Agent", self.ali, "enabled", 0)
		frappe.db.commit()
		self.assertEqual(self.ask(ALI, "boot"), {"missing": {"what": "switched_off", "managers": ["Huda"]}})
		self.assertEqual(self.as_(ALI).call(f"{API}conversations").status, 403)

	def test_quick_replies_are_everybodys_and_ones_own(self) -> None:
		for shortcut, agent in (("all", None), ("mine", self.mona), ("his", self.ali)):
			frappe.get_doc(
				doctype="Khalifa Reply Template", shortcut=shortcut, body="x", agent=agent, enabled=1
			).insert(ignore_permissions=True)
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "Khalifa Reply Template")
		self.assertEqual(
			[(q["shortcut"], q["is_own"]) for q in self.ask(MONA, "quick_replies")],
			[("all", False), ("mine", True)],
		)


class TestFiles(InboxCase):
	def bring(self, user: str, ticket: str, content: bytes, name: str, mime_type: str) -> Any:
		data = {"ticket": ticket, "file": (io.BytesIO(content), name, mime_type)}
		return self.as_(user).send("POST", f"{METHOD}khalifa_whatsapp.api.media.upload", data=data)

	def test_a_file_is_brought_sent_and_shown_to_who_may_see_it(self) -> None:
		ticket = self.ticket_of(self.mona)
		brought = self.bring(MONA, ticket, PNG, "عرض.png", "image/png").message
		self.assertEqual((brought["kind"], brought["mime_type"]), ("image", "image/png"))
		sent = self.as_(MONA).call(
			"khalifa_whatsapp.api.conversation.send_file",
			ticket=ticket,
			file_url=brought["file_url"],
			kind="image",
			client_key="f1",
			caption="هذا",
		)
		self.assertEqual(sent.status, 200, sent.text)
		path = f"{METHOD}khalifa_whatsapp.api.media.download"
		query = {"message": sent.message["message"]}
		shown = self.as_(MONA).send("GET", path, query_string=query)
		self.assertEqual((shown.status, shown.raw), (200, PNG))
		self.assertEqual(shown.headers["X-Content-Type-Options"], "nosniff")
		self.assertIn("sandbox", shown.headers["Content-Security-Policy"])
		self.assertTrue(shown.headers["Content-Disposition"].startswith("inline"))
		self.assertIn(self.as_(ALI).send("GET", path, query_string=query).status, (403, 404))
		self.assertIn(self.bring(ALI, ticket, PNG, "x.png", "image/png").status, (403, 404))

	def test_what_could_run_in_a_browser_is_a_plain_file_whatever_it_is_called(self) -> None:
		ticket = self.ticket_of(self.mona)
		content = b"<svg onload=alert(1)><script>alert(1)</script>"
		for name, mime_type in (("x.png", "image/png"), ("x.html", "text/html"), ("x.svg", "image/svg+xml")):
			is_brought = self.bring(MONA, ticket, content, name, mime_type).status == 200
			self.assertEqual(
				is_brought, name == "x.png", "pages are not sent to customers, who may well send them"
			)
			with working(on_site(), now_ms()) as work:
				message = next(m for m in self.all(records.Message))
				message.file_url = keep(content, name, records.Message.DOCTYPE, message.name).file_url
				message.mime_type = mime_type
				work.touch(message)
			shown = self.as_(MONA).send(
				"GET", f"{METHOD}khalifa_whatsapp.api.media.download", query_string={"message": message.name}
			)
			self.assertEqual((shown.status, shown.raw), (200, content))
			self.assertIn("sandbox", shown.headers["Content-Security-Policy"])
			self.assertNotIn(shown.headers["Content-Type"], ("text/html", "image/svg+xml"))
			self.assertTrue(
				name == "x.png" or shown.headers["Content-Disposition"].startswith("attachment"), name
			)

	def test_an_empty_or_too_large_file_is_refused(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.bring(MONA, ticket, b"", "x.png", "image/png").status, 417)
		self.assertEqual(self.bring(MONA, ticket, bytes(17 * 1024 * 1024), "x.png", "image/png").status, 417)
