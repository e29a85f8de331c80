"""A JPEG without what its camera wrote about place, time and owner. No pixel is touched or even decoded.

A file is a row of segments, then the picture. Those that only describe go; how the picture is to be turned
stays, in an Exif segment that says nothing else. What comes after the picture goes too: phones keep a film of
it there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

START, END = b"\xff\xd8", b"\xff\xd9"
SCAN = 0xDA
# What a decoder needs of the application segments: JFIF, the colour profile (in parts), Adobe's kind of
# colour
_KEPT = {0xE0: b"", 0xE2: b"ICC_PROFILE\0", 0xEE: b""}
_COMMENT, _EXIF = 0xFE, 0xE1
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
# in the picture's data FF is followed by 00, or by a restart
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ORIENTATION, _SHORT = 0x0112, 3
_HEAD = b"Exif\0\0"


class NotJpeg(ValueError):
	"""The bytes are no JPEG, or one that ends too early."""


def without_metadata(content: bytes) -> bytes:
	"""The same picture; `NotJpeg` when it can't be taken apart."""
	if not content.startswith(START):
		raise NotJpeg
	try:
		segments = list(_segments(content))
	except (IndexError, struct.error) as error:
		raise NotJpeg from error
	turn = next(
		(
			orientation
			for marker, whole in segments
			if marker == _EXIF and (orientation := _orientation(whole[4:]))
		),
		0,
	)
	kept = b"".join(whole for marker, whole in segments if _is_kept(marker, whole))
	return START + (_exif(turn) if turn > 1 else b"") + kept + END


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
	"""Marker and bytes of each segment up to the end of the picture; a scan has its data with it."""
	at = len(START)
	while True:
		if content[at] != 0xFF:
			raise NotJpeg
		while content[at + 1] == 0xFF:  # padding
			at += 1
		marker = content[at + 1]
		if marker == END[1]:
			return
		stop = at + 2 if marker in _ALONE else at + 2 + struct.unpack_from(">H", content, at + 2)[0]
		if marker == SCAN:
			next_marker = _AFTER_SCAN.search(content, stop)
			if next_marker is None:  # cut off: decoders show what there is
				yield marker, content[at:]
				return
			stop = next_marker.start()
		if stop > len(content):
			raise NotJpeg
		yield marker, content[at:stop]
		at = stop


def _is_kept(marker: int, whole: bytes) -> bool:
	if marker in _KEPT:
		return whole[4:].startswith(_KEPT[marker])
	return marker != _COMMENT and not 0xE0 <= marker <= 0xEF


def _orientation(exif: bytes) -> int:
	"""1 to 8, or 0 when the segment doesn't say."""
	tiff = exif.removeprefix(_HEAD)
	order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
	if tiff == exif or order is None:
		return 0
	try:
		(first,) = struct.unpack_from(f"{order}I", tiff, 4)
		(count,) = struct.unpack_from(f"{order}H", tiff, first)
		for at in range(first + 2, first + 2 + 12 * count, 12):
			tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, at)
			if (tag, kind) == (_ORIENTATION, _SHORT):
				return value if 1 <= value <= 8 else 0
	except struct.error:
		return 0
	return 0


def _exif(turn: int) -> bytes:
	tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, _SHORT, 1, turn, 0, 0)
	body = _HEAD + tiff
	return struct.pack(">BBH", 0xFF, _EXIF, len(body) + 2) + body
