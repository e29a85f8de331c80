"""Every text that people see, for translators. No Frappe is needed, and nothing of the app is run.

	python tools/strings.py --update   write main.pot and merge it into ar.po: new texts are empty
	python tools/strings.py --check    list the texts without Arabic

Texts come from calls of `_`, `_lt`, `N_` (marked here, translated elsewhere) and `__`; from the JSON of
DocTypes, reports, workspaces and pages; from refusals (`UserError` and its kin); from tables of messages; and
from what use cases and drivers write into records.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "khalifa_whatsapp"
POT = PACKAGE / "locale" / "main.pot"
PO = PACKAGE / "locale" / "ar.po"
LANGUAGE = "ar"

SKIPPED_FOLDERS = {"__pycache__", "dist", "locale", "node_modules", "tests"}
TEMPLATES = (".html", ".js", ".ts", ".vue")
CALLS = {"_", "_lt", "N_", "Reason"}
REFUSALS = {"UserError"}  # and every class made from it: UserError(code, text, **values)
TABLES = {"CLOSE_REASONS", "GROUPS", "LIMITS", "MESSAGES", "REASONS"}  # in these parts:
RULES = ("core", "services")
# Here every sentence is for people, and in SPEAKING_RECORDS every phrase that is written down as a reason
SPEAKING = ("drivers", "services")
SPEAKING_RECORDS = "services"
SENTENCE = re.compile(r"(?!SELECT|INSERT|UPDATE|DELETE)[A-Z][^\n]* [^\n]*[.!?]")
PHRASE = re.compile(r"[a-z]+(?: [a-z]+)+")
# Calls whose texts no user sees
TO_MACHINES = {"Answer", "debug", "error", "exception", "execute", "info", "warning"}
# What a document's JSON, other than a DocType's, calls its texts
TEXT_KEYS = {
	"chart_name",
	"dashboard_name",
	"description",
	"format",
	"label",
	"report_name",
	"role_name",
	"title",
	"action_label",
	"subtitle",
	"success_message",
}

_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\$]|\\.)*`)"""
_STRINGS = rf"{_STRING}(?:\s*\+\s*{_STRING})*"
TEMPLATE_CALL = re.compile(
	rf"(?<![\w$.])(?:__|_)\(\s*(?P<text>{_STRINGS})"
	rf"(?:\s*,\s*(?:null|undefined|\[[^\]]*\]|\{{[^}}]*\}})\s*,\s*(?P<context>{_STRING}))?\s*[,)]"
)


class Text(NamedTuple):
	"""One text as translators get it; a context tells two meanings of a word apart."""

	source: str
	context: str | None = None


def extract() -> Catalog:
	"""All texts of the app, in the order of its files."""
	catalog = new_catalog()
	for path in files():
		location = (path.relative_to(ROOT).as_posix(), 0)
		for text in texts_in(path):
			if is_for_people(text.source):
				catalog.add(text.source, locations=[location], context=text.context)
	return catalog


def files() -> list[Path]:
	"""The files of the app that may speak to people."""
	paths = (path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".json", ".txt", *TEMPLATES})
	return sorted(path for path in paths if not SKIPPED_FOLDERS & set(path.relative_to(PACKAGE).parts))


def is_for_people(source: str) -> bool:
	return any(character.isalpha() for character in source)


def texts_in(path: Path) -> Iterator[Text]:
	content = path.read_text(encoding="utf-8")
	if path.suffix == ".py":
		yield from of_python(path, ast.parse(content, str(path)))
	elif path.suffix in TEMPLATES:
		yield from of_template(content)
	elif path.suffix == ".json":
		yield from of_json(json.loads(content))
	elif path.name == "modules.txt":
		yield from (Text(line.strip()) for line in content.splitlines())


# Python


def of_python(path: Path, tree: ast.Module) -> Iterator[Text]:
	part = path.relative_to(PACKAGE).parts[0]
	for node in ast.walk(tree):
		if isinstance(node, ast.Call):
			yield from of_call(node)
		elif part in RULES and isinstance(node, ast.Assign) and TABLES & assigned(node):
			yield from of_table(node.value)
	if part in SPEAKING:
		yield from of_speech(tree, with_phrases=part == SPEAKING_RECORDS)
	if part == "hooks.py":
		yield from of_hooks(tree)


