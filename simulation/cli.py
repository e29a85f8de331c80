"""The command line of the embedded host."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

DESCRIPTION = """\
Khalifa WhatsApp on this machine alone: one process, one SQLite database, no server to install.

Without a command it plays one working day of a company with 15 branches: two simulated gateways (a Cloud API
and a WPPConnect Server) post customers' messages to a real webhook endpoint on 127.0.0.1, agents answer,
everything is counted at the end. The exit code is 1 when anything does not add up.
"""
EPILOG = """\
simulate asks how many agents are needed: the same day with different numbers of agents, without HTTP.

  ./run                                    one day, as fast as it goes (about 10 seconds)
  ./run --minutes 3                        the same, slow enough to watch
  ./run --faults --report out.html         gateways fail, workers are killed; plots in one page,
                                           then each fault by itself
  ./run simulate --agents 5..30 --report staffing.html
  ./run pacing                             a month of sending: does a device keep its pace?
  ./run campaign                           10,000 recipients, gateways that fail, workers that are killed
  ./run --serve --port 8123                an endpoint for your own messages: prints curl lines to paste
"""
WIDTH = 110  # of lines that go to a file or another program


def main(argv: Sequence[str] | None = None) -> int:
	"""Run a command; its exit code."""
	options = make_parser().parse_args(argv)
	console = make_console()
	try:
		return _run(options, console)
	except KeyboardInterrupt:
		console.print("Stopped.")
		return 130
	except OSError as error:  # a port in use, a file that can't be written: not a case for a traceback
		print(f"run: {error}", file=sys.stderr)
		return 2


def make_parser() -> argparse.ArgumentParser:
	"""All options."""
	parser = argparse.ArgumentParser(
		prog="run",
		description=DESCRIPTION,
		epilog=EPILOG,
		formatter_class=argparse.RawDescriptionHelpFormatter,
	)
	day = parser.add_argument_group("a day")
	day.add_argument(
		"--messages", type=count(1, 200_000), default=1500, metavar="N", help="messages of customers (1500)"
	)
	day.add_argument("--agents", type=count(1, 200), default=15, metavar="N", help="agents with shifts (15)")
	day.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another day (1)")
	day.add_argument(
		"--faults",
		action="store_true",
		help="gateways fail, workers are killed, the endpoint is shut at times",
	)
	day.add_argument(
		"--report", type=Path, metavar="FILE", help="write plots, agents and books as one HTML page"
	)
	day.add_argument("--database", default="", metavar="FILE", help="keep the SQLite file (default: memory)")
	pace = day.add_mutually_exclusive_group()
	pace.add_argument("--fast", action="store_true", help="as fast as it goes (default)")
	pace.add_argument(
		"--minutes", type=float, default=0.0, metavar="M", help="stretch the day over M real minutes"
	)
	endpoint = parser.add_argument_group("an endpoint")
	endpoint.add_argument(
		"--serve", action="store_true", help="keep the webhook endpoint open on the real clock until Ctrl+C"
	)
	endpoint.add_argument(
		"--port", type=count(0, 65535), default=0, metavar="P", help="port of the endpoint (a free one)"
	)
	commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
	_add_simulate(commands)
	_add_pacing(commands)
	_add_campaign(commands)
	_add_faults(commands)
	return parser


def _add_simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
	parser = commands.add_parser(
		"simulate",
		help="--agents 5..30 [--messages N] [--seed N] [--report FILE]: how many agents do I need?",
		description="The same day with different numbers of agents: how many waits are too long, "
		"how long is the first response?",
	)
	parser.add_argument(
		"--agents", type=agent_range, default=agent_range("5..30"), metavar="A..B", help="5..30, or 5,10,20"
	)
	parser.add_argument(
		"--messages", type=count(1, 200_000), default=1500, metavar="N", help="messages a day (1500)"
	)
	parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another day (1)")
	parser.add_argument("--report", type=Path, metavar="FILE", help="write table and plot as one HTML page")


def _add_pacing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
	parser = commands.add_parser(
		"pacing",
		help="[--days N] [--seed N]: does a device keep its gaps, caps and quiet hours?",
		description="A month of replies and campaigns through the real outbox on a fast clock, "
		"checked send by send.",
	)
	parser.add_argument("--days", type=count(1, 366), default=30, metavar="N", help="days to play (30)")
	parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another month (1)")


def _add_campaign(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
	parser = commands.add_parser(
		"campaign",
		help="[--recipients N] [--kills N] [--seed N]: does everybody get a campaign once?",
		description="Two campaigns on both simulated gateways, with faults, pauses, kills and a "
		"cancellation; then our books against the gateways'.",
	)
	parser.add_argument(
		"--recipients",
		type=count(10, 200_000),
		default=10_000,
		metavar="N",
		help="lines of the lists (10000)",
	)
	parser.add_argument("--kills", type=count(0, 200), default=20, metavar="N", help="workers to kill (20)")
	parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another run (1)")


def _add_faults(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
	parser = commands.add_parser(
		"faults",
		help="[--full] [--only F29,F31]: the outbox against every fault of the catalogue",
		description="Real sockets, real processes killed by signal 9: what was sent twice, what was lost, "
		"what is in doubt.",
	)
	parser.add_argument(
		"--full", action="store_true", help="50 kills at each place, 1,000 messages (minutes)"
	)
	parser.add_argument("--only", default="", metavar="F..", help="some faults only, such as F29,F31")


def _run(options: argparse.Namespace, console: Console) -> int:
	if options.command == "simulate":
		return _simulate(options, console)
	if options.command == "faults":
		return _faults(console, options.full, tuple(filter(None, options.only.split(","))))
	if options.command == "pacing":
		return _pacing(options, console)
	if options.command == "campaign":
		return _campaign(options, console)
	if options.serve:
		from simulation.serve import serve

		return serve(console, options.port, options.agents, options.database)
	return _day(options, console)


def _day(options: argparse.Namespace, console: Console) -> int:
	from simulation import closing, report
	from simulation.board import Board
	from simulation.run import Options, Result, run_day

	board = Board(console, options.minutes)

	def finish(result: Result) -> None:
		board.__exit__()
		closing.show(console, result)
		if options.report:
			report.write_day(options.report, result)
			console.print(f"Report: {options.report}", highlight=False)

	asked = Options(options.messages, options.agents, options.seed, options.faults, options.database)
	with board:
		result = run_day(asked, board.watch, finish)
	bad = _faults(console) if options.faults else 0
	return 1 if result.summary.problems or bad else 0


def _simulate(options: argparse.Namespace, console: Console) -> int:
	from simulation import report, staffing

	points = []
	for agents, service in staffing.compare(options.agents, options.messages, options.seed):
		points.append((agents, service))
		console.print(
			f"{agents} agents: {100 * service.delay_share:.1f} % of waits too long",
			highlight=False,
			style="dim",
		)
	console.print(staffing.table(points))
	if options.report:
		report.write_staffing(options.report, points, options.messages)
		console.print(f"Report: {options.report}", highlight=False)
	return 0


def _pacing(options: argparse.Namespace, console: Console) -> int:
	from simulation import pace

	month = pace.simulate(options.days, options.seed)
	console.print(pace.table(month))
	for line in month.broken[:20]:
		console.print(line, style="red", highlight=False)
	return 1 if month.broken else 0


def _campaign(options: argparse.Namespace, console: Console) -> int:
	from simulation import campaign

	show = campaign.play(options.recipients, options.kills, options.seed)
	campaign.measure(show)
	console.print(campaign.table(show))
	for line in show.broken[:20]:
		console.print(line, style="red", highlight=False)
	return 1 if show.broken else 0


def _faults(console: Console, is_full: bool = False, only: tuple[str, ...] = ()) -> int:
	from simulation.trials.table import run_all, table

	lines = []
	for line in run_all(is_full, only):
		lines.append(line)
		console.print(f"{line.fault} {line.gateway}: {line.seconds:.1f} s", style="dim", highlight=False)
	console.print(table(lines))
	return 1 if not lines or any(not line.verdict.is_good for line in lines) else 0


def make_console() -> Console:
	"""The terminal, or wide plain lines where there is none."""
	console = Console()
	return console if console.is_terminal else Console(width=WIDTH)


def count(least: int, most: int) -> Callable[[str], int]:
	"""An argument type: a whole number within limits."""

	def number(text: str) -> int:
		if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
			raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
		return int(text)

	return number


def agent_range(text: str) -> list[int]:
	"""«5..30» as a few numbers between, «5,10,20» as they stand."""
	from simulation.staffing import spread

	between = re.fullmatch(r"(\d+)\.\.(\d+)", text)
	numbers = spread(int(between[1]), int(between[2])) if between else _listed(text)
	if not numbers or numbers[0] < 1 or max(numbers) > 200:
		raise argparse.ArgumentTypeError(f"{text} is no range of 1 to 200 agents: write 5..30, or 5,10,20")
	return numbers


def _listed(text: str) -> list[int]:
	if not re.fullmatch(r"\d+(,\d+)*", text):
		return []
	return sorted({int(part) for part in text.split(",")})
