"""The one port every gateway stands behind.

A *driver* is our code, a *gateway* the vendor's service, a *device* one configured number. The rest of the
app only ever sees what is in this file: events that a gateway posts to us, messages that we hand to it, and
the ways in which handing over can fail. No vendor word leaves a driver.

One file, because it is one port: events, messages and errors are read together by whoever writes a driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from khalifa_whatsapp.core.cost import Pricing
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.send_errors import (  # a part of this port: whoever uses it imports from here
	ERROR_KINDS as ERROR_KINDS,
)
from khalifa_whatsapp.drivers.send_errors import (
	AuthError as AuthError,
)
from khalifa_whatsapp.drivers.send_errors import (
	OptedOut as OptedOut,
)
from khalifa_whatsapp.drivers.send_errors import (
	Permanent as Permanent,
)
from khalifa_whatsapp.drivers.send_errors import (
	RateLimited as RateLimited,
)
from khalifa_whatsapp.drivers.send_errors import (
	RecipientError as RecipientError,
)
from khalifa_whatsapp.drivers.send_errors import (
	Retryable as Retryable,
)
from khalifa_whatsapp.drivers.send_errors import (
	SendError as SendError,
)
from khalifa_whatsapp.drivers.send_errors import (
	UnknownOutcome as UnknownOutcome,
)
from khalifa_whatsapp.drivers.send_errors import (
	WindowClosed as WindowClosed,
)


@dataclass(frozen=True, slots=True)
class MessageRef:
	"""How a gateway names a message.

	`scope` makes `gateway_id` unique on one device. Where the gateway itself makes ids (Cloud API) it is
	empty; where the sending phone chooses them (WhatsApp Web ids) it holds direction and chat, so that one
	customer can't suppress another's message by choosing its id.
	"""

	gateway_id: str
	scope: str = ""


@dataclass(frozen=True, slots=True)
class Media:
	"""A file that belongs to a message: never its bytes, only how to fetch them later."""

	media_id: str = ""
	mime_type: str = ""
	file_name: str = ""
	sha256: str = ""
	size: int | None = None
	is_inline: bool = False  # the raw delivery carries the bytes itself


@dataclass(frozen=True, slots=True)
class InboundMessage:
	"""A customer wrote. `sent_ms` is the gateway's time in epoch milliseconds."""

	ref: MessageRef
	sender: tuple[Identity, ...]  # every identity known of the sender, the strongest first
	sent_ms: int
	content_type: str  # one of `core.content.KINDS`
	body: str = ""
	profile_name: str = ""
	media: Media | None = None
	reply_to: MessageRef | None = None
	data: Mapping[str, Any] = field(default_factory=dict)  # location, cards, order, payload …: JSON values
	is_forwarded: bool = False
	sequence: int = (
		0  # place inside its delivery: breaks ties of `sent_ms`, which many gateways give in seconds
	)
	is_missing: bool = False  # nobody could read it yet: the same message may still come, under the same ref
	is_edit_alone: bool = False  # all that came is an edit, so that nobody knows when it was written


@dataclass(frozen=True, slots=True)
class OutboundEcho:
	"""A message that left our number without us: typed on the phone, or by another linked device."""

	ref: MessageRef
	recipient: tuple[Identity, ...]
	sent_ms: int
	content_type: str
	body: str = ""
	media: Media | None = None
	reply_to: MessageRef | None = None
	data: Mapping[str, Any] = field(default_factory=dict)  # as of an inbound message
	is_forwarded: bool = False
	is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Call:
	"""Something a gateway says of a call, as it rings or when it has ended;
	the same call comes several times.
	"""

	ref: MessageRef  # of the call
	customer: tuple[Identity, ...]
	at_ms: int
	state: str  # one of `core.calls.RANK`
	is_ours: bool = False  # we called
	started_ms: int = 0  # when somebody answered, if the gateway says
	duration: int = 0  # seconds of talk
	is_video: bool = False
	profile_name: str = ""


@dataclass(frozen=True, slots=True)
class MessageStatus:
	"""How far an outgoing message got: sent, delivered, read, played or failed."""

	ref: MessageRef
	status: str
	at_ms: int
	error_code: str = ""
	error_kind: str = ""  # a name of `ERROR_KINDS`
	error_text: str = ""
	callback: str = ""  # our own key, given back by gateways that carry one
	recipient: tuple[Identity, ...] = ()
	pricing: Pricing | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
	"""An emoji put on a message; an empty one takes it back."""

	target: MessageRef
	author: str  # "me", or whoever else is in the chat: the customer
	emoji: str
	at_ms: int


@dataclass(frozen=True, slots=True)
class MessageEdit:
	"""The text of an earlier message was changed.

	Whose chat it is in tells where it belongs if that never came.
	"""

	target: MessageRef
	body: str
	at_ms: int
	customer: tuple[Identity, ...] = ()
	is_ours: bool = False


