"""The ports: what the use cases ask of a database, in their own words.

There is one `save`, because a use case decides on records and then writes all its changes at once; reading is
by what it is read for. Whatever a store returns is a copy: changing it changes nothing until it is saved.
All reads inside a transaction that say «locked» hold the rows until its end.

One file, because a port is looked up as a whole, and both stores have all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.assignment import RosterEntry
from khalifa_whatsapp.core.breaker import Breaker
from khalifa_whatsapp.core.cost import Rate
from khalifa_whatsapp.core.kpi import Fact
from khalifa_whatsapp.core.pacing import Pace, Traffic
from khalifa_whatsapp.core.settings import Rules
from khalifa_whatsapp.stores.base_campaigns import CampaignStore

# What a gateway says of a number besides its state; the device has a field for each, and one for its moment
DEVICE_FACTS = ("quality", "messaging_limit", "name_status")


class Conflict(Exception):
	"""Another transaction was in the way (deadlock, lock wait, duplicate key). Roll back and try again."""


class StoreUnavailable(Exception):
	"""The database can't be reached, or went away. Nothing of the transaction is stored."""


@dataclass(frozen=True, slots=True)
class Notice:
	"""Something to tell open pages once the change is committed: a user's, a role's, or without either all
	that show conversations.

	A notice carries names and numbers, never a customer's words: the page fetches those with the reader's
	own rights. One to all names nothing either.
	"""

	event: str
	data: dict[str, Any]
	user: str | None = None
	role: str | None = None


@dataclass(slots=True)
class Changes:
	"""Everything one transaction writes.

	Records of one type are written together, in one statement or few.
	"""

	created: dict[type, list[Any]] = field(default_factory=dict)
	updated: dict[type, dict[str, Any]] = field(default_factory=dict)
	dirty_days: set[date] = field(default_factory=set)
	device_states: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # state, detail, at
	renamed: set[str] = field(default_factory=set)  # customers whose tickets must carry their new name
	# by device: a fact of `DEVICE_FACTS`, its value, since when
	device_facts: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)
	notices: list[Notice] = field(default_factory=list)

	def __bool__(self) -> bool:
		return bool(
			self.created
			or self.updated
			or self.dirty_days
			or self.notices
			or self.device_states
			or self.device_facts
			or self.renamed
		)


@dataclass(frozen=True, slots=True)
class WebhookOutcome:
	"""What became of a delivery: Done, Ignored, Failed (again at `next_ms`) or Dead."""

	name: str
	status: str
	error: str = ""
	attempts: int = 0
	next_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SendGate:
	"""Whether a device may send now: what people and its failures say."""

	is_paused: bool
	breaker: Breaker
	drained_ms: int = 0  # when its outbox was last looked at; 0: never


@dataclass(frozen=True, slots=True)
class TicketFilter:
	"""Which tickets «close all» means; empty fields mean any."""

	branch: str | None = None
	agent: str | None = None
	device: str | None = None
	status: str | None = None
	opened_before_ms: int | None = None
	names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backlog:
	"""What waits, for the health page: counts and the age of the oldest in milliseconds."""

	webhook_events: int
	oldest_webhook_event_ms: int
	outgoing: int
	oldest_outgoing_ms: int
	unknown: int
	failed: int
	dead_webhook_events: int


