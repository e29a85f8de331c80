"""The code to scan: what a reader that is not ours reads in the picture is what the page said."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import pytest
import zxingcpp

from khalifa_whatsapp.drivers.whatsapp_web.qr import QUIET_ZONE, picture_of

SVG = "{http://www.w3.org/2000/svg}"
PIXELS = 4  # of one module
LINKING = (
	"2@wZ3mQ8fXl0b9pYtR5uKcVeHs1dJ7nLqT6xGzAoBiCyDrEkFjMgNhPvSwUaOI4+/=,"
	"q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxCvBnMqWeRtYu=,"
	"A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v=,"
	"Zz9Yy8Xx7Ww6Vv5Uu4Tt3Ss2Rr1Qq0Pp9Oo8Nn7Mm6L=,1"
)


def modules_of(picture: str) -> list[list[bool]]:
	"""The dark squares of the SVG, with the quiet zone around them."""
	head, _, content = picture.partition(",")
	assert head == "data:image/svg+xml;base64"
	svg = ET.fromstring(base64.b64decode(content))
	assert {element.tag for element in svg.iter()} == {f"{SVG}svg", f"{SVG}rect", f"{SVG}path"}, (
		"a picture and no more"
	)
	left, top, width, height = (int(number) for number in svg.attrib["viewBox"].split())
	assert (left, top, width) == (0, 0, height)
	assert svg.find(f"{SVG}rect").attrib["fill"] == "white"
	dark = [[False] * width for _ in range(height)]
	squares = re.findall(r"M(\d+),(\d+)H(\d+)V(\d+)H(\d+)z", svg.find(f"{SVG}path").attrib["d"])
	for x, y, x_end, y_end, x_back in (map(int, square) for square in squares):
		assert (x_end, y_end, x_back) == (x + 1, y + 1, x)
		dark[y][x] = True
	return dark


def bitmap(dark: list[list[bool]]) -> memoryview:
	rows = [bytes(0 if module else 255 for module in row for _ in range(PIXELS)) * PIXELS for row in dark]
	side = len(dark) * PIXELS
	return memoryview(b"".join(rows)).cast("B", (side, side))


@pytest.mark.parametrize("text", ["1", "2@abc", LINKING, "أهلاً يا سامي 🌸", "<svg onload=x>&\"'", "7" * 200])
def test_a_reader_reads_what_was_said(text: str) -> None:
	barcodes = zxingcpp.read_barcodes(bitmap(modules_of(picture_of(text))))
	assert [(one.format, one.text) for one in barcodes] == [(zxingcpp.BarcodeFormat.QRCode, text)]
	assert barcodes[0].ec_level == "L", "a code of few squares is read fastest"


def test_there_is_white_all_around() -> None:
	dark = modules_of(picture_of(LINKING))
	size = len(dark) - 2 * QUIET_ZONE
	assert (size - 17) % 4 == 0, "no size that a QR code has"
	edges = [*range(QUIET_ZONE), *range(size + QUIET_ZONE, len(dark))]
	assert not any(dark[edge][i] or dark[i][edge] for edge in edges for i in range(len(dark)))
	assert all(dark[QUIET_ZONE][QUIET_ZONE : QUIET_ZONE + 7]), (
		"the mark in the corner begins where the white ends"
	)


def test_another_text_is_another_picture_and_the_same_text_the_same() -> None:
	assert picture_of(LINKING) == picture_of(LINKING)
	assert picture_of(LINKING) != picture_of(LINKING[:-1])
