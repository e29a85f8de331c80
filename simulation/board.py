"""The board: the desk live in a terminal, or a line per hour where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.bar import Bar
from rich.box import SIMPLE_HEAD
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulation import views
from simulation.engine import Day
from simulation.text import cell, clock, local, minutes
from simulation.views import KpiLine, Snapshot

FRAME_SECONDS = 0.25
STATES = (("Queued", "red"), ("Open", "yellow"), ("Pending", "cyan"), ("Closed", "green"))
PRESENCE = {"Online": ("●", "green"), "Away": ("●", "yellow"), "Offline": ("○", "dim")}
NARROW = 96  # below this width panels stand under each other
FRAME = 4  # cells that a panel's border and padding take


@dataclass(slots=True)
class Board:
	"""Shows a day while it is played. `minutes` of real time stretch the day; 0: as fast as it goes."""

	console: Console
	minutes: float = 0.0
	_live: Live | None = None
	_shown: float = 0.0
	_hour: str = ""
	_began: float = field(default_factory=time.monotonic)

	def __enter__(self) -> Board:
		self._began = time.monotonic()
		if self.console.is_terminal:
			self._live = Live(console=self.console, auto_refresh=False, transient=True)
			self._live.__enter__()
		return self

	def __exit__(self, *error: object) -> None:
		if self._live is not None:
			self._live.__exit__(None, None, None)
			self._live = None

	def watch(self, day: Day) -> None:
		"""Called after every step of the day."""
		self._pace(day)
		if self._live is None:
			self._line(day)
		elif time.monotonic() - self._shown >= FRAME_SECONDS:
			self._live.update(render(day, views.snapshot(day.host.store), self.console), refresh=True)
			self._shown = time.monotonic()

	def _pace(self, day: Day) -> None:
		ahead = self.minutes * 60 * day.progress - (time.monotonic() - self._began)
		if self.minutes and ahead > 0:
			time.sleep(min(ahead, 1.0))

	def _line(self, day: Day) -> None:
		"""One line for each hour of the day."""
		hour = clock(day.clock.now_ms)[:2]
		if hour == self._hour:
			return
		self._hour = hour
		seen = views.snapshot(day.host.store)
		states = "  ".join(f"{name} {seen.tickets.get(name, 0)}" for name, _ in STATES)
		online = sum(agent.presence == "Online" for agent in seen.agents)
		text = (
			f"{clock(day.clock.now_ms)}  messages {seen.messages_in}  answers "
			f"{sum(seen.messages_out.values())}  {states}  "
			f"delays {seen.agent_delays}+{seen.customer_delays}  online {online}/{len(seen.agents)}"
		)
		self.console.print(text, highlight=False, soft_wrap=True)


def render(day: Day, seen: Snapshot, console: Console) -> RenderableType:
	"""The whole board."""
	width, height = console.width, console.height
	if width < NARROW:
		return Group(
			_header(day, seen, width), _states(seen), _agents(seen, width - FRAME, max(height - 11, 4))
		)
	left = width * 9 // 19
	grid = Table.grid(padding=(0, 1))
	grid.add_column(width=left)
	grid.add_column(width=width - left - 2)
	panels = Group(_states(seen), _queue(seen, day.clock.now_ms, left - FRAME), _last(seen, left - FRAME))
	grid.add_row(panels, _agents(seen, width - left - 2 - FRAME, max(height - 10, 6)))
	parts: list[RenderableType] = [_header(day, seen, width), grid]
	if seen.kpi and height >= 40:
		parts.append(kpi_table(seen.kpi, width, limit=height - 31))
	return Group(*parts)


def _header(day: Day, seen: Snapshot, width: int) -> RenderableType:
	now = local(day.clock.now_ms)
	title = Text.assemble(
		("Khalifa WhatsApp", "bold green"), f"  {now:%a %d %b %Y}  ", (f"{now:%H:%M}", "bold")
	)
	delays = Text.assemble(
		"delays: ",
		(str(seen.agent_delays), "bold red"),
		" agents', ",
		(str(seen.customer_delays), "bold red"),
		" customers'",
	)
	book = day.webhook_sender.book
	counts = (
		f"in {seen.messages_in}/{len(day.world.moments)}  out {sum(seen.messages_out.values())}  posts "
		f"{book.posts}"
	)
	if width < NARROW:
		return Panel(Group(title, Text(counts), delays), border_style="green")
	grid = Table.grid(expand=True, padding=(0, 1))
	for side in ("left", "center", "right"):
		grid.add_column(justify=side, no_wrap=True)
	grid.add_row(title, counts, delays)
	return Panel(Group(grid, ProgressBar(total=1.0, completed=day.progress)), border_style="green")


def _states(seen: Snapshot) -> RenderableType:
	cells = [
		Text.assemble((f"{seen.tickets.get(name, 0):>4} ", f"bold {color}"), name) for name, color in STATES
	]
	out = [f"{name.lower()} {count}" for name, count in sorted(seen.messages_out.items())]
	return Panel(
		Group(Columns(cells, equal=True, expand=True), Text("answers: " + ", ".join(out), style="dim")),
		title="Conversations",
		title_align="left",
	)


def _queue(seen: Snapshot, now_ms: int, width: int) -> RenderableType:
	table = Table.grid(padding=(0, 1), expand=True)
	table.add_column(justify="right", width=6, no_wrap=True)
	table.add_column(no_wrap=True, width=16)
	table.add_column(no_wrap=True, ratio=1)
	for waiter in seen.queue[:5]:
		waited = minutes(max(0, now_ms - waiter.since_ms) / 1000)
		table.add_row(Text(waited, "red"), cell(waiter.customer, 16), cell(waiter.preview, width - 24))
	if not seen.queue:
		table.add_row("", Text("nobody waits", "dim"), "")
	return Panel(
		table, title=f"Queue ({seen.tickets.get('Queued', 0)})", title_align="left", border_style="red"
	)


def _last(seen: Snapshot, width: int) -> RenderableType:
	table = Table.grid(padding=(0, 1), expand=True)
	table.add_column(width=1)
	table.add_column(no_wrap=True, width=16)
	table.add_column(no_wrap=True, ratio=1)
	for direction, name, body in seen.last:
		arrow = Text("→", "cyan") if direction == "Outgoing" else Text("←", "yellow")
		table.add_row(arrow, cell(name, 16), cell(body, width - 19))
	return Panel(table, title="Last messages", title_align="left", border_style="cyan")


def _agents(seen: Snapshot, width: int, limit: int) -> RenderableType:
	names = 14 if width >= 40 else 10
	branches = 14 if width >= 56 else 0
	table = Table.grid(padding=(0, 1), expand=True)
	table.add_column(width=1)
	table.add_column(no_wrap=True, width=names)
	table.add_column(no_wrap=True, width=branches, style="dim")
	table.add_column(ratio=1)
	table.add_column(justify="right", width=12, no_wrap=True)
	order = {"Online": 0, "Away": 1, "Offline": 2}
	shown = sorted(seen.agents, key=lambda agent: (order[agent.presence], agent.name))
	for agent in shown[:limit]:
		sign, color = PRESENCE[agent.presence]
		bar = Bar(
			agent.capacity,
			0,
			min(agent.load, agent.capacity),
			color="red" if agent.load > agent.capacity else "green",
		)
		load = f"{agent.open}+{agent.pending}  {agent.load:g}/{agent.capacity}"
		branch = cell(agent.branch, branches) if branches else ""
		table.add_row(Text(sign, color), cell(agent.real_name, names), branch, bar, load)
	if len(shown) > limit:
		table.add_row("", Text(f"{len(shown) - limit} more", "dim"), "", "", "")
	return Panel(table, title="Agents: waiting on us + on the customer, load"[:width], title_align="left")


KPI_COLUMNS: tuple[tuple[str, int, Callable[[KpiLine], str | Text]], ...] = (
	# title, width of the terminal from which it is shown, what
	("Agent", 0, lambda line: cell(line.real_name, 14)),
	("Branch", 108, lambda line: cell(line.branch, 14)),
	("Closed", 70, lambda line: str(line.handled)),
	("Replies", 50, lambda line: str(line.answered)),
	("First", 80, lambda line: minutes(line.first_response)),
	("Avg", 40, lambda line: minutes(line.response)),
	("p90", 60, lambda line: minutes(line.response_p90)),
	("Delays", 40, lambda line: f"{line.delays}/{line.segments}"),
	("In/out", 100, lambda line: f"{line.transfers_in}/{line.transfers_out}"),
	("Online", 90, lambda line: f"{line.online_time / 3600:.1f} h"),
	("Score", 0, lambda line: _score(line.score)),
)


def kpi_table(lines: list[KpiLine], width: int, limit: int = 100) -> Table:
	"""The KPI of each agent, by real name; a narrow terminal sees fewer columns."""
	columns = [(title, show) for title, least, show in KPI_COLUMNS if width >= least]
	table = Table(
		title="Agents' day", title_justify="left", header_style="bold", box=SIMPLE_HEAD, padding=(0, 1)
	)
	for title, _ in columns:
		is_text = title in ("Agent", "Branch")
		table.add_column(
			title,
			no_wrap=True,
			justify="left" if is_text else "right",
			style="dim" if title == "Branch" else "",
		)
	for line in lines[:limit]:
		table.add_row(*(show(line) for _, show in columns))
	return table


def _score(score: float | None) -> Text:
	return Text("–" if score is None else f"{score:.0f}", _score_style(score))


def _score_style(score: float | None) -> str:
	if score is None:
		return "dim"
	return "green" if score >= 75 else "yellow" if score >= 50 else "red"
