"""Arabic and other text: made comparable for search, made safe for Desk."""

from __future__ import annotations

import unicodedata

NAME_LIMIT = 140  # of a Data field
MAX_SCANNED = 10_000  # no name or preview needs more of a text, however long somebody makes it
SEARCH_TEXT = 4_000  # characters of a message that search knows

# What people leave out or swap when they type. ؤ and ئ lose their hamza like أ does: Arabic typed on a phone
# drops it from every seat (شوون for شؤون, قايمة for قائمة). The lone ء is a letter of its own and stays.
_LETTERS = {"ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": ""}
_MARKS = (  # diacritics to drop, by first and last code point
	(0x0300, 0x036F),  # Latin accents
	(0x0610, 0x061A),
	(0x064B, 0x065F),  # harakat, and the madda and hamza that a decomposed أ إ آ ؤ ئ leaves behind
	(0x0670, 0x0670),  # superscript alef
	(0x06D6, 0x06ED),  # Quranic marks
	(0x0897, 0x089F),
	(0x08CA, 0x08FF),
)
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols that show nothing
_SPACE = " "
# Harmless lookalikes of what HTML, JSON and JavaScript read as syntax.
_SYNTAX = {"<": "", ">": "", '"': "”", "'": "’", "`": "’", "&": "＆", "\\": "/"}


def normalise(text: str) -> str:
	"""The form in which texts are compared and searched; idempotent.

	Compatibility forms are resolved (presentation forms, full width), case and diacritics dropped, tatweel
	and invisible marks removed, أ إ آ ٱ → ا, ة → ه, ى → ي, ؤ → و, ئ → ي, digits of any script → 0-9, white
	space collapsed. Normalise both the stored text and the words searched for.
	"""
	folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
	return " ".join(unicodedata.normalize("NFC", folded.translate(_FOLDS)).split())


def message_search_text(body: str) -> str | None:
	"""What search knows of a message's text, at most `SEARCH_TEXT` characters;
	None where there is nothing to find.
	"""
	return normalise(body[:MAX_SCANNED])[:SEARCH_TEXT] or None


def safe_name(text: str, limit: int = NAME_LIMIT) -> str:
	"""A name from outside that Desk can show anywhere, at most `limit` characters; idempotent, may be empty.

	Control, bidi and invisible characters go, white space collapses; < and > go, quotes, & and backslash
	become typographic lookalikes, so that no context can read the name as markup or end a string with it.
	"""
	return _safe(text)[: max(limit, 0)].rstrip()


def preview(text: str, limit: int = 120) -> str:
	"""The beginning of a message on one line, safe as a name, at most `limit` long, with … when cut."""
	line = _safe(text)
	if len(line) <= limit and len(text) <= MAX_SCANNED:
		return line
	return f"{line[: max(limit - 1, 0)].rstrip()}…"[: max(limit, 0)]


def _safe(text: str) -> str:
	composed = unicodedata.normalize("NFC", text[:MAX_SCANNED])
	# What was removed may have stood between a letter and its accent: compose again.
	return " ".join(unicodedata.normalize("NFC", composed.translate(_SAFE_FORMS)).split())


class _FoldTable(dict[int, str]):
	"""Translation for `normalise`, worked out for each character when it is first met."""

	def __missing__(self, code: int) -> str:
		self[code] = folded = _folded(chr(code))
		return folded


class _SafeTable(dict[int, str]):
	"""Translation for `safe_name`, likewise."""

	def __missing__(self, code: int) -> str:
		self[code] = safe = _safe_form(chr(code))
		return safe


def _folded(char: str) -> str:
	if char in _LETTERS:
		return _LETTERS[char]
	if any(first <= ord(char) <= last for first, last in _MARKS):
		return ""
	return str(unicodedata.decimal(char, _visible(char)))


def _safe_form(char: str) -> str:
	return _SYNTAX[char] if char in _SYNTAX else _visible(char)


def _visible(char: str) -> str:
	"""The character, a space for any white or blank one, or nothing for an invisible one."""
	if char.isspace() or char in _BLANK_LETTERS:
		return _SPACE
	if unicodedata.category(char) in ("Cc", "Cf", "Cs") or _is_selector(ord(char)):
		return ""
	return char


def _is_selector(code: int) -> bool:
	"""Zero-width marks that Unicode doesn't class as format characters: joiner and variation selectors."""
	return (
		code == 0x034F
		or 0x180B <= code <= 0x180F
		or 0xFE00 <= code <= 0xFE0F
		or 0xE0000 <= code <= 0xE0FFF  # tags and further selectors
	)


_FOLDS = _FoldTable()
_SAFE_FORMS = _SafeTable()
