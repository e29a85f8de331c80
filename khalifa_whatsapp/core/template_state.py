"""What the state of a gateway's message template means: may it be sent, edited, submitted, and what managers
are told of a change.

States are Meta's (APPROVED, PAUSED, …), the only gateway that has templates, and `DRAFT`: written here, and
not submitted yet. One that is not known can't be sent: Meta adds states, and each new one so far meant that
something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.templates import file_of, stored_shape

APPROVED, DRAFT, PENDING = "APPROVED", "DRAFT", "PENDING"
MARKETING = "MARKETING"  # the category of templates that promote
# In which Meta takes another text for a template that it has
EDITABLE = frozenset({APPROVED, "REJECTED", "PAUSED"})
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
	DRAFT: "A draft: a manager has not submitted it yet.",
	"PENDING": "Waits for Meta's approval.",
	"REJECTED": "Meta rejected it.",
	"PAUSED": "Paused by Meta for its low quality.",
	"DISABLED": "Disabled by Meta for its low quality.",
	"FLAGGED": "Meta is about to disable it.",
	"": "Meta does not let it be sent.",
	"without text": "Its text is not here yet: the templates are being synced.",
	"without file": "Its header is a file: attach one, or ask a manager to add it to the template.",
	"unfillable": "It has parts that can't be filled in here, such as a carousel or a form.",
}


def why_not(status: str | None, has_text: bool = True) -> str:
	"""Why a template can't be sent, in a sentence; "" when it can: approved, and its text is known here."""
	if status == APPROVED:
		return "" if has_text else REASONS["without text"]
	return REASONS.get(status or "", REASONS[""])


def why_not_sent(template: records.ProviderTemplate, has_file: bool = False) -> str:
	"""The same of a stored template, and whether all that it needs can be filled in; `has_file`: the writer
	brings the header's file.
	"""
	reason = why_not(template.status, bool(template.components))
	if reason:
		return reason
	shape = stored_shape(template)
	if not shape.is_fillable:
		return REASONS["unfillable"]
	return REASONS["without file"] if shape.needs_file and not (has_file or file_of(template)) else ""


def other_languages(
	template: records.ProviderTemplate, all_templates: Iterable[records.ProviderTemplate]
) -> list[str]:
	"""Languages in which a template of the same name can be sent now, when this one can't."""
	if template.status == APPROVED:
		return []
	return sorted(
		one.language
		for one in all_templates
		if one.template_name == template.template_name and one.status == APPROVED and one.components
	)


def may_be_edited(status: str | None) -> bool:
	"""Whether another text of the template can be submitted: a draft, or one that Meta lets be changed."""
	return (status or DRAFT) in EDITABLE | {DRAFT}


def sentence(status: str) -> str:
	"""What managers are told when a template gets this state."""
	return MESSAGES.get(status, MESSAGES[""])


def is_warning(status: str) -> bool:
	"""Whether the state needs a person."""
	return status not in CALM
