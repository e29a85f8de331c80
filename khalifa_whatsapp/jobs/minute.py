"""Each minute: wake what is due, free what absent agents hold, hand out tickets, look at the clock."""

from __future__ import annotations

from collections.abc import Callable

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.jobs import browsers, duplicates, notices
from khalifa_whatsapp.jobs.wake import MINUTE_MARK, wake_close_all, wake_due, wake_templates
from khalifa_whatsapp.services import assignment, delays, parked, presence
from khalifa_whatsapp.services.intake import describe
from khalifa_whatsapp.stores.base import Store

SCAN_LIMIT = 5_000


class PartFailed(Exception):
	"""Some part of the minute job failed; the others ran."""


def run() -> None:
	"""Every part is bounded; what one minute does not finish the next does."""
	mark()
	store = on_site()
	failed = [name for name, part in PARTS.items() if not _ran(name, part, store)]
	if failed:
		raise PartFailed(", ".join(failed))


def mark() -> None:
	"""Write down that the scheduler lives, whatever happens next."""
	frappe.db.set_default(MINUTE_MARK, str(now_ms()))
	frappe.db.commit()


def _ran(name: str, part: Callable[[Store], object], store: Store) -> bool:
	try:
		part(store)
	except Exception as error:  # whatever stops one part must not stop the others: it is logged, and the job fails
		frappe.db.rollback()
		frappe.log_error(title=f"Khalifa WhatsApp: {name}", message=describe(error))
		return False
	return True


PARTS: dict[str, Callable[[Store], object]] = {
	"wake": lambda store: wake_due(),
	"close all": lambda store: wake_close_all(),
	"parked statuses": lambda store: parked.apply_parked(store, now_ms()),
	"possible duplicates": lambda store: duplicates.tell_managers(),
	"presence": lambda store: presence.sweep(store, now_ms()),
	"assignment": lambda store: assignment.assign_queue(store, now_ms()),
	"browsers": lambda store: browsers.look_after(),
	"notices": lambda store: notices.notify_managers(),
	"templates": lambda store: wake_templates(),
	"deadlines": lambda store: delays.renew_deadlines(store, now_ms()),
	"delays": lambda store: delays.scan(store, now_ms(), SCAN_LIMIT),
}
