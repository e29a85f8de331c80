"""Campaigns through real sockets: 10,000 recipients, gateways that fail, workers killed by signal 9, pauses,
a cancellation; and at the end the books, ours against the gateways'.

Everything that moves a recipient is the product's own use case; only time is played. What must hold is said
in `_check`: each line in exactly one state, nobody twice, nobody who wants no promotions, no limit passed.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from rich.table import Table

from khalifa_whatsapp.bootstrap import EmbeddedHost, embedded
from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.calendar import DAY_MS
from khalifa_whatsapp.core.campaign_plan import pace_of
from khalifa_whatsapp.core.pacing import HOUR_MS, MINUTE_MS, Pace, day_start_ms, gap_ms
from khalifa_whatsapp.demo.clock import Clock
from khalifa_whatsapp.demo.staff import MANAGER
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.services.campaigns import feeding, lifecycle, planning, watch
from khalifa_whatsapp.services.campaigns.planning import Device
from khalifa_whatsapp.services.inbound import drain, webhook
from khalifa_whatsapp.services.outbound import dispatch
from khalifa_whatsapp.services.unit_of_work import working
from simulation.campaign_audience import RULES, Crowd
from simulation.campaign_worker import FEED, PLAN, SEND, TAKE, Job, kill_worker
from simulation.crash_worker import PLACES
from simulation.gateways import CLOUD, ROUGH, ROUGH_CLOUD, ROUGH_WPP, WPP
from simulation.simulators import CloudApiSimulator, WppConnectSimulator
from simulation.simulators.wire import Person

START_MS = 1_793_512_800_000  # 2026-11-01 09:00 in Cairo
READ_TIMEOUT, STALL = 0.4, 0.6  # seconds of real time
IDLE_MS = 10 * MINUTE_MS
MAX_DAYS = 20
MIN_SHARE = 0.95  # of what the pace allows must really go
BODY = "Dear {{1}}, your offer is {{2}}."
TEMPLATE = [{"type": "BODY", "text": BODY}]
PACES = {CLOUD: Pace(max_per_minute=200), WPP: Pace(max_per_minute=80, max_new_chats_per_day=1_500)}
LIMITS: dict[str, dict[str, Any]] = {
	CLOUD: {"daily_cap": 3_000, "per_minute": 150, "quiet_from": "21:00", "quiet_to": "09:00"},
	WPP: {"daily_cap": 0, "per_minute": 60},
}
ROUGHER = {"status:131050": 0.003, "status:131049": 0.01}
ARRIVED = frozenset({rules.SENT, rules.DELIVERED, rules.READ, rules.REPLIED})


@dataclass(slots=True)
class Campaign:
	"""One campaign of the show."""

	name: str
	device: str
	crowd: Crowd
	gateway: Any
	config: DeviceConfig
	stopped: set[str] = field(default_factory=set)  # phones of those who wanted no promotions before
	paused_ms: list[tuple[int, int]] = field(default_factory=list)
	kills_left: int = 0
	resume_ms: int = 0

	@property
	def pace(self) -> Pace:
		"""The device's."""
		return PACES[self.device]


@dataclass(slots=True)
class Show:
	"""What came of it."""

	campaigns: list[Campaign] = field(default_factory=list)
	kills: int = 0
	pauses: int = 0
	minutes: int = 0
	throughput: dict[str, float] = field(default_factory=dict)
	states: dict[str, dict[str, int]] = field(default_factory=dict)
	taken: dict[str, int] = field(default_factory=dict)
	broken: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
	"""The host, and what is going on."""

	host: EmbeddedHost
	clock: Clock
	rng: Random
	path: Path
	show: Show

	@property
	def store(self) -> Any:
		"""The store as it is open now."""
		return self.host.store

	def device(self, name: str) -> Device:
		"""What campaigns must know of a device."""
		return Device(PACES[name], self.host.drivers[name].capabilities)

	def kill(self, campaign: Campaign, act: str, place: str = "", spared: int = 0) -> None:
		"""Let another process go on, and die in the middle, if it finds enough to do."""
		job = Job(
			str(self.path),
			dataclasses.asdict(campaign.config),
			dataclasses.asdict(campaign.pace),
			self.clock(),
			act,
			campaign.name,
			dataclasses.asdict(campaign.crowd),
			spared,
			place,
		)
		is_dead = kill_worker(job)
		self.show.kills += is_dead
		campaign.kills_left -= is_dead

	def campaign(self, name: str) -> records.Campaign:
		"""The campaign as it is stored now."""
		return self.store.campaigns([name])[name]  # type: ignore[no-any-return]