class Store(CampaignStore, Protocol):
	"""A database behind the use cases."""

	# -- transactions and locks
	def transaction(self) -> AbstractContextManager[None]:
		"""Commit at the end, roll back on any error. `Conflict` means: nothing was stored, try again."""

	def lock(self, name: str, wait_seconds: float = 0) -> AbstractContextManager[bool]:
		"""A lock across processes that dies with its holder; yields whether it was got.

		Not a transaction's.
		"""

	def save(self, changes: Changes) -> None:
		"""Write created and updated records, and remember dirty days and notices for after the commit."""

	def next_ticket_names(self, count: int) -> list[str]:
		"""Names never given before, in order (`KT-000001` …)."""

	def rules(self) -> Rules:
		"""Settings and calendars as they are now."""

	# -- webhook events
	def record_webhook_event(
		self, device: str, provider: str, key: str, body: bytes, received_ms: int
	) -> bool:
		"""Store a verified delivery, durably. False: it was there, and only its count went up."""

	def due_webhook_events(self, device: str, now_ms: int, limit: int) -> list[records.WebhookEvent]:
		"""New ones and those whose retry is due, oldest first; rows another drain holds are passed over."""

	def finish_webhook_events(self, outcomes: Iterable[WebhookOutcome], now_ms: int) -> None:
		"""Write what became of deliveries."""

	def devices_with_due_webhook_events(self, now_ms: int) -> list[str]:
		"""Devices that have something to take in."""

	def forget_webhook_events(self, before_ms: int, limit: int) -> int:
		"""Clear the bodies of finished deliveries received earlier; keys stay for ever. How many."""

	# -- customers and tickets
	def identities(self, keys: Collection[str]) -> dict[str, records.CustomerIdentity]:
		"""Known identities by key (locked)."""

	def customers(self, names: Collection[str]) -> dict[str, records.Customer]:
		"""Customers by name."""

	def devices_of_customer(self, customer: str) -> list[str]:
		"""Devices on which a customer has tickets."""

	def customers_with_notes(self, names: Collection[str]) -> set[str]:
		"""Those of these customers about whom people have written something down: notes, tags,
		a linked record.
		"""

	def save_names(self, customers: Collection[str]) -> None:
		"""Write customers' names on all their tickets; `save` does it for those that a use case renamed."""

	def move_customer(self, source: str, target: str) -> None:
		"""Whatever belongs to one customer belongs to another from now on."""

	def tickets(self, names: Collection[str]) -> dict[str, records.Ticket]:
		"""Tickets by name (locked)."""

	def latest_tickets(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], records.Ticket]:
		"""By (customer, device): the open ticket (locked), else the one closed last."""

	def has_ticket_event(self, name: str) -> bool:
		"""Whether a line of a history has this name."""

	def queue(self, limit: int, branches: Collection[str]) -> list[records.Ticket]:
		"""Tickets without an agent (locked), in the queue's order; locked ones are passed over.

		Those kept for one branch only if it is among `branches`: others would stand in the way.
		"""

	def due_tickets(self, now_ms: int, limit: int) -> list[records.Ticket]:
		"""Tickets that the minute job must look at by now (locked), the longest overdue first."""

	def due_snoozes(self, now_ms: int, limit: int) -> list[records.Ticket]:
		"""Tickets put aside until now or earlier (locked), the longest overdue first;
		locked ones are passed over.
		"""

	def rules_in_use(self) -> list[tuple[str | None, str]]:
		"""(branch, version): by which hours and limits the deadlines of open waits were worked out."""

	def tickets_of_rules(self, branch: str | None, version: str, limit: int) -> list[records.Ticket]:
		"""Tickets of a branch whose deadlines are of these hours and limits (locked);
		locked ones are passed over.
		"""

	def holders_gone(self) -> list[str]:
		"""Agents who hold tickets that wait on us although they are disabled, or exist no more."""

	def waiting_tickets_of(self, agents: Collection[str]) -> list[records.Ticket]:
		"""Tickets of these agents that wait on us (locked)."""

	def roster(self) -> list[RosterEntry]:
		"""All enabled agents with shifts and loads."""

	def agent(self, name: str, locked: bool = False) -> records.Agent | None:
		"""One agent; locked, when what is written back must be of this moment."""

	def agents(self, names: Collection[str]) -> dict[str, records.Agent]:
		"""Agents by name."""

	def agent_of_user(self, user: str) -> records.Agent | None:
		"""The agent a user is."""

	def open_presence(self, agents: Collection[str]) -> list[records.PresenceLog]:
		"""Stretches of presence that have not ended."""

	# -- messages
	def messages(self, names: Collection[str]) -> dict[str, records.Message]:
		"""Messages by name (locked)."""

	def messages_by_key(self, keys: Collection[str]) -> dict[str, records.Message]:
		"""Messages by message key (locked)."""

	def messages_by_gateway_id(self, device: str, ids: Collection[str]) -> list[records.Message]:
		"""Messages of a device that a gateway calls so (any direction); compared byte for byte."""

	def message_by_client_key(self, client_key: str) -> records.Message | None:
		"""The message a caller already asked for under this key."""

	def messages_of(self, ticket: str) -> list[records.Message]:
		"""All messages of a ticket (locked), in their order."""

	def newest_incoming(self, ticket: str, provider: str) -> records.Message | None:
		"""The customer's latest message of a ticket that this gateway knows."""

	def last_written_ms(self, ticket: str, identities: Collection[str]) -> int | None:
		"""When the customer last wrote in a ticket as one of these identities."""

	def doubles(self, customer: str, other: str) -> list[tuple[str, str]]:
		"""Names of customers' messages that a gateway gave under two chats, one of each customer,
		as if from two people.
		"""

	def retarget_logs(self, old: records.Message, new: records.Message) -> None:
		"""What was said of one message was said of another."""

	def drop_message(self, name: str) -> None:
		"""Delete a message that turned out to be another row's double."""

	def logs(self, target_keys: Collection[str], callbacks: Collection[str] = ()) -> list[records.MessageLog]:
		"""All that gateways said of these messages."""

	def parked_logs(self, since_ms: int, limit: int) -> list[records.MessageLog]:
		"""Log rows still without a message although it is there now (the two came at the same instant)."""

	def last_human_reply(self, ticket: str) -> records.Message | None:
		"""The newest message of the ticket written by a person of ours that did not fail."""

	def human_replies(self, ticket: str) -> list[records.Message]:
		"""Messages of the ticket written by people of ours, newest first, those that failed too."""

	def devices_with_due_messages(self, now_ms: int) -> list[str]:
		"""Devices that have something to send, or sends whose outcome nobody wrote down."""

	def due_messages(
		self, device: str, now_ms: int, limit: int, but_not: Collection[str] = ()
	) -> list[records.Message]:
		"""Queued messages of a device that are due (locked), oldest first, one per customer at most;
		not those of the campaigns `but_not`.
		"""

	def doubtful_messages(self, device: str) -> list[records.Message]:
		"""Messages of a device that are being sent or whose fate is unknown (locked), oldest first."""

	def abandoned_messages(self, device: str) -> list[records.Message]:
		"""Messages in Sending; only the device's one sender asks, so their sender is dead."""

	def unknown_messages(
		self, device: str, since_ms: int, until_ms: int, limit: int
	) -> list[records.Message]:
		"""Those in doubt whose last attempt began in the period, oldest first."""

	def devices_without_files(self, now_ms: int) -> list[str]:
		"""Devices with customers' files to fetch."""

	def messages_without_file(self, device: str, now_ms: int, limit: int) -> list[records.Message]:
		"""Customers' messages whose file is still with the gateway and due to be fetched:
		least tried first, then oldest.
		"""

	def read_file(self, url: str) -> bytes | None:
		"""The bytes of one of our private files; None when it is gone."""

	def traffic(
		self, device: str, pace: Pace, now_ms: int, day_start_ms: int, text_keys: Collection[str]
	) -> Traffic:
		"""What the device has handed over, as far as its pace asks; equal texts only of these keys."""

	def send_gate(self, device: str) -> SendGate:
		"""Whether the device is paused, and its breaker. A device that is not there is paused."""

	def save_breaker(self, device: str, breaker: Breaker) -> None:
		"""Write the breaker down, and nothing else of the device: people edit that."""

	def note_drain(self, device: str, now_ms: int) -> None:
		"""Remember that the device's outbox is looked at now."""

	def stale_messages(self, device: str, until_ms: int) -> list[records.Message]:
		"""Messages that were queued by an instant and still are (locked)."""

	def note_error(self, device: str, code: str, text: str, at_ms: int) -> None:
		"""Remember the device's last error for whoever looks at it."""

	def identities_of(
		self, customers: Collection[str], locked: bool = False
	) -> dict[str, list[records.CustomerIdentity]]:
		"""All identities of customers; locked, when what is written back must be of this moment."""

	# -- what gateways say of numbers and templates
	def provider_templates(
		self, device: str, keys: Collection[str], ids: Collection[str]
	) -> list[records.ProviderTemplate]:
		"""Templates of a device by their key or by the gateway's id, locked."""

	def provider_template(self, name: str, locked: bool = False) -> records.ProviderTemplate | None:
		"""One template; locked, when it is to be written."""

	def has_device_notice(self, notice_key: str) -> bool:
		"""Whether a notice is kept already."""

	# -- automatic replies
	def auto_replies_had(
		self, customers: Collection[str], rules: Collection[str]
	) -> list[tuple[str, str, int, int]]:
		"""(customer, rule, how often, when last) of the automatic replies that customers have been given."""

	def latest_messages(self, since_ms: Mapping[str, int], limit: int) -> dict[str, list[records.Message]]:
		"""By ticket: its latest messages since an instant of its own, at most `limit` of each direction,
		notes left out; in no order.
		"""

	def tickets_to_reply(self, now_ms: int, limit: int) -> list[records.Ticket]:
		"""Waiting tickets for which an automatic reply about waiting is due (locked),
		the longest overdue first.
		"""

	# -- consent and satisfaction
	def known_consent_events(self, keys: Collection[str]) -> set[str]:
		"""Those of these keys whose wish is logged already."""

	def surveys(self, names: Collection[str]) -> dict[str, records.Satisfaction]:
		"""Surveys by name (locked)."""

	def survey_of_cycle(self, survey_key: str) -> records.Satisfaction | None:
		"""The survey about one cycle of a ticket (locked)."""

	def survey_of_message(self, message: str) -> records.Satisfaction | None:
		"""The survey that a message asked (locked)."""

	def due_surveys(self, now_ms: int, limit: int) -> list[records.Satisfaction]:
		"""Planned surveys that are to be asked by now, the longest overdue first."""

	def expired_surveys(self, now_ms: int, limit: int) -> list[records.Satisfaction]:
		"""Surveys to which no answer came in time (locked); locked ones are passed over."""

	def surveys_awaiting(
		self, customers: Collection[str], device: str, now_ms: int
	) -> list[records.Satisfaction]:
		"""Surveys of customers on a device that await a score or a comment (locked), the latest last."""

	# -- ledger
	def turns(self, names: Collection[str]) -> dict[str, records.Turn]:
		"""Turns by name."""

	def turns_answered_by(self, messages: Collection[str]) -> dict[str, records.Turn]:
		"""Turns by the message that answered them."""

	def turns_closed_with(self, tickets: Collection[records.Ticket]) -> dict[str, records.Turn]:
		"""By ticket: the wait that its last closing ended without an answer."""

	def segments_of(self, turns: Collection[str]) -> list[records.Segment]:
		"""All segments of turns, in order."""

	def delays_of(self, turns: Collection[str]) -> list[records.DelayEvent]:
		"""Delay events of turns."""

	def delay(self, name: str) -> records.DelayEvent | None:
		"""One delay event."""

	def facts(self, from_ms: int, to_ms: int) -> list[Fact]:
		"""What counts for KPI in [from, to), grouped by agent, metric and length."""

	def rows_behind(self, metric: str, agent: str, from_ms: int, to_ms: int) -> list[tuple[str, str, int]]:
		"""(DocType, name, instant at which it counts) of every row that one KPI cell counts;
		as many as the cell says.
		"""

	def replace_kpi(self, period: str, start: date, rows: Sequence[records.AgentKpi]) -> None:
		"""Put these rows in the place of those of the period; the same rows again change nothing."""

	def dirty_days(self, limit: int) -> list[date]:
		"""Days whose facts changed after they were rolled up, oldest first."""

	def clean_days(self, days: Collection[date], now_ms: int) -> None:
		"""These days have been rolled up."""

	# -- close all
	def start_close_batch(self, batch: records.CloseBatch, chosen: TicketFilter, new_name: Any) -> int:
		"""Store the batch with one item per open ticket that the filter means; how many."""

	def count_open_tickets(self, chosen: TicketFilter) -> int:
		"""How many open tickets the filter means."""

	def close_batch(self, name: str) -> records.CloseBatch | None:
		"""A batch (locked)."""

	def batch_items(self, batch: str, result: str, limit: int) -> list[records.CloseBatchItem]:
		"""Items of a batch in one state."""

	# -- cost
	def message_rates(self) -> list[Rate]:
		"""What messages cost, as the manager has written it down."""

	def messages_to_price(self, limit: int) -> list[records.Message]:
		"""Delivered messages to be priced (locked), the oldest first; locked ones are passed over."""

	def price_again(self) -> int:
		"""Messages that had no rate are to be priced once more. How many."""

	# -- watching
	def backlog(self, now_ms: int) -> Backlog:
		"""What waits to be taken in or sent."""
