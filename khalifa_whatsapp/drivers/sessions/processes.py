"""The processes of a browser session: found by what they carry, ended in steps, and nothing of theirs left
behind.

A session's chromedriver is started with tags in its environment, which Chrome inherits. That finds them
across process groups and after their parents have died. Chrome's children write over their environment or
hide it, so descendants of tagged processes count; and those on a profile whose tagged ancestors have all died
are strays, which are nobody's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil

QUIT_SECONDS = 5.0
TERM_SECONDS = 3.0
KILL_SECONDS = 5.0
LOCKS = ("SingletonLock", "SingletonCookie", "SingletonSocket")
_OWNER_FILE = "owner"


@dataclass(frozen=True, slots=True)
class Tags:
	"""What a session's processes carry.

	`realm` is the folder of the site's profiles: no two sites share one.
	"""

	realm: str
	device: str
	generation: int
	owner_key: str

	def environment(self) -> dict[str, str]:
		"""As environment variables."""
		return {
			"WA_SITE": self.realm,
			"WA_DEVICE": self.device,
			"WA_GEN": str(self.generation),
			"WA_OWNER": self.owner_key,
		}


def tags_of(process: psutil.Process) -> Tags | None:
	"""The tags a process carries; None when it has none, is gone, or hides them."""
	try:
		environment = process.environ()
		return Tags(
			environment["WA_SITE"],
			environment["WA_DEVICE"],
			int(environment["WA_GEN"]),
			environment["WA_OWNER"],
		)
	except (psutil.Error, OSError, KeyError, ValueError):
		return None


def tagged(realm: str) -> Iterator[tuple[psutil.Process, Tags]]:
	"""All living processes of a site's sessions on this host that show their tags."""
	for process in psutil.process_iter():
		tags = tags_of(process)
		if tags is not None and tags.realm == realm and _lives(process):
			yield process, tags


def on_profile(profile: Path) -> list[psutil.Process]:
	"""Processes that run on a profile folder, whosever they are."""
	wanted = f" --user-data-dir={profile} "
	return [
		process for process in psutil.process_iter() if wanted in command_line(process) and _lives(process)
	]


def strays(realm: str) -> list[psutil.Process]:
	"""Processes on a site's profiles that carry no tags, and none of whose ancestors does."""
	wanted = f" --user-data-dir={realm}/"
	return [
		process
		for process in psutil.process_iter()
		if wanted in command_line(process) and _lives(process) and not _has_tags(process)
	]


def _has_tags(process: psutil.Process) -> bool:
	try:
		return any(tags_of(one) is not None for one in (process, *process.parents()))
	except psutil.Error:
		return True  # it has just gone


def command_line(process: psutil.Process) -> str:
	"""A command line with a space before and after each word;
	Chrome writes those of its children as one word.
	"""
	try:
		return f" {' '.join(process.cmdline())} "
	except (psutil.Error, OSError):
		return ""


def of_sessions(realm: str, are_meant: Callable[[Tags], bool]) -> list[psutil.Process]:
	"""The living processes of a site's sessions with such tags, their descendants, and strays.

	One that carries other tags is never among them: on the same profile may run the next owner's browser.
	"""
	roots = [process for process, tags in tagged(realm) if are_meant(tags)]
	return _with_descendants([*roots, *strays(realm)])


def _with_descendants(roots: Iterable[psutil.Process]) -> list[psutil.Process]:
	by_pid: dict[int, psutil.Process] = {}
	for root in roots:
		by_pid[root.pid] = root
		with contextlib.suppress(psutil.Error):
			by_pid.update({child.pid: child for child in root.children(recursive=True) if _lives(child)})
	return [process for process in by_pid.values() if process.pid != os.getpid()]


def _lives(process: psutil.Process) -> bool:
	try:
		return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
	except psutil.Error:
		return False


def is_stopped(process: psutil.Process) -> bool:
	"""Whether a process was stopped (SIGSTOP) and will answer nobody."""
	try:
		return process.status() == psutil.STATUS_STOPPED
	except psutil.Error:
		return False