def of_call(call: ast.Call) -> Iterator[Text]:
	"""`_("…")`, `_("…", context="…")`, and the text of a refusal."""
	name = name_of(call)
	if name in CALLS and call.args:
		context = next((literal(term.value) for term in call.keywords if term.arg == "context"), None)
		source = literal(call.args[0])
		if source:
			yield Text(source, context)
	elif name in refusals() and len(call.args) > 1 and (source := literal(call.args[1])):
		yield Text(source)


def name_of(call: ast.Call) -> str:
	if isinstance(call.func, ast.Attribute):
		return call.func.attr
	return call.func.id if isinstance(call.func, ast.Name) else ""


def literal(node: ast.AST) -> str | None:
	return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@cache
def refusals() -> frozenset[str]:
	"""The names of `UserError` and of all classes made from it."""
	names = set(REFUSALS)
	trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files() if path.suffix == ".py"]
	classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
	while new := {c.name for c in classes if bases(c) & names} - names:
		names |= new
	return frozenset(names)


def bases(node: ast.ClassDef) -> set[str]:
	return {base.id for base in node.bases if isinstance(base, ast.Name)}


def assigned(node: ast.Assign) -> set[str]:
	return {target.id for target in node.targets if isinstance(target, ast.Name)}


def of_table(value: ast.expr) -> Iterator[Text]:
	"""The values of a dict, or all texts of a tuple."""
	parts = value.values if isinstance(value, ast.Dict) else [value]
	for part in parts:
		yield from (Text(source) for node in ast.walk(part) if (source := literal(node)))


def of_speech(tree: ast.AST, with_phrases: bool) -> Iterator[Text]:
	for node in spoken(tree):
		source = literal(node)
		if source and (SENTENCE.fullmatch(source) or (with_phrases and PHRASE.fullmatch(source))):
			yield Text(source)


def spoken(node: ast.AST) -> Iterator[ast.AST]:
	"""The tree without docstrings, pieces of f-strings and what only machines read."""
	for child in ast.iter_child_nodes(node):
		is_docstring = isinstance(child, ast.Expr) and literal(child.value) is not None
		is_to_machine = isinstance(child, ast.Call) and name_of(child) in TO_MACHINES
		if not (is_docstring or is_to_machine or isinstance(child, ast.JoinedStr)):
			yield child
			yield from spoken(child)


def of_hooks(tree: ast.Module) -> Iterator[Text]:
	"""The app's title, and the titles and labels of what it adds to the desk."""
	for node in ast.walk(tree):
		if isinstance(node, ast.Assign) and "app_title" in assigned(node):
			yield from of_table(node.value)
		elif isinstance(node, ast.Dict):
			pairs = zip(node.keys, node.values, strict=True)
			named = (value for key, value in pairs if key is not None and literal(key) in {"label", "title"})
			yield from (Text(source) for value in named if (source := literal(value)))


# JavaScript, Vue and HTML


def of_template(content: str) -> Iterator[Text]:
	for match in TEMPLATE_CALL.finditer(content):
		context = match["context"]
		yield Text(unquoted(match["text"]), unquoted(context) if context else None)


def unquoted(strings: str) -> str:
	"""What a literal, or several joined by +, says."""
	pieces = (piece[0][1:-1] for piece in re.finditer(_STRING, strings))
	return "".join(re.sub(r"\\(.)", _unescaped, piece, flags=re.DOTALL) for piece in pieces)


def _unescaped(match: re.Match[str]) -> str:
	return {"n": "\n", "t": "\t", "\n": ""}.get(match[1], match[1])


# JSON


def of_json(data: Any) -> Iterator[Text]:
	for document in data if isinstance(data, list) else [data]:
		if not isinstance(document, dict) or "doctype" not in document:
			continue
		yield from of_doctype(document) if document["doctype"] == "DocType" else of_document(document)


def of_doctype(doctype: dict[str, Any]) -> Iterator[Text]:
	yield from some(doctype.get("name"), doctype.get("description"))
	for field in doctype.get("fields", ()):
		yield from of_field(field)
	for link in doctype.get("links", ()):
		yield from some(link.get("group"))
	for row in (*doctype.get("actions", ()), *doctype.get("permissions", ())):
		yield from some(row.get("label"), row.get("role"))


def of_field(field: dict[str, Any]) -> Iterator[Text]:
	yield from some(field.get("label"), field.get("description"), field.get("placeholder"))
	options = field.get("options") or ""
	if field.get("fieldtype") == "Select":
		yield from some(*(options if isinstance(options, list) else options.split("\n")))
	elif field.get("fieldtype") == "HTML":
		yield from some(options)


