"""Trials in which senders are killed by signal 9, restarted, or find a restored backup: F29,
F31 to F33, F40.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path
from random import Random

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.pacing import CAMPAIGN, MINUTE_MS, Pace
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.demo.staff import MANAGER
from khalifa_whatsapp.services.outbound import user_decisions
from khalifa_whatsapp.services.unit_of_work import working
from simulation.crash_worker import OUT, PLACES, kill_worker
from simulation.gateways import ROUGH_CLOUD, ROUGH_WPP
from simulation.trials.stand import DEVICE, Stand, Verdict, stand


def f29_killed_while_sending(folder: Path, kind: str, count: int) -> Verdict:
	"""A sender dies before the claim, before the socket, in the middle of the request, after the answer."""
	with stand(kind, folder, count * len(PLACES)) as on:
		deaths = 0
		for place in PLACES:
			for _ in range(count):
				deaths += kill_worker(str(on.path), on.config, on.clock(), OUT, place)
		on.settle()
		return on.verdict(
			f"{deaths} of {count * len(PLACES)} processes killed; {on.count(records.UNKNOWN)} in doubt"
		)


def f31_kills_and_a_bad_gateway(folder: Path, kind: str, count: int) -> Verdict:
	"""Many messages, a gateway that fails in every way by chance, and a kill after every few of them."""
	with stand(kind, folder, count * 20) as on:
		on.gateway.failures.rates = dict(ROUGH_CLOUD if kind == "cloud" else ROUGH_WPP)
		rng = Random(7)
		deaths = 0
		for _ in range(count):
			deaths += kill_worker(
				str(on.path), on.config, on.clock(), OUT, rng.choice(PLACES[1:]), rng.randrange(12)
			)
			on.clock.now_ms += 10 * MINUTE_MS  # breaker and retries are over when the next one begins
		on.settle()
		on.gateway.failures.rates = {}
		on.settle()
		return on.verdict(f"{deaths} processes killed")


def f32_pace_after_a_restart(folder: Path, kind: str, count: int) -> Verdict:
	"""A sender that begins anew every few seconds keeps the cap of the minute:
	it is counted in the database.
	"""
	cap = 5
	with stand(kind, folder, count * 3) as on:
		on.pace = Pace(max_per_minute=cap)
		starts: list[int] = []
		for _ in range(count * 12):
			before = len(on.gateway.sent_log)
			on.drain()
			starts += [on.clock()] * (len(on.gateway.sent_log) - before)
			on.reopen()
			on.clock.now_ms += 7_000
		on.pace = replace(on.pace, max_per_minute=0)
		worst = max(
			(bisect_left(starts, at + MINUTE_MS) - place for place, at in enumerate(starts)), default=0
		)
		on.settle()
		verdict = on.verdict(f"most in a minute: {worst} of {cap}")
		verdict.false += max(worst - cap, 0)
		return verdict


def f33_campaign_under_kill(folder: Path, kind: str, count: int) -> Verdict:
	"""A campaign is paused, killed, resumed and in part cancelled: nobody gets it twice,
	the cancelled ones not at all.
	"""
	with stand(kind, folder, count * 2) as on:
		_make_campaign(on)
		kill_worker(str(on.path), on.config, on.clock(), OUT, PLACES[-1], count // 2)
		_pause(on, True)
		paused = on.drain()
		cancelled = [m.name for m in on.answers() if m.status == records.MSG_QUEUED][:2]
		for name in cancelled:
			user_decisions.settle(on.store, MANAGER, name, False, on.clock())
		_pause(on, False)
		kill_worker(str(on.path), on.config, on.clock(), OUT, PLACES[1], 1)
		on.settle()
		bodies = {m.body for m in on.answers() if m.name in cancelled}
		verdict = on.verdict(f"{paused.sent} sent while paused, {len(cancelled)} cancelled")
		verdict.false += paused.sent + sum(row.body in bodies for row in on.gateway.sent_log.rows())
		return verdict


def _make_campaign(on: Stand) -> None:
	with working(on.store, on.clock()) as work:
		for message in on.answers():
			work.touch(replace(message, priority=CAMPAIGN))


def _pause(on: Stand, is_paused: bool) -> None:
	on.store.run("UPDATE `tabWhatsApp Device` SET is_paused = ? WHERE name = ?", (int(is_paused), DEVICE))


def f40_restored_backup(folder: Path, kind: str, count: int) -> Verdict:
	"""Yesterday's backup comes back with answers that still waited then,
	and today's deliveries are posted again.
	"""
	with stand(kind, folder, count) as on:
		_pause(on, True)
		on.drain()
		on.store.close()
		backup = folder / f"backup-{kind}.sqlite"
		shutil.copy(on.path, backup)
		on.open(on.path)
		_pause(on, False)
		on.settle(is_received=False)
		on.store.close()
		on.clock.now_ms += 24 * HOUR_MS
		on.open(backup)
		_pause(on, False)
		on.drain()
		doubtful = on.count(records.UNKNOWN)
		on.settle()
		return on.verdict(
			f"{doubtful} doubtful after the restore, {on.count(records.UNKNOWN)} when they had been replayed"
		)
