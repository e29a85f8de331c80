"""Browsers whose owner was killed and is not started again: each minute, the workers of that host end them."""

from __future__ import annotations

from pathlib import Path

import frappe

from khalifa_whatsapp.bootstrap import leases, on_site
from khalifa_whatsapp.drivers.sessions import processes
from khalifa_whatsapp.drivers.sessions.owner import is_gone


def profiles_folder() -> Path:
	"""Where the logins of this site's browsers lie: neither served nor in any backup."""
	return Path(frappe.get_site_path("private", "khalifa_browsers")).absolute()


def sweep() -> int:
	"""Kill what dead owners left on this host; how many processes. Asks the kernel only when an owner is dead."""
	rows = leases(on_site()).all()
	if not any(row.owner_key and is_gone(row.owner_key) for row in rows):
		return 0
	return processes.sweep(str(profiles_folder()), is_gone, {row.device: row.generation for row in rows})
