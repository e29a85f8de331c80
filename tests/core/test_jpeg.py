"""A picture that an agent sends says nothing of where it was taken, and is the same picture."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from khalifa_whatsapp.core.jpeg import NotJpeg, without_metadata

GPS, ORIENTATION, MAKER = 0x8825, 0x0112, 0x010F


def picture(turn: int = 1, **options) -> bytes:
	out = io.BytesIO()
	exif = Image.Exif()
	exif[ORIENTATION], exif[MAKER] = turn, "SecretPhone"
	exif.get_ifd(GPS).update({1: "N", 2: (30.0, 2.0, 39.0)})
	Image.effect_noise((64, 48), 80).convert("RGB").save(out, "JPEG", exif=exif.tobytes(), **options)
	return out.getvalue()


@pytest.mark.parametrize(
	"options", [{}, {"progressive": True}, {"quality": 95, "subsampling": 0}, {"comment": b"SecretPhone"}]
)
@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_the_place_goes_and_pixels_and_turn_stay(turn, options):
	content = picture(turn, **options)
	bare = without_metadata(content)
	before, after = Image.open(io.BytesIO(content)), Image.open(io.BytesIO(bare))
	assert before.tobytes() == after.tobytes()
	assert after.getexif().get(ORIENTATION, 1) == turn
	assert set(after.getexif()) <= {ORIENTATION}
	assert b"SecretPhone" in content and b"SecretPhone" not in bare
	assert without_metadata(bare) == bare


def test_the_colour_profile_stays_and_a_film_behind_the_picture_goes():
	profile = b"profile" * 20_000  # more than one segment
	bare = without_metadata(picture(icc_profile=profile) + b"ftypmp42 film")
	assert Image.open(io.BytesIO(bare)).info["icc_profile"] == profile
	assert b"film" not in bare and bare.endswith(b"\xff\xd9")


@given(st.binary(max_size=200), st.integers(0, 3_000))
def test_damaged_bytes_are_refused_or_taken_apart_and_never_anything_else(junk, at):
	content = picture()
	for damaged in (
		b"\xff\xd8" + junk,
		content[:at] + junk,
		content[:at] + junk + content[at + len(junk) :],
		junk,
	):
		try:
			assert without_metadata(damaged).startswith(b"\xff\xd8")
		except NotJpeg:
			continue
