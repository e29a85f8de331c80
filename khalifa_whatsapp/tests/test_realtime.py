"""Who is told of what: people's own rooms, after the commit, and never what customers wrote."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.guards import AGENT_ROLE, MANAGER_ROLE
from khalifa_whatsapp.jobs import close_all, intake
from khalifa_whatsapp.services.inbound import handlers
from khalifa_whatsapp.stores.base import Conflict
from khalifa_whatsapp.stores.site_notices import ROOM_OF_MANAGERS
from khalifa_whatsapp.stores.site_store import SiteStore
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA, kill_own_connection
from khalifa_whatsapp.tests.desk import DeskCase


class TestWhoIsNotified(DeskCase):
	def setUp(self) -> None:
		super().setUp()
		self.published: list[tuple[str, dict[str, Any], str | None]] = []
		self.moved: list[str] = []
		self.replace("frappe.publish_realtime", self.receive)

	def receive(self, event: str, message: dict[str, Any] | None = None, **more: Any) -> None:
		if not event.startswith("khalifa_whatsapp:"):
			return
		self.assertTrue(more.get("after_commit"), event)
		if event == "khalifa_whatsapp:queue":
			self.assertEqual((message, len(more)), ({}, 2), "to all, and nothing at all")
			self.moved.append(more.get("room") or more["user"])
			return
		self.assertLessEqual(set(more), {"user", "after_commit"}, "only to a person's own room")
		self.published.append((event, message or {}, more.get("user")))

	def test_only_the_holder_and_managers_are_notified_of_a_ticket_and_never_its_words(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.write(body="private words of the customer")
		self.reply(MONA, ticket, "private words of the agent")
		self.done(MONA, "note", ticket=ticket, body="private note")
		self.done(MONA, "close", ticket=ticket)
		published = self.published
		self.assertTrue(published)
		self.assertEqual({user for _, _, user in published}, {MONA, HUDA})
		self.assertNotIn("private", str(published))
		self.assertNotIn("+2010", str(published))
		self.assertNotIn("Samy", str(published))

	def test_a_transfer_is_published_to_its_receiver(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.online(self.ali)
		del self.published[:]
		self.done(MONA, "transfer", ticket=ticket, to_agent=self.ali, reason="r")
		self.assertIn(
			("khalifa_whatsapp:ticket", {"ticket": ticket, "event": "transferred"}, ALI), self.published
		)

	def test_that_the_queue_moved_is_published_to_agents_in_their_own_rooms_and_to_the_room_of_managers(
		self,
	) -> None:
		self.write()
		self.assertEqual(sorted(self.moved), sorted([ROOM_OF_MANAGERS, MONA, ALI]), "each once")

	def dismiss(self, way: str) -> None:
		"""Mona may not work any more."""
		if way == "role":
			frappe.db.delete("Has Role", {"parent": MONA, "role": AGENT_ROLE})
		else:
			frappe.db.set_value(
				*(("User", MONA) if way == "user" else ("Khalifa Agent", self.mona)), "enabled", 0
			)
		frappe.db.commit()
		frappe.clear_cache(user=MONA)

	def take_back(self) -> None:
		frappe.db.set_value("User", MONA, "enabled", 1)
		frappe.db.set_value("Khalifa Agent", self.mona, "enabled", 1)
		frappe.get_doc("User", MONA).add_roles(AGENT_ROLE)
		frappe.db.commit()
		frappe.clear_cache(user=MONA)

	def test_an_agent_who_may_not_work_is_notified_of_nothing(self) -> None:
		"""Neither of the queue nor of what was hers: her pages may be open still."""
		self.addCleanup(self.take_back)
		for number, way in enumerate(("agent", "user", "role")):
			ticket = self.ticket_of(self.mona, f"+20100200300{number}")
			self.dismiss(way)
			del self.moved[:], self.published[:]
			self.write()
			self.done(HUDA, "close", ticket=ticket)
			self.write(f"+20100200301{number}")
			self.assertEqual(set(self.moved), {ROOM_OF_MANAGERS, ALI}, way)
			self.assertTrue(self.published)
			self.assertNotIn(MONA, {user for _, _, user in self.published}, way)
			self.take_back()

	def test_a_manager_who_is_no_agent_any_more_is_notified_as_a_manager(self) -> None:
		self.addCleanup(self.take_back)
		self.addCleanup(frappe.db.delete, "Has Role", {"parent": MONA, "role": MANAGER_ROLE})
		ticket = self.ticket_of(self.mona)
		frappe.get_doc("User", MONA).add_roles(MANAGER_ROLE)
		self.dismiss("agent")
		del self.published[:]
		self.done(HUDA, "close", ticket=ticket)
		self.assertIn(MONA, {user for _, _, user in self.published})

	def test_progress_of_close_all_is_published_to_whoever_asked(self) -> None:
		self.write()
		batch = self.done(HUDA, "close_all_start", reason="r")["name"]
		del self.published[:]
		close_all.run(batch=batch)
		progress = [row for row in self.published if row[0] == "khalifa_whatsapp:close_all"]
		self.assertEqual(
			[(user, data["status"], data["closed"]) for _, data, user in progress], [(HUDA, "Done", 1)]
		)

	def test_a_refused_answer_is_published_to_nobody(self) -> None:
		ticket = self.ticket_of(self.mona)
		del self.published[:]
		self.refused(403, "not_your_ticket", ALI, "reply", ticket=ticket, body="x", client_key="k")
		self.assertEqual(self.published, [])


class TestWhoSeesSomebodyWrite(DeskCase):
	def setUp(self) -> None:
		super().setUp()
		self.published: list[tuple[str, dict[str, Any]]] = []
		self.replace("frappe.publish_realtime", self.receive)

	def receive(self, event: str, message: dict[str, Any] | None = None, user: str = "", **more: Any) -> None:
		if event == "khalifa_whatsapp:typing":
			self.assertFalse(more, "to a person's own room, at once")
			self.published.append((user, message or {}))

	def writes(self, user: str, ticket: str) -> dict[str, list[dict[str, Any]]]:
		"""What each room is told when this person writes there."""
		del self.published[:]
		self.assertEqual(self.as_(user).call("khalifa_whatsapp.api.inbox.typing", ticket=ticket).status, 200)
		return {room: [data for user, data in self.published if user == room] for room, _ in self.published}

	def test_a_held_ticket_s_holder_and_managers_see_the_real_name_and_nothing_else(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.online(self.ali)
		said = {"ticket": ticket, "name": "Mona Adel", "seconds": 8}
		self.assertEqual(self.writes(MONA, ticket), {HUDA: [said]})
		self.assertEqual(self.writes(HUDA, ticket), {MONA: [{**said, "name": "Huda"}]})

	def test_a_holder_who_may_not_work_any_more_sees_nobody_write(self) -> None:
		ticket = self.ticket_of(self.mona)
		frappe.db.delete("Has Role", {"parent": MONA, "role": AGENT_ROLE})
		frappe.db.commit()
		self.addCleanup(lambda: (frappe.get_doc("User", MONA).add_roles(AGENT_ROLE), frappe.db.commit()))
		self.assertEqual(self.writes(HUDA, ticket), {})

	def test_whoever_handed_the_ticket_on_sees_nobody_write_there_any_more(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.online(self.ali)
		self.done(MONA, "transfer", ticket=ticket, to_agent=self.ali, reason="r")
		self.assertEqual(set(self.writes(HUDA, ticket)), {ALI})

	def test_in_the_queue_it_is_seen_by_those_who_are_there_and_may_take_the_ticket(self) -> None:
		ticket = self.write()
		self.assertEqual(self.writes(HUDA, ticket), {})
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET presence = 'Online'")
		frappe.db.commit()
		self.assertEqual(set(self.writes(MONA, ticket)), {ALI, HUDA})
		frappe.db.set_value("Khalifa Ticket", ticket, {"is_branch_only": 1, "branch": self.south})
		frappe.db.commit()
		self.assertEqual(set(self.writes(HUDA, ticket)), {ALI})

	def test_a_refused_sign_is_seen_by_nobody(self) -> None:
		ticket = self.ticket_of(self.mona)
		del self.published[:]
		self.assertEqual(self.as_(ALI).call("khalifa_whatsapp.api.inbox.typing", ticket=ticket).status, 403)
		self.assertEqual(self.published, [])


class TestNoNoticeOfWhatWasUndone(DeskCase):
	"""Through Frappe's own realtime, down to what goes out."""

	def test_a_change_that_was_rolled_back_is_published_to_nobody_later_either(self) -> None:
		sent: list[tuple[Any, ...]] = []
		self.replace("frappe.realtime.emit_via_redis", lambda *what: sent.append(what))
		ticket = self.write()
		del sent[:]
		really, tries = SiteStore.save, []

		def fail_after_publishing(store: SiteStore, changes: Any) -> None:
			really(store, changes)
			tries.append(1)
			if len(tries) == 1:
				raise Conflict("deadlock")

		self.online(self.mona)
		self.assertTrue(any("assigned" in str(what) for what in sent))
		del sent[:]
		with patch.object(SiteStore, "save", fail_after_publishing):
			self.assertEqual(self.reply(MONA, ticket).status, 200)
		answered = [what for what in sent if "answered" in str(what)]
		self.assertEqual(len(tries), 2)
		self.assertEqual(len(answered), len({str(what) for what in answered}))
		self.assertEqual({what[2] for what in answered}, {f"user:{MONA}", f"user:{HUDA}"})

	def test_a_connection_that_dies_before_the_commit_mutes_its_own_notices_and_no_later_ones(self) -> None:
		sent: list[tuple[Any, ...]] = []
		self.replace("frappe.realtime.emit_via_redis", lambda *what: sent.append(what))
		really = handlers.apply

		def die(batch: Any, pairs: Any) -> None:
			really(batch, pairs)
			batch.work.finish()
			kill_own_connection()

		self.deliver(message_item("+201001234567", "hello", "in-1", now_ms()))
		with patch.object(handlers, "apply", die):
			self.assertEqual(intake.run(DEVICE), {})
		self.assertEqual(sent, [])
		frappe.connect()
		intake.run(DEVICE)
		rooms = {f"user:{user}" for user in (HUDA, MONA, ALI)} | {ROOM_OF_MANAGERS}
		self.assertEqual({what[2] for what in sent if "khalifa" in what[0]}, rooms)