def play(recipients: int = 10_000, kills: int = 20, seed: int = 1) -> Show:
	"""The whole show."""
	show = Show()
	with tempfile.TemporaryDirectory(prefix="khalifa-campaign-", ignore_cleanup_errors=True) as folder:
		clock = Clock(START_MS)
		more = {"stall_seconds": STALL, "faults": ROUGH, "seed": seed}
		with (
			CloudApiSimulator(clock, **more) as cloud,
			WppConnectSimulator(clock, own_number="201055500022", has_self_messages=True, **more) as wpp,
		):
			cloud.failures.rates, wpp.failures.rates = {**ROUGH_CLOUD, **ROUGHER}, dict(ROUGH_WPP)
			how = {"connect_timeout": 1.0, "read_timeout": READ_TIMEOUT}
			configs = {CLOUD: cloud.config(CLOUD, **how), WPP: wpp.config(WPP, **how)}
			path = Path(folder) / "campaign.sqlite"
			stage = Stage(embedded(RULES, configs.values(), path=path), clock, Random(seed), path, show)
			share = recipients * 3 // 5
			show.campaigns = [
				Campaign("on-cloud", CLOUD, Crowd(10_000_000, share), cloud, configs[CLOUD]),
				Campaign("on-wpp", WPP, Crowd(20_000_000, recipients - share), wpp, configs[WPP]),
			]
			cloud.templates.add("offer", "ar", TEMPLATE)
			_plan(stage, kills)
			_run(stage)
			_check(stage)
			stage.host.close()
	return show


# Playing


def _plan(stage: Stage, kills: int) -> None:
	"""Campaigns are planned, by workers of whom some are killed."""
	store = stage.store
	with working(store, stage.clock()) as work:
		for campaign in stage.show.campaigns:
			campaign.stopped = campaign.crowd.know(work)
			campaign.kills_left = (kills + 1) // 2
			work.add(_row(campaign))
	store.run(
		"INSERT INTO `tabKhalifa Provider Template` (name, device, template_name, language, status, "
		"components, parameter_format) VALUES ('offer', ?, 'offer', 'ar', 'APPROVED', ?, 'POSITIONAL')",
		(CLOUD, json.dumps(TEMPLATE)),
	)
	for campaign in stage.show.campaigns:
		planning.begin(store, MANAGER, campaign.name, stage.clock())
		for spared in (0, 3):
			if campaign.kills_left:
				stage.kill(campaign, PLAN, spared=spared)
		made, lines = campaign.crowd.audience()
		content = planning.content_for(store, stage.campaign(campaign.name))
		device = stage.device(campaign.device)
		planning.plan(store, campaign.name, lines, made, content, device, stage.clock())
		lifecycle.start(store, MANAGER, campaign.name, stage.clock())


def _row(campaign: Campaign) -> records.Campaign:
	is_text = campaign.device == WPP
	content: dict[str, Any] = (
		{"text_a": "Hello {customer}: {offer}", "text_b": "{offer} for {customer}"}
		if is_text
		else {
			"content_type": "Template",
			"template": "offer",
			"template_parameters": '{"1": "{customer}", "2": "{offer}"}',
		}
	)
	limits = {"max_failure_percent": 0, "max_opt_out_percent": 0, "max_refusal_percent": 0}
	return records.Campaign(
		campaign.name, campaign.name, campaign.device, **content, **limits, **LIMITS[campaign.device]
	)


