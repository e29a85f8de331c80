"""The house rules of ARCHITECTURE.md, checked on the source: who may import whom, and how code is written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "khalifa_whatsapp"
SIMULATION = "simulation"  # beside the package: not installed
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 500
MAX_FILES_OF_A_WALK = 8

CORE, DRIVERS, SERVICES, STORES = "core", "drivers", "services", "stores"
PORTS = ("drivers.base", "drivers.abilities", "stores.base", "stores.base_campaigns")
INNER = (CORE, *PORTS, SERVICES)
BASICS = (CORE, *PORTS, "services.unit_of_work", "services.isolation", "services.audit")
# Each may import those before it
SUBJECTS = (
	"services.tickets",
	"services.customers",
	"services.outbound",
	"services.care",
	"services.campaigns",
	"services.inbound",
)
PERMISSIONS = ("guards", "permissions")
DESK = (*INNER, "bootstrap", "site_devices", "site_audit", *PERMISSIONS, "jobs", "stores.schema")

DEMO_ANYWHERE = tuple(
	f"demo.{name}"
	for name in (
		"auto_replies",
		"campaigns",
		"care",
		"clock",
		"company",
		"gateway",
		"names",
		"plan",
		"play",
		"price_list",
		"staff",
		"texts",
	)
)

# What each part may import of ours; the longest prefix counts, "" is everything in the package's top folder.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
	"core": (CORE,),
	"drivers": (CORE, DRIVERS),
	"stores.base": (CORE, "stores.base", "stores.base_campaigns"),
	"stores": (CORE, STORES),
	"services": BASICS,
	"services.media": (*BASICS, "services.tickets.notices"),
	"services.tickets": (*BASICS, *SUBJECTS[:1]),
	"services.customers": (*BASICS, *SUBJECTS[:2]),
	"services.outbound": (*BASICS, *SUBJECTS[:3]),
	"services.care": (*BASICS, *SUBJECTS[:4]),
	"services.campaigns": (*BASICS, *SUBJECTS[:5]),
	"services.inbound": (*BASICS, *SUBJECTS[:6]),
	"media": (CORE, "services.voice_notes"),
	"bootstrap": (CORE, DRIVERS, STORES, SERVICES, "media"),
	"site_devices": (CORE, DRIVERS, "stores.site_store", "stores.site_device_rows"),
	"site_audit": (CORE, "bootstrap", "guards"),
	"guards": (CORE,),
	"permissions": (CORE, *PERMISSIONS, "access.queries"),
	"access": (CORE, *PERMISSIONS, "site_audit", "access"),
	"access.queries": (CORE, "guards"),
	"api": (*DESK, DRIVERS, "access.stored_files", "setup.onboarding", "api"),
	"jobs": (*DESK, DRIVERS, "access.background", "access.stored_files"),
	"commands": (*DESK, DRIVERS, "commands", "demo", "setup"),
	"setup": (CORE, "stores.schema", *PERMISSIONS, "setup", "jobs.minute_mark"),
	"patches": (CORE, "stores.schema", *PERMISSIONS, "setup", "bootstrap", SERVICES, "jobs.minute_mark"),
	"demo": (*DESK, DRIVERS, "demo"),
	"demo.fill": (*DESK, DRIVERS, "stores.site_store", "demo"),
	PACKAGE: (*DESK, DRIVERS, "api", "setup.indexes", PACKAGE),  # the Frappe module: DocTypes, reports, pages
	"tests": ("",),
	"tests.contracts": (*INNER, "drivers.loopback", "tests.contracts"),
	SIMULATION: (*INNER, DRIVERS, "bootstrap", *DEMO_ANYWHERE, SIMULATION),
	"hooks": ("core.audit", "core.doctypes", "access.attachable"),
	"": (),
}
SITE_STORE = ("stores.site_store", "stores.site_notices", "stores.site_device_rows")
FRAPPE_ALLOWED = (
	*SITE_STORE,
	"bootstrap",
	"api",
	"jobs",
	"commands",
	"setup",
	"patches",
	PACKAGE,
	"tests",
	"access",
	"site_devices",
	"site_audit",
	*PERMISSIONS,
	"demo.site",
	"demo.watch",
	"demo.costs",
	"demo.templates",
	"demo.fill",
	"demo.clear",
	"demo.command",
)
SQLITE_ALLOWED = ("stores.sqlite_store",)
PRINT_ALLOWED = (SIMULATION, "setup", "commands")
NEEDS_NO_FRAPPE = (
	"",
	"core",
	"drivers",
	"services",
	"stores",
	"media",
	"bootstrap",
	"tests.contracts",
	*DEMO_ANYWHERE,
	SIMULATION,
	"hooks",
)
OPTIONAL = {"av", "psutil", "selenium"}  # only who installs the extras, or Frappe, has them


@dataclass(frozen=True)
class Import:
	"""One imported name, as far as it is a module."""

	target: str
	line: int
	is_lazy: bool  # inside a function


class Module:
	"""A source file of the package, or of the simulation beside it."""

	def __init__(self, path: Path) -> None:
		self.path = path
		self.is_installed = path.is_relative_to(ROOT / PACKAGE)
		parts = list(path.relative_to(ROOT / PACKAGE if self.is_installed else ROOT).with_suffix("").parts)
		self.is_package = parts[-1] == "__init__"
		self.name = ".".join(parts[:-1] if self.is_package else parts)  # without the package's own name
		self.text = path.read_text(encoding="utf-8")
		self.lines = self.text.splitlines()
		self.tree = ast.parse(self.text, str(path))

	@property
	def dotted(self) -> str:
		return ".".join(filter(None, [PACKAGE if self.is_installed else "", self.name]))

	def at(self, line: int) -> str:
		return f"{self.path.relative_to(ROOT)}:{line}"

	@cached_property
	def imports(self) -> list[Import]:
		return list(self._imports())

	def _imports(self) -> Iterator[Import]:
		functions = [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
		lazy = {id(inner) for function in functions for inner in ast.walk(function)}
		for node in ast.walk(self.tree):
			if isinstance(node, ast.Import):
				for alias in node.names:
					yield Import(alias.name, node.lineno, id(node) in lazy)
			elif isinstance(node, ast.ImportFrom):
				base = self._base(node)
				for alias in node.names:
					inner = f"{base}.{alias.name}"
					yield Import(inner if is_module(inner) else base, node.lineno, id(node) in lazy)

	def _base(self, node: ast.ImportFrom) -> str:
		if not node.level:
			return node.module or ""
		package = self.dotted.split(".") if self.is_package else self.dotted.split(".")[:-1]
		return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


def is_module(dotted: str) -> bool:
	path = ROOT.joinpath(*dotted.split("."))
	return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def is_in(name: str, part: str) -> bool:
	return not part or name == part or name.startswith(f"{part}.")


def is_within(name: str, parts: tuple[str, ...]) -> bool:
	return any(is_in(name, part) for part in parts)


def part_of(name: str) -> str:
	return max((part for part in MAY_IMPORT if is_in(name, part)), key=len)


MODULES = [
	Module(path)
	for tree in (PACKAGE, SIMULATION)
	for path in sorted((ROOT / tree).rglob("*.py"))
	if "node_modules" not in path.parts
]


def refuse(problems: list[str]) -> None:
	assert not problems, "\n" + "\n".join(problems)


def test_every_file_belongs_to_a_known_part_of_the_house():
	refuse([m.at(1) for m in MODULES if m.name and part_of(m.name) == ""])


def test_parts_import_only_what_the_architecture_lets_them():
	problems = []
	for module in MODULES:
		allowed = MAY_IMPORT[part_of(module.name)]
		for imported in module.imports:
			top, _, inner = imported.target.partition(".")
			part = inner if top == PACKAGE else imported.target if top == SIMULATION else ""
			if part and not is_within(part, allowed):
				problems.append(
					f"{module.at(imported.line)}: {part_of(module.name)} may not import {imported.target}"
				)
	refuse(problems)


def test_no_module_imports_itself_by_way_of_others():
	targets = {m.dotted: {i.target for i in m.imports if not i.is_lazy} - {m.dotted} for m in MODULES}
	while True:
		imported = {target for name in targets for target in targets[name]}
		circular = {
			name: imports
			for name, imports in targets.items()
			if name in imported and imports & targets.keys()
		}
		if len(circular) == len(targets):
			break
		targets = circular
	refuse(sorted(targets))


@pytest.mark.parametrize(
	("library", "allowed"),
	[("frappe", FRAPPE_ALLOWED), ("sqlite3", SQLITE_ALLOWED), ("av", ("media.voice",))],
)
def test_hosts_are_known_only_where_they_belong(library, allowed):
	refuse(
		[
			f"{module.at(imported.line)}: imports {imported.target}"
			for module in MODULES
			if not is_within(module.name, allowed)
			for imported in module.imports
			if is_in(imported.target, library)
		]
	)


def test_the_wiring_imports_frappe_only_inside_functions():
	wiring = [module for module in MODULES if is_in(module.name, "bootstrap")]
	refuse([m.at(i.line) for m in wiring for i in m.imports if is_in(i.target, "frappe") and not i.is_lazy])


def test_the_wiring_runs_no_statement():
	refuse(
		[
			f"{module.at(node.lineno)}: statements are the stores'"
			for module in MODULES
			if module.name in ("bootstrap", "site_devices")
			for node in ast.walk(module.tree)
			if runs_statement(node)
		]
	)


STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE)\b.*\b(FROM|INTO|SET)\b", re.DOTALL)
QUERIES = ("frappe.db", "frappe.qb", "frappe.get_")


def runs_statement(node: ast.AST) -> bool:
	if isinstance(node, ast.Constant):
		return STATEMENT.match(str(node.value)) is not None
	return isinstance(node, ast.Attribute) and name_of(node).startswith(QUERIES)


def test_the_rules_read_no_clock():
	problems = []
	for module in MODULES:
		if is_in(module.name, CORE):
			problems += [
				f"{module.at(node.lineno)}: `now` is an argument of the rules"
				for node in ast.walk(module.tree)
				if isinstance(node, ast.Attribute) and reads_clock(node)
			]
	refuse(problems)


def reads_clock(node: ast.Attribute) -> bool:
	clocks = {"time", "time_ns", "now", "utcnow", "today", "monotonic"}
	return node.attr in clocks and name_of(node.value).rpartition(".")[2] in {"time", "datetime", "date"}


# Where the rule for tickets is, and who reads what it is made of for something else: whom the customer knows,
# a copy of a ticket, a quick reply, a delay, a figure, a presence
ASKS_OTHERWISE = (
	"core.ticket_access",
	"core.assignment",
	"services.customers.new_holder",
	"permissions",
	"services.tickets.objections",
	"services.kpi",
	"services.tickets.presence",
)


def test_who_may_do_what_with_a_ticket_is_decided_in_one_file():
	"""Nobody else looks whether it is a branch's alone, or compares its agent with who asks."""
	refuse(
		[
			f"{module.at(node.lineno)}: ask core/ticket_access.py"
			for module in MODULES
			if not is_within(module.name, (*ASKS_OTHERWISE, "tests"))
			for node in ast.walk(module.tree)
			if decides_on_a_ticket(node)
		]
	)


