"""How WhatsApp carries a file: as a picture, a film, a sound, or a document."""

from __future__ import annotations

from khalifa_whatsapp.core.errors import UserError

# What WhatsApp itself shows or plays; it refuses other pictures, films and sounds as such
SHOWN = {
	"image": frozenset({"image/jpeg", "image/png"}),
	"video": frozenset({"video/mp4", "video/3gpp"}),
	"voice": frozenset({"audio/ogg"}),
	"audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4"}),
}
WITH_CAPTION = ("image", "video", "document")


def kind_of(mime_type: str, kinds: frozenset[str]) -> str:
	"""How WhatsApp carries such a file; what it does not show goes as a document."""
	wanted = next((kind for kind, mime_types in SHOWN.items() if mime_type in mime_types), "document")
	if wanted not in kinds:
		wanted = "document"
	if wanted not in kinds:
		raise UserError("kind_not_supported", "This number's gateway can't send this kind of message.")
	return wanted


def kind_with_caption(mime_type: str, kinds: frozenset[str]) -> str:
	"""The same of a file that a text goes with: a sound can't have one, so it goes as a document."""
	kind = kind_of(mime_type, kinds)
	return kind if kind in WITH_CAPTION else kind_of("", kinds)
