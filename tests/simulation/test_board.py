"""The board: Arabic keeps its letters and its width, whatever customers write is only text."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from khalifa_whatsapp.demo import company
from simulation import board, text, views
from simulation.run import Options, staged


def rendered(width: int, height: int, change=lambda seen: seen) -> str:
	into = io.StringIO()
	console = Console(file=into, width=width, height=height, force_terminal=True, color_system=None)
	with staged(Options(messages=60, agents=6, seed=3)) as day:
		while day.progress < 0.6:
			if day.customer_pool is None:
				day.open()
			day.step()
		seen = change(views.snapshot(day.host.store))
		console.print(board.render(day, seen, console))
	return into.getvalue()


@pytest.mark.parametrize(("width", "height"), [(124, 50), (100, 45), (100, 30), (80, 24), (60, 10)])
def test_the_board_fits_and_shows_real_names(width: int, height: int):
	shown = rendered(width, height)
	assert "\u2068أحمد فوزي\u2069" in shown
	assert "agent-01" not in shown and company.DOMAIN not in shown
	assert all(cell_len(line) <= width for line in shown.splitlines())


@pytest.mark.parametrize("width", [60, 96, 100, 108, 124, 200])
def test_every_isolate_is_closed_on_its_own_line(width: int):
	for line in rendered(width, 50).splitlines():
		assert line.count(text.FSI) == line.count(text.PDI)


def test_what_customers_write_is_neither_markup_nor_control():
	evil = "[bold red]x[/] \x1b[31m \u202e abc [link=http://x]y"
	shown = rendered(124, 50, lambda seen: replace(seen, last=[("Incoming", evil, evil)]))
	assert "\x1b[31m" not in shown and "\u202e" not in shown
	assert "[bold red]x" in shown


@pytest.mark.parametrize(
	"terms",
	["محمود عبد السلام إبراهيم المنسي", "مُحمّد", "🌸 نور 🌸", "", "a" * 99, "日本語日本語日本語", "محتـــاج"],
)
def test_texts_are_cut_by_cells_and_keep_their_order(terms: str):
	cut = text.isolate(terms, 12)
	assert cut[0] == text.FSI and cut[-1] == text.PDI
	assert cell_len(cut) <= 12
	kept = cut[1:-1].removesuffix("…")
	assert text.preview(terms).startswith(kept)


def test_without_a_terminal_there_are_plain_lines():
	into = io.StringIO()
	console = Console(file=into, width=200)
	with staged(Options(messages=60, agents=6)) as day, board.Board(console) as shown:
		day.watch = shown.watch
		day.play()
	lines = into.getvalue().splitlines()
	assert 10 < len(lines) < 25 and lines[0].startswith("08:3")
	assert "\x1b" not in into.getvalue()


def test_in_a_terminal_the_board_is_live():
	into = io.StringIO()
	console = Console(file=into, width=120, height=50, force_terminal=True)
	with staged(Options(messages=60, agents=6)) as day, board.Board(console) as shown:
		day.watch = shown.watch
		day.play()
	assert "Conversations" in into.getvalue()
