"""Give objections and decisions the moment as people read it, beside the machine's:
their form showed none.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

DELAY = "Khalifa Delay Event"
STEMS = ("objected", "decided")


def execute() -> None:
	"""Fill what is empty; a second run finds nothing."""
	zone = ZoneInfo(get_system_timezone())
	for stem in STEMS:
		row = frappe.qb.DocType(DELAY)
		machine_time, shown_time = row[f"{stem}_ms"], row[f"{stem}_on"]
		is_to_fill = (machine_time > 0) & shown_time.isnull()
		rows = frappe.qb.from_(row).select(row.name, machine_time).where(is_to_fill).run()
		moments = {
			name: datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None) for name, at_ms in rows
		}
		frappe.db.bulk_update(
			DELAY, {name: {f"{stem}_on": at} for name, at in moments.items()}, update_modified=False
		)