@dataclass(frozen=True, slots=True)
class MessageRevoke:
	"""An earlier message was taken back by whoever sent it."""

	target: MessageRef
	at_ms: int


@dataclass(frozen=True, slots=True)
class IdentityChange:
	"""A customer's identities belong together: changed number, changed user id, LID of a phone."""

	old: tuple[Identity, ...]
	new: tuple[Identity, ...]
	at_ms: int


@dataclass(frozen=True, slots=True)
class SessionState:
	"""What the gateway says of the device's login: qr, connecting, connected, disconnected, restricted."""

	state: str
	detail: str = ""
	at_ms: int = 0
	data: Mapping[str, Any] = field(default_factory=dict)  # what else it says: quality, limit, display number


@dataclass(frozen=True, slots=True)
class TemplateStatus:
	"""What a gateway says of a message template: its verdict, its quality, its category, or that its text
	changed.

	An empty field was not said. `at_ms`: when the gateway decided it, 0 when it did not say.
	"""

	template_id: str
	name: str
	language: str
	status: str = ""
	reason: str = ""
	category: str = ""
	quality: str = ""
	is_text_changed: bool = False
	at_ms: int = 0


@dataclass(frozen=True, slots=True)
class MarketingPreference:
	"""The customer stopped (or resumed) promotions in WhatsApp itself."""

	customer: tuple[Identity, ...]
	is_stopped: bool
	at_ms: int


INFO, WARNING, CRITICAL = "Info", "Warning", "Critical"


@dataclass(frozen=True, slots=True)
class AccountNotice:
	"""What a gateway says of the number or the account: quality, limits, restrictions, bans.

	`text` is a sentence for managers with `values` for its places. `facts` are what is now known of the
	device: `state` (as in `SessionState`), `quality`, `messaging_limit`, `name_status`. `at_ms`: when the
	gateway decided it, 0 when it did not say.
	"""

	kind: str
	data: Mapping[str, Any]
	severity: str = INFO
	text: str = ""
	values: Mapping[str, str] = field(default_factory=dict)
	facts: Mapping[str, str] = field(default_factory=dict)
	is_for_people: bool = True  # whether managers are notified
	at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Unhandled:
	"""Something we don't know, or ignore on purpose (`is_noise`). The raw delivery keeps it."""

	reason: str
	is_noise: bool = False


Event = (
	InboundMessage
	| OutboundEcho
	| Call
	| MessageStatus
	| Reaction
	| MessageEdit
	| MessageRevoke
	| IdentityChange
	| SessionState
	| TemplateStatus
	| MarketingPreference
	| AccountNotice
	| Unhandled
)


class PayloadError(ValueError):
	"""A verified delivery that is not what the gateway's format promises (not JSON, no object)."""


class NotVerified(Exception):
	"""A webhook call that can't prove where it comes from. `reason` is for our log, never for the caller."""

	def __init__(self, reason: str) -> None:
		super().__init__(reason)
		self.reason = reason


class CannotVerify(Exception):
	"""Whether a webhook call is genuine can't be said now, for the secret that would tell can't be read.

	It must be neither taken nor refused for good: the gateway shall come again.
	"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
	"""What every outgoing message has.

	`callback` is our own key, which some gateways give back in every status.
	"""

	recipient: tuple[Identity, ...]  # every identity known of the account it goes to, the strongest first
	reply_to: MessageRef | None = None
	callback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingText(Outgoing):
	"""A text to send."""

	body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMedia(Outgoing):
	"""A file to send, as bytes that the driver uploads."""

	kind: str  # image audio voice video document sticker
	content: bytes = field(repr=False)
	mime_type: str
	file_name: str = ""
	caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingTemplate(Outgoing):
	"""A template that the gateway has approved, with the values of its variables.

	Positional values are in order; named ones are (name, value). `header_media` is for a header that is a
	file. `buttons` are (index, value) of buttons that take one: the end of an address, or a payload.
	"""

	name: str
	language: str
	body_values: tuple[str, ...] = ()
	named_values: tuple[tuple[str, str], ...] = ()
	header_values: tuple[str, ...] = ()
	header_names: tuple[str, ...] = ()  # of the same, where the template's variables have names
	header_media: OutgoingMedia | None = None
	buttons: tuple[tuple[int, str, str], ...] = ()  # index, url or quick_reply, value


@dataclass(frozen=True, slots=True)
class Choice:
	"""One thing a customer can tap: a reply button, or a row of a list."""

	id: str
	title: str
	description: str = ""
	section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingChoices(Outgoing):
	"""A question with buttons, or with a list when `list_button` names what opens it."""

	body: str
	choices: tuple[Choice, ...]
	header: str = ""
	footer: str = ""
	list_button: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingReaction(Outgoing):
	"""An emoji on a message; an empty one takes it back."""

	target: MessageRef
	emoji: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingLocation(Outgoing):
	"""A place, in degrees."""

	latitude: float
	longitude: float
	title: str = ""
	address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingContacts(Outgoing):
	"""Contact cards: (name, phone in E.164)."""

	cards: tuple[tuple[str, str], ...]


def unsupported(message: Outgoing) -> Permanent:
	"""The error for a kind of message that a gateway can't carry."""
	return Permanent("This gateway can't send this kind of message.", code="unsupported")


