"""After other hours or limits were saved: the deadlines of open waits."""

from __future__ import annotations

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.services.tickets import delays


def run() -> None:
	"""What one run does not finish, the minute job does."""
	delays.renew_deadlines(on_site(), now_ms())
