"""The voice codec of PyAV, the bindings of FFmpeg's libraries. Only who installs the extra `voice` has it."""

from __future__ import annotations

from io import BytesIO

import av

from khalifa_whatsapp.services.voice_notes import TooLong, Unreadable

RATE, BITS = 48_000, 32_000  # Opus always counts in 48 kHz; 32 kbit/s is what voice needs
FORMATS = {"webm": "matroska", "mp4": "mov"}  # FFmpeg's names; it reads nothing else


class PyAvCodec:
	"""A `VoiceCodec`."""

	def convert(self, recording: bytes, container: str, max_seconds: int) -> bytes:
		"""As in `VoiceCodec`. What Chrome records is Opus already: only the container changes."""
		try:
			return _converted(recording, FORMATS[container], max_seconds)
		except av.FFmpegError as error:
			raise Unreadable from error


def _converted(recording: bytes, source_format: str, max_seconds: int) -> bytes:
	target = BytesIO()
	read = av.open(BytesIO(recording), "r", format=source_format, metadata_errors="ignore")
	with read as source, av.open(target, "w", format="ogg") as out:
		sound = next(iter(source.streams.audio), None)
		if sound is None or sound.codec_context is None:  # no sound, or of a kind that nobody knows
			raise Unreadable
		if sound.codec_context.name in ("opus", "libopus") and sound.codec_context.channels == 1:
			_copy(source, sound, out)
		else:
			_encode_anew(source, sound, out, max_seconds)
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


def _encode_anew(
	source: av.container.InputContainer,
	sound: av.AudioStream,
	out: av.container.OutputContainer,
	max_seconds: int,
) -> None:
	stream = out.add_stream("libopus", rate=RATE, layout="mono", bit_rate=BITS)
	resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=RATE)
	for frame in source.decode(sound):
		if (frame.time or 0) > max_seconds:
			raise TooLong
		for piece in resampler.resample(frame):
			out.mux(stream.encode(piece))
	for piece in resampler.resample(None):
		out.mux(stream.encode(piece))
	out.mux(stream.encode(None))
