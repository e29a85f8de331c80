"""What the state of a gateway's message template means: may it be sent, and what managers are told of a
change.

States are Meta's (APPROVED, PAUSED, …), the only gateway that has templates. One that is not known can't be
sent: Meta adds states, and each new one so far meant that something is wrong.
"""

from __future__ import annotations

APPROVED = "APPROVED"
MARKETING = "MARKETING"  # the category of templates that promote
CALM = frozenset({APPROVED, "PENDING"})  # states that need nobody
# What managers are told when a template gets this state; "" stands for any other
MESSAGES = {
	APPROVED: "The template {template} ({language}) is approved and can be used.",
	"PENDING": "The template {template} ({language}) waits for Meta's approval.",
	"REJECTED": "The template {template} ({language}) was rejected: {reason}.",
	"PAUSED": "The template {template} ({language}) is paused for its low quality and can't be sent for now.",
	"DISABLED": "The template {template} ({language}) is disabled for its low quality "
	"and can't be sent any more.",
	"FLAGGED": "Meta will disable the template {template} ({language}) soon: its quality is low.",
	"": "Meta changed the template {template} ({language}): {status}.",
}
PROMOTIONS_STOPPED = "The customer wants no promotions."
# Why a template can't be picked
REASONS = {
	"PENDING": "Waits for Meta's approval.",
	"REJECTED": "Meta rejected it.",
	"PAUSED": "Paused by Meta for its low quality.",
	"DISABLED": "Disabled by Meta for its low quality.",
	"FLAGGED": "Meta is about to disable it.",
	"": "Meta does not let it be sent.",
	"without text": "Its text is not here yet: the templates are being synced.",
}


def why_not(status: str | None, has_text: bool = True) -> str:
	"""Why a template can't be sent, in a sentence; "" when it can: approved, and its text is known here."""
	if status == APPROVED:
		return "" if has_text else REASONS["without text"]
	return REASONS.get(status or "", REASONS[""])


def sentence(status: str) -> str:
	"""What managers are told when a template gets this state."""
	return MESSAGES.get(status, MESSAGES[""])


def is_warning(status: str) -> bool:
	"""Whether the state needs a person."""
	return status not in CALM