def decides_on_a_ticket(node: ast.AST) -> bool:
	if isinstance(node, ast.Attribute):
		return node.attr == "is_branch_only" and isinstance(node.ctx, ast.Load)
	if not isinstance(node, ast.Compare):
		return False
	agents = [name_of(side) for side in (node.left, *node.comparators) if name_of(side).endswith(".agent")]
	return any(name.split(".")[-2] in ("actor", "who") for name in agents) and len(agents) > 1


def test_everything_but_the_site_imports_without_frappe():
	names = [m.dotted for m in MODULES if needs_no_frappe(m.name)]
	done = subprocess.run(
		[sys.executable, "-c", IMPORT_ALL, *names],
		cwd=ROOT,
		capture_output=True,
		text=True,
		timeout=120,
		check=False,
	)
	assert done.returncode == 0, done.stdout + done.stderr


def needs_no_frappe(name: str) -> bool:
	if is_within(name, SITE_STORE) or name.endswith("__main__"):
		return False
	return not name or is_within(name, tuple(part for part in NEEDS_NO_FRAPPE if part))


IMPORT_ALL = f"""
import importlib, sys
sys.modules["frappe"] = None
failed = 0
for name in sys.argv[1:]:
	try:
		importlib.import_module(name)
	except ImportError as error:
		if error.name not in {OPTIONAL!r}:
			failed += 1
			print(name, "needs", error.name or error)
sys.exit(failed > 0)
"""


