"""What a recipient gets, frozen when the campaign is planned: which of two texts, with whose values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from khalifa_whatsapp.core.audience import value_of
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.quick_replies import parts
from khalifa_whatsapp.core.records import Campaign
from khalifa_whatsapp.core.templates import Shape, Variable, fill

A, B = "A", "B"
TEMPLATE_KIND = "template"  # of messages


@dataclass(frozen=True, slots=True)
class Frozen:
	"""What one recipient gets: the text as it is read, and what a template needs besides."""

	text: str
	data: Mapping[str, Any]


class Content(Protocol):
	"""What a campaign says."""

	@property
	def needed(self) -> tuple[str, ...]:
		"""Names of the values that every recipient must have."""

	def freeze(self, values: Mapping[str, str], variant: str) -> Frozen:
		"""For one recipient. Raises `UserError` when a value can't be used."""


@dataclass(frozen=True, slots=True)
class TextContent:
	"""One text, or two to compare."""

	text_a: str
	text_b: str = ""

	@property
	def needed(self) -> tuple[str, ...]:
		"""The blanks of both."""
		return blanks(self.text_a, self.text_b)

	def freeze(self, values: Mapping[str, str], variant: str) -> Frozen:
		"""The text with the recipient's values."""
		return Frozen(filled(self.text_b if variant == B else self.text_a, values), {})


@dataclass(frozen=True, slots=True)
class TemplateContent:
	"""A gateway's template, and the text (with blanks) that stands for each of its variables."""

	name: str
	language: str
	shape: Shape
	texts: tuple[str, ...]  # in the order of `shape.variables`

	@property
	def needed(self) -> tuple[str, ...]:
		"""The blanks of all of them."""
		return blanks(*self.texts)

	def freeze(self, values: Mapping[str, str], variant: str) -> Frozen:
		"""The template as it reads with the recipient's values."""
		shown, placed = fill(self.shape, [filled(text, values) for text in self.texts])
		return Frozen(shown, {"template": {"name": self.name, "language": self.language, **placed}})


def content_of(
	campaign: Campaign, shape: Shape | None = None, name: str = "", language: str = ""
) -> TextContent | TemplateContent:
	"""What the campaign says; `shape`, `name` and `language` are its template's.

	Raises `UserError` where nothing, or not all of it, is there.
	"""
	if campaign.content_type == "Text":
		if not campaign.text_a.strip():
			raise UserError("campaign_without_text", "Write the text of the campaign first.")
		return TextContent(campaign.text_a, campaign.text_b.strip() and campaign.text_b)
	if shape is None:
		raise UserError("campaign_without_template", "Choose the template of the campaign first.")
	given = _parameters(campaign.template_parameters)
	texts = tuple(given.get(key_of(variable), "") for variable in shape.variables)
	missing = [key_of(v) for v, text in zip(shape.variables, texts, strict=True) if not text.strip()]
	if missing:
		raise UserError(
			"campaign_parameter_missing",
			"Say what stands in the template's place {name}.",
			name=", ".join(missing),
		)
	return TemplateContent(name, language, shape, texts)


def key_of(variable: Variable) -> str:
	"""How a campaign's parameters name a variable: as the body does, elsewhere with its place before it."""
	return variable.name if variable.place == "body" else f"{variable.place}.{variable.name}"


def _parameters(stored: str) -> dict[str, str]:
	try:
		given = json.loads(stored or "{}")
	except ValueError:
		given = None
	if not isinstance(given, dict):
		raise UserError(
			"campaign_parameters_bad", "The parameters of the template can't be read. Fill them in again."
		)
	return {str(name): str(text) for name, text in given.items()}


def blanks(*texts: str) -> tuple[str, ...]:
	"""Names in braces, each once."""
	return tuple(dict.fromkeys(part.blank for text in texts for part in parts(text) if part.blank))


def filled(text: str, values: Mapping[str, str]) -> str:
	"""The text with its blanks filled in, in one pass: a value that looks like a blank stays what it is."""
	return "".join(part.text or value_of(values, part.blank) for part in parts(text))


def variant_of(key: str, share_b: int, has_b: bool) -> str:
	"""A or B, by the recipient's own key: the same however often and in whatever order it is planned."""
	return B if has_b and int(key[:8], 16) % 100 < share_b else A
