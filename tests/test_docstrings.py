"""What is public says what it is; a long file says why it is one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "khalifa_whatsapp"
PORTS = (
	"stores/base.py",
	"stores/base_campaigns.py",
	"stores/sql_base.py",
	"drivers/base.py",
	"drivers/abilities.py",
)
# What Frappe calls by name, and its own documentation describes
LIFECYCLE = {
	"after_insert",
	"after_rename",
	"autoname",
	"before_insert",
	"before_rename",
	"before_save",
	"execute",
	"on_doctype_update",
	"on_trash",
	"on_update",
	"validate",
}
MAX_LINES = 400
FILES = [
	path
	for path in sorted(PACKAGE.rglob("*.py"))
	if not {"tests", "public"} & set(path.relative_to(PACKAGE).parts)
]
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
CLASSES = {node.name: node for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef)}


def methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
	yield from (child for child in node.body if isinstance(child, ast.FunctionDef))


DESCRIBED_BY_PORTS = {
	method.name
	for port in PORTS
	for node in TREES[PACKAGE / port].body
	if isinstance(node, ast.ClassDef)
	for method in methods(node)
	if ast.get_docstring(method)
}


def is_described_above(name: str, node: ast.ClassDef, seen: tuple[str, ...] = ()) -> bool:
	"""Whether a base class of ours describes the method."""
	names = {ast.unparse(base).rpartition(".")[2].partition("[")[0] for base in node.bases} - set(seen)
	bases = [CLASSES[base] for base in names & CLASSES.keys()]
	return any(
		any(method.name == name and ast.get_docstring(method) for method in methods(base))
		or is_described_above(name, base, (*seen, *names))
		for base in bases
	)


def undescribed(
	body: list[ast.stmt], owner: ast.ClassDef | None = None
) -> Iterator[ast.FunctionDef | ast.ClassDef]:
	for node in body:
		if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
			continue
		if isinstance(node, ast.ClassDef):
			yield from undescribed(node.body, node)
		elif node.name in LIFECYCLE or (
			owner and (node.name in DESCRIBED_BY_PORTS or is_described_above(node.name, owner))
		):
			continue
		if not ast.get_docstring(node):
			yield node


def test_what_is_public_says_what_it_is() -> None:
	missing = [
		f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
		for path, tree in TREES.items()
		for node in undescribed(tree.body)
	]
	missing += [
		str(path.relative_to(ROOT))
		for path, tree in TREES.items()
		if tree.body and not ast.get_docstring(tree)
	]
	assert missing == []


def test_a_name_without_words_is_seen() -> None:
	(node,) = undescribed(ast.parse("def shown(): ...\ndef _hidden(): ...").body)
	assert node.name == "shown"


def test_a_long_file_says_why_it_is_one() -> None:
	silent = [
		str(path.relative_to(ROOT))
		for path, tree in TREES.items()
		if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES
		and "One file, because" not in (ast.get_docstring(tree) or "")
	]
	assert silent == []
