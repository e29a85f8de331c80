"""Patches: each does its work once, and nothing the second time."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.patches import (
	fill_deadlines,
	fill_message_search_text,
	fill_objection_times,
	fill_search_of_details,
	log_consent_of_before,
)
from khalifa_whatsapp.tests.case import MINUTE, SiteCase
from khalifa_whatsapp.tests.records import insert, insert_incoming


class TestPatches(SiteCase):
	def test_old_messages_are_found_by_search(self) -> None:
		bodies = {"M-1": "عِنْدَكُم أسبرين؟", "M-2": "", "M-3": "✓", "M-4": "kept"}
		for name, body in bodies.items():
			text = "another form" if name == "M-4" else None
			insert_incoming(name, body=body, search_text=text)
		frappe.db.commit()
		self.replace("khalifa_whatsapp.patches.fill_message_search_text.CHUNK", 1)
		for _run in range(2):
			fill_message_search_text.execute()
			search_texts = dict(frappe.db.sql("select name, search_text from `tabKhalifa Message`"))
			self.assertEqual(
				search_texts, {"M-1": "عندكم اسبرين؟", "M-2": None, "M-3": "✓", "M-4": "another form"}
			)

	def test_what_old_messages_say_outside_their_text_is_found_by_search(self) -> None:
		ad = '{"referral": {"headline": "عرض الصيف"}}'
		rows = {
			"M-1": {"content_type": "text", "body": "بكام؟", "data": ad, "search_text": "بكام؟"},
			"M-2": {"content_type": "document", "file_name": "روشتة.pdf"},
			"M-3": {"content_type": "text", "body": "kept", "search_text": "another form"},
			"M-4": {"content_type": "document", "file_name": "secret.pdf", "is_revoked": 1},
		}
		for name, more in rows.items():
			insert_incoming(name, **more)
		frappe.db.commit()
		self.replace("khalifa_whatsapp.patches.fill_search_of_details.CHUNK", 1)
		for _run in range(2):
			fill_search_of_details.execute()
			search_texts = dict(frappe.db.sql("select name, search_text from `tabKhalifa Message`"))
			self.assertEqual(
				search_texts,
				{"M-1": "بكام؟ عرض الصيف", "M-2": "روشته.pdf", "M-3": "another form", "M-4": None},
			)

	def test_objections_of_before_get_the_moment_that_people_read(self) -> None:
		at_ms = now_ms()
		for name in ("D-1", "D-2", "D-3"):
			insert(records.DelayEvent(name, name.ljust(64, "x"), "Agent", "KT-1", "T-1", at_ms))
		frappe.db.set_value(
			"Khalifa Delay Event", "D-1", {"objected_ms": at_ms, "decided_ms": at_ms + 60_000}
		)
		frappe.db.set_value(
			"Khalifa Delay Event", "D-2", {"objected_ms": at_ms, "objected_on": "2020-01-01 10:00:00"}
		)
		frappe.db.commit()
		for _run in range(2):
			fill_objection_times.execute()
			rows = frappe.db.sql("select objected_on, decided_on from `tabKhalifa Delay Event` order by name")
			objected, decided = rows[0]
			self.assertEqual((decided - objected).total_seconds(), 60)
			self.assertLess(abs((frappe.utils.now_datetime() - objected).total_seconds()), 60)
			self.assertEqual(
				[[str(at or "") for at in row] for row in rows[1:]], [["2020-01-01 10:00:00", ""], ["", ""]]
			)

	def test_wishes_of_before_are_logged_and_stay_as_they_are(self) -> None:
		at_ms = now_ms() - MINUTE
		insert(records.Customer("C-1", is_opted_out=1, opted_out_ms=at_ms, created_ms=at_ms))
		insert(records.Customer("C-2", is_opted_out=1, created_ms=at_ms))
		insert(records.Customer("C-3", opted_out_ms=at_ms, created_ms=at_ms))
		insert(records.Customer("C-4", created_ms=at_ms))
		frappe.db.commit()
		for _run in range(2):
			log_consent_of_before.execute()
			wishes = {one.customer: (one.wish, one.source) for one in self.all(records.ConsentEvent)}
			before = "Before the Log"
			self.assertEqual(
				wishes, {"C-1": ("Stopped", before), "C-2": ("Stopped", before), "C-3": ("Resumed", before)}
			)
			self.assertEqual(len(self.all(records.ConsentEvent)), 3)
		states = {one.name: one.is_opted_out for one in self.all(records.Customer)}
		self.assertEqual(states, {"C-1": 1, "C-2": 1, "C-3": 0, "C-4": 0})

	def test_waits_that_were_open_get_their_deadlines(self) -> None:
		since, looked = now_ms() - 20 * MINUTE, now_ms() + 10 * MINUTE
		for name, agent in (("KT-1", self.mona), ("KT-2", None)):
			insert(records.Turn(f"T-{name}", name, "C-1", "Loop", None, 1, since, since))
			insert(records.Segment(f"S-{name}", f"T-{name}", name, agent, None, since))
			insert(
				records.Ticket(
					name,
					"C-1",
					"Loop",
					records.OPEN if agent else records.QUEUED,
					name.ljust(64, "x"),
					agent=agent,
					turn=f"T-{name}",
					segment=f"S-{name}",
					waiting_since_ms=since,
					response_by_ms=looked,
				)
			)
		insert(records.Ticket("KT-3", "C-1", "Loop", records.CLOSED, closed_ms=since, response_by_ms=looked))
		frappe.db.commit()
		index = list(fill_deadlines.OLD_INDEX)
		frappe.db.add_index("Khalifa Ticket", index)
		due = since + 15 * MINUTE
		for _run in range(2):
			fill_deadlines.execute()
			moments = {
				t.name: (t.customer_due_by_ms, t.response_by_ms, t.due_by_ms)
				for t in self.all(records.Ticket)
			}
			self.assertEqual(
				moments, {"KT-1": (due, due, due), "KT-2": (due, None, due), "KT-3": (None, None, None)}
			)
			self.assertEqual(
				frappe.db.sql(
					"show index from `tabKhalifa Ticket` where Key_name = %s",
					(frappe.db.get_index_name(index),),
				),
				(),
			)
		self.assertIsNotNone(self.ticket("KT-1").next_check_ms)
		self.assertIsNotNone(frappe.db.get_value("Khalifa Ticket", "KT-1", "customer_due_by"))
