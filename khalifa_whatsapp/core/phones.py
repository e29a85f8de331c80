"""Phone numbers: what a gateway sends is taken as it is, what a person types is understood or refused.

Nothing is ever prefixed blindly. A gateway's number is already complete, so no default country is applied to
it; a person's number is read in the customer's country first, and a number that can't be understood is for a
person to mend, because a message to a stranger, or to nobody, is how a WhatsApp number gets blocked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from khalifa_whatsapp.core.errors import CodedError

HOME_REGION = "EG"
# Countries whose people write to an Egyptian shop in their own short form, which may also be a landline here.
VISITOR_REGIONS = ("SA", "AE", "KW", "QA", "BH", "OM", "JO", "LY", "SD", "US")
MAX_GATEWAY_DIGITS = 32  # longer than any real number, short enough for the column
MAX_E164_DIGITS = 15
MIN_DIGITS = 7  # below: hotlines and emergency numbers, which WhatsApp can't reach
MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

MESSAGES = {
	"empty": "The phone number is empty. Write the number, with + and the country code if it is foreign.",
	"letters": "{text} contains more than a phone number. Leave only the number in the field.",
	"two_numbers": "{text} looks like more than one phone number. Leave one number in the field.",
	"short_number": "{text} is a hotline or short number, without WhatsApp. Write the full phone number.",
	"not_valid": "{text} is not a valid phone number. Check the digits, "
	"and write a foreign number with + and its country code.",
	"unknown_region": "{region} is not a country code. Use two letters, such as EG.",
	"not_digits": "{text} is not a number as a gateway sends it: up to 32 digits, country code first.",
}


class PhoneError(CodedError):
	"""Text that isn't one usable phone number."""

	messages = MESSAGES


@dataclass(frozen=True)
class Phone:
	"""One phone number. Phones are the same when their `e164` is: compare that, not the objects.

	`e164` has the +; `is_valid` says whether the number plan knows it (a gateway may be ahead of the plan);
	`raw` is the text it was read from; `is_ambiguous` warns that it may as well be a number of another
	country.
	"""

	e164: str
	is_valid: bool
	raw: str
	is_ambiguous: bool = False

	@property
	def digits(self) -> str:
		"""The number as gateways want it: country code first, no +."""
		return self.e164[1:]

	def display(self) -> str:
		"""For people: the international format, `+20 10 01234567`; the plain number if not valid."""
		number = _parsed(self.e164, None) if self.is_valid else None
		return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number else self.e164


# The library's own answer for an Egyptian mobile, without the 15 µs: most customers have one.
_HOME_MOBILE = re.compile(r"201[0125][0-9]{8}")


@lru_cache(maxsize=16_384)
def from_gateway(digits: str) -> Phone:
	"""The phone a gateway names by its full international digits, with or without +.

	No default country is applied and no digit changed, whatever a release of the number plan makes of them; a
	number the plan doesn't know is marked not valid.
	Raises PhoneError for anything but 1 to 32 digits. Not for LIDs, which look the same: see
	`identity.parse_wid`.
	"""
	if _HOME_MOBILE.fullmatch(digits):
		return Phone(f"+{digits}", True, digits)
	plain = _without_layout(digits).removeprefix("+")
	if not re.fullmatch(rf"[0-9]{{1,{MAX_GATEWAY_DIGITS}}}", plain):
		raise PhoneError("not_digits", {"text": digits[:60]})
	return Phone(f"+{plain}", _valid(f"+{plain}", None) is not None, digits)


# Three countries whose mobiles have two forms, and gateways use now one, now the other.
_TWO_FORMS = (
	(re.compile(r"\+55(\d\d)9([6-9]\d{7})", re.ASCII), r"+55\1\2"),  # Brazil: the ninth digit
	(re.compile(r"\+55(\d\d)([6-9]\d{7})", re.ASCII), r"+55\g<1>9\2"),
	(re.compile(r"\+521(\d{10})", re.ASCII), r"+52\1"),  # Mexico: the 1 of mobiles
	(re.compile(r"\+52(\d{10})", re.ASCII), r"+521\1"),
	(re.compile(r"\+549(\d{10})", re.ASCII), r"+54\1"),  # Argentina: the 9 of mobiles
	(re.compile(r"\+54(\d{10})", re.ASCII), r"+549\1"),
)


