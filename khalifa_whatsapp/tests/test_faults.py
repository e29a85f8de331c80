"""What goes wrong under the jobs, and what must be right nevertheless."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any
from unittest.mock import patch

import frappe
import pymysql

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import intake, outbox
from khalifa_whatsapp.services.inbound import handlers
from khalifa_whatsapp.services.inbound.drain import drain
from khalifa_whatsapp.services.tickets import presence
from khalifa_whatsapp.services.unit_of_work import retrying, working
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable
from khalifa_whatsapp.stores.site_store import SiteStore
from khalifa_whatsapp.tests.case import (
	DEVICE,
	MONA,
	another_connection,
	held_elsewhere,
	kill_own_connection,
	settings,
)
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.worker import JobCase


class TestThingsThatGoWrong(JobCase):
	def test_a_deadlock_is_met_by_doing_it_again(self) -> None:
		self.post()
		really, tries = SiteStore._write, []

		def deadlock_first(store: SiteStore, *given: Any, **more: Any) -> None:
			tries.append(1)
			if len(tries) == 3:
				raise_from_the_database(frappe.QueryDeadlockError)
			really(store, *given, **more)

		before = frappe.db.count("Error Log")
		with patch.object(SiteStore, "_write", deadlock_first):
			self.assertEqual(intake.run(DEVICE)["webhook_events"], 1)
		self.effects(1)
		self.assertEqual(frappe.db.count("Error Log"), before)

	def test_every_hindrance_of_the_database_is_a_conflict_and_nothing_is_stored(self) -> None:
		for kind in (frappe.QueryDeadlockError, frappe.QueryTimeoutError, frappe.DuplicateEntryError):
			with self.assertRaises(Conflict), working(on_site(), now_ms()) as work:
				work.add(records.Customer("c"))
				work.finish()
				raise_from_the_database(kind)
			self.assertEqual(self.all(records.Customer), [])

	def test_a_real_deadlock_is_met_too(self) -> None:
		one, two = (records.Customer(name, customer_name="x") for name in ("c1", "c2"))
		with working(on_site(), now_ms()) as work:
			work.add(one), work.add(two)
		tries: list[int] = []
		with another_connection() as theirs:

			def use_case() -> None:
				tries.append(1)
				with working(on_site(), now_ms()) as work:
					held = work.store.customers(["c1"])["c1"]
					if len(tries) == 1:
						theirs.sql("UPDATE `tabKhalifa Customer` SET notes = 'a' WHERE name = 'c2'")
						theirs.sql("UPDATE `tabKhalifa Customer` SET notes = 'a' WHERE name LIKE 'x%'")
						their_turn.start()
					work.store.customers(["c2"])
					held.customer_name = "changed"
					work.touch(held)

			their_turn = threading.Thread(target=lambda: locks(theirs))
			retrying(use_case)
			their_turn.join()
		self.assertEqual(len(tries), 2)
		self.assertEqual(self.only(records.Customer, name="c1").customer_name, "changed")

	def test_a_duplicate_key_is_a_conflict_that_the_next_try_resolves(self) -> None:
		"""Two workers meet one new customer: the second finds the first one's when it tries again."""
		first = self.write("+201001200001")
		self.post(1)
		really, tries = SiteStore.identities, []

		def too_early(store: SiteStore, keys: Any) -> Any:
			tries.append(1)
			return {} if len(tries) == 1 else really(store, keys)

		with patch.object(SiteStore, "identities", too_early):
			self.assertEqual(intake.run(DEVICE)["messages"], 1)
		self.assertEqual(len(tries), 2)
		self.only(records.Customer)
		self.assertEqual({message.ticket for message in self.all(records.Message)}, {first})

	def test_a_killed_connection_ends_the_job_and_the_next_one_finishes_without_a_double(self) -> None:
		self.post(5)
		settings(drain_batch=2)
		really = handlers.apply
		seen: list[int] = []

		def die_in_the_second(batch: Any, pairs: Any) -> None:
			seen.append(len(pairs))
			really(batch, pairs)
			if len(seen) == 2:
				kill_own_connection()

		with patch.object(handlers, "apply", die_in_the_second):
			self.assertEqual(intake.run(DEVICE), {})
		frappe.connect()  # the next job's process has its own
		self.assertEqual([event.status for event in self.events()], ["Done", "Done", "New", "New", "New"])
		intake.run(DEVICE)
		self.effects(5)
		settings(drain_batch=100)

	def test_a_connection_that_died_between_two_use_cases_is_opened_again_for_the_same_user(self) -> None:
		store = on_site()
		store.rules()
		with signed_in(MONA):
			kill_own_connection()
			with working(store, now_ms()) as work:
				work.add(records.Customer("c1"))
			self.assertEqual(frappe.session.user, MONA)
		self.only(records.Customer, name="c1")

	def test_a_dead_connection_is_an_outage_wherever_it_shows(self) -> None:
		for act in (
			lambda store: store.rules(),
			lambda store: store.lock("x").__enter__(),
			lambda store: store.devices_with_due_webhook_events(0),
		):
			kill_own_connection()
			self.assertRaises(StoreUnavailable, act, on_site())
			frappe.connect()

	def test_the_lock_is_free_as_soon_as_its_holder_has_died(self) -> None:
		self.post()
		with held_elsewhere(f"in:{DEVICE}"):
			self.assertTrue(drain(on_site(), self.driver(), now_ms).is_busy)
		self.assertEqual(intake.run(DEVICE)["webhook_events"], 1)


