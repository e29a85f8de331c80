"""Asking customers how a conversation was: when they are asked, what counts as a score, who gets the credit.

A survey belongs to one cycle of a ticket and is asked once. Two ways are equal: a list to choose from, where
the gateway has one, and a text that asks for a number from 1 to 5. A number counts only when it is the whole
message, and only until somebody else has said something: in "5 packs of Panadol", or as the answer to a
colleague's question, it is no score.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.records import FAILED, Message, Satisfaction, Ticket
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS, Settings

# Satisfaction.state
PLANNED, SENT, DELIVERED, ANSWERED, EXPIRED, SKIPPED = (
	"Planned",
	"Sent",
	"Delivered",
	"Answered",
	"Expired",
	"Skipped",
)
# Satisfaction.why
REOPENED, WINDOW, NOT_SENDABLE, NOT_DELIVERED, OPTED_OUT, LATE = (
	"Reopened",
	"Window Closed",
	"Can't Be Sent",
	"Not Delivered",
	"Opted Out",
	"Too Late",
)
AWAITED = (PLANNED, SENT, DELIVERED)  # with a message: a score may come
GOOD, LOW = 4, 2  # at least; at most
SCORES = (5, 4, 3, 2, 1)  # as they are offered, the best first
MAX_LATENESS_MS = 6 * HOUR_MS  # a survey that an outage held up so long asks of something forgotten
ASKED_AFTER = frozenset({"resolved", "no_reply_needed", "inactive"})  # reasons for closing
MAX_COMMENT = 1_000
# What customers read beside the question
LIST_BUTTON = "قيّم الخدمة"
LABELS = {5: "ممتازة", 4: "جيدة جدًا", 3: "مقبولة", 2: "ضعيفة", 1: "سيئة"}
HOW_TO_REPLY = "رد برقم من 1 إلى 5 (5 ممتازة، 1 سيئة)"

_PAYLOAD = "rate"
_MAX_LENGTH = 40  # characters of a text that may be a score
_STARS = "⭐🌟★"
_FRIENDLY = "👍❤🙏😊😍🥰🌹💐👏🏻🏼🏽🏾🏿"
_KEYCAP = "\u20e3"
_NUMBERS: Mapping[str, int] = {
	**{str(number): number for number in range(1, 6)},
	"one": 1,
	"two": 2,
	"three": 3,
	"four": 4,
	"five": 5,
	"واحد": 1,
	"واحدة": 1,
	"اتنين": 2,
	"إثنين": 2,
	"اثنان": 2,
	"تنتين": 2,
	"تلاتة": 3,
	"ثلاثة": 3,
	"تلات": 3,
	"ثلاث": 3,
	"أربعة": 4,
	"أربع": 4,
	"خمسة": 5,
	"خمس": 5,
}
_WHOLE: Mapping[str, int] = {"نجمة": 1, "نجمة واحدة": 1, "نجمتين": 2, "نجمتان": 2, "a star": 1}
_UNITS = ("star", "stars", "نجمة", "نجوم", "نجمات", "نجم")
_OF_FIVE = ("/ 5", "/5", "of 5", "out of 5", "من 5", "من خمسة", "out of five")


def may_ask(ticket: Ticket, reason: str, is_bulk: bool, is_by_person: bool, settings: Settings) -> bool:
	"""Whether a closing plans a survey: one by a person, of a conversation in which somebody answered."""
	is_wanted = bool(settings.survey_enabled) and is_by_person and not is_bulk
	return is_wanted and reason in ASKED_AFTER and ticket.cycle_replies > 0


def due_ms(now_ms: int, settings: Settings) -> int:
	"""When a survey planned now is asked."""
	return now_ms + round(settings.survey_delay_minutes * MINUTE_MS)


def why_not(survey: Satisfaction, ticket: Ticket, now_ms: int) -> str:
	"""Why a survey that is due is not asked after all; empty when it is."""
	if ticket.open_key is not None or ticket.cycle != survey.cycle:
		return REOPENED
	return LATE if now_ms - (survey.due_ms or now_ms) > MAX_LATENESS_MS else ""


def credited(replies: Iterable[Message], cycle_replies: int) -> str | None:
	"""The agent with most replies in the cycle, of equals the one who replied last; None: only managers did.

	`replies` are those of people, the newest first; the last `cycle_replies` were written in the cycle.
	"""
	of_cycle = list(replies)[:cycle_replies]
	counts = Counter(one.agent for one in of_cycle if one.agent and one.status != FAILED)
	return max(counts, key=lambda agent: counts[agent], default=None)  # the first of equals, so the newest


# -- the answer


def payload(survey: str, score: int) -> str:
	"""What a tap on a score brings back."""
	return f"{_PAYLOAD}:{survey}:{score}"


def tapped(content_type: str, data: Mapping[str, Any]) -> tuple[str, int] | None:
	"""Survey and score of a tap; None for any other message."""
	if content_type not in ("button_reply", "list_reply"):
		return None
	match = re.fullmatch(rf"{_PAYLOAD}:([0-9a-z]+):([1-5])", str(data.get("id") or data.get("payload") or ""))
	return (match[1], int(match[2])) if match else None


def choices(survey: str) -> dict[str, Any]:
	"""The list to choose a score from, as a message keeps it."""
	rows = [
		{"id": payload(survey, score), "title": "⭐" * score, "description": LABELS[score]}
		for score in SCORES
	]
	return {"list_button": LIST_BUTTON, "choices": rows}


def score_of(text: str) -> int | None:
	"""The score that a whole message is: «٥», "5/5", "five stars", "٥ نجوم", ⭐⭐⭐, 5️⃣; None for others."""
	if not 0 < len(text) <= _MAX_LENGTH:
		return None
	plain = normalise(text).replace(_KEYCAP, "")
	stars = sum(plain.count(star) for star in _STARS)
	bare = _bare(plain)
	if not bare:
		return stars if 1 <= stars <= 5 else None
	score = _SPELLED.get(bare)
	return score if score is not None and stars in (0, 1, score) else None


def _bare(plain: str) -> str:
	"""Without stars, friendly signs and the punctuation around it.

	A question mark stays, and so does a sign: "-5" and "5?" are no scores.
	"""
	without = "".join(" " if char in _STARS + _FRIENDLY else char for char in plain)
	return " ".join(re.sub(r"^[\s.,،!*_(\[]+|[\s.,،!*_)\]]+$", "", without).split())


def _spelled() -> dict[str, int]:
	"""Every way to write a score, normalised."""
	ways = dict(_WHOLE)
	for name, number in _NUMBERS.items():
		ways[name] = number
		ways |= {f"{name} {unit}": number for unit in _UNITS}
		ways |= {f"{name}{gap}{whole}": number for whole in _OF_FIVE for gap in ("", " ")}
		ways |= {f"{name} {unit} {whole}": number for unit in _UNITS for whole in _OF_FIVE}
	return {" ".join(normalise(way).split()): number for way, number in ways.items()}


_SPELLED = _spelled()


def is_awaited(survey: Satisfaction, at_ms: int) -> bool:
	"""Whether a score may still come for a survey."""
	is_asked = survey.message is not None and survey.state in AWAITED
	return is_asked and at_ms < (survey.expires_ms or at_ms)


def takes_text(survey: Satisfaction, ticket: Ticket, at_ms: int) -> bool:
	"""Whether a number that the customer writes is the answer to a survey.

	Not once the conversation goes on: a number may then be the answer to something else.
	"""
	return (
		is_awaited(survey, at_ms)
		and at_ms >= (survey.sent_ms or 0) - MINUTE_MS  # gateways' clocks, and their seconds without parts
		and ticket.name == survey.ticket
		and ticket.cycle == survey.cycle
		and (ticket.last_out_ms or 0) <= (survey.sent_ms or 0)
	)


def takes_comment(survey: Satisfaction, ticket: Ticket, at_ms: int) -> bool:
	"""Whether the customer's next text is the comment that was asked for."""
	is_asked = survey.state == ANSWERED and not survey.comment and survey.comment_until_ms is not None
	is_in_time = (survey.answered_ms or 0) <= at_ms < (survey.comment_until_ms or 0)
	return is_asked and is_in_time and ticket.name == survey.ticket and ticket.cycle == survey.cycle


def is_question(text: str) -> bool:
	"""Whether a comment asks something, so that somebody must answer it."""
	return "?" in text or "؟" in text


def answer(survey: Satisfaction, score: int, message: str, at_ms: int, settings: Settings) -> bool:
	"""Write a score down; of two answers the earlier one counts. Whether it did."""
	if not 1 <= score <= 5:
		raise ValueError(f"{score} is no score")
	if survey.state == ANSWERED and (survey.answered_ms or 0) <= at_ms:
		return False
	survey.state, survey.score, survey.answer, survey.answered_ms = ANSWERED, score, message, at_ms
	survey.delivered_ms = min(survey.delivered_ms or at_ms, at_ms)  # some gateways send no receipts
	survey.comment_until_ms = None
	if score <= LOW and settings.survey_asks_comment:
		survey.comment_until_ms = at_ms + round(settings.survey_comment_minutes * MINUTE_MS)
	return True