def test_nobody_prints_where_a_logger_belongs():
	problems = []
	for module in MODULES:
		if is_within(module.name, PRINT_ALLOWED):
			continue
		problems += [
			module.at(node.lineno)
			for node in ast.walk(module.tree)
			if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
		]
	refuse(problems)


def test_a_broad_except_says_why():
	problems = []
	for module in MODULES:
		for node in ast.walk(module.tree):
			if isinstance(node, ast.ExceptHandler) and is_broad(node.type):
				here = module.lines[node.lineno - 1 : node.lineno + 1]
				if not any("#" in line for line in here):
					problems.append(f"{module.at(node.lineno)}: name what can happen, or say why not")
	refuse(problems)


def is_broad(caught: ast.expr | None) -> bool:
	if caught is None:
		return True
	names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
	return any(isinstance(n, ast.Name) and n.id in {"Exception", "BaseException"} for n in names)


def test_every_call_of_the_network_has_a_timeout():
	problems = []
	for module in MODULES:
		speaks_http = any(is_in(imported.target, "requests") for imported in module.imports)
		for node in ast.walk(module.tree):
			if not isinstance(node, ast.Call) or not (
				(speaks_http and is_requests_call(node.func)) or name_of(node.func).endswith("urlopen")
			):
				continue
			given = [k.value for k in node.keywords if k.arg == "timeout"]
			if not given or (isinstance(given[0], ast.Constant) and given[0].value is None):
				problems.append(f"{module.at(node.lineno)}: no timeout")
	refuse(problems)


