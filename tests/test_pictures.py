"""Every picture of the checkout is shown by a document, and every picture that a document shows is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = {".avif", ".bmp", ".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".webp"}
PLACES = ("docs", "khalifa_whatsapp", "tests", "tools", "benchmarks")
NOT_OURS = {"node_modules", "dist"}  # what is built and installed
LINK = re.compile(r"!\[[^\]]*\]\(([^)\s]+)[^)]*\)|<img[^>]+src=[\"']([^\"']+)")


def pictures() -> set[Path]:
	paths = [*ROOT.glob("*"), *(path for place in PLACES for path in (ROOT / place).rglob("*"))]
	return {path for path in paths if path.suffix.lower() in PICTURES and not NOT_OURS & set(path.parts)}


def shown() -> set[Path]:
	"""What the documents show, as far as it lies here."""
	documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
	links = [
		(path, link)
		for path in documents
		for groups in LINK.findall(path.read_text(encoding="utf-8"))
		for link in groups
		if link
	]
	return {(path.parent / link).resolve() for path, link in links if "://" not in link}


def test_every_picture_is_shown_and_every_picture_that_is_shown_is_there() -> None:
	there, wanted = pictures(), shown()
	assert len(wanted) > 5
	unused = sorted(str(path.relative_to(ROOT)) for path in there - wanted)
	assert not unused, "no document shows these; tools/pictures.py makes them on demand:\n" + "\n".join(
		unused
	)
	missing = sorted(str(path) for path in wanted - there)
	assert not missing, "documents show what is not there:\n" + "\n".join(missing)
