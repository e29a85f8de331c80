"""Retired words stay out, for they had to be translated: see the glossary in CONTRIBUTING.md.

Identifiers of Python and of scripts, classes of style sheets and names of files are looked at part by part;
comments, strings and documents only for words that can mean nothing else here. The names of tests are
sentences: plain English may stand there.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def table(text: str) -> dict[str, str]:
	"""From `retired …: what to write instead; …`."""
	pairs = (pair.strip().split(": ") for pair in text.split(";"))
	return {word: instead for retired, instead in pairs for word in retired.split()}


NAMES = table(  # as a part of a name
	"tell tells: publish or notify; told: published; hear hears heard: receive; hearing: connection; "
	"word words: text or term; signs: typing or icons"
)
ANYWHERE = table(  # in prose, too
	"door doors: endpoint; knock knocks knocker: request; courier: WebhookSender; postbook: DeliveryLog; "
	"murder murders murdered: kill; victim victims: crash worker; doomed mortal mortals: crashing; "
	"hanger hangers: attachable; twins: lookalikes; nemesis: injector; furnish furnished: seed"
)
EXCEPTIONS = {"OPT_OUT_WORDS", "OPT_IN_WORDS", "AMBIGUOUS_OPT_OUT_WORDS"}  # customers really send one word
EXCEPTIONS |= {"benches.py: tell"}  # a method of open files
ALIASES = {"ET", "st"}  # as the documentation of ElementTree and of hypothesis has them
ELSEWHERE = ("CHANGELOG.md", "khalifa_whatsapp/locale/", "tests/data/", "tests/test_words.py")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
STRINGS = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def files(*endings: str) -> list[Path]:
	listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
	names = (name for name in listed.stdout.split("\0") if name.endswith(endings))
	paths = [ROOT / name for name in names if not name.startswith(ELSEWHERE)]
	return [path for path in paths if path.is_file()] or pytest.skip("this is no checkout")


def retired(name: str, file: str = "") -> Iterator[str]:
	words = ANYWHERE if name.startswith("test_") else {**NAMES, **ANYWHERE}
	parts = (part.lower() for part in PART.findall(name))
	if not {name, f"{file}: {name}"} & EXCEPTIONS:
		yield from (f"{name}: write {words[part]}" for part in parts if part in words)


def of_python(source: str, file: str = "") -> Iterator[str]:
	"""What is wrong with the names and the prose of a file."""
	for token in tokenize.generate_tokens(io.StringIO(source).readline):
		if token.type == tokenize.NAME:
			yield from retired(token.string, file)
			if re.match(r"MOST(_|$)", token.string):
				yield f"{token.string}: write MAX"
		elif token.type in (tokenize.COMMENT, tokenize.STRING):
			yield from of_prose(token.string)
	for node in ast.walk(ast.parse(source)):
		if isinstance(node, ast.alias) and len(node.asname or "long") <= 2 and node.asname not in ALIASES:
			yield f"{node.name} as {node.asname}: write the module's name"
		is_bound = isinstance(node, ast.arg) or (
			isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
		)
		if is_bound and getattr(node, "id", getattr(node, "arg", "")) == "found":
			yield "found: name it for what it is"


def of_script(source: str, file: str = "") -> Iterator[str]:
	for name in set(re.findall(r"[A-Za-z_$][\w$]*", STRINGS.sub(" ", source))):
		yield from retired(name)
	yield from of_prose(source)


def of_prose(text: str, file: str = "") -> Iterator[str]:
	for word in re.findall(r"[a-z]+", text.lower()):
		if word in ANYWHERE:
			yield f"{word}: write {ANYWHERE[word]}"


def wrong(path: Path) -> set[str]:
	source = path.read_text(encoding="utf-8")
	look = {".py": of_python, ".md": of_prose}.get(path.suffix, of_script)
	return {f"{path.relative_to(ROOT)}: {what}" for what in (*look(source, path.name), *retired(path.stem))}


@pytest.mark.parametrize("endings", [(".py",), (".js", ".mjs", ".cjs", ".css"), (".md",)])
def test_no_retired_word_is_in_names_or_prose(endings: tuple[str, ...]) -> None:
	assert sorted(what for path in files(*endings) for what in wrong(path)) == []


SEEN = (
	"def tell_owner(): ... | class DoorServer: ... | # a knock at it | MOST_ROWS = 3 | found = 1 | "
	"'a door' | for found in (): ... | from a import records as r | def test_no_door_is_open(): ..."
)


@pytest.mark.parametrize("source", SEEN.split(" | "))
def test_a_retired_word_that_comes_back_is_seen(source: str) -> None:
	assert list(of_python(source + "\n"))


@pytest.mark.parametrize("source", ["this.hearing.beat();", ".kin-signs { }", "let told", "// a knock"])
def test_in_a_script_too(source: str) -> None:
	assert list(of_script(source))


def test_plain_english_may_stand_in_the_names_of_tests() -> None:
	assert not list(of_python("def test_who_asks_is_told_why(): ...\n"))
