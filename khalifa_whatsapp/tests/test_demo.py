"""The demonstration comes, tells its story, and goes without a trace;
what was on the site stays as it was.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.demo import company, fill, site
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.tests.case import DEVICE, SiteCase, leave_clean

SMALL = site.Order(tickets=40, days=3, seed=4)
# Frappe's own records of what anybody does
LOGS = frozenset(
	{"tabError Log", "tabScheduled Job Log", "tabActivity Log", "tabAccess Log", "tabRoute History"}
)


class DemoCase(SiteCase):
	"""`rows` is everything in the database: a demonstration that goes must leave it as it was."""

	def setUp(self) -> None:
		super().setUp()
		# another test's device had the same name
		frappe.db.delete("Version", {"ref_doctype": "WhatsApp Device"})
		frappe.db.commit()
		self.addCleanup(site.remove)

	def empty(self) -> None:
		"""A site on which nobody works yet."""
		leave_clean()
		self.addCleanup(type(self).setUpClass)

	def rows(self) -> dict[str, int]:
		frappe.db.rollback()
		tables = [row[0] for row in frappe.db.sql("show tables")]
		return {
			name: frappe.db.sql(f"select count(*) from `{name}`")[0][0] for name in tables if name not in LOGS
		}

	def of_demo(self, doctype: str, *fields: str) -> list[Any]:
		return frappe.get_all(doctype, {"device": company.DEVICE}, list(fields), limit=0)


class TestOnAnEmptySite(DemoCase):
	def setUp(self) -> None:
		super().setUp()
		self.empty()

	def test_it_comes_shows_its_story_and_goes_without_a_trace(self) -> None:
		before = self.rows()
		counts = site.build(SMALL)
		self.assertEqual(counts["Khalifa Ticket"], SMALL.tickets)
		self.check_people()
		self.check_story()
		self.check_figures()
		self.assertEqual(site.build(SMALL), {}, "it is there already")
		self.assertEqual(site.remove(), {})
		after = self.rows()
		self.assertEqual(
			{name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name)}, {}
		)

	def check_people(self) -> None:
		self.assertEqual(frappe.db.count("Khalifa Branch"), 15)
		agents = frappe.get_all("Khalifa Agent", ["user", "employee_name", "branch"])
		self.assertEqual(len({agent.branch for agent in agents}), 15)
		for agent in agents:
			self.assertTrue(agent.user.endswith(company.DOMAIN))
			self.assertFalse(
				frappe.db.exists("__Auth", {"doctype": "User", "name": agent.user}), "a password"
			)
		self.assertEqual(frappe.get_all("WhatsApp Device", pluck="provider"), ["loopback"])

	def check_story(self) -> None:
		status = Counter(row.status for row in self.of_demo("Khalifa Ticket", "status"))
		self.assertGreater(status[records.CLOSED], 20)
		self.assertGreater(status[records.OPEN], 0)
		self.assertGreater(status[records.QUEUED], 0)
		kinds = {row.content_type for row in self.of_demo("Khalifa Message", "content_type")}
		self.assertLessEqual({"text", "image"}, kinds)
		events = set(frappe.get_all("Khalifa Ticket Event", pluck="event", distinct=True))
		self.assertLessEqual({"created", "assigned", "transferred", "closed", "no_reply_needed"}, events)
		self.assertGreater(frappe.db.count("Khalifa Delay Event", {"closed_ms": 0}), 0)
		waiting = [
			row.status
			for row in self.of_demo("Khalifa Message", "status")
			if row.status in ("Queued", "Sending")
		]
		self.assertEqual(waiting, [], "nothing is left to be sent")

	def check_figures(self) -> None:
		"""What the rollup wrote is what it writes when it is run again."""
		fields = ["kpi_key", "tickets_handled", "turns_answered", "delays", "response_sum", "score"]

		def figures() -> list[Any]:
			return frappe.get_all("Khalifa Agent KPI", fields=fields, order_by="kpi_key", as_list=True)

		before = figures()
		self.assertGreater(len(before), 15)
		for day in frappe.get_all("Khalifa KPI Day", pluck="kpi_date"):
			kpi.rollup_day(on_site(), day, now_ms())
		frappe.db.rollback()
		self.assertEqual(figures(), before)

	def test_the_same_seed_gives_the_same_story(self) -> None:
		moment = now_ms()
		with patch("khalifa_whatsapp.demo.site.now_ms", lambda: moment):
			stories = [self.story(seed) for seed in (4, 4, 5)]
		self.assertEqual(stories[0], stories[1])
		self.assertNotEqual(stories[0], stories[2])

	def story(self, seed: int) -> list[Any]:
		site.build(site.Order(30, 2, seed))
		said = [
			(row.sent_ms, row.sender_name, row.body)
			for row in self.of_demo("Khalifa Message", "sent_ms", "sender_name", "body")
		]
		site.remove()
		return sorted(said, key=str)

	def test_a_run_that_is_interrupted_is_taken_away_by_the_next(self) -> None:
		with patch.object(fill, "_write_desk_texts", side_effect=KeyboardInterrupt):
			self.assertRaises(KeyboardInterrupt, site.build, SMALL)
		frappe.db.rollback()
		self.assertEqual(self.of_demo("Khalifa Ticket", "name"), [])
		self.assertFalse(site.is_complete())
		self.assertEqual(site.build(SMALL)["Khalifa Ticket"], SMALL.tickets)
		self.assertEqual(frappe.db.count("Khalifa Agent"), 15)


class TestOnASiteWhereOthersWork(DemoCase):
	def test_it_is_refused(self) -> None:
		before = self.rows()
		self.assertRaises(site.DemoRefused, site.build, SMALL)
		self.assertEqual(self.rows(), before)

	def test_a_device_or_a_branch_of_its_name_is_never_taken_for_its_own(self) -> None:
		frappe.get_doc(
			{"doctype": "WhatsApp Device", "device_name": company.DEVICE, "provider": "loopback"}
		).insert()
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "WhatsApp Device", {"name": company.DEVICE})
		self.assertRaises(site.DemoRefused, site.build, site.Order(20, 2, 1, is_forced=True))
		site.remove()
		self.assertTrue(frappe.db.exists("WhatsApp Device", company.DEVICE))

	def test_forced_it_keeps_out_of_their_way_and_leaves_their_rows_alone(self) -> None:
		ticket = self.ticket_of(self.mona)
		kpi.rollup_dirty(on_site(), now_ms())
		before, own = self.rows(), self.state()
		site.build(site.Order(40, 3, 4, is_forced=True))
		self.assertEqual({row.status for row in self.of_demo("Khalifa Ticket", "status")}, {records.CLOSED})
		people = {"user": ("like", f"%@{company.DOMAIN}")}
		seen = set(frappe.get_all("Khalifa Agent", people, ["enabled", "presence"], as_list=True))
		self.assertEqual(
			seen, {(1, records.OFFLINE)}, "one can sign in as any of them, and none takes their conversations"
		)
		self.assertEqual(self.state(), own)
		site.remove()
		self.assertEqual(self.state(), own)
		after = self.rows()
		changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
		self.assertEqual(set(changed) - {"tabKhalifa KPI Day"}, set())
		self.assertEqual(self.ticket(ticket).agent, self.mona)

	def test_it_has_quick_replies_and_leaves_those_of_the_company_alone(self) -> None:
		first = company.QUICK_REPLIES[0][0]
		own = frappe.get_doc(doctype="Khalifa Reply Template", shortcut=first, body="ours").insert()
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "Khalifa Reply Template", own.name)
		site.build(site.Order(20, 2, 4, is_forced=True))
		added = frappe.get_all("Khalifa Reply Template", {"owner": company.OWNER}, pluck="shortcut")
		self.assertEqual(set(added), {shortcut for shortcut, *_ in company.QUICK_REPLIES} - {first})
		site.remove()
		self.assertEqual(frappe.get_all("Khalifa Reply Template", pluck="name"), [own.name])

	def test_who_holds_a_ticket_of_others_stays_and_works_no_more(self) -> None:
		site.build(site.Order(20, 2, 4, is_forced=True))
		agent = frappe.db.get_value("Khalifa Agent", {"user": ("like", f"%@{company.DOMAIN}")})
		ticket = self.write()
		frappe.db.set_value("Khalifa Ticket", ticket, "agent", agent)
		frappe.db.commit()
		kept = site.remove()
		self.assertEqual(kept["Khalifa Agent"], [agent])
		self.assertEqual(frappe.db.get_value("Khalifa Agent", agent, "enabled"), 0)
		self.assertEqual(self.ticket(ticket).agent, agent)
		frappe.db.set_value("Khalifa Ticket", ticket, "agent", None)
		frappe.db.commit()
		self.assertEqual(site.remove(), {})

	def state(self) -> Any:
		"""The rows of those who work here."""
		frappe.db.rollback()
		kinds = (records.Ticket, records.Message, records.TicketEvent, records.Turn, records.Segment)
		own = {row.name for row in on_site()._read(records.Ticket, "1 = 1", ()) if row.device == DEVICE}
		return [
			row
			for kind in kinds
			for row in on_site()._read(kind, "1 = 1", (), "ORDER BY name")
			if getattr(row, "ticket", row.name) in own
		]


class TestNothingIsSent(DemoCase):
	def test_no_gateway_is_asked_and_no_job_is_left(self) -> None:
		with patch("requests.sessions.Session.request", side_effect=AssertionError("the network was used")):
			site.build(site.Order(20, 2, 4, is_forced=True))
		self.assertEqual([given for method, given in self.enqueued if "khalifa" in method], [])
