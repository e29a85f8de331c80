"""Each minute: wake what is due, free what absent agents hold, hand out tickets, look at the clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from frappe.defaults import get_defaults_for

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.jobs import (
	alert_look,
	auto_replies,
	browsers,
	campaigns,
	counters,
	device_problems,
	duplicates,
	minute_mark,
	notices,
	satisfaction,
)
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.jobs.wake import wake_close_all, wake_due, wake_templates
from khalifa_whatsapp.services import costs
from khalifa_whatsapp.services.inbound import parked
from khalifa_whatsapp.services.isolation import check
from khalifa_whatsapp.services.tickets import assignment, delays, presence, snoozing
from khalifa_whatsapp.stores.base import Store

SCAN_LIMIT = 5_000


@counters.timed("minute")
def run() -> None:
	"""Every part is bounded; what one minute does not finish the next does.

	One that fails does not stop the others.
	"""
	mark()
	store, steps = on_site(), Steps()
	steps.all({name: partial(part, store) for name, part in PARTS.items()})
	steps.check()


def mark() -> None:
	"""Write down that the scheduler lives, whatever happens next."""
	minute_mark.write()
	# Frappe needs these caches at the start of every request: a gateway that posts while the database is
	# away gets to our endpoint, and is asked to come again, only while they are filled
	for parent in ("__default", "__global"):
		get_defaults_for(parent)


def check_settings() -> None:
	"""Whether all settings and hours can be read; what can't is left out everywhere,
	and must not go unseen.
	"""
	wrong = on_site().wrong_rules()
	check(dict.fromkeys(wrong, "can't be read"))


PARTS: dict[str, Callable[[Store], object]] = {
	"automatic replies": auto_replies.answer_waits,  # before those who send are woken
	"wake": lambda store: wake_due(),
	"close all": lambda store: wake_close_all(),
	"parked statuses": lambda store: parked.apply_parked(store, now_ms()),
	"possible duplicates": lambda store: duplicates.notify_managers(),
	"snoozed": lambda store: snoozing.bring_back(store, now_ms(), SCAN_LIMIT),
	"presence": lambda store: presence.sweep(store, now_ms()),
	"assignment": lambda store: assignment.assign_queue(store, now_ms()),
	"browsers": lambda store: browsers.look_after(),
	"notices": lambda store: notices.notify_managers(),
	"stopped replies": lambda store: auto_replies.notify_of_stopped(),
	"templates": lambda store: wake_templates(),
	"surveys": satisfaction.ask,
	"low ratings": lambda store: satisfaction.notify_managers(),
	"deadlines": lambda store: delays.renew_deadlines(store, now_ms()),
	"delays": lambda store: delays.scan(store, now_ms(), SCAN_LIMIT),
	"costs": lambda store: costs.settle(store, now_ms()),
	"campaigns": lambda store: campaigns.run_minute(),
	"devices": lambda store: device_problems.look(),
	"settings": lambda store: check_settings(),
	"counters": counters.run,
	"alerts": lambda store: alert_look.run(),
}
