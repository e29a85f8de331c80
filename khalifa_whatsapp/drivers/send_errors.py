"""The ways in which handing a message over can fail, by what can be done about it.

A part of the port `drivers.base`.
"""

from __future__ import annotations

ERROR_KINDS = (
	"retryable",
	"rate_limited",
	"recipient",
	"opted_out",
	"permanent",
	"window_closed",
	"auth",
	"unknown",
)


class SendError(Exception):
	"""A send that did not end in acceptance. `code` is the gateway's, `text` safe to show, with no secret."""

	kind = "permanent"

	def __init__(self, text: str, code: str = "", retry_after: float | None = None) -> None:
		super().__init__(f"{self.kind}: {text}")
		self.text = text
		self.code = code
		self.retry_after = retry_after


class Retryable(SendError):
	"""Surely not sent, and likely to work later: refused connection, gateway down, session not ready."""

	kind = "retryable"


class RateLimited(Retryable):
	"""Surely not sent: too fast. `retry_after` seconds when the gateway says.

	`is_pair`: only this customer was written to too fast; otherwise the whole device was too fast.
	"""

	kind = "rate_limited"

	def __init__(
		self, text: str, code: str = "", retry_after: float | None = None, *, is_pair: bool = False
	) -> None:
		super().__init__(text, code, retry_after)
		self.is_pair = is_pair


class RecipientError(SendError):
	"""This recipient can't get it: not on WhatsApp, blocked us, stopped promotions."""

	kind = "recipient"


class OptedOut(RecipientError):
	"""The customer has stopped this business's promotions."""

	kind = "opted_out"


class Permanent(SendError):
	"""Sending the same again can't help: bad content, bad template, unsupported."""

	kind = "permanent"


class WindowClosed(Permanent):
	"""More than 24 hours since the customer wrote: only a template may go."""

	kind = "window_closed"


class AuthError(SendError):
	"""The device's login or token is not accepted: stop the device and tell a person."""

	kind = "auth"


class UnknownOutcome(SendError):
	"""Nobody knows whether it went (read timeout, reset, unreadable answer).

	Never sent again by a machine.
	"""

	kind = "unknown"
