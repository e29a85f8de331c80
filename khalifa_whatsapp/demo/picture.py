"""A picture for the demonstration: the sign of a pharmacy, a white cross on green."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 640, 320  # points
GREEN, WHITE = (18, 140, 96), (255, 255, 255)
ARM, HALF = 34, 100  # of the cross: half its thickness, half its length


def png() -> bytes:
	"""The picture."""
	rows = b"".join(b"\0" + b"".join(bytes(_colour(x, y)) for x in range(WIDTH)) for y in range(HEIGHT))
	head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
	parts = [_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b"")]
	return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _colour(x: int, y: int) -> tuple[int, int, int]:
	across, down = abs(x - WIDTH // 2), abs(y - HEIGHT // 2)
	if (across < ARM and down < HALF) or (down < ARM and across < HALF):
		return WHITE
	shade = y * 60 // HEIGHT
	return (GREEN[0], GREEN[1] - shade, GREEN[2] - shade // 2)


def _chunk(kind: bytes, data: bytes) -> bytes:
	return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