class TestTwoAtOnce(JobCase):
	def test_what_a_manager_edits_meanwhile_stays(self) -> None:
		with working(on_site(), now_ms()) as work:
			mona = work.store.agent(self.mona)
			with another_connection() as theirs:
				theirs.sql(
					"UPDATE `tabKhalifa Agent` SET capacity = 9, enabled = 0 WHERE name = %s", (self.mona,)
				)
				theirs.commit()
			mona.last_assigned_ms = 5
			work.touch(mona)
		mona = self.only(records.Agent, name=self.mona)
		self.assertEqual((mona.capacity, mona.enabled, mona.last_assigned_ms), (9, 0, 5))

	def test_a_heartbeat_brings_no_agent_back_who_left_in_that_instant(self) -> None:
		self.online(self.mona)
		store = on_site()
		really = store.rules

		def leave() -> Any:
			answer = really()
			frappe.db.sql("SELECT 1 FROM `tabKhalifa Customer`")
			with another_connection() as theirs:
				theirs.sql("UPDATE `tabKhalifa Agent` SET presence = 'Offline' WHERE name = %s", (self.mona,))
				theirs.commit()
			return answer

		with patch.object(store, "rules", leave):
			presence.heartbeat(store, self.mona, now_ms())
		self.assertEqual(self.only(records.Agent, name=self.mona).presence, records.OFFLINE)

	def test_of_two_drains_of_one_device_the_second_leaves(self) -> None:
		self.post(3)
		self.reply(self.ticket_of(self.mona))
		for kind, name in ((intake, "in"), (outbox, "out")):
			with held_elsewhere(f"{name}:{DEVICE}"):
				self.assertEqual(set(kind.run(DEVICE).values()) - {0}, set())
		self.assertEqual(self.driver().sent, [])

	def test_four_processes_that_drain_at_once_do_everything_once(self) -> None:
		self.post(40)
		settings(drain_batch=3)
		run = f"import frappe; frappe.init({frappe.local.site!r}); frappe.connect()\n"
		run += f"from khalifa_whatsapp.jobs import intake\nprint(intake.run({DEVICE!r}))"
		workers = [
			subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
			for _ in range(4)
		]
		for worker in workers:
			_, said = worker.communicate(timeout=120)
			self.assertEqual(worker.returncode, 0, said)
		intake.run(DEVICE)
		self.effects(40)
		settings(drain_batch=100)


def locks(theirs: Any) -> None:
	"""The other half of a deadlock: it holds c2 and now wants c1."""
	try:
		theirs._cursor.execute("UPDATE `tabKhalifa Customer` SET notes = 'b' WHERE name = 'c1'")
		theirs._conn.commit()
	except pymysql.err.OperationalError:  # the database chose this one
		theirs._conn.rollback()


def raise_from_the_database(kind: type[Exception]) -> None:
	raise kind("from the database")
