"""What Meta refuses in a template, said before it is submitted: each rule with a sentence that says how to
mend it.

Source: Meta's reference of message templates and its errors 2388xxx. Where its documents and what people meet
differ, the looser rule stands here: Meta has the last word, and its own words are shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from khalifa_whatsapp.core.template_drafts import (
	BUTTONS,
	COPY_CODE,
	HEADERS,
	PHONE_NUMBER,
	QUICK_REPLY,
	URL,
	Button,
	TemplateDraft,
	names_in,
)
from khalifa_whatsapp.core.template_languages import LANGUAGES
from khalifa_whatsapp.core.templates import CODE, MAX_CODE, VARIABLE, HeaderFile

CATEGORIES = ("MARKETING", "UTILITY")
MAX_NAME, MAX_HEADER, MAX_BODY, MAX_FOOTER = 512, 60, 1024, 60  # characters
MAX_BUTTONS, MAX_BUTTON_TEXT, MAX_URL, MAX_PHONE = 10, 25, 2000, 20
MAX_OF_KIND = {URL: 2, PHONE_NUMBER: 1, COPY_CODE: 1}
MAX_NAMES = 250  # of an account; a name in several languages counts once
FILE_TYPES = {
	"IMAGE": frozenset({"image/jpeg", "image/png"}),
	"VIDEO": frozenset({"video/mp4", "video/3gpp"}),
	"DOCUMENT": frozenset({"application/pdf"}),
}
# What is wrong, by code
MESSAGES = {
	"name": "A name has small English letters, digits and underscores only, for example order_ready.",
	"language": "Choose one of Meta's languages, for example ar or en_US.",
	"category": "Choose a category: MARKETING or UTILITY. Login codes are made in Meta's own manager.",
	"names": "The account has {limit} template names already. Delete an unused one in Meta's manager.",
	"header_kind": "A header is a text, a picture, a film or a document.",
	"header_file": "Attach the file of the header: Meta wants an example of it.",
	"file_IMAGE": "The header's picture must be a JPEG or PNG.",
	"file_VIDEO": "The header's film must be an MP4.",
	"file_DOCUMENT": "The header's document must be a PDF.",
	"header_empty": "The header is empty.",
	"header_long": "The header has {length} characters; at most {limit} fit.",
	"header_variables": "A header may have one variable only.",
	"header_line": "A header is one line without emoji and without the marks * _ ~ `.",
	"body_empty": "The text is empty.",
	"body_long": "The text has {length} characters; at most {limit} fit.",
	"body_edge": "The text can't begin or end with a variable. Write a word before and after it.",
	"body_adjacent": "Two variables stand next to each other. Write a word between them.",
	"body_spaces": "The text has tabs, more than four spaces in a row, or more than one empty line in a row.",
	"footer_long": "The footer has {length} characters; at most {limit} fit.",
	"footer_line": "The footer is one line without variables.",
	"braces": "A variable is written {number}, or {name} where variables have names.",
	"parameter": "The name of {name} must begin with a small English letter.",
	"numbers": "Variables are numbered from {number} on, without a gap.",
	"buttons": "A template has at most {limit} buttons.",
	"many_URL": "At most two buttons may open a website.",
	"many_PHONE_NUMBER": "Only one button may call a number.",
	"many_COPY_CODE": "Only one button may copy a code.",
	"button_same": "Two buttons have the same text.",
	"button_groups": "Quick replies stand together: put the other buttons before or after them.",
	"button_kind": "Button {number}: choose its kind.",
	"button_text": "Button {number}: write a text of at most {limit} characters.",
	"button_line": "Button {number}: its text is one line without variables.",
	"button_phone": "Button {number}: write the number with its country code, for example +201001234567.",
	"button_url": "Button {number}: write a whole address that begins with https://.",
	"button_variable": "Button {number}: an address may have one variable, {variable}, and only at its end.",
	"example_missing": "Write an example for {name}: Meta reviews the template with it.",
	"example_line": "The example for {name} is one line without variables.",
	"example_code": "A code to copy has at most {limit} characters.",
	"example_stray": "There is an example for {name}, which stands nowhere in the template.",
}

_NAME = re.compile(r"[a-z0-9_]+")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,59}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,18}")
_ADDRESS = re.compile(r"https?://[^\s/]+\.[^\s]+", re.IGNORECASE)
_MARKS = re.compile(r"[*_~`]")
_ENDS_WITH_VARIABLE = re.compile(VARIABLE.pattern + r"\Z")
_WRITTEN = re.compile(r"\{\{[a-z0-9_]{1,60}\}\}")  # without the spaces that Meta may not know
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True, slots=True)
class Problem:
	"""One thing that Meta would refuse: the field of the form, and a code of `MESSAGES` with its values."""

	fieldname: str
	code: str
	values: Mapping[str, object] = field(default_factory=dict)

	@property
	def text(self) -> str:
		"""The sentence, to be formatted with the values."""
		return MESSAGES[self.code]


def problems(draft: TemplateDraft, file: HeaderFile | None, names: Collection[str] = ()) -> list[Problem]:
	"""All that is wrong with a draft; none: it can be submitted.

	`file`: the header's. `names`: the account's templates.
	"""
	return [
		*_about_name(draft, names),
		*_about_header(draft, file),
		*_about_body(draft),
		*_about_footer(draft),
		*_about_buttons(draft),
		*_about_examples(draft),
	]


def _about_name(draft: TemplateDraft, names: Collection[str]) -> Iterator[Problem]:
	if not _NAME.fullmatch(draft.name) or len(draft.name) > MAX_NAME:
		yield Problem("template_name", "name")
	if draft.language not in LANGUAGES:
		yield Problem("language", "language")
	if draft.category not in CATEGORIES:
		yield Problem("category", "category")
	if draft.name not in names and len(set(names)) >= MAX_NAMES:
		yield Problem("template_name", "names", {"limit": MAX_NAMES})


def _about_header(draft: TemplateDraft, file: HeaderFile | None) -> Iterator[Problem]:
	if draft.header_kind not in HEADERS:
		yield Problem("header_kind", "header_kind")
	if draft.needs_file and file is None:
		yield Problem("header_file", "header_file")
	elif draft.needs_file and file is not None and file.mime_type not in FILE_TYPES[draft.header_kind]:
		yield Problem("header_file", f"file_{draft.header_kind}")
	if draft.header_kind != "TEXT":
		return
	yield from _length("header_text", "header", draft.header, MAX_HEADER)
	yield from _variables("header_text", draft, draft.header)
	if len(names_in(draft.header)) > 1:
		yield Problem("header_text", "header_variables")
	if "\n" in draft.header or _MARKS.search(VARIABLE.sub("", draft.header)) or _has_emoji(draft.header):
		yield Problem("header_text", "header_line")


def _about_body(draft: TemplateDraft) -> Iterator[Problem]:
	yield from _length("body", "body", draft.body, MAX_BODY)
	yield from _variables("body", draft, draft.body)
	plain = draft.body.strip()
	if VARIABLE.match(plain) or _ENDS_WITH_VARIABLE.search(plain):
		yield Problem("body", "body_edge")
	if re.search(r"\}\}\s*\{\{", draft.body):
		yield Problem("body", "body_adjacent")
	if re.search(r"\n{3,}|\t| {5,}", draft.body):
		yield Problem("body", "body_spaces")


def _about_footer(draft: TemplateDraft) -> Iterator[Problem]:
	if len(draft.footer) > MAX_FOOTER:
		yield Problem("footer", "footer_long", {"limit": MAX_FOOTER, "length": len(draft.footer)})
	if "\n" in draft.footer or _BRACES.search(draft.footer):
		yield Problem("footer", "footer_line")


def _about_buttons(draft: TemplateDraft) -> Iterator[Problem]:
	if len(draft.buttons) > MAX_BUTTONS:
		yield Problem("buttons", "buttons", {"limit": MAX_BUTTONS})
	for kind, most in MAX_OF_KIND.items():
		if sum(button.kind == kind for button in draft.buttons) > most:
			yield Problem("buttons", f"many_{kind}")
	texts = [button.text for button in draft.buttons if button.text]
	if len(set(texts)) < len(texts):
		yield Problem("buttons", "button_same")
	if _is_mixed([button.kind == QUICK_REPLY for button in draft.buttons]):
		yield Problem("buttons", "button_groups")
	for number, button in enumerate(draft.buttons, 1):
		yield from _about_button(number, button)


def _about_button(number: int, button: Button) -> Iterator[Problem]:
	values = {"number": number}
	if button.kind not in BUTTONS:
		yield Problem("buttons", "button_kind", values)
	if button.kind != COPY_CODE and not 0 < len(button.text.strip()) <= MAX_BUTTON_TEXT:
		yield Problem("buttons", "button_text", {**values, "limit": MAX_BUTTON_TEXT})
	if _BRACES.search(button.text) or "\n" in button.text:
		yield Problem("buttons", "button_line", values)
	if button.kind == PHONE_NUMBER and not (
		_PHONE.fullmatch(button.value) and len(button.value) <= MAX_PHONE
	):
		yield Problem("buttons", "button_phone", values)
	if button.kind == URL:
		yield from _about_address(number, button.value)


def _about_address(number: int, url: str) -> Iterator[Problem]:
	if not _ADDRESS.fullmatch(url) or len(url) > MAX_URL:
		yield Problem("buttons", "button_url", {"number": number})
	braces = _BRACES.findall(url)
	if braces and (braces != ["{{", "}}"] or not url.endswith("{{1}}")):
		yield Problem("buttons", "button_variable", {"number": number, "variable": "{{1}}"})


def _about_examples(draft: TemplateDraft) -> Iterator[Problem]:
	keys = draft.value_keys()
	for place, name in draft.places():
		example = draft.example(place, name).strip()
		values = {"name": f"{{{{{name}}}}}"}
		if not example:
			yield Problem("examples", "example_missing", values)
		elif "\n" in example or _BRACES.search(example):
			yield Problem("examples", "example_line", values)
		elif name == CODE and len(example) > MAX_CODE:
			yield Problem("examples", "example_code", {"limit": MAX_CODE})
	for key in draft.examples:
		if key not in keys:
			yield Problem("examples", "example_stray", {"name": key.partition(".")[2]})


def _variables(fieldname: str, draft: TemplateDraft, written: str) -> Iterator[Problem]:
	"""Well-formed braces; numbers from 1 on without a gap, or names."""
	if _BRACES.search(_WRITTEN.sub("", written)):
		yield Problem(fieldname, "braces", {"number": "{{1}}", "name": "{{order_id}}"})
	names = names_in(written)
	if draft.is_named:
		wrong = [name for name in names if not _PARAMETER.fullmatch(name)]
		if wrong:
			yield Problem(fieldname, "parameter", {"name": f"{{{{{wrong[0]}}}}}"})
	elif sorted(names) != sorted(str(number) for number in range(1, len(names) + 1)):
		yield Problem(fieldname, "numbers", {"number": "{{1}}"})


def _length(fieldname: str, part: str, text: str, most: int) -> Iterator[Problem]:
	if not text.strip():
		yield Problem(fieldname, f"{part}_empty")
	elif len(text) > most:
		yield Problem(fieldname, f"{part}_long", {"limit": most, "length": len(text)})


def _is_mixed(is_quick: list[bool]) -> bool:
	"""Whether quick replies are in more than one group."""
	return sum(one != other for one, other in pairwise(is_quick)) > 1


def _has_emoji(text: str) -> bool:
	return any(ord(char) >= 0x1F000 or 0x2600 <= ord(char) <= 0x27BF for char in text)
