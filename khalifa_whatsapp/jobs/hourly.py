"""Each hour: today's KPI rows."""

from __future__ import annotations

from khalifa_whatsapp.api.door import now_ms
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.stores.site_store import SiteStore


def run() -> None:
	"""Rebuild today's rows."""
	kpi.rollup_today(SiteStore(), now_ms())
