"""The record of a message template, one of `records`.

People write a template's text and choose its file in Desk; that is read here to fill the template in.
Whatever writes a row has locked it before it read it, so that nobody's text is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(slots=True)
class ProviderTemplate:
	"""A message template as the gateway knows it, by device, name and language.

	Each fact has its own moment.
	"""

	DOCTYPE: ClassVar[str] = "Khalifa Provider Template"
	name: str
	template_key: str
	device: str
	template_id: str
	template_name: str = ""
	language: str = ""
	status: str = ""
	status_ms: int | None = None
	rejected_reason: str = ""
	category: str = ""
	category_ms: int | None = None
	quality: str = ""
	quality_ms: int | None = None
	needs_sync: int = (
		0  # the gateway's list must be read again: what it says of the template's text is not here
	)
	components: str | None = None  # JSON, as the gateway has approved them
	parameter_format: str = ""
	value_kinds: str | None = None  # JSON: text, number or date, by `Variable.key`
	header_file: str | None = None  # the private file that goes into the header when nobody chooses another
	header_file_name: str | None = None
	is_changed: int = 0  # a person has written what is not submitted yet
	submitted_ms: int | None = None