def is_requests_call(function: ast.expr) -> bool:
	"""`requests.get(…)`, `requests.Session().get(…)`, `self._session.request(…)`."""
	if not isinstance(function, ast.Attribute):
		return False
	verbs = {"get", "post", "put", "patch", "delete", "head", "options", "request"}
	owner = name_of(function.value).lower()
	return function.attr in verbs and (owner == "requests" or owner.rpartition(".")[2].endswith("session"))


def name_of(node: ast.expr) -> str:
	if isinstance(node, ast.Call):
		return name_of(node.func)
	if isinstance(node, ast.Attribute):
		return f"{name_of(node.value)}.{node.attr}".strip(".")
	return node.id if isinstance(node, ast.Name) else ""


def test_sql_outside_the_stores_says_why_it_is_sql():
	"""Plain reads are `frappe.qb`'s: a function that hands the database a text has a line «# SQL: why»."""
	problems = []
	for module in MODULES:
		if not is_within(module.name, ("stores", "tests")):
			problems += [f"{module.at(line)}: frappe.qb, or «# SQL: why»" for line in unexplained_sql(module)]
	refuse(problems)


def unexplained_sql(module: Module) -> Iterator[int]:
	functions = [n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
	for call in (node for node in ast.walk(module.tree) if hands_over_sql(node)):
		holders = [f for f in functions if f.lineno <= call.lineno <= (f.end_lineno or f.lineno)]
		here = max(holders, key=lambda f: f.lineno, default=call)
		lines = module.lines[here.lineno - 1 : here.end_lineno]
		if not any(re.search(r"# SQL: \S", line) for line in lines):
			yield call.lineno


def hands_over_sql(node: ast.AST) -> bool:
	"""`frappe.db.sql(…)`; a change of the schema (`sql_ddl`) has no other way."""
	return isinstance(node, ast.Call) and name_of(node.func).endswith(
		("db.sql", "db.sql_list", "db.multisql")
	)


@pytest.mark.parametrize(
	("source", "lines"),
	[
		("def read():\n\treturn frappe.db.sql('select 1')", [2]),
		("def read():\n\t# SQL: of no table\n\treturn frappe.db.sql('select 1')", []),
		("def other():\n\t# SQL: of no table\n\tpass\ndef read():\n\treturn frappe.db.sql_list('x')", [5]),
		("def read():\n\tx = 1  # SQL:\n\treturn frappe.db.sql('select 1')", [3]),
		("ROWS = frappe.db.sql('select 1')", [1]),
		("def read():\n\treturn frappe.qb.from_(x).select('name').run()", []),
	],
)
def test_sql_without_a_reason_is_seen(tmp_path, monkeypatch, source, lines):
	path = tmp_path / PACKAGE / "x.py"
	path.parent.mkdir()
	path.write_text(source)
	monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
	assert list(unexplained_sql(Module(path))) == lines


def test_functions_and_files_stay_small():
	problems = []
	for module in MODULES:
		if len(module.lines) > MAX_FILE_LINES:
			problems.append(f"{module.at(1)}: {len(module.lines)} lines")
		for node in ast.walk(module.tree):
			if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
				length = (node.end_lineno or node.lineno) - node.lineno + 1
				if length > MAX_FUNCTION_LINES:
					problems.append(f"{module.at(node.lineno)}: {node.name} has {length} lines")
	refuse(problems)


def test_every_module_says_what_it_is_for():
	"""A docstring, except where the name says it all: tests, and files that hold a table and no code."""
	refuse([m.at(1) for m in MODULES if has_something_to_explain(m) and not is_explained(m)])


def has_something_to_explain(module: Module) -> bool:
	is_test = module.path.name.startswith("test_")
	is_table = all(isinstance(node, ast.Assign | ast.Expr) for node in module.tree.body)
	return not (is_test or is_table)


def is_explained(module: Module) -> bool:
	"""A DocType's controller is explained by its class."""
	classes = [n for n in module.tree.body if isinstance(n, ast.ClassDef) if ".doctype." in module.name]
	return any(ast.get_docstring(node) for node in (module.tree, *classes))


def walks() -> dict[str, list[str]]:
	"""The ways that ARCHITECTURE.md describes, and the files that each names, in their order."""
	section = (
		(ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("\n## Walks\n")[1].split("\n## ")[0]
	)
	parts = re.split(r"^\*\*(.+?)\*\*", section, flags=re.MULTILINE)[1:]
	return {
		name: re.findall(r"`([\w/]+\.py)`", text) for name, text in zip(parts[::2], parts[1::2], strict=True)
	}


def test_each_walk_names_at_most_eight_files_and_all_are_there():
	ways = walks()
	assert len(ways) == 4
	for name, files in ways.items():
		assert 4 <= len(files) <= MAX_FILES_OF_A_WALK, name
		assert len(set(files)) == len(files), name
		refuse([f"{name} {file} is not there" for file in files if not (ROOT / PACKAGE / file).exists()])
