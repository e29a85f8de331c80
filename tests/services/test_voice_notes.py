"""Recordings of every browser become what WhatsApp plays: Opus in Ogg, one channel, as long as it was."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp import bootstrap
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.media import voice
from khalifa_whatsapp.services import voice_notes
from khalifa_whatsapp.services.voice_notes import OGG, voice_note

CODEC = voice.PyAvCodec()

RATE, SECONDS = 48_000, 1.5
BROWSERS = {
	"chrome": ("webm", "libopus", "mono"),
	"stereo": ("webm", "libopus", "stereo"),
	"safari": ("mp4", "aac", "mono"),
}


def tone(layout: str) -> Iterator[av.AudioFrame]:
	"""A sound of 440 Hz."""
	channels = 1 if layout == "mono" else 2
	for start in range(0, int(SECONDS * RATE), 960):
		wave = [int(9_000 * math.sin(math.tau * 440 * at / RATE)) for at in range(start, start + 960)]
		frame = av.AudioFrame(format="s16", layout=layout, samples=960)
		frame.planes[0].update(array("h", [value for value in wave for _ in range(channels)]).tobytes())
		frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
		yield frame


def recorded(wrapping: str, codec: str, layout: str) -> bytes:
	"""The tone as a browser would record it."""
	file = BytesIO()
	with av.open(file, "w", format=wrapping) as out:
		stream = out.add_stream(codec, rate=RATE, layout=layout)
		context = stream.codec_context
		resampler = av.AudioResampler(
			format=context.format.name, layout=layout, rate=RATE, frame_size=context.frame_size or None
		)
		for frame in [*tone(layout), None]:
			for piece in resampler.resample(frame):
				out.mux(stream.encode(piece))
		out.mux(stream.encode(None))
	return file.getvalue()


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_recording_keeps_its_sound_and_its_length(browser: str) -> None:
	note = voice_note(recorded(*BROWSERS[browser]), CODEC)
	assert note.startswith(OGG)
	with av.open(BytesIO(note)) as file:
		sound = file.streams.audio[0]
		assert (sound.codec_context.name, sound.codec_context.channels) == ("opus", 1)
		samples = [
			value
			for frame in file.decode(sound)
			for value in array("f", bytes(frame.planes[0]))[: frame.samples]
		]
	assert len(samples) / RATE == pytest.approx(SECONDS, abs=0.1)
	middle = samples[RATE // 4 : RATE // 4 + RATE]
	rises = sum(one < 0 <= other for one, other in pairwise(middle))
	assert rises == pytest.approx(440, abs=3), "still the same tone"


def test_what_chrome_recorded_is_wrapped_anew_and_not_coded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.delattr(voice, "_encode_anew")
	chrome = recorded(*BROWSERS["chrome"])
	assert voice_note(chrome, CODEC)
	note = voice_note(chrome, CODEC)
	assert voice_note(note, CODEC) is note


def test_a_recording_that_would_take_too_long_is_refused_with_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(voice_notes, "MAX_SECONDS", 1)
	with pytest.raises(UserError) as refusal:
		voice_note(recorded(*BROWSERS["safari"]), CODEC)
	assert refusal.value.code == "long_recording"


@given(st.sampled_from([b"", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp"]), st.binary(max_size=400))
def test_no_file_of_another_kind_gets_through_or_breaks_anything(beginning: bytes, rest: bytes) -> None:
	if (beginning + rest).startswith(OGG):
		return
	with pytest.raises(UserError) as refusal:
		voice_note(beginning + rest, CODEC)
	assert refusal.value.code == "bad_recording"


@given(st.integers(0, 200), st.binary(min_size=1, max_size=8))
def test_a_damaged_recording_is_read_or_refused(at: int, garbage: bytes) -> None:
	damaged = bytearray(recorded_once())
	damaged[at * 40 : at * 40 + len(garbage)] = garbage
	try:
		assert voice_note(bytes(damaged), CODEC).startswith(OGG)
	except UserError as error:
		assert error.code == "bad_recording"


_KEPT: list[bytes] = []


def recorded_once() -> bytes:
	if not _KEPT:
		_KEPT.append(recorded(*BROWSERS["chrome"]))
	return _KEPT[0]


def test_without_a_codec_what_needs_none_goes_and_the_rest_is_refused_with_the_way_out() -> None:
	note = OGG + b"as Firefox records it"
	assert voice_note(note, None) is note
	for recording in BROWSERS.values():
		with pytest.raises(UserError) as refusal:
			voice_note(recorded(*recording), None)
		assert refusal.value.code == "no_voice_codec"
		assert voice_notes.INSTALL in str(refusal.value)
	with pytest.raises(UserError) as refusal:
		voice_note(b"no recording at all", None)
	assert refusal.value.code == "bad_recording"


def test_a_host_without_the_library_has_no_codec_and_one_with_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
	assert isinstance(bootstrap.voice_codec(), voice.PyAvCodec)
	monkeypatch.delitem(sys.modules, "khalifa_whatsapp.media.voice")
	monkeypatch.setitem(sys.modules, "av", None)
	assert bootstrap.voice_codec() is None