def other_form(e164: str) -> str:
	"""The same number as a gateway may write it another time; empty for numbers of one form."""
	for form, other in _TWO_FORMS:
		match = form.fullmatch(e164)
		if match:
			return match.expand(other)
	return ""


@lru_cache(maxsize=4_096)
def from_person(text: str, region: str = HOME_REGION) -> Phone:
	"""The phone a person typed or imported, read in the customer's country (two letters).

	A leading + or 00 means international. Otherwise the number is read in the region, then as international
	digits without the +. `is_ambiguous` is set when that reading isn't the only sensible one: a Mansoura
	landline 050… is also a Saudi mobile. Always valid. Raises PhoneError, with `code` and `values`, for all
	that isn't one number.
	"""
	if region not in phonenumbers.SUPPORTED_REGIONS:
		raise PhoneError("unknown_region", {"region": region})
	plain = _one_number(text)
	if plain.startswith("+"):
		return _international(plain, text)
	if plain.startswith("00"):
		return _international(f"+{plain[2:]}", text)
	national = _valid(plain, region)
	if national is None:
		return _international(f"+{plain}", text)
	return Phone(_e164(national), True, text, _is_ambiguous(plain, national, region))


@lru_cache(maxsize=16_384)
def country_of(e164: str) -> str:
	"""The country (two letters) of a number with its +; "" where it has none, or several."""
	number = _parsed(e164, None)
	region = phonenumbers.region_code_for_number(number) if number else None
	return region if region and len(region) == 2 and region.isalpha() else ""


def _international(number: str, text: str) -> Phone:
	parsed = _valid(number, None)
	if parsed is None:
		raise PhoneError("not_valid", {"text": text[:60]})
	return Phone(_e164(parsed), True, text)


def _one_number(text: str) -> str:
	"""The digits of the only number in the text, with its + if it has one."""
	plain = _without_layout(text)
	digits = plain.removeprefix("+")
	if not digits:
		raise PhoneError("empty", {})
	if _holds_two_numbers(text):
		raise PhoneError("two_numbers", {"text": text[:60]})
	if not (digits.isascii() and digits.isdecimal()):
		raise PhoneError("letters", {"text": text[:60]})
	if len(digits) < MIN_DIGITS:
		raise PhoneError("short_number", {"text": text[:60]})
	return plain


def _holds_two_numbers(text: str) -> bool:
	"""Whether two parts are each long enough to be a number, or all digits together too many for one."""
	parts = re.split(r"[^0-9().-]+", _ascii_digits(text))
	counts: list[int] = [sum(char.isdecimal() for char in part) for part in parts]
	return sum(count >= MIN_DIGITS for count in counts) > 1 or sum(counts) > MAX_E164_DIGITS + len("00")


def _without_layout(text: str) -> str:
	"""The text with ASCII digits, and without spaces, dashes, dots, brackets, and invisible marks."""
	return "".join([char for char in _ascii_digits(text) if not _is_layout(char)])


def _ascii_digits(text: str) -> str:
	"""Digits of any script, and the full-width +, as ASCII; invisible marks dropped."""
	if text.isascii():
		return text
	seen = [char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf"]
	return "".join([str(unicodedata.decimal(char, char)) for char in seen])


def _is_layout(char: str) -> bool:
	return char in "().-/" or char.isspace() or unicodedata.category(char) == "Pd"


def _is_ambiguous(plain: str, national: PhoneNumber, region: str) -> bool:
	"""Whether a number read as a landline here could be meant as a number of another country.

	A mobile of the customer's own country is taken at its word: the other reading is then the unlikely one.
	"""
	if phonenumbers.number_type(national) in MOBILE_TYPES:
		return False
	complete = _valid(f"+{plain}", None)
	if complete is not None and complete != national:
		return True
	visitors = [_valid(plain, other) for other in VISITOR_REGIONS if other != region]
	return any(number and phonenumbers.number_type(number) in MOBILE_TYPES for number in visitors)


def _valid(number: str, region: str | None) -> PhoneNumber | None:
	parsed = _parsed(number, region)
	return parsed if parsed is not None and phonenumbers.is_valid_number(parsed) else None


def _parsed(number: str, region: str | None) -> PhoneNumber | None:
	try:
		return phonenumbers.parse(number, region)
	except NumberParseException:
		return None


def _e164(number: PhoneNumber) -> str:
	return phonenumbers.format_number(number, PhoneNumberFormat.E164)
