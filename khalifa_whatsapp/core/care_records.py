"""What customers wish and say of us, as rows: see `core.records`, by which they are named everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(slots=True)
class ConsentEvent:
	"""A customer's wish about promotions, and how we know of it: append-only. The latest one counts."""

	DOCTYPE: ClassVar[str] = "Khalifa Consent Event"
	name: str
	event_key: str  # unique: what is said again is not logged again
	customer: str
	wish: str  # Stopped Resumed
	source: str  # one of the DocType's options
	at_ms: int  # when the customer wished it
	known_ms: int  # when we knew
	actor: str | None = None  # the user who wrote it down; None: the customer's own message, or a gateway
	actor_name: str | None = None
	ticket: str | None = None
	message: str | None = None
	is_confirmed: int = 0  # a confirmation was queued


@dataclass(slots=True)
class Satisfaction:
	"""One question to a customer how a conversation was, and the answer."""

	DOCTYPE: ClassVar[str] = "Khalifa Satisfaction"
	name: str
	survey_key: str  # unique: one for each cycle of a ticket
	ticket: str
	customer: str
	device: str
	cycle: int
	state: str = "Planned"  # Planned Sent Delivered Answered Expired Skipped
	why: str = ""  # why it was skipped: one of the DocType's options
	branch: str | None = None
	agent: str | None = None  # who gets the credit, as it was when the conversation was closed
	agent_name: str | None = None
	is_by_hand: int = 0
	planned_ms: int = 0
	due_ms: int | None = None
	message: str | None = None  # the question, once it is queued
	sent_ms: int | None = None  # when it was queued
	delivered_ms: int | None = None
	expires_ms: int | None = None
	score: int | None = None  # 1 to 5
	answered_ms: int | None = None
	answer: str | None = None  # message
	comment_until_ms: int | None = None  # until then the next text is the comment that was asked for
	comment: str = ""
	comment_message: str | None = None
	notified_ms: int | None = None  # when managers were notified of a low score
