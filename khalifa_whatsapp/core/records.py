"""The rows that the rules read and write, one dataclass per DocType, in the DocType's own field names.

A record holds the fields that machines own; what people edit in Desk (notes, tags) is not here, so that a
save from a use case can't overwrite it. Instants are epoch milliseconds (`*_ms`); a store fills the Datetime
that people read (`*_on`, or the same name without `_ms`) where the DocType has one. Lengths are milliseconds
in `*_ms` of ledgers only where said; durations that people read are seconds.

One file, because a schema is looked up as a whole, and a test compares it with the DocTypes; rows that stand
apart are in files of their own (`*_records`) and taken from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khalifa_whatsapp.core.audit import AuditEntry as AuditEntry  # looked up here, too
from khalifa_whatsapp.core.batch_records import CloseBatch as CloseBatch
from khalifa_whatsapp.core.batch_records import CloseBatchItem as CloseBatchItem
from khalifa_whatsapp.core.campaign_records import Campaign as Campaign
from khalifa_whatsapp.core.campaign_records import CampaignRecipient as CampaignRecipient
from khalifa_whatsapp.core.care_records import ConsentEvent as ConsentEvent
from khalifa_whatsapp.core.care_records import Satisfaction as Satisfaction
from khalifa_whatsapp.core.kpi_records import AgentKpi as AgentKpi

# Ticket.status
QUEUED, OPEN, PENDING, CLOSED = "Queued", "Open", "Pending", "Closed"
# Agent.presence
ONLINE, AWAY, OFFLINE = "Online", "Away", "Offline"
# PresenceLog.cause: who or what changed it
BY_AGENT, BY_MANAGER, SILENT, SHIFT_OVER = "Agent", "Manager", "Silent", "Shift Over"
# Message.direction
INCOMING, OUTGOING = "Incoming", "Outgoing"
# Message.origin: who is behind it
CUSTOMER, AGENT, NOTE, AUTO, PHONE = "Customer", "Agent", "Note", "Auto", "Phone"
SURVEY, CAMPAIGN = "Survey", "Campaign"
# Message.status
RECEIVED, MSG_QUEUED, SENDING, SENT = "Received", "Queued", "Sending", "Sent"
DELIVERED, READ, PLAYED, FAILED, UNKNOWN = "Delivered", "Read", "Played", "Failed", "Unknown"
# Turn.outcome
ANSWERED, NO_REPLY_NEEDED, CLOSED_UNANSWERED = "answered", "no_reply_needed", "closed_unanswered"
BULK_CLOSED, SPAM = "bulk_closed", "spam"


@dataclass(slots=True)
class Customer:
	"""A person (or shop) who writes to us."""

	DOCTYPE: ClassVar[str] = "Khalifa Customer"
	name: str
	customer_name: str = ""
	phone: str | None = None  # E.164, when known
	branch: str | None = None
	last_agent: str | None = None
	merged_into: str | None = None
	duplicate_of: str | None = None  # a customer who is the same person, as far as a gateway says
	duplicate_state: str | None = None  # Found, Told (managers are), Not a Duplicate (a manager says)
	created_ms: int = 0
	named_ms: int | None = None  # when the profile had this name; None with a name: people of ours gave it
	last_in_ms: int | None = None
	is_opted_out: int = 0
	opted_out_ms: int | None = None
	search_text: str = ""


@dataclass(slots=True)
class CustomerIdentity:
	"""One name a gateway has for a customer: phone, BSUID or LID. `identity_key` is unique."""

	DOCTYPE: ClassVar[str] = "Khalifa Customer Identity"
	name: str
	identity_key: str
	kind: str
	value: str
	customer: str
	account: str = ""  # the same for names of one WhatsApp account: a gateway used them together
	since_ms: int | None = None  # when it was first used, as gateways tell the time
	seen_ms: int | None = None  # when it was last used
	left_ms: int | None = None  # when the customer gave it up
	taken_ms: int | None = None  # when the customer moved to it
	successor: str | None = None  # the identity that the customer moved to
	asked_ms: int | None = None  # when the gateway was last asked for the person's other identities
	profile_name: str = ""  # the name that the latest message under it brought, and its time
	named_ms: int | None = None


@dataclass(slots=True)
class Ticket:
	"""One conversation episode with one customer on one device. `open_key` is unique and NULL when closed."""

	DOCTYPE: ClassVar[str] = "Khalifa Ticket"
	name: str
	customer: str
	device: str
	status: str = QUEUED
	open_key: str | None = None
	customer_name: str = ""
	branch: str | None = None
	is_branch_only: int = 0  # handed to a branch: no other branch takes it
	agent: str | None = None
	agent_name: str | None = None
	cycle: int = 1
	opened_ms: int = 0
	closed_ms: int | None = None
	closed_by: str | None = None
	close_reason: str | None = None
	close_batch: str | None = None
	resolved_for: str | None = None
	first_message_ms: int | None = None
	first_responded_ms: int | None = None
	first_response_time: int | None = None  # business seconds, first customer message to first human reply
	waited_time: int = 0  # business seconds of all ended turns: the time that was ours
	cycle_replies: int = 0  # human replies since it was opened or last reopened
	# agents who replied in this cycle, the last one last; before: whose credit was withdrawn
	repliers: str = ""
	is_missed: int = 0  # ended with no human reply
	missed_for: str | None = None  # the agent charged with it; NULL: the queue
	last_in_ms: int | None = None
	identity: str | None = None  # as whom the customer wrote last: there goes an answer
	last_out_ms: int | None = None
	last_message_ms: int = 0
	preview: str = ""
	preview_label: str = ""  # of a last message without words: the key of the sentence that `preview` holds
	unread_count: int = 0
	waiting_since_ms: int | None = None
	queued_since_ms: int | None = None
	queue_rank: int = 1  # 0: given back by an agent, goes before the others
	turn: str | None = None
	segment: str | None = None
	customer_due_by_ms: int | None = None  # the open turn's deadline
	response_by_ms: int | None = None  # the deadline of the agent who holds it; the queue has none
	due_by_ms: int | None = None  # the earlier of the two: too late once it has passed
	late_soon_ms: int | None = None
	next_check_ms: int | None = None  # the minute job's own: when it looks next, whatever the deadlines are
	rules_version: str | None = None  # the hours and limits that these were worked out with
	auto_check_ms: int | None = None  # when a rule about waiting comes due for the open wait
	auto_stop: str | None = None  # the open wait has no more automatic replies: New, Notified (managers)
	campaign: str | None = None  # the campaign that the customer wrote in answer to
	# `core.snooze`: put aside since when, until when (NULL: until the customer writes), and why
	snoozed_ms: int | None = None
	snoozed_until_ms: int | None = None
	snooze_reason: str = ""
	version: int = 0


@dataclass(slots=True)
class TicketEvent:
	"""What happened to a ticket: append-only."""

	DOCTYPE: ClassVar[str] = "Khalifa Ticket Event"
	name: str
	ticket: str
	event: str  # one of the DocType's options
	at_ms: int
	actor: str | None = None  # user; None: the system
	actor_name: str | None = None
	from_agent: str | None = None
	to_agent: str | None = None
	from_branch: str | None = None
	to_branch: str | None = None
	is_automatic: int = 0
	is_late: int = 0
	reason: str = ""


@dataclass(slots=True)
class Message:
	"""One message or note of a ticket. An outgoing one is also its own outbox row."""

	DOCTYPE: ClassVar[str] = "Khalifa Message"
	name: str
	ticket: str
	customer: str
	device: str
	direction: str
	origin: str
	content_type: str
	status: str
	sent_ms: int  # the place in the conversation: gateway time, never far in our future
	received_ms: int  # when we first knew of it
	identity: str | None = None  # as whom the customer wrote it, or to whom it goes
	message_key: str | None = None
	client_key: str | None = None
	provider: str = ""
	gateway_id: str | None = None
	scope: str = ""  # what makes the gateway's id unique: direction and chat, where the sender chooses ids
	sequence: int = 0
	body: str = ""
	sender: str | None = None  # user
	sender_name: str | None = None
	agent: str | None = None  # the sender as an agent
	on_behalf_of: str | None = None
	reply_to: str | None = None  # message_key of the quoted message
	media_id: str | None = None
	mime_type: str | None = None
	file_name: str | None = None
	file_url: str | None = None  # our private copy of its file
	media_state: str | None = None  # Waiting, Stored or Failed: how far a customer's file is
	media_error: str | None = None
	data: str | None = None  # JSON: location, cards, order, payload
	reactions: str | None = None  # JSON {author: emoji}
	is_edited: int = 0
	is_revoked: int = 0
	attempts: int = 0
	generation: int = 0
	next_retry_ms: int | None = None
	priority: int = 0  # 0 a person's reply, 1 automatic, 2 campaign
	started_ms: int | None = None  # when the last attempt was handed to the gateway: what pacing counts
	is_new_chat: int = 0  # the customer had never written to this device when it was queued
	resent_as: str | None = None  # the message that a person sent again in its place
	text_key: str | None = None  # equal for equal texts, so that a device does not say the same too often
	search_text: str | None = None  # the text as search compares it
	error_kind: str | None = None
	error_code: str | None = None
	error_text: str | None = None
	auto_reply: str | None = None  # the rule that answered
	campaign: str | None = None  # the campaign that it belongs to
	is_promotion: int = 0  # goes to nobody who has stopped them
	delivered_ms: int | None = None  # when it reached the customer's phone, as far as the gateway says
	# `core.cost`: what the gateway says of its price, how far it is priced, and the amount
	price_category: str = ""
	price_type: str = ""
	price_state: str = ""
	price_country: str = ""
	cost_micros: int | None = None
	cost_currency: str = ""


@dataclass(slots=True)
class MessageLog:
	"""Something a gateway said of a message: append-only.

	`message` is NULL while it waits for its message.
	"""

	DOCTYPE: ClassVar[str] = "Khalifa Message Status"
	name: str
	log_key: str
	target_key: str
	kind: str  # status reaction edit revoke
	value: str
	at_ms: int
	device: str = ""
	author: str = ""
	message: str | None = None
	callback: str | None = None
	error_kind: str | None = None
	error_code: str | None = None
	error_text: str | None = None
	pricing: str | None = None  # JSON [category, type, micros, currency]


@dataclass(slots=True)
class Turn:
	"""One wait of a customer, from the first unanswered message to its end."""

	DOCTYPE: ClassVar[str] = "Khalifa Turn"
	name: str
	ticket: str
	customer: str
	device: str
	branch: str | None
	cycle: int
	started_ms: int
	known_ms: int  # when we received the message that started it
	is_first: int = 0
	ended_ms: int | None = None
	outcome: str | None = None  # one of the above, or joined
	answered_by: str | None = None  # agent
	answered_by_user: str | None = None
	on_behalf_of: str | None = None
	answer: str | None = None  # message
	wall_time: int | None = None  # seconds
	biz_time: int | None = None  # seconds
	is_delayed: int = 0  # the customer waited longer than D2
	delay_cause: str | None = None  # Queue Transfers Agent
	calendar_version: str | None = None


@dataclass(slots=True)
class Segment:
	"""Who held the ticket during a part of a turn. `agent` NULL: the queue."""

	DOCTYPE: ClassVar[str] = "Khalifa Turn Segment"
	name: str
	turn: str
	ticket: str
	agent: str | None
	branch: str | None
	from_ms: int
	to_ms: int | None = None
	# answered answered_by_admin answer_failed transferred requeued closed bulk_closed …
	end_reason: str | None = None
	is_first: int = 0  # belongs to the ticket's first turn
	wall_time: int | None = None
	biz_time: int | None = None
	level: int = 0  # 0 none, 1 warned, 2 delayed, 3 escalated
	delayed_ms: int | None = None
	counted_ms: int | None = None  # the day it counts for: crossed its threshold, else ended
	is_late_transfer: int = 0


@dataclass(slots=True)
class DelayEvent:
	"""A breach: one per segment (agent) and one per turn (customer). It stays when the answer comes."""

	DOCTYPE: ClassVar[str] = "Khalifa Delay Event"
	name: str
	delay_key: str
	kind: str  # Agent Customer
	ticket: str
	turn: str
	at_ms: int  # the threshold was crossed
	segment: str | None = None
	agent: str | None = None
	branch: str | None = None
	customer: str | None = None
	cause: str | None = None
	closed_ms: int | None = None
	is_escalated: int = 0
	objection_status: str | None = None  # Open Accepted Rejected
	objection: str | None = None  # the agent's words
	objected_by: str | None = None
	objected_ms: int | None = None
	decision: str | None = None  # the manager's words
	decided_by: str | None = None
	decided_ms: int | None = None


@dataclass(slots=True)
class Agent:
	"""An employee who answers."""

	DOCTYPE: ClassVar[str] = "Khalifa Agent"
	name: str
	user: str
	employee_name: str
	branch: str | None = None
	enabled: int = 1
	capacity: int = 6
	presence: str = OFFLINE
	presence_ms: int | None = None
	heartbeat_ms: int | None = None
	last_assigned_ms: int | None = None


@dataclass(slots=True)
class PresenceLog:
	"""A stretch of time in which an agent was online, away or offline: append-only, closed by the next."""

	DOCTYPE: ClassVar[str] = "Khalifa Presence Log"
	name: str
	agent: str
	presence: str
	from_ms: int
	to_ms: int | None = None
	cause: str | None = None
	set_by_name: str | None = None  # the manager who did it for the agent


@dataclass(slots=True)
class WebhookEvent:
	"""A verified webhook call, kept byte for byte until it is applied and for a while after."""

	DOCTYPE: ClassVar[str] = "Khalifa Webhook Event"
	name: str
	device: str
	provider: str
	received_ms: int
	body: bytes
	attempts: int = 0
	seen_count: int = 1


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
	# the gateway's list must be read again: what it says of the template's text is not here
	needs_sync: int = 0
	components: str | None = None  # JSON, as the gateway has approved them
	parameter_format: str = ""
	value_kinds: str | None = None  # JSON: text, number or date, by `Variable.key`
	header_file: str | None = None  # the private file that goes into the header when nobody chooses another
	header_file_name: str | None = None
	is_changed: int = 0  # a person has written what is not submitted yet
	submitted_ms: int | None = None


@dataclass(slots=True)
class DeviceNotice:
	"""Something a gateway said of a number, its account or its templates, kept for managers: append-only."""

	DOCTYPE: ClassVar[str] = "Khalifa Device Notice"
	name: str
	notice_key: str  # unique: what is said again is not kept again
	device: str
	kind: str
	severity: str
	at_ms: int
	text: str  # an English sentence of ours, translated where it is shown
	text_values: str = ""  # JSON: what stands in its places, in the gateway's words
	notified_ms: int | None = None  # None: managers have still to be notified


RECORDS = (
	Customer,
	CustomerIdentity,
	Ticket,
	TicketEvent,
	Message,
	MessageLog,
	Turn,
	Segment,
	DelayEvent,
	Agent,
	PresenceLog,
	CloseBatch,
	CloseBatchItem,
	AgentKpi,
	ProviderTemplate,
	DeviceNotice,
	ConsentEvent,
	Satisfaction,
	Campaign,
	CampaignRecipient,
	AuditEntry,
)
