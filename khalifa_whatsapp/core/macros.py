"""Macros: several acts on a conversation by one tap, in the order in which they are written down.

What takes the conversation out of one's hands comes last, and only one such act: whatever stood behind it
could never be done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REPLY, NOTE, TAG, TRANSFER, SNOOZE, CLOSE = "Reply", "Note", "Tag", "Transfer", "Snooze", "Close"
ACTIONS = (REPLY, NOTE, TAG, TRANSFER, SNOOZE, CLOSE)
FIELDS = ("text", "quick_reply", "tag", "to_agent", "to_branch", "close_reason")  # texts of a stored step
LAST = frozenset({TRANSFER, SNOOZE, CLOSE})
MAX_STEPS, MAX_TITLE = 10, 80
MAX_SNOOZE_MINUTES = 90 * 24 * 60
# What is wrong with a macro, by code; `{number}`: of the step, counted from one
MESSAGES = {
	"no_steps": "A macro has at least one step.",
	"too_many": "A macro has at most {limit} steps.",
	"bad_action": "Step {number}: choose what is to be done.",
	"not_last": "Step {number} takes the conversation out of your hands, so it comes last.",
	"no_text": "Step {number}: write the text, or choose a quick reply.",
	"no_tag": "Step {number}: write the tag.",
	"no_receiver": "Step {number}: choose the agent or the branch that takes the conversation.",
	"no_reason": "Step {number}: choose the reason.",
	"bad_time": "Step {number}: snooze for 1 minute to 90 days, or 0 until the customer writes.",
	"unknown_blanks": "Step {number}: nobody fills in {names}.",
}


@dataclass(frozen=True, slots=True)
class Step:
	"""One act. Which of the fields count says `action`."""

	action: str
	text: str = ""  # of a reply or a note; why, of a transfer or a snooze
	quick_reply: str = ""  # instead of a reply's text, with its file
	tag: str = ""
	to_agent: str = ""
	to_branch: str = ""
	minutes: int = 0  # of a snooze; 0: until the customer writes
	close_reason: str = ""


def step_of(row: Mapping[str, Any]) -> Step:
	"""A step as it is stored."""
	texts = {field: str(row.get(field) or "") for field in FIELDS}
	return Step(str(row.get("action") or ""), **texts, minutes=int(row.get("snooze_minutes") or 0))


@dataclass(frozen=True, slots=True)
class Wrong:
	"""What is wrong, as a key of `MESSAGES`, and the values of its text."""

	code: str
	values: dict[str, object]


def first_wrong(steps: Sequence[Step], close_reasons: Sequence[str]) -> Wrong | None:
	"""The first thing that nobody could ever do; None: it can be tried. Rights are not asked here."""
	if not steps:
		return Wrong("no_steps", {})
	if len(steps) > MAX_STEPS:
		return Wrong("too_many", {"limit": MAX_STEPS})
	for number, step in enumerate(steps, 1):
		code = _wrong_in(step, close_reasons) or ("not_last" if _is_early(step, number, len(steps)) else "")
		if code:
			return Wrong(code, {"number": number})
	return None


def _is_early(step: Step, number: int, count: int) -> bool:
	return step.action in LAST and number < count


def _wrong_in(step: Step, close_reasons: Sequence[str]) -> str:
	lacks = {
		REPLY: ("no_text", not (step.text.strip() or step.quick_reply)),
		NOTE: ("no_text", not step.text.strip()),
		TAG: ("no_tag", not step.tag.strip()),
		TRANSFER: ("no_receiver", not (step.to_agent or step.to_branch)),
		SNOOZE: ("bad_time", not 0 <= step.minutes <= MAX_SNOOZE_MINUTES),
		CLOSE: ("no_reason", step.close_reason not in close_reasons),
	}
	if step.action not in lacks:
		return "bad_action"
	code, is_lacking = lacks[step.action]
	return code if is_lacking else ""
