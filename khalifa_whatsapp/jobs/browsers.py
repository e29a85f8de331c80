"""Browsers whose owner was killed and is not started again: each minute,
the workers of that host end them.
"""

from __future__ import annotations

from pathlib import Path

import frappe

from khalifa_whatsapp.bootstrap import leases, now_ms, on_site
from khalifa_whatsapp.drivers.base import SessionState
from khalifa_whatsapp.drivers.sessions import processes
from khalifa_whatsapp.drivers.sessions.owner import is_gone
from khalifa_whatsapp.jobs import watch
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.services.sessions import NOT_RUNNING


def profiles_folder() -> Path:
	"""Where the logins of this site's browsers lie: neither served nor in any backup."""
	return Path(frappe.get_site_path("private", "khalifa_browsers")).absolute()


def look_after() -> None:
	"""End what dead owners left on this host, and say of their devices what is so."""
	steps = Steps()
	steps.all({"browsers of dead owners": sweep, "abandoned browsers": mark_abandoned})
	steps.check()


def mark_abandoned() -> list[str]:
	"""Devices whose owner vanished without a word are not connected, whatever it said last;
	managers are called once.
	"""
	gone = {row.device for row in leases(on_site()).all() if row.owner_key and not row.has_owner(now_ms())}
	states = {name: frappe.db.get_value("WhatsApp Device", name, "state") for name in gone}
	abandoned = [name for name, state in states.items() if state not in (None, "Disconnected")]
	Steps().each("abandoned browsers", abandoned, _mark_abandoned)
	return abandoned


def _mark_abandoned(device: str) -> None:
	# People first: the state is what says that it was done, and a call that fails is made again in a minute
	watch.note(device, "disconnected", NOT_RUNNING)
	watch.record_state(on_site(), device, SessionState("disconnected", NOT_RUNNING))


def sweep() -> int:
	"""Kill what dead owners left on this host; how many processes.

	Asks the kernel only when an owner is dead.
	"""
	rows = leases(on_site()).all()
	if not any(row.owner_key and is_gone(row.owner_key) for row in rows):
		return 0
	return processes.sweep(str(profiles_folder()), is_gone, {row.device: row.generation for row in rows})
