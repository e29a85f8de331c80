"""What is installed is the app, and stands alone. And what is written twice must agree: versions,
requirements, and the dotted paths that Frappe follows.
"""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from flit_core.wheel import make_wheel_in

import khalifa_whatsapp
from khalifa_whatsapp.services.voice_notes import INSTALL

if sys.version_info >= (3, 11):
	import tomllib
else:
	import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "khalifa_whatsapp"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENT_FILES = sorted(ROOT.glob("requirements*.txt"))
# For trying the app, and for testing it: in a checkout only
NOT_INSTALLED = {"benchmarks", "chaos", "embedded", "simulation", "simulators", "testing", "tools", "trials"}
# The days of a month that need no site, played from what was installed alone
MONTH = """
import sys
sys.modules["simulation"] = sys.modules["frappe"] = None
from random import Random
import khalifa_whatsapp
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.records import Agent
from khalifa_whatsapp.core.settings import DAY_MS, BranchRules, Rules, Settings
from khalifa_whatsapp.demo import company, plan, play
end, hours, zone = 1_795_228_000_000, Calendar.always("Africa/Cairo"), "Africa/Cairo"
branches = {name: BranchRules(hours, 900_000, 900_000) for name in company.branch_names()}
rules = Rules(Settings(), hours, branches)
staff = company.employees()
people = [(Agent(f"KA-{n}", one.user, one.name, one.branch), None) for n, one in enumerate(staff)]
start, rng = end - 2 * DAY_MS, Random(1)
talks = plan.make_plan(rng, company.callers(rng, 20, ()), staff, 20, start, end, zone, True)
month = play.make_month(rules, people, talks, 1, start, end)
month.play()
print(khalifa_whatsapp.__file__)
print(month.host.store.rows("SELECT COUNT(*) FROM `tabKhalifa Ticket`")[0][0])
"""


def lines_of(path: Path) -> list[str]:
	"""What a text file says, without comments and empty lines."""
	lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
	return [line for line in lines if line]


def name_of(requirement: str) -> str:
	return re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.fixture
def setup_arguments(monkeypatch):
	"""What setup.py would tell setuptools."""
	given = {}
	fake = SimpleNamespace(setup=lambda **arguments: given.update(arguments), find_packages=lambda **_: [])
	monkeypatch.setitem(sys.modules, "setuptools", fake)
	runpy.run_path(str(ROOT / "setup.py"))
	return given


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
	"""What pip would install, unpacked; and the folder it lies in."""
	folder = tmp_path_factory.mktemp("wheel")
	with ZipFile(make_wheel_in(ROOT / "pyproject.toml", folder).file) as packed:
		packed.extractall(folder / "installed")
	return folder / "installed"


def test_the_app_is_installed_and_nothing_that_only_tries_it(wheel):
	info = f"{PACKAGE.name}-{khalifa_whatsapp.__version__}.dist-info"
	assert {path.name for path in wheel.iterdir()} == {PACKAGE.name, info}
	paths = [path.relative_to(wheel) for path in wheel.rglob("*")]
	assert len(paths) > 300
	foreign = [path for path in paths if NOT_INSTALLED & {Path(part).stem for part in path.parts}]
	assert not foreign


def test_what_is_installed_imports_nothing_that_is_not(wheel):
	"""But its tests, which run inside a site: bench runs them from a checkout."""
	tests = wheel / PACKAGE.name / "tests"
	wanted = re.compile(r"^\s*(?:from|import) (?:simulation|tests|tools|benchmarks)\b", re.MULTILINE)
	modules = [path for path in wheel.rglob("*.py") if not path.is_relative_to(tests)]
	assert len(modules) > 200
	assert not [path for path in modules if wanted.search(path.read_text(encoding="utf-8"))]


def test_the_demonstration_is_played_by_what_is_installed_alone(wheel, tmp_path):
	environment = {**os.environ, "PYTHONPATH": str(wheel)}
	command = [sys.executable, "-c", MONTH]
	done = subprocess.run(
		command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
	)
	assert done.returncode == 0, done.stderr
	where, tickets = done.stdout.split()
	assert Path(where).is_relative_to(wheel) and int(tickets) == 20


def test_the_version_is_said_once(setup_arguments):
	project = PYPROJECT["project"]
	assert re.fullmatch(r"\d+\.\d+\.\d+([ab]\d+|rc\d+|\.dev\d+)?", khalifa_whatsapp.__version__)
	assert setup_arguments["version"] == khalifa_whatsapp.__version__
	assert "version" in project.get("dynamic", ()) or project["version"] == khalifa_whatsapp.__version__


def test_name_and_python_version_agree(setup_arguments):
	project = PYPROJECT["project"]
	assert setup_arguments["name"] == project["name"] == khalifa_whatsapp.__name__
	assert setup_arguments["python_requires"] == project["requires-python"]