def _run(stage: Stage) -> None:
	"""Minute after minute, until both have ended and nothing is under way."""
	show, end_ms = stage.show, stage.clock() + MAX_DAYS * DAY_MS
	acts = [(act, place) for place in PLACES for act in (SEND, FEED)] + [(TAKE, "")]
	while stage.clock() < end_ms:
		began_ms = stage.clock()
		before = sum(len(one.gateway.sent_log) for one in show.campaigns)
		for campaign in show.campaigns:
			_disturb(stage, campaign, acts)
			_minute(stage, campaign)
		watch.look(stage.store, stage.clock())
		show.minutes += 1
		is_over = all(stage.campaign(one.name).status in rules.ENDED for one in show.campaigns)
		if is_over and not any(one.gateway.queue.next_due_ms() for one in show.campaigns):
			return
		is_idle = sum(len(one.gateway.sent_log) for one in show.campaigns) == before
		stage.clock.now_ms = max(stage.clock(), began_ms + (IDLE_MS if is_idle else MINUTE_MS))


def _disturb(stage: Stage, campaign: Campaign, acts: list[tuple[str, str]]) -> None:
	"""What goes wrong, and what people do, in this minute."""
	stored, rng = stage.campaign(campaign.name), stage.rng
	if stored.status == rules.PAUSED and stage.clock() >= campaign.resume_ms:
		lifecycle.resume(stage.store, MANAGER, campaign.name, stage.clock())
		campaign.paused_ms.append((campaign.resume_ms - 3 * MINUTE_MS, stage.clock()))
	if stored.status != rules.RUNNING:
		return
	if campaign.kills_left and rng.random() < 0.5:
		act, place = rng.choice(acts)
		stage.kill(campaign, act, place if act == SEND else "", rng.randrange(3))
	waiting = stored.planned_count + stored.queued_count
	if campaign.device == WPP and waiting < 0.2 * stored.total_count:
		lifecycle.cancel(stage.store, MANAGER, campaign.name, stage.clock())
	elif rng.random() < 0.06:
		lifecycle.pause(stage.store, MANAGER, campaign.name, stage.clock())
		campaign.resume_ms = stage.clock() + 3 * MINUTE_MS
		stage.show.pauses += 1


def _minute(stage: Stage, campaign: Campaign) -> None:
	store, driver, clock = stage.store, stage.host.drivers[campaign.device], stage.clock
	feeding.feed(store, campaign.name, stage.device(campaign.device), clock())
	dispatch.drain(store, driver, clock, seconds=600, pace=campaign.pace, sleep=clock.sleep)
	_people_react(stage, campaign)
	for post in campaign.gateway.take():
		answer = webhook.accept(store, driver, post.call(), clock(), 10**8)
		if answer.status != 200:
			stage.show.broken.append(f"a post was refused with {answer.status}")
	drain.drain(store, driver, clock)


def _people_react(stage: Stage, campaign: Campaign) -> None:
	"""Some answer, and some want no more."""
	for sent in campaign.gateway.sent_log.rows()[-200:]:
		chance = stage.rng.random()
		if chance > 0.002:
			continue
		phone = "+" + _digits(sent.to)
		if chance < 0.0015:
			campaign.gateway.customer_text(Person(phone[1:], "Somebody"), "yes")
		else:
			with working(stage.store, stage.clock()) as work:
				for row in work.store._read(records.Customer, "phone = ?", (phone,)):  # type: ignore[attr-defined]
					row.is_opted_out, row.opted_out_ms = 1, stage.clock()
					work.touch(row)


def _digits(to: str) -> str:
	return "".join(char for char in to.partition("@")[0] if char.isdigit())


# The books


