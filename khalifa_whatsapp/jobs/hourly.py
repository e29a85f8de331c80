"""Each hour: today's KPI rows, how the numbers are whose gateways have no session to watch,
old exports, and what campaigns that have ended still bring.
"""

from __future__ import annotations

from khalifa_whatsapp.access.background import delete_old
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.jobs import campaigns, counters
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.jobs.wake import wake_looks
from khalifa_whatsapp.services import kpi


@counters.timed("hourly")
def run() -> None:
	"""Rebuild today's rows; a worker asks the gateways."""
	steps = Steps()
	steps.all(
		{
			"kpi today": lambda: kpi.rollup_today(on_site(), now_ms()),
			"looks": wake_looks,
			"exports": delete_old,
			"campaigns": campaigns.run_hourly,
		}
	)
	steps.check()