def stop(find: Callable[[], list[psutil.Process]], leave: Callable[[], None] | None = None) -> int:
	"""End what `find` finds: ask it to leave, then SIGTERM, then SIGKILL; how many are left (0, if all went
	well).

	`leave` must be bounded itself. A process forked meanwhile is found again, so it is killed too.
	"""
	if leave is not None:
		leave()
	_signal(find(), kill=False)
	if _wait(find, TERM_SECONDS):
		return 0
	return kill(find)


def kill(find: Callable[[], list[psutil.Process]]) -> int:
	"""SIGKILL what `find` finds until nothing is found; how many are left after `KILL_SECONDS`."""
	until = time.monotonic() + KILL_SECONDS
	while (running := find()) and time.monotonic() < until:
		_signal(running, kill=True)
		time.sleep(0.05)  # until the kernel has taken them away
	return len(running)


def _signal(running: Iterable[psutil.Process], kill: bool) -> None:
	for process in running:
		with contextlib.suppress(psutil.Error):  # psutil compares start times: never another's number
			process.kill() if kill else process.terminate()


def _wait(find: Callable[[], list[psutil.Process]], seconds: float) -> bool:
	until = time.monotonic() + seconds
	while find():
		if time.monotonic() >= until:
			return False
		time.sleep(0.05)
	return True


def sweep(realm: str, is_gone: Callable[[str], bool], generations: dict[str, int]) -> int:
	"""Kill browsers on this host whose owner is dead, or whose device has been taken over since; how many
	processes.

	`generations` are the present ones by device. What is left in temporary folders of dead owners goes too.
	"""

	def is_orphan(tags: Tags) -> bool:
		return is_gone(tags.owner_key) or tags.generation < generations.get(tags.device, 0)

	def orphans() -> list[psutil.Process]:
		return of_sessions(realm, is_orphan)

	orphaned = orphans()
	if orphaned:
		kill(orphans)
	for folder in _temporary_folders(realm):
		if is_gone(_owner_in(folder)):
			shutil.rmtree(folder, ignore_errors=True)
	return len(orphaned)


# -- folders


def make_profile(root: Path, device: str) -> Path:
	"""The profile folder of a device, for its owner's eyes alone: a login lives in it."""
	profile = root / sha256(device.encode()).hexdigest()[:24]
	for folder in (root, profile):
		folder.mkdir(mode=0o700, parents=True, exist_ok=True)
		folder.chmod(0o700)
	return profile


def clear_profile_locks(profile: Path) -> bool:
	"""Remove Chrome's own locks of a profile; False (and nothing removed) while a process runs on it.

	Only for whoever holds the device's lease: a lock may name another host, whose owner has let go by then.
	"""
	if on_profile(profile):
		return False
	for name in LOCKS:
		(profile / name).unlink(missing_ok=True)
	return True


def make_temporary(tags: Tags) -> Path:
	"""A folder for what chromedriver and Chrome put into TMPDIR; short,
	for it holds a socket (107 characters).
	"""
	folder = Path(tempfile.mkdtemp(prefix=_prefix(tags.realm)))
	(folder / _OWNER_FILE).write_text(tags.owner_key, encoding="utf-8")
	return folder


def remove_temporary(folder: Path) -> None:
	"""Remove such a folder."""
	shutil.rmtree(folder, ignore_errors=True)


def _prefix(realm: str) -> str:
	return f"kw-{sha256(realm.encode()).hexdigest()[:8]}-"


def _temporary_folders(realm: str) -> list[Path]:
	"""Ours only: others may make folders in a shared place and name them so."""
	folders = Path(tempfile.gettempdir()).glob(f"{_prefix(realm)}*")
	return [path for path in folders if not path.is_symlink() and path.is_dir() and _is_ours(path)]


def _is_ours(path: Path) -> bool:
	try:
		return path.stat().st_uid == os.getuid()
	except OSError:
		return False


def _owner_in(folder: Path) -> str:
	try:
		return (folder / _OWNER_FILE).read_text(encoding="utf-8")
	except OSError:
		return ""
