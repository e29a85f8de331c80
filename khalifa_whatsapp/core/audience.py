"""Who is to get a campaign: each line of a list is one recipient, or is left out for one reason that says how
to mend it.

The same number in five spellings is one recipient. What can be told from the list alone is decided here
first; what the store knows of the person (`Person`) is laid beside it afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from khalifa_whatsapp.core import campaigns, phones
from khalifa_whatsapp.core.arabic import normalise, safe_name
from khalifa_whatsapp.core.cells import is_formula
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.table_text import Row
from khalifa_whatsapp.core.templates import MAX_VALUE

CUSTOMER_NAME = "customer"  # the blank that a column of names fills in
LOOKED_AT = 20  # rows, to tell which column holds the numbers

FORMULA, ROUNDED, DUPLICATE, OPTED_OUT = "formula", "rounded", "duplicate", "opted_out"
UNREACHABLE, NO_CUSTOMER, MISSING, LONG = "unreachable", "no_customer", "missing_value", "long_value"
AMBIGUOUS = "ambiguous"

# Why a line is left out. `{text}` is what stood in the number's place.
REASONS = {
	**phones.MESSAGES,
	FORMULA: "{text} is a formula. Put the number itself in the cell.",
	ROUNDED: "{text} was shortened by a spreadsheet. Format the column as text and enter the number again.",
	AMBIGUOUS: "{text} may be a number of two countries. Write it with + and the country code.",
	DUPLICATE: "The same person as in line {detail}.",
	OPTED_OUT: campaigns.WANTS_NONE,
	UNREACHABLE: "Has given up this number, and no other is known.",
	NO_CUSTOMER: "{text} is no customer of WhatsApp here.",
	MISSING: "There is no value for {detail}.",
	LONG: "The value for {detail} is too long.",
}

# The same for a summary, by what a person would do about it
GROUPS = {
	"number": "No usable number",
	"duplicate": "Duplicates",
	"opted_out": "Want no promotions",
	"unreachable": "Can't be reached any more",
	"value": "A value is missing or too long",
	"other": "Other reasons",
}
_GROUP_OF = {
	DUPLICATE: "duplicate",
	OPTED_OUT: "opted_out",
	UNREACHABLE: "unreachable",
	MISSING: "value",
	LONG: "value",
}

# How people title these columns, in English and in Arabic
# fmt: off
PHONE_TITLES = frozenset(
	normalise(title)
	for title in (
		"phone", "phone number", "phone no", "mobile", "mobile number", "mobile no", "mobile_no", "cell",
		"tel", "telephone", "msisdn", "whatsapp", "whatsapp number", "number", "رقم", "الرقم",
		"رقم الهاتف", "الهاتف", "هاتف", "رقم الموبايل", "الموبايل", "موبايل", "رقم المحمول", "المحمول",
		"محمول", "رقم التليفون", "التليفون", "تليفون", "رقم الجوال", "الجوال", "جوال", "واتساب",
		"الواتساب", "واتس", "الواتس", "رقم الواتساب", "رقم الواتس",
	)
)
NAME_TITLES = frozenset(
	normalise(title)
	for title in (
		"name", "customer", "customer name", "customer_name", "full name", "الاسم", "اسم", "اسم العميل",
		"العميل", "الاسم بالكامل",
	)
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Columns:
	"""What the columns of a list are: which one holds the numbers, and the name of the value in each other
	one.
	"""

	phone: int
	names: tuple[str, ...]
	has_header: bool


@dataclass(frozen=True, slots=True)
class Line:
	"""One line of a list. `why` is a key of `REASONS`, empty for a recipient.

	`number` counts as the list's editor does; `given` is what stood in the number's place; `phone` has the +.
	"""

	number: int
	given: str = ""
	phone: str = ""
	customer: str = ""
	values: Mapping[str, str] = field(default_factory=dict)
	why: str = ""
	detail: str = ""

	def refused(self, why: str, detail: str = "") -> Line:
		"""The same line, left out for this reason."""
		return replace(self, why=why, detail=detail)


@dataclass(frozen=True, slots=True)
class Person:
	"""What is known of whom a line names: the customer's record, and whether promotions may and can reach
	him or her.
	"""

	customer: str
	customer_name: str = ""
	is_opted_out: bool = False
	is_reachable: bool = True


def columns_of(rows: Sequence[Row], region: str = phones.HOME_REGION, wanted: str = "") -> Columns:
	"""What the first rows say of the columns: by their names, in Arabic or English, or by what they hold.

	`wanted` names the column of the numbers where somebody has said which one it is. Raises UserError when no
	column can be it, or two have one name.
	"""
	sample = [cells for _line, cells in rows[:LOOKED_AT]]
	if not sample:
		raise empty()
	first = sample[0]
	named = _named_column(first, wanted)
	if wanted and named is None:
		raise UserError("audience_no_column", "The list has no column {name}.", name=wanted)
	phone = _fullest_column(sample, region) if named is None else named
	has_header = named is not None or _looks_like_header(first, phone, len(sample))
	width = max(map(len, sample))
	titles = first if has_header else []
	return Columns(phone, _names(titles, phone, width), has_header)


def empty() -> UserError:
	"""The refusal of a list in which nobody stands."""
	return UserError("audience_empty", "The list is empty. Write one phone number on each line.")


def _named_column(first: Sequence[str], wanted: str) -> int | None:
	titles = {normalise(wanted)} if wanted else PHONE_TITLES
	return next((index for index, cell in enumerate(first) if normalise(cell) in titles), None)


def _fullest_column(sample: Sequence[Sequence[str]], region: str) -> int:
	"""The first of those that hold most numbers; the first column of all when none holds any."""
	counts = [
		sum(_is_phone(row[index], region) for row in sample if index < len(row))
		for index in range(max(map(len, sample)))
	]
	return counts.index(max(counts))


def _looks_like_header(first: Sequence[str], phone: int, count: int) -> bool:
	"""A row of words above others. A single word alone is a line that is wrong, and is to be shown as one."""
	cell = first[phone] if phone < len(first) else ""
	return count > 1 and sum(map(bool, first)) > 1 and not any(char.isdecimal() for char in cell)


def _is_phone(text: str, region: str) -> bool:
	try:
		phones.from_person(text, region)
	except phones.PhoneError:
		return False
	return True


def _names(titles: Sequence[str], phone: int, width: int) -> tuple[str, ...]:
	"""The values' names: the header's words, else «1», «2», … in their order."""
	names: list[str] = []
	position = 0
	for index in range(width):
		position += index != phone
		title = titles[index] if index < len(titles) else ""
		names.append("" if index == phone else value_name(title) or str(position))
	twice = next((name for name in names if name and names.count(name) > 1), None)
	if twice is not None:
		raise UserError("audience_two_columns", "Two columns are named {name}. Rename one.", name=twice)
	return tuple(names)


def value_name(title: str) -> str:
	"""How a text's blank asks for a column with this title: without its braces, and a column of names is
	`customer`.
	"""
	name = " ".join(title.strip("{} ").split())[:60]
	return CUSTOMER_NAME if normalise(name) in NAME_TITLES else name


class Audience:
	"""Lines of one campaign, in their order: it remembers whom it has taken already, by number and by
	customer.
	"""

	def __init__(
		self, columns: Columns, needed: Collection[str] = (), region: str = phones.HOME_REGION
	) -> None:
		self.columns = columns
		self.needed = tuple(needed)
		self.region = region
		self._phones: dict[str, int] = {}
		self._customers: dict[str, int] = {}

	def line(self, number: int, cells: Sequence[str]) -> Line:
		"""A row as a line: with its number, or the reason why it has none that can be written to."""
		at = self.columns.phone
		given = cells[at] if at < len(cells) else ""
		values = {
			name: cells[index] if index < len(cells) else ""
			for index, name in enumerate(self.columns.names)
			if name
		}
		line = Line(number, safe_name(given), values=values)
		return self._with_phone(line, given)

	def _with_phone(self, line: Line, given: str) -> Line:
		if given.lstrip().startswith("="):
			return line.refused(FORMULA)
		if is_rounded(given):
			return line.refused(ROUNDED)
		try:
			phone = phones.from_person(given.lstrip("'"), self.region)
		except phones.PhoneError as error:
			return line.refused(FORMULA if is_formula(given) else error.code)
		return line.refused(AMBIGUOUS) if phone.is_ambiguous else self.once(replace(line, phone=phone.e164))

	def once(self, line: Line) -> Line:
		"""The line, or a duplicate of an earlier one with the same number, in whatever form a gateway has
		it.
		"""
		form = min(line.phone, phones.other_form(line.phone) or line.phone)
		first = self._phones.setdefault(form, line.number)
		return line if first == line.number else line.refused(DUPLICATE, str(first))

	def with_person(self, line: Line, person: Person | None) -> Line:
		"""The line with what is known of the person; a stranger's stays as it is, and needs its values, too.

		Two lines of one customer are duplicates.
		"""
		if line.why:
			return line
		if person is None:
			return line.refused(NO_CUSTOMER) if line.customer else self._complete(line)
		known = replace(line, customer=person.customer, values=_with_name(line.values, person.customer_name))
		first = self._customers.setdefault(person.customer, line.number)
		if first != line.number:
			return known.refused(DUPLICATE, str(first))
		if person.is_opted_out:
			return known.refused(OPTED_OUT)
		return self._complete(known) if person.is_reachable else known.refused(UNREACHABLE)

	def _complete(self, line: Line) -> Line:
		missing = next((name for name in self.needed if not value_of(line.values, name)), None)
		if missing is not None:
			return line.refused(MISSING, missing)
		long = next((name for name in self.needed if len(value_of(line.values, name)) > MAX_VALUE), None)
		return line if long is None else line.refused(LONG, long)


def is_rounded(text: str) -> bool:
	"""Whether a spreadsheet has written the number as a power of ten: digits are lost."""
	mantissa, exponent, power = text.strip().upper().partition("E")
	return bool(
		exponent
		and mantissa.replace(".", "", 1).replace(",", "", 1).lstrip("+").isdecimal()
		and power.lstrip("+").isdecimal()
	)


def value_of(values: Mapping[str, str], name: str) -> str:
	"""The value of a blank; its name is compared as search compares words."""
	if name in values:
		return values[name]
	wanted = normalise(name)
	return next((value for title, value in values.items() if normalise(title) == wanted), "")


def unknown_names(needed: Collection[str], columns: Columns) -> list[str]:
	"""Blanks that no column and no customer's record fills in."""
	known = {normalise(name) for name in columns.names if name} | {CUSTOMER_NAME}
	return [name for name in needed if normalise(name) not in known]


def reason(why: str, given: str = "", detail: str = "") -> tuple[str, dict[str, str]]:
	"""The sentence for a line that was left out, and what is filled into it."""
	return REASONS[why], {"text": given, "detail": detail}


def group_of(text: str) -> str:
	"""Which of `GROUPS` a sentence belongs to that says why somebody was left out."""
	if text == campaigns.TWICE:
		return "duplicate"
	why = next((why for why, known in REASONS.items() if known == text), None)
	return "other" if why is None else _GROUP_OF.get(why, "number")


def _with_name(values: Mapping[str, str], name: str) -> Mapping[str, str]:
	return values if values.get(CUSTOMER_NAME) or not name else {**values, CUSTOMER_NAME: name}