@dataclass(frozen=True, slots=True)
class Accepted:
	"""The gateway took the message. That is not delivery: statuses tell."""

	ref: MessageRef
	status: str = "sent"  # sent, or queued while the gateway itself has not handed it over
	recipient: tuple[Identity, ...] = ()  # identities the gateway told us of


@dataclass(frozen=True, slots=True)
class Capabilities:
	"""What a driver can do, so that callers never ask which gateway it is."""

	has_window: bool = False  # free text only within 24 hours of the customer's last message
	has_callback: bool = False  # statuses bring our own key back
	has_templates: bool = False
	has_qr: bool = False  # a person logs in by scanning a code
	is_charged: bool = False  # the gateway charges for what is delivered
	has_browser: bool = False  # lives in a browser that one process owns: only that process may send
	# text template choices reaction location contacts, and media_kinds
	kinds: frozenset[str] = frozenset({"text"})
	media_kinds: frozenset[str] = frozenset()
	max_text: int = 4096
	max_media_bytes: int = 16 * 1024 * 1024


LOGINS = frozenset({"access_token", "gateway_secret"})
SECRETS_LOST = "The device's secrets can't be read any more. A manager must enter them again in its form."


@dataclass(frozen=True, slots=True)
class DeviceConfig:
	"""What a driver needs to know of a device. Secrets stay out of `repr`."""

	name: str
	provider: str
	base_url: str = ""
	api_version: str = ""
	phone_number_id: str = ""
	business_account_id: str = ""
	session_name: str = ""
	access_token: str = field(default="", repr=False)
	app_secrets: tuple[str, ...] = field(default=(), repr=False)  # current first, then those in rotation
	verify_token: str = field(default="", repr=False)
	webhook_secret_digests: tuple[str, ...] = field(default=(), repr=False)  # sha256 hex, current first
	gateway_secret: str = field(default="", repr=False)
	connect_timeout: float = 5.0
	read_timeout: float = 30.0
	# where the gateway posts to us; holds the device's secret
	webhook_url: str = field(default="", repr=False)
	# browser_* fields of the device, without the prefix
	browser: Mapping[str, Any] = field(default_factory=dict)
	unreadable: tuple[str, ...] = ()  # names of secrets that are stored, and that nobody can decrypt

	@property
	def has_lost_login(self) -> bool:
		"""Whether the gateway can't be called: what would let us in is stored and can't be read."""
		return not (self.access_token or self.gateway_secret) and not LOGINS.isdisjoint(self.unreadable)

	def check_login(self) -> None:
		"""Raise `AuthError` when the gateway can't be called for want of a secret that nobody can read."""
		if self.has_lost_login:
			raise AuthError(SECRETS_LOST, "secrets_lost")


@dataclass(frozen=True, slots=True)
class WebhookCall:
	"""A call at our endpoint, before anybody believes it. Header names are lower case."""

	raw: bytes
	headers: Mapping[str, str]
	query: Mapping[str, str]
	method: str = "POST"


@runtime_checkable
class MessageDriver(Protocol):
	"""What every gateway can do for us. Drivers keep no state between calls but their HTTP connection."""

	config: DeviceConfig
	capabilities: Capabilities

	def verify(self, call: WebhookCall) -> None:
		"""Raise `NotVerified` unless the call proves that it comes from this device's gateway.

		`CannotVerify` when a secret that nobody can read might prove it.
		"""

	def handshake(self, call: WebhookCall) -> str:
		"""The text to answer a gateway's subscription check with; `NotVerified` when it is not for us.

		`CannotVerify` as above.
		"""

	def parse(self, raw: bytes) -> list[Event]:
		"""Everything a delivery says, in its order. `PayloadError` when it is not the gateway's format."""

	def send(self, message: Outgoing) -> Accepted:
		"""Hand a message over. Raises a `SendError`; anything in doubt is `UnknownOutcome`.

		A kind that is not among the driver's `capabilities.kinds` is `Permanent` with the code `unsupported`.
		"""

	def get_status(self) -> SessionState:
		"""What the gateway says of the device now. Raises a `SendError` when it can't be asked."""
