"""Checks a commit message: `type(scope): Sentence`, an empty line, then why. Used as a commit-msg hook."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TYPES = ("build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test")
HEADER = re.compile(rf"(?:{'|'.join(TYPES)})\([a-z0-9_./-]+\)!?: \S.*")
MADE_BY_GIT = re.compile(r'(Merge |Revert "|fixup! |squash! |amend! )')
MAX_HEADER = 100


def problems(message: str) -> list[str]:
	"""What is wrong with the message; nothing when it is in order."""
	lines = [line.rstrip() for line in _without_comments(message).strip().splitlines()]
	if not lines:
		return ["the message is empty"]
	header = lines[0]
	if MADE_BY_GIT.match(header):
		return []
	faults = []
	if not HEADER.fullmatch(header):
		faults.append(f"write `type(scope): Sentence`, with a type of {', '.join(TYPES)}")
	else:
		sentence = header.split(": ", 1)[1]
		if sentence[0].islower():
			faults.append("begin the sentence with a capital letter")
		if sentence.endswith("."):
			faults.append("end the first line without a full stop")
	if len(header) > MAX_HEADER:
		faults.append(f"the first line has {len(header)} characters; {MAX_HEADER} are enough")
	if len(lines) > 1 and lines[1]:
		faults.append("leave the second line empty")
	return faults


def _without_comments(message: str) -> str:
	"""What Git keeps of the file: nothing below its scissors, no comment lines."""
	kept = re.split(r"^# -+ >8 -+$", message, maxsplit=1, flags=re.MULTILINE)[0]
	return "\n".join(line for line in kept.splitlines() if not line.startswith("#"))


def main() -> int:
	"""Check the file Git names as the first argument."""
	faults = problems(Path(sys.argv[1]).read_text(encoding="utf-8"))
	for problem in faults:
		print(f"commit message: {problem}", file=sys.stderr)
	return 1 if faults else 0


if __name__ == "__main__":
	sys.exit(main())