def of_document(data: Any) -> Iterator[Text]:
	"""Reports, workspaces, pages, cards: whatever their JSON calls a label or a title, at any depth."""
	if isinstance(data, list):
		for item in data:
			yield from of_document(item)
	if not isinstance(data, dict):
		return
	if data.get("fieldtype") == "Select":
		yield from of_field(data)
	for key, value in data.items():
		if key in TEXT_KEYS and isinstance(value, str):
			yield from some(value)
		elif key == "content" and isinstance(value, str) and value.startswith("["):
			yield from of_blocks(json.loads(value))
		else:
			yield from of_document(value)


def of_blocks(blocks: Iterable[dict[str, Any]]) -> Iterator[Text]:
	"""The headings and paragraphs of a workspace."""
	for block in blocks:
		if block.get("type") in {"header", "paragraph"}:
			yield from some(block.get("data", {}).get("text"))


def some(*sources: str | None) -> Iterator[Text]:
	yield from (Text(source) for source in sources if source)


# Catalogues


def new_catalog(language: str | None = None) -> Catalog:
	title = f"{'Arabic' if language else 'Texts'} of Khalifa WhatsApp; kept up to date by tools/strings.py"
	return Catalog(
		locale=language,
		project="Khalifa WhatsApp",
		version="1",
		header_comment=f"# {title}.\n#",
		msgid_bugs_address="support@example.com",
		last_translator="Khalifa WhatsApp contributors",
		language_team=language and "Arabic",
		revision_date=datetime.now(timezone.utc),
		fuzzy=False,
	)


def key(message: Message) -> Text:
	return Text(str(message.id), message.context)


def messages(catalog: Catalog) -> list[Message]:
	"""Without the header, which is a message too."""
	return [message for message in catalog if message.id]


def read(path: Path) -> Catalog:
	with path.open("rb") as file:
		return read_po(file, abort_invalid=True)


def merged(template: Catalog, known: Catalog) -> Catalog:
	"""The template's texts with their known translations; those not used any more are kept apart."""
	result = new_catalog(LANGUAGE)
	strings = {key(m): m.string for m in (*known.obsolete.values(), *messages(known)) if m.string}
	for message in messages(template):
		string = strings.pop(key(message), "")
		result.add(message.id, string, locations=message.locations, context=message.context)
	for text, string in strings.items():
		result.obsolete[(text.source, text.context)] = Message(text.source, string, context=text.context)
	return result


def without_arabic(template: Catalog, known: Catalog) -> list[Text]:
	translated = {key(message) for message in messages(known) if message.string}
	return [key(message) for message in messages(template) if key(message) not in translated]


def save(path: Path, catalog: Catalog) -> bool:
	"""Write the catalogue, unless nothing but its dates would change."""
	buffer = io.BytesIO()
	write_po(buffer, catalog, width=None, sort_output=True, include_lineno=False)
	if path.exists() and without_dates(path.read_bytes()) == without_dates(buffer.getvalue()):
		return False
	path.parent.mkdir(exist_ok=True)
	path.write_bytes(buffer.getvalue())
	return True


def without_dates(content: bytes) -> list[bytes]:
	return [line for line in content.splitlines() if not re.match(rb"\"(?:[\w-]+-Date|Generated-By): ", line)]


def update() -> None:
	template = extract()
	for path, catalog in ((POT, template), (PO, merged(template, read(PO) if PO.exists() else Catalog()))):
		outcome = "written" if save(path, catalog) else "as it was"
		print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {outcome}")


def check() -> int:
	missing = without_arabic(extract(), read(PO))
	for text in missing:
		print(json.dumps(text.source, ensure_ascii=False) + (f" ({text.context})" if text.context else ""))
	print(f"{len(missing)} texts without Arabic", file=sys.stderr)
	return 1 if missing else 0


def main() -> int:
	parser = argparse.ArgumentParser(description="The app's texts for translators.")
	chosen = parser.add_mutually_exclusive_group(required=True)
	chosen.add_argument("--update", action="store_true", help="write main.pot and merge it into ar.po")
	chosen.add_argument("--check", action="store_true", help="list the texts without Arabic")
	if parser.parse_args().update:
		update()
	return check()


if __name__ == "__main__":
	sys.exit(main())
