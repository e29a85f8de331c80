"""What a run says at its end: the books, the people, and whatever does not add up."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulation import views
from simulation.board import kpi_table
from simulation.run import Result
from simulation.summary import InboundBook, OutboundBook

INBOUND_COLUMNS = ("attempts", "acknowledged", "lost", "duplicated", "unexpected", "recovered")
BAD_COLUMNS = ("lost", "duplicated", "unexpected")


def show(console: Console, result: Result) -> None:
	"""Print the summary of a run."""
	summary = result.summary
	console.print(kpi_table(views.kpi_lines(result.day.host.store), console.width))
	console.print(inbound_table({"messages": summary.messages, "receipts, reactions": summary.notices}))
	console.print(Text(out_line(summary.outbound)))
	console.print(Text(summary.cost.line()))
	console.print(Text(facts_line(result), style="dim"))
	console.print(verdict(summary.problems))


def inbound_table(books: dict[str, InboundBook]) -> Table:
	"""The six words for everything that came in."""
	table = Table(title="What came in", title_justify="left", header_style="bold", border_style="dim")
	table.add_column("")
	for column in INBOUND_COLUMNS:
		table.add_column(column, justify="right")
	for name, book in books.items():
		cells = [
			Text(str(getattr(book, column)), _style(column, getattr(book, column)))
			for column in INBOUND_COLUMNS
		]
		table.add_row(name, *cells)
	return table


def _style(column: str, count: int) -> str:
	if column not in BAD_COLUMNS:
		return ""
	return "bold red" if count else "green"


def out_line(book: OutboundBook) -> str:
	"""Everything that went out, in one sentence."""
	return (
		f"What went out: {book.written} answers written, {book.taken} accepted by a gateway, "
		f"{book.taken_twice} twice; "
		f"{book.arrived} delivered, {book.sent} sent, {book.unknown} unknown ({book.unknown_taken} of them "
		"did go), "
		f"{book.failed} failed, {book.unfinished} unfinished; {book.false_sent} called sent that no gateway "
		"took."
	)


def facts_line(result: Result) -> str:
	"""The rest, in one sentence."""
	facts, messages = result.summary.facts, result.summary.messages
	text = (
		f"{facts['posts']} posts to the endpoint ({facts['posts_refused']} not answered with 200), "
		f"{messages.never_taken} messages "
		f"that a gateway never handed over, {facts['transfers']} transfers, {facts['rescues']} answers by "
		f"the manager, {facts['automatic_replies']} automatic replies; "
		f"«close all» closed {facts['close_all']} and brought them back; "
		f"{facts['surveys']} customers were asked for a rating and {facts['ratings']} gave one, "
		f"{facts['opt_outs']} wanted no promotions."
	)
	if result.day.chaos.kills or result.day.chaos.worker_kills:
		text += (
			f" Faults: {facts['kills']} workers died in the middle, {facts['worker_kills']} processes killed "
			"(signal 9), "
			f"the endpoint was down {facts['endpoint_down']} times."
		)
	return f"{text} {result.seconds:.1f} s."


def verdict(problems: list[str]) -> Panel:
	"""Whether all adds up."""
	if not problems:
		return Panel(Text("It all adds up.", "bold green"), border_style="green", expand=False)
	lines = "\n".join(problems[:50])
	return Panel(
		Text(lines), title=f"does not add up: {len(problems)}", border_style="red", title_align="left"
	)
