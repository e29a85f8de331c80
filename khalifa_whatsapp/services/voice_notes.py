"""What a browser records becomes what WhatsApp plays as a voice message: Opus in Ogg, one channel.

Firefox records just that. What Chrome and Edge (WebM) and Safari (MP4) record is converted by a codec, which
a host may lack: then a person is told so in words, and everything else works.
"""

from __future__ import annotations

from typing import Protocol

from khalifa_whatsapp.core.errors import UserError

OGG = b"OggS"
MAX_SECONDS = 15 * 60  # to be encoded anew while somebody waits
INSTALL = 'bench pip install -e "apps/khalifa_whatsapp[voice]"'
_CONTAINERS = ((0, b"\x1a\x45\xdf\xa3", "webm"), (4, b"ftyp", "mp4"))


class Unreadable(Exception):
	"""The recording holds no sound that can be read."""


class TooLong(Exception):
	"""The recording would take too long to convert."""


class VoiceCodec(Protocol):
	"""What converting needs of a library."""

	def convert(self, recording: bytes, container: str, max_seconds: int) -> bytes:
		"""The sound as Opus in Ogg, one channel; empty when there is none. `container` is webm or mp4.

		Raises `Unreadable`; and `TooLong` when more than `max_seconds` would have to be encoded anew.
		"""


def voice_note(recording: bytes, codec: VoiceCodec | None) -> bytes:
	"""The recording as a voice message; Ogg stays as it is. `UserError` when it can't be one.

	`codec` None: the host has none.
	"""
	if recording.startswith(OGG):
		return recording
	container = next((name for at, mark, name in _CONTAINERS if recording[at:].startswith(mark)), None)
	if container is None:
		raise _unreadable()
	if codec is None:
		raise UserError(
			"no_voice_codec",
			"This server can't convert the recording yet. Attach an audio file instead; "
			"its administrator can mend that with: {command}",
			command=INSTALL,
		)
	return _converted(recording, codec, container)


def _converted(recording: bytes, codec: VoiceCodec, container: str) -> bytes:
	try:
		note = codec.convert(recording, container, MAX_SECONDS)
	except Unreadable as error:
		raise _unreadable() from error
	except TooLong as error:
		raise UserError(
			"long_recording",
			"The recording is longer than {limit} minutes. Say it in parts.",
			limit=MAX_SECONDS // 60,
		) from error
	if not note:  # not one packet of sound
		raise _unreadable()
	return note


def _unreadable() -> UserError:
	return UserError(
		"bad_recording", "This recording can't be read. Record it again, or attach an audio file."
	)
