"""What some gateways can do beside sending: a driver has an ability when it fulfils its protocol.

Callers ask `isinstance(driver, SessionDriver)`, never which gateway it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import Media, MessageRef, OutboundEcho, Permanent, SessionState


@dataclass(frozen=True, slots=True)
class QrCode:
	"""A code to scan. Whoever scans it owns the account: for managers' eyes, never logged, never stored."""

	image: str = field(repr=False)  # data URL of a picture
	age_seconds: float = 0.0
	lifetime_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class FetchedMedia:
	"""A customer's file, checked against what the gateway said of it."""

	content: bytes = field(repr=False)
	mime_type: str
	file_name: str = ""


@dataclass(frozen=True, slots=True)
class TemplateInfo:
	"""A message template as the gateway knows it. Its key is (name, language)."""

	template_id: str
	name: str
	language: str
	status: str
	category: str = ""
	parameter_format: str = "POSITIONAL"
	components: tuple[Mapping[str, Any], ...] = ()  # as the gateway gives them
	quality: str = ""
	rejected_reason: str = ""


@dataclass(frozen=True, slots=True)
class SubmittedTemplate:
	"""What the gateway says of a template that it has taken for review; empty where it says nothing."""

	template_id: str
	status: str = ""
	category: str = ""


class TemplateRefused(Permanent):
	"""The gateway does not take a template. `explanation`: the gateway's own words, for who wrote it."""

	def __init__(self, text: str, code: str = "", explanation: str = "") -> None:
		super().__init__(text, code)
		self.explanation = explanation


@runtime_checkable
class SessionDriver(Protocol):
	"""A gateway whose login is a session that people start and end."""

	def start_session(self) -> SessionState:
		"""Begin (or go on with) the login; returns at once, the state follows. Raises a `SendError`."""

	def stop_session(self) -> None:
		"""End the session and keep the login."""

	def log_out(self) -> None:
		"""End the session and forget the login: the next start needs a new code."""

	def get_qr(self) -> QrCode | None:
		"""The code to scan, only while the session waits for one."""


@runtime_checkable
class MediaSource(Protocol):
	"""A gateway from which a customer's file can be fetched."""

	def fetch_media(self, media: Media, ref: MessageRef, max_bytes: int) -> FetchedMedia:
		"""The file.

		`Retryable` when it may work later, `Permanent` when it is gone, too big or not what it was said to
		be.
		"""


@runtime_checkable
class ChatLog(Protocol):
	"""A gateway that can tell what was said in a chat: settles doubt, recovers what was missed."""

	def last_sent(self, recipient: tuple[Identity, ...], limit: int = 20) -> list[OutboundEcho]:
		"""What left our number for this customer lately, newest last. Raises a `SendError`."""

	def missed_webhook_events(self) -> list[bytes]:
		"""Raw deliveries, as `parse` takes them, of messages that nobody has read yet.

		Raises a `SendError`.
		"""


@runtime_checkable
class ReadReceipts(Protocol):
	"""A gateway that can show the customer that we have read, or are typing."""

	def mark_read(self, ref: MessageRef, sender: tuple[Identity, ...], is_typing: bool = False) -> None:
		"""Mark a customer's message (and all before it) as read. Raises a `SendError`."""


@runtime_checkable
class IdentityResolver(Protocol):
	"""A gateway that knows which identities are one person."""

	def resolve(self, identity: Identity) -> tuple[Identity, ...]:
		"""All identities of the person behind one, itself included. Raises a `SendError`."""


@runtime_checkable
class TemplateSource(Protocol):
	"""A gateway with templates of its own."""

	def list_templates(self) -> list[TemplateInfo]:
		"""All templates of the account. Raises a `SendError`."""


@runtime_checkable
class TemplateAuthor(Protocol):
	"""A gateway that takes templates for review. `components` are as it gives them itself."""

	def upload_example(self, content: bytes, mime_type: str, file_name: str) -> str:
		"""Bring the file that a header shows as its example; gives what names it in `components`.

		Raises a `SendError`.
		"""

	def create_template(
		self,
		name: str,
		language: str,
		category: str,
		parameter_format: str,
		components: Sequence[Mapping[str, Any]],
	) -> SubmittedTemplate:
		"""Submit a new template. `TemplateRefused` with the gateway's words, or another `SendError`."""

	def edit_template(
		self, template_id: str, category: str, components: Sequence[Mapping[str, Any]]
	) -> SubmittedTemplate:
		"""Submit another text for a template; an empty category stays as it is. Errors as above."""


@runtime_checkable
class ExpiringLogin(Protocol):
	"""A gateway whose login may have an end that it can tell."""

	def login_ends_ms(self) -> int:
		"""When the login ends, in epoch milliseconds; 0 when it never does. Raises a `SendError`."""
