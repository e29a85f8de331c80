"""A picture of the board for the README: `python -m simulation.picture board.svg [HOUR]`.

Rich gives each piece of text a fixed length, which pulls Arabic letters apart; here such pieces keep their
own. Emojis are left out, for not every machine that draws the picture has them.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

from rich.console import Console

from simulation import views
from simulation.board import render
from simulation.engine import Day
from simulation.run import Options, staged
from simulation.world import DAY, local_ms

ARABIC = re.compile(r"[\u0600-\u06ff]")
EMOJI = re.compile(r"[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+ ?")
TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
WIDTH, HEIGHT = 124, 50
QUEUE = 3  # so many wait in the picture


def picture(options: Options, hour: float) -> str:
	"""The board of a day after an hour, as SVG, when some wait in the queue."""
	console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)

	class Enough(Exception):
		pass

	def watch(day: Day) -> None:
		if day.clock.now_ms < local_ms(DAY, hour):
			return
		seen = views.snapshot(day.host.store)
		if len(seen.queue) >= QUEUE:
			console.print(render(day, seen, console))
			raise Enough

	with staged(options) as day:
		day.watch = watch
		with contextlib.suppress(Enough):
			day.play()
	return TEXT.sub(_free, console.export_svg(title="./run"))


def _free(match: re.Match[str]) -> str:
	attributes, content = match[1], match[2]
	if ARABIC.search(content):
		attributes = re.sub(r'textLength="[^"]*"', "", attributes)
	return f"<text {attributes}>{EMOJI.sub('', content)}</text>"


if __name__ == "__main__":
	Path(sys.argv[1]).write_text(
		picture(Options(messages=3000), float(sys.argv[2]) if len(sys.argv) > 2 else 21.05), encoding="utf-8"
	)