def _check(stage: Stage) -> None:
	for campaign in stage.show.campaigns:
		_check_rows(stage, campaign)
		_check_gateway(stage, campaign)
		_check_limits(stage, campaign)


def _rows(stage: Stage, campaign: Campaign) -> list[records.CampaignRecipient]:
	return stage.store._read(records.CampaignRecipient, "campaign = ?", (campaign.name,))  # type: ignore[no-any-return]


def _check_rows(stage: Stage, campaign: Campaign) -> None:
	"""Each line is one recipient, in one state that follows from its facts; counts are a fold of the rows."""
	show, rows = stage.show, _rows(stage, campaign)
	lines = Counter(row.line for row in rows)
	if set(lines) != set(range(1, campaign.crowd.count + 1)) or max(lines.values()) > 1:
		show.broken.append(f"{campaign.name}: lines are missing or there twice")
	wrong = [row.name for row in rows if row.status != rules.status_of(row)]
	show.broken += [f"{campaign.name}: {name} is not what its facts say" for name in wrong[:5]]
	states = dict(Counter(row.status for row in rows))
	show.states[campaign.name] = states
	stored = stage.campaign(campaign.name)
	if rules.counts_of(stored) != {state: states.get(state, 0) for state in rules.RECIPIENT_STATES}:
		show.broken.append(f"{campaign.name}: counts are not those of the rows")
	open_rows = [row for row in rows if row.status in rules.UNDER_WAY and row.reason != rules.IN_DOUBT]
	if open_rows:
		show.broken.append(f"{campaign.name}: {len(open_rows)} never ended")
	wanted = rules.CANCELLED if campaign.device == WPP else rules.FINISHED
	if stored.status != wanted:
		show.broken.append(f"{campaign.name} is {stored.status}, not {wanted}")


def _check_gateway(stage: Stage, campaign: Campaign) -> None:
	"""What the gateway took is what our rows say: nobody twice, nobody who was not to get it."""
	show = stage.show
	took = Counter("+" + _digits(row.to) for row in campaign.gateway.sent_log.rows())
	show.taken[campaign.name] = sum(took.values())
	twice = [phone for phone, count in took.items() if count > 1]
	stopped = campaign.stopped & took.keys()
	show.broken += [f"{campaign.name}: {len(twice)} got it twice"] * bool(twice)
	show.broken += [f"{campaign.name}: {len(stopped)} who had stopped promotions got it"] * bool(stopped)
	for row in _rows(stage, campaign):
		if row.status in ARRIVED and not took[row.address]:
			show.broken.append(
				f"{campaign.name}: line {row.line} is {row.status}, and the gateway never had it"
			)
		if row.status in (rules.SKIPPED, rules.TAKEN_BACK, rules.WAITS) and took[row.address]:
			is_double = row.status == rules.SKIPPED and row.reason.startswith("The same person")
			if not is_double:
				show.broken.append(
					f"{campaign.name}: line {row.line} is {row.status}, and the gateway has it"
				)


def _check_limits(stage: Stage, campaign: Campaign) -> None:
	"""The device's and the campaign's own, by when the gateway took each message."""
	calendar = RULES.calendar
	own = pace_of(stage.campaign(campaign.name))
	starts = sorted(row.at_ms for row in campaign.gateway.sent_log.rows())
	worst = max((bisect_left(starts, at + MINUTE_MS) - place for place, at in enumerate(starts)), default=0)
	days = Counter(day_start_ms(at, calendar) for at in starts)
	broken = stage.show.broken
	for limit in filter(None, (campaign.pace.max_per_minute, own.max_per_minute)):
		if worst > limit:
			broken.append(f"{campaign.name}: {worst} in a minute, the limit is {limit}")
	if own.max_per_day and max(days.values(), default=0) > own.max_per_day:
		broken.append(f"{campaign.name}: {max(days.values())} in a day, the limit is {own.max_per_day}")
	if campaign.pace.max_new_chats_per_day:
		new = Counter(
			day_start_ms(row.started_ms or 0, calendar)
			for row in stage.store._read(
				records.Message, "campaign = ? AND is_new_chat = 1", (campaign.name,)
			)
			if row.started_ms
		)
		if max(new.values(), default=0) > campaign.pace.max_new_chats_per_day:
			broken.append(f"{campaign.name}: {max(new.values())} new chats in a day")
	for at in starts:
		hour = (at - day_start_ms(at, calendar)) // HOUR_MS
		if own.quiet_from_minute is not None and not 9 <= hour < 21:
			broken.append(f"{campaign.name}: something went in the quiet hours")
			break
	held = [at for at in starts if any(begin < at < end for begin, end in campaign.paused_ms)]
	broken += [f"{campaign.name}: {len(held)} went while it was paused"] * bool(held)


