"""What a browser records, as WhatsApp plays it: Opus in Ogg, one channel.

Firefox records just that. Chrome and Edge wrap the same Opus in WebM: only the wrapping changes. Safari
records AAC in MP4, which is coded anew. The work is PyAV's, the bindings of FFmpeg's libraries; it reads only
the two wrappings.
"""

from __future__ import annotations

from io import BytesIO

import av

from khalifa_whatsapp.core.errors import UserError

OGG = b"OggS"
RATE, BITS = 48_000, 32_000  # Opus always counts in 48 kHz; 32 kbit/s is what voice needs
MAX_SECONDS = 15 * 60  # to be coded anew while somebody waits
_WRAPPINGS = ((0, b"\x1a\x45\xdf\xa3", "matroska"), (4, b"ftyp", "mov"))


def voice_note(recording: bytes) -> bytes:
	"""The recording as a voice message; Ogg stays as it is.

	`UserError` when it holds no sound that can be read.
	"""
	if recording.startswith(OGG):
		return recording
	wrapping = next((name for at, mark, name in _WRAPPINGS if recording[at:].startswith(mark)), None)
	if wrapping is None:
		raise _unreadable()
	try:
		note = _wrapped(recording, wrapping)
	except av.FFmpegError as error:
		raise _unreadable() from error
	if not note:  # not one packet of sound
		raise _unreadable()
	return note


def _unreadable() -> UserError:
	return UserError(
		"bad_recording", "This recording can't be read. Record it again, or attach an audio file."
	)


def _wrapped(recording: bytes, wrapping: str) -> bytes:
	target = BytesIO()
	read = av.open(BytesIO(recording), "r", format=wrapping, metadata_errors="ignore")
	with read as source, av.open(target, "w", format="ogg") as out:
		sound = next(iter(source.streams.audio), None)
		if sound is None or sound.codec_context is None:  # no sound, or of a kind that nobody knows
			raise _unreadable()
		is_ready = sound.codec_context.name in ("opus", "libopus") and sound.codec_context.channels == 1
		(_copy if is_ready else _code_anew)(source, sound, out)
	return target.getvalue()


def _copy(
	source: av.container.InputContainer, sound: av.AudioStream, out: av.container.OutputContainer
) -> None:
	"""The same packets; no sound is lost."""
	stream = out.add_stream_from_template(sound)
	for packet in source.demux(sound):
		if packet.dts is not None:
			packet.stream = stream
			out.mux(packet)


def _code_anew(
	source: av.container.InputContainer, sound: av.AudioStream, out: av.container.OutputContainer
) -> None:
	stream = out.add_stream("libopus", rate=RATE, layout="mono", bit_rate=BITS)
	resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=RATE)
	for frame in source.decode(sound):
		if (frame.time or 0) > MAX_SECONDS:
			raise UserError(
				"long_recording",
				"The recording is longer than {limit} minutes. Say it in parts.",
				limit=MAX_SECONDS // 60,
			)
		for piece in resampler.resample(frame):
			out.mux(stream.encode(piece))
	for piece in resampler.resample(None):
		out.mux(stream.encode(piece))
	out.mux(stream.encode(None))
