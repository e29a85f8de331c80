"""A run as one self-contained page: plots, agents, books. Nothing in it is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from khalifa_whatsapp.core.arabic import safe_name
from simulation import charts, closing, measures, views
from simulation.measures import Service
from simulation.run import Result
from simulation.summary import InboundBook
from simulation.text import local, minutes

STYLE = """
body { font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans Arabic", sans-serif; margin: 2rem auto;
	max-width: 60rem;
  padding: 0 1rem; color: #1f2933; background: #fff }
h1 { color: #075e54; margin-bottom: 0 } h2 { margin-top: 2rem; border-bottom: 1px solid #d9e2ec }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .5rem; border-bottom: 1px solid #e5e7eb; text-align: end }
th:first-child, td:first-child, td.text, th.text { text-align: start }
.good { color: #0a7d33; font-weight: 600 } .bad { color: #b42318; font-weight: 600 }
.numbers { display: flex; flex-wrap: wrap; gap: 1rem }
.numbers div { background: #f0f9f7; border-radius: .5rem; padding: .6rem 1rem }
.numbers b { display: block; font-size: 1.5rem }
svg { width: 100%; height: auto } .scroll { overflow-x: auto }
"""


def write_day(path: Path, result: Result) -> None:
	"""The page of one day."""
	day, store = result.day, result.day.host.store
	hours = measures.hours_of(store, day.world.start_ms)
	service = measures.service_of(store, day.world.rules.calendar, day.clock.now_ms)
	messages = result.summary.messages
	when = local(day.world.start_ms)
	parts = [
		f"<h1>Khalifa WhatsApp</h1><p>A simulated day, {when:%A %d %B %Y}: {messages.attempts} messages of "
		"customers, "
		f"{len(day.world.people)} agents, two gateways. Times are business time.</p>",
		_verdict(result.summary.problems),
		_numbers(service, messages.attempts, result.summary.outbound.written),
		"<h2>The day</h2>",
		charts.volume(hours),
		charts.waits(hours),
		charts.delays(hours),
		"<h2>Agents</h2>",
		agents_table(views.kpi_lines(store)),
		"<h2>The books</h2>",
		books_table({"messages": messages, "receipts, reactions": result.summary.notices}),
		f"<p>{escape(closing.out_line(result.summary.outbound))}</p><p>{escape(closing.facts_line(result))}</p>",
	]
	path.write_text(page("Khalifa WhatsApp: a day", parts), encoding="utf-8")


def write_staffing(path: Path, points: Sequence[tuple[int, Service]], messages: int) -> None:
	"""The page of «how many agents do I need»."""
	head = ("Agents", "Waits", "Delayed", "Share", "First response p50", "p90", "Wait p90")
	rows = [
		(
			str(agents),
			str(service.turns),
			str(service.delayed),
			f"{100 * service.delay_share:.1f} %",
			minutes(service.first_median),
			minutes(service.first_p90),
			minutes(service.wait_p90),
		)
		for agents, service in points
	]
	parts = [
		f"<h1>How many agents do I need?</h1><p>The same day of {messages} messages with different numbers "
		"of agents. "
		"Times are business minutes.</p>",
		charts.staffing(points),
		table(head, rows),
	]
	path.write_text(page("How many agents do I need?", parts), encoding="utf-8")


def page(title: str, parts: Sequence[str]) -> str:
	"""A whole HTML page."""
	body = "\n".join(parts)
	return (
		'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
		'<meta name="viewport" content="width=device-width, initial-scale=1">'
		f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
	)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 0) -> str:
	"""A table of texts. The first `texts` columns hold names, each in its own direction."""
	names = "".join(
		f'<th class="text">{escape(h)}</th>' if n < texts else f"<th>{escape(h)}</th>"
		for n, h in enumerate(head)
	)
	lines = ["".join(_cell(value, n < texts) for n, value in enumerate(row)) for row in rows]
	body = "".join(f"<tr>{line}</tr>" for line in lines)
	return f'<div class="scroll"><table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>'


def agents_table(lines: Sequence[views.KpiLine]) -> str:
	"""KPI by real name."""
	head = (
		"Agent",
		"Branch",
		"Handled",
		"Answered",
		"First",
		"Average",
		"p90",
		"Delays",
		"In/out",
		"Online",
		"Score",
	)
	rows = [
		(
			safe_name(x.real_name),
			safe_name(x.branch),
			str(x.handled),
			str(x.answered),
			minutes(x.first_response),
			minutes(x.response),
			minutes(x.response_p90),
			f"{x.delays}/{x.segments}",
			f"{x.transfers_in}/{x.transfers_out}",
			f"{x.online_time / 3600:.1f} h",
			f"{x.score:.0f}" if x.score is not None else "–",
		)
		for x in lines
	]
	return table(head, rows, texts=2)


def books_table(books: dict[str, InboundBook]) -> str:
	"""The six words."""
	rows = [
		(name, *(str(getattr(book, column)) for column in closing.INBOUND_COLUMNS))
		for name, book in books.items()
	]
	return table(("What came in", *closing.INBOUND_COLUMNS), rows)


def _cell(value: str, is_text: bool) -> str:
	return f'<td class="text" dir="auto">{escape(value)}</td>' if is_text else f"<td>{escape(value)}</td>"


def _verdict(problems: Sequence[str]) -> str:
	if not problems:
		return '<p class="good">It all adds up.</p>'
	lines = "".join(f"<li>{escape(problem)}</li>" for problem in problems[:100])
	count = "1 thing does" if len(problems) == 1 else f"{len(problems)} things do"
	return f'<p class="bad">{count} not add up.</p><ul>{lines}</ul>'


def _numbers(service: Service, messages: int, answers: int) -> str:
	shown = (
		("messages", str(messages)),
		("answers", str(answers)),
		("first response, median", minutes(service.first_median)),
		("first response, p90", minutes(service.first_p90)),
		("delayed waits", f"{100 * service.delay_share:.1f} %"),
	)
	return (
		'<div class="numbers">'
		+ "".join(f"<div><b>{value}</b>{name}</div>" for name, value in shown)
		+ "</div>"
	)