# Throughput


def measure(show: Show, count: int = 1_500) -> None:
	"""Add what share of the pace is used; too little is a broken promise."""
	show.throughput = throughput(count)
	show.broken += [
		f"{name}: only {share:.3f} of the pace"
		for name, share in show.throughput.items()
		if share < MIN_SHARE
	]


def throughput(count: int) -> dict[str, float]:
	"""What share of what the pace allows really goes, on a gateway without faults: by kind of pace."""
	return {
		"100 a minute": _share(count, Pace(max_per_minute=100), {}),
		"pauses of 2 to 4 seconds": _share(count, Pace(min_gap_seconds=2, max_gap_seconds=4), {}),
		"the campaign's own 50 a minute": _share(count, Pace(), {"per_minute": 50}),
	}


def _share(count: int, pace: Pace, limits: dict[str, Any]) -> float:
	clock = Clock(START_MS)
	host = embedded(RULES, [DeviceConfig(WPP, "loopback")])
	store, driver = host.store, host.drivers[WPP]
	device, crowd = Device(pace, driver.capabilities), Crowd(30_000_000, count)
	row = records.Campaign("c", "c", WPP, text_a="{customer} {offer}", **limits)
	with working(store, clock()) as work:
		work.add(row)
	planning.begin(store, MANAGER, "c", clock())
	made, lines = crowd.audience()
	planning.plan(store, "c", lines, made, planning.content_for(store, row), device, clock())
	lifecycle.start(store, MANAGER, "c", clock())
	while store.campaigns(["c"])["c"].status == rules.RUNNING:
		began_ms = clock()
		feeding.feed(store, "c", device, clock())
		dispatch.drain(store, driver, clock, seconds=600, pace=pace, sleep=clock.sleep)
		watch.look(store, clock())
		clock.now_ms = max(clock(), began_ms + MINUTE_MS)
	starts = sorted(m.started_ms or 0 for m in store._read(records.Message, "campaign = 'c'"))
	host.close()
	per_minute = pace.max_per_minute or row.per_minute
	ideal = (
		(len(starts) / per_minute - 1) * MINUTE_MS
		if per_minute
		else sum(gap_ms(pace, at) for at in starts[:-1])
	)
	return ideal / max(starts[-1] - starts[0], 1)


def table(show: Show) -> Table:
	"""What came of it."""
	shown = Table(title="Campaigns", title_justify="left")
	for heading in ("campaign", "lines", "taken by the gateway", *rules.RECIPIENT_STATES):
		shown.add_column(heading)
	for campaign in show.campaigns:
		states = show.states.get(campaign.name, {})
		counts = [str(states.get(state, 0)) for state in rules.RECIPIENT_STATES]
		shown.add_row(
			campaign.name, str(campaign.crowd.count), str(show.taken.get(campaign.name, 0)), *counts
		)
	shares = "; ".join(f"{name}: {share:.3f}" for name, share in show.throughput.items())
	shown.caption = (
		f"{show.kills} processes killed by signal 9, {show.pauses} pauses, {show.minutes} looks; "
		f"share of the pace that was used: {shares}; {len(show.broken)} promises broken."
	)
	return shown
