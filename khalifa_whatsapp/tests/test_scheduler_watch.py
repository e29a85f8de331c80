"""A change of the site's zone puts the last run of jobs into the future, and nothing says so:
the app puts its own right.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from unittest.mock import patch

import frappe
import redis
from frappe.utils import now_datetime

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.jobs import minute_mark, scheduler_watch
from khalifa_whatsapp.tests.case import HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.test_broken_devices import HEALTH, HEARTBEAT, BrokenCase
from khalifa_whatsapp.tests.web import Caller


class TestScheduler(BrokenCase):
	"""A change of zone puts the last run of jobs into the future."""

	def setUp(self) -> None:
		super().setUp()
		self.later = now_datetime() + timedelta(hours=3)
		self.ours = frappe.get_all(
			"Scheduled Job Type", {"method": ("like", "khalifa_whatsapp.%")}, pluck="name"
		)
		self.theirs = frappe.get_all(
			"Scheduled Job Type", {"name": ("not in", self.ours)}, pluck="name", limit=1
		)
		self.assertEqual(len(self.ours), 3)
		for name in (*self.ours, *self.theirs):
			frappe.db.set_value(
				"Scheduled Job Type", name, "last_execution", self.later, update_modified=False
			)
		self.mark(10 * MINUTE)

	def mark(self, age_ms: int) -> None:
		minute_mark.write(now_ms() - age_ms)
		frappe.db.commit()
		with contextlib.suppress(redis.exceptions.RedisError):
			frappe.cache.delete(frappe.cache.make_key("khalifa_scheduler_look"))

	def times(self) -> list[datetime]:
		frappe.db.rollback()
		return [frappe.db.get_value("Scheduled Job Type", name, "last_execution") for name in self.ours]

	def is_mended(self) -> bool:
		frappe.db.rollback()
		job = frappe.get_doc("Scheduled Job Type", {"method": "khalifa_whatsapp.jobs.minute.run"})
		is_due = job.is_event_due(now_datetime() + timedelta(minutes=1))
		theirs = frappe.db.get_value("Scheduled Job Type", self.theirs[0], "last_execution")
		self.assertEqual(
			theirs.replace(microsecond=0), self.later.replace(microsecond=0), "nobody else's is touched"
		)
		return is_due and max(self.times()) <= now_datetime()

	def test_an_open_inbox_mends_it(self) -> None:
		self.assertFalse(self.is_mended())
		self.assertEqual(self.as_(MONA).call(HEARTBEAT).status, 200)
		self.assertTrue(self.is_mended())

	def test_so_does_the_health_check_and_the_workspace(self) -> None:
		Caller().read(HEALTH)
		self.assertTrue(self.is_mended())
		self.setUp()
		card = self.as_(HUDA).call("khalifa_whatsapp.api.cards.last_minute_job")
		self.assertEqual(card.message["value"], 10)
		self.assertTrue(self.is_mended())

	def test_nothing_is_looked_at_while_the_minute_job_comes(self) -> None:
		self.mark(MINUTE)
		self.as_(MONA).call(HEARTBEAT)
		self.assertFalse(self.is_mended())
		self.mark(10 * MINUTE)
		with patch.object(scheduler_watch, "mend") as mend:
			for _ in range(3):
				self.as_(MONA).call(HEARTBEAT)
		self.assertEqual(mend.call_count, 1, "once a minute in all")

	def test_saving_another_zone_mends_it_at_once(self) -> None:
		settings = frappe.get_doc("System Settings")
		before = settings.time_zone
		settings.language = settings.language or "en"
		settings.time_zone = "America/Bogota"
		settings.flags.ignore_mandatory = True

		def put_back() -> None:
			frappe.db.set_single_value("System Settings", "time_zone", before)
			frappe.db.commit()
			frappe.clear_cache()

		self.addCleanup(put_back)
		settings.save()
		frappe.db.commit()
		there = frappe.utils.convert_utc_to_timezone(datetime.now(tz=None).astimezone(), "America/Bogota")
		self.assertLessEqual(max(self.times()), there.replace(tzinfo=None) + timedelta(seconds=5))