def test_requirements_are_the_same_in_all_places(setup_arguments):
	wanted = sorted(lines_of(ROOT / "requirements.txt"))
	assert sorted(PYPROJECT["project"]["dependencies"]) == wanted
	assert sorted(setup_arguments["install_requires"]) == wanted


def test_the_tests_have_what_every_extra_brings():
	extras = PYPROJECT["project"]["optional-dependencies"]
	for_tests = {line for path in REQUIREMENT_FILES for line in lines_of(path)}
	assert {line for name, extra in extras.items() if name != "test" for line in extra} <= for_tests


def test_the_way_to_the_voice_codec_that_people_are_shown_leads_to_an_extra():
	assert f'bench pip install -e "apps/{khalifa_whatsapp.__name__}[voice]"' == INSTALL
	assert "voice" in PYPROJECT["project"]["optional-dependencies"]
	assert INSTALL in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_versions_are_the_same_wherever_they_are_said():
	script = (ROOT / "tools" / "venv.sh").read_text(encoding="utf-8")
	(first, last), *more = re.findall(r"Python 3\.(\d+) to 3\.(\d+)", script)
	assert PYPROJECT["project"]["requires-python"] == f">=3.{first}"
	assert set(more) == {(first, last)}
	assert f"(3, {first}) <= sys.version_info[:2] <= (3, {last})" in script
	tried = re.search(r"for candidate in (.*); do", script)
	wanted = [f"python3.{minor}" for minor in range(int(last), int(first) - 1, -1)]
	assert tried is not None and [term for term in tried[1].split() if "." in term] == wanted
	for page in ("README.md", "CONTRIBUTING.md"):
		assert f"Python 3.{first} to 3.{last}" in (ROOT / page).read_text(encoding="utf-8"), page


def test_frappe_comes_from_bench_and_never_from_a_package_registry():
	project = PYPROJECT["project"]
	listed = [line for path in REQUIREMENT_FILES for line in lines_of(path)]
	listed += project["dependencies"] + PYPROJECT["build-system"]["requires"]
	listed += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
	assert len(listed) > 3
	assert "frappe" not in {name_of(requirement) for requirement in listed}
	assert "frappe" in PYPROJECT["tool"]["bench"]["frappe-dependencies"]


def test_every_module_of_modules_txt_is_a_folder():
	for title in lines_of(PACKAGE / "modules.txt"):
		assert (PACKAGE / title.lower().replace(" ", "_") / "__init__.py").exists(), title


def test_every_patch_listed_is_there_and_every_patch_there_is_listed():
	listed = [line.split()[0] for line in lines_of(PACKAGE / "patches.txt") if not is_section_or_code(line)]
	for dotted in listed:
		assert is_function(f"{dotted}.execute"), f"patches.txt: {dotted} has no execute()"
	files = [path for path in (PACKAGE / "patches").rglob("*.py") if path.name != "__init__.py"]
	there = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
	assert sorted(there) == sorted(listed)


def test_patches_written_as_code_can_be_read():
	for line in lines_of(PACKAGE / "patches.txt"):
		if line.startswith("execute:"):
			compile(line.removeprefix("execute:"), "patches.txt", "exec")


def is_section_or_code(line: str) -> bool:
	return line.startswith(("[", "execute:"))


def test_every_dotted_path_in_hooks_leads_to_something():
	tree = ast.parse((PACKAGE / "hooks.py").read_text(encoding="utf-8"))
	texts = {
		node.value
		for node in ast.walk(tree)
		if isinstance(node, ast.Constant) and isinstance(node.value, str)
	}
	paths = sorted(text for text in texts if re.fullmatch(r"khalifa_whatsapp(\.\w+)+", text))
	assert paths
	missing = [path for path in paths if not is_function(path) and not is_public_file(path)]
	assert not missing, "hooks.py names what is not there:\n" + "\n".join(missing)


def is_public_file(path: str) -> bool:
	return any((PACKAGE / "public").rglob(path))


def is_function(dotted: str) -> bool:
	"""Whether the module defines (or imports) that name; nothing is run, for it may need a site."""
	module, _, name = dotted.rpartition(".")
	path = ROOT.joinpath(*module.split("."))
	source = next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.exists()), None)
	if source is None:
		return False
	return name in names_in(ast.parse(source.read_text(encoding="utf-8")))


def names_in(tree: ast.Module) -> set[str]:
	names: set[str] = set()
	for node in tree.body:
		if isinstance(node, ast.FunctionDef | ast.ClassDef):
			names.add(node.name)
		elif isinstance(node, ast.Import | ast.ImportFrom):
			names |= {alias.asname or alias.name for alias in node.names}
		elif isinstance(node, ast.Assign):
			names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
	return names
