"""Whether the scheduler still comes, and mending why it would not.

Frappe keeps when a job ran last as the site's local time. Where the site's zone is changed to one further
west, that lies in the future, and the job is not due for hours; nothing says so. What runs without the
scheduler (an open inbox, the health check, the settings being saved) looks at the minute job's mark, puts our
own jobs' times right, and calls managers when the job does not come all the same: nothing else would.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
import redis
from frappe.query_builder.functions import Coalesce
from frappe.utils import get_system_timezone

from khalifa_whatsapp.jobs import alert_look, minute_mark
from khalifa_whatsapp.jobs.steps import Steps

LATE_MS = 180_000
LOOK_SECONDS = 60
OURS = "khalifa_whatsapp.jobs.%"


def look() -> None:
	"""Mend what can be mended when the minute job is late, and call managers; at most once a minute in all,
	and for nothing else's sake.
	"""
	with contextlib.suppress(redis.exceptions.RedisError):
		if not frappe.cache.set(frappe.cache.make_key("khalifa_scheduler_look"), 1, nx=True, ex=LOOK_SECONDS):
			return
	if minute_mark.age_ms() > LATE_MS:
		steps = Steps()
		steps.run("scheduler", mend)
		steps.run("schedule alerts", alert_look.look_at_schedule)


def mend(zone: str = "") -> int:
	"""Our jobs whose last run lies in the future ran just now; how many. No other app's job is touched."""
	now = datetime.now(ZoneInfo(zone or get_system_timezone())).replace(tzinfo=None)
	job = frappe.qb.DocType("Scheduled Job Type")
	is_ahead = Coalesce(job.last_execution, job.creation) > now
	frappe.qb.update(job).set(job.last_execution, now).where(job.method.like(OURS) & is_ahead).run()
	count = frappe.db._cursor.rowcount
	frappe.db.commit()
	return count


def settings_changed(doc: Any, method: str | None = None) -> None:
	"""The zone was changed, in the setup wizard as a rule.

	After the commit: the settings are not ours to hold up.
	"""
	zone = doc.time_zone
	if zone and doc.has_value_changed("time_zone"):
		frappe.db.after_commit.add(lambda: Steps().run("scheduler", lambda: mend(zone)))
