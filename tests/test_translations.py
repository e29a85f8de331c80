"""Every text that people see has good Arabic: nothing left out, nothing left in English, no field lost."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.mofile import read_mo, write_mo

ROOT = Path(__file__).parents[1]
NAMES = {"Cloud API", "WPPConnect", "cloud_api", "wppconnect"}  # the same in every language
FIELD = re.compile(r"\{\w*\}|%\(\w+\)s|%s|</?\w[^>]*>|\$\{[^}]*\}")
LINE = re.compile(r'(?:#.*|(?:msg(?:ctxt|id|str) )?"(?:[^"\\]|\\.)*")?')
ARABIC = re.compile(r"[\u0621-\u064A]")
# Kept out of Arabic text: digits that a form would not take, and marks that turn around a neighbour
FOREIGN_MARKS = re.compile(r"[\u0660-\u0669\u06F0-\u06F9\u200B-\u200F\u202A-\u202E\u2066-\u2069]")


def load_tool() -> ModuleType:
	spec = importlib.util.spec_from_file_location("khalifa_strings", ROOT / "tools" / "strings.py")
	assert spec is not None and spec.loader is not None
	module = importlib.util.module_from_spec(spec)
	sys.modules[spec.name] = module
	spec.loader.exec_module(module)
	return module


strings = load_tool()
HOW = "run `python tools/strings.py --update`, then translate the empty ones in khalifa_whatsapp/locale/ar.po"


@pytest.fixture(scope="module")
def template():
	return strings.extract()


@pytest.fixture(scope="module")
def arabic() -> dict:
	return {strings.key(m): m.string for m in strings.messages(strings.read(strings.PO))}


def refuse(problems: list[str], how: str = HOW) -> None:
	assert not problems, "\n".join([how, *problems])


def test_the_arabic_file_can_be_read_and_says_its_language():
	catalog = strings.read(strings.PO)
	assert str(catalog.locale) == "ar"
	assert catalog.num_plurals == 6
	assert len(catalog) > 400


def test_every_line_of_the_arabic_file_is_well_formed():
	lines = enumerate(strings.PO.read_text(encoding="utf-8").split("\n"), start=1)
	refuse(
		[f"{number}: {line}" for number, line in lines if not LINE.fullmatch(line)],
		"not a line of a .po file:",
	)


def test_the_arabic_file_compiles(arabic):
	buffer = BytesIO()
	write_mo(buffer, strings.read(strings.PO))
	buffer.seek(0)
	compiled = {strings.key(m): m.string for m in strings.messages(read_mo(buffer))}
	assert compiled == {text: string for text, string in arabic.items() if string}


def test_the_template_for_translators_is_up_to_date(template):
	written = {strings.key(m) for m in strings.messages(strings.read(strings.POT))}
	used = {strings.key(m) for m in strings.messages(template)}
	refuse([f"not in main.pot: {t.source}" for t in sorted(used - written, key=str)])
	refuse([f"not used any more: {t.source}" for t in sorted(written - used, key=str)])


def test_every_text_has_arabic(template):
	refuse([text.source for text in strings.without_arabic(template, strings.read(strings.PO))])


def test_no_translation_waits_to_be_looked_at():
	refuse([str(m.id) for m in strings.messages(strings.read(strings.PO)) if m.fuzzy], "marked as fuzzy:")


def test_the_arabic_keeps_every_field_and_tag(arabic):
	refuse(
		[
			f"{text.source} -> {string}"
			for text, string in arabic.items()
			if string and Counter(FIELD.findall(text.source)) != Counter(FIELD.findall(string))
		],
		"fields such as {0} or {agent} differ:",
	)


def test_the_arabic_is_arabic(arabic):
	refuse(
		[
			f"{text.source} -> {string}"
			for text, string in arabic.items()
			if string and text.source not in NAMES and not ARABIC.search(string)
		],
		"left in English:",
	)


def test_the_arabic_holds_no_hidden_marks_and_only_digits_that_forms_take(arabic):
	refuse(
		[f"{text.source} -> {string}" for text, string in arabic.items() if FOREIGN_MARKS.search(string)],
		"write 0-9, and no invisible marks:",
	)


def test_the_arabic_ends_as_the_english_does(arabic):
	def end(text: str) -> str:
		last = text.strip()[-1:].replace("؟", "?")
		return last if last in ".?:!" else ""

	refuse(
		[
			f"{t.source} -> {string}"
			for t, string in arabic.items()
			if string and end(t.source) != end(string)
		],
		"full stops and question marks differ:",
	)


def test_new_texts_come_in_empty_and_old_translations_stay(template):
	known = strings.read(strings.PO)
	template.add("A text nobody has seen before")
	try:
		result = strings.merged(template, known)
	finally:
		template.delete("A text nobody has seen before")
	assert strings.Text("A text nobody has seen before") in strings.without_arabic(result, result)
	kept = {strings.key(m): m.string for m in strings.messages(result) if m.string}
	assert kept.items() <= {strings.key(m): m.string for m in strings.messages(known)}.items()


def test_a_translation_survives_the_absence_of_its_text(template):
	known = strings.read(strings.PO)
	gone = strings.messages(template)[0]
	without = strings.new_catalog()
	for message in strings.messages(template)[1:]:
		without.add(message.id, context=message.context)
	again = strings.merged(template, strings.merged(without, known))
	assert again.get(gone.id, gone.context).string == known.get(gone.id, gone.context).string


@pytest.mark.parametrize(
	("code", "texts"),
	[
		("__('Hello')", [("Hello", None)]),
		(r"frappe.msgprint(__('It\'s {0}', [name]))", [("It's {0}", None)]),
		('__("Open", null, "Access")', [("Open", "Access")]),
		('__("one " +\n"two")', [("one two", None)]),
		("`<p>${__(`Text`)}</p>`", [("Text", None)]),
		("{{ _('In a page') }}", [("In a page", None)]),
		("this.__('no'); obj._('no'); __(name); __(`${x} no`)", []),
	],
)
def test_calls_in_scripts_and_pages_are_found(code, texts):
	assert [tuple(text) for text in strings.of_template(code)] == texts


def test_refusals_and_their_kin_are_found():
	assert {"UserError", "NotAllowed", "NotFound", "Changed"} <= strings.refusals()
	source = 'raise NotFound("code", "There is no {what}. " "Choose another.", what=1)'
	tree = strings.ast.parse(source)
	texts = list(strings.of_python(strings.PACKAGE / "api" / "x.py", tree))
	assert texts == [strings.Text("There is no {what}. Choose another.")]


def test_labels_in_reports_and_workspaces_are_found():
	choice = {"label": "B", "fieldtype": "Select", "options": "C"}
	report = {"doctype": "Report", "report_name": "A", "filters": [choice]}
	workspace = {
		"doctype": "Workspace",
		"label": "D",
		"links": [{"label": "E"}],
		"content": '[{"type": "header", "data": {"text": "F"}}]',
	}
	assert {text.source for text in strings.of_json([report, workspace])} == set("ABCDEF")
