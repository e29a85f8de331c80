"""Each hour: today's KPI rows."""

from __future__ import annotations

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.services import kpi


def run() -> None:
	"""Rebuild today's rows."""
	kpi.rollup_today(on_site(), now_ms())
