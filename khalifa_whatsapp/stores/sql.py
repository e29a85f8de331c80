"""Every read and write of the ports as SQL, once, for both databases.

MariaDB and SQLite run the same statements over the same tables; what differs (connection, locks, bulk
writing, settings) is in the two subclasses. Placeholders are `?`. Statements that lock end in `LOCK` or
`SKIP`, which SQLite, with its one writer, leaves out. Numbers that mean «none» are stored as 0, as Frappe
does.

One file, because these statements lock and write the same rows in one order; those of the outbox and of the
measures are in files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.assignment import RosterEntry
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.stores.base import DEVICE_FACTS, Backlog, Changes, TicketFilter, WebhookOutcome
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.sql_auto_replies import AutoReplyQueries
from khalifa_whatsapp.stores.sql_base import CHUNK
from khalifa_whatsapp.stores.sql_campaigns import CampaignQueries
from khalifa_whatsapp.stores.sql_care import CareQueries
from khalifa_whatsapp.stores.sql_costs import CostQueries
from khalifa_whatsapp.stores.sql_measures import MeasureQueries
from khalifa_whatsapp.stores.sql_outbox import OutboxQueries
from khalifa_whatsapp.stores.sql_values import filter_sql, unpack_body

# The order in which a transaction writes its tables, the same for all, so that two wait instead of
# deadlocking.
WRITE_ORDER = {kind: number for number, kind in enumerate(records.RECORDS)}
CUSTOMER = "`tabKhalifa Customer`"
TICKET = "`tabKhalifa Ticket`"
MESSAGE = "`tabKhalifa Message`"
EVENT = "`tabKhalifa Webhook Event`"


class SqlStore(OutboxQueries, MeasureQueries, CareQueries, CampaignQueries, CostQueries, AutoReplyQueries):
	"""The reads of the `Store` port; subclasses bring the connection."""

	HAS_NOTES = "COALESCE(notes, '') <> '' OR COALESCE(reference_name, '') <> ''"

	def roster(self) -> list[RosterEntry]:
		loads, shifts = self.loads(), self.agents_in_shift()
		return [
			RosterEntry(
				agent, shifts.get(agent.name), held.get(records.OPEN, 0), held.get(records.PENDING, 0)
			)
			for agent in self._read(records.Agent, "enabled = 1", (), "ORDER BY name")
			for held in [loads.get(agent.name, {})]
		]

	# -- webhook events
	def due_webhook_events(self, device: str, now_ms: int, limit: int) -> list[records.WebhookEvent]:
		sql = (
			f"SELECT name, device, provider, received_ms, body, is_base64, attempts, seen_count FROM {EVENT} "
			"WHERE device = ? AND status IN ('New', 'Failed') AND next_ms <= ? ORDER BY name LIMIT ?"
			+ self.SKIP
		)
		return [
			records.WebhookEvent(
				str(name), device_, provider, received, unpack_body(body, is_base64), attempts, seen
			)
			for name, device_, provider, received, body, is_base64, attempts, seen in self.rows(
				sql, (device, now_ms, limit)
			)
		]

	def finish_webhook_events(self, outcomes: Iterable[WebhookOutcome], now_ms: int) -> None:
		groups: dict[tuple[str, str, int, int], list[int]] = {}
		for o in outcomes:
			groups.setdefault((o.status, o.error, o.attempts, o.next_ms or 0), []).append(int(o.name))
		for (status, error, attempts, next_ms), names in groups.items():
			marks = ", ".join("?" * len(names))
			self.run(
				f"UPDATE {EVENT} SET status = ?, error = ?, attempts = ?, next_ms = ?, processed_ms = ? "
				f"WHERE name IN ({marks})",
				(status, error, attempts, next_ms, now_ms, *names),
			)

	def devices_with_due_webhook_events(self, now_ms: int) -> list[str]:
		sql = f"SELECT DISTINCT device FROM {EVENT} WHERE status IN ('New', 'Failed') AND next_ms <= ?"
		return [row[0] for row in self.rows(sql, (now_ms,))]

	def forget_webhook_events(self, before_ms: int, limit: int) -> int:
		names = self.rows(
			f"SELECT name FROM {EVENT} WHERE status IN ('Done', 'Ignored') AND received_ms < ? AND body <> "
			"'' LIMIT ?",
			(before_ms, limit),
		)
		if not names:
			return 0
		marks = ", ".join("?" * len(names))
		return self.run(f"UPDATE {EVENT} SET body = '' WHERE name IN ({marks})", [row[0] for row in names])

	# -- customers and tickets
	def identities(self, keys: Collection[str]) -> dict[str, records.CustomerIdentity]:
		rows = self._in(records.CustomerIdentity, "identity_key", keys, self.LOCK)
		return {row.identity_key: row for row in rows}

	def identities_of(
		self, customers: Collection[str], locked: bool = False
	) -> dict[str, list[records.CustomerIdentity]]:
		by_customer: dict[str, list[records.CustomerIdentity]] = {}
		tail = f"ORDER BY name {self.LOCK}" if locked else "ORDER BY name"
		for row in self._in(records.CustomerIdentity, "customer", customers, tail):
			by_customer.setdefault(row.customer, []).append(row)
		return by_customer

	def customers(self, names: Collection[str]) -> dict[str, records.Customer]:
		return self._by_name(records.Customer, names, self.LOCK)

	def devices_of_customer(self, customer: str) -> list[str]:
		return [
			row[0]
			for row in self.rows(f"SELECT DISTINCT device FROM {TICKET} WHERE customer = ?", (customer,))
		]

	def customers_with_notes(self, names: Collection[str]) -> set[str]:
		wanted = sorted(names)
		marks = ", ".join("?" * len(wanted))
		sql = f"SELECT name FROM {CUSTOMER} WHERE name IN ({marks}) AND ({self.HAS_NOTES})"
		return {row[0] for row in self.rows(sql, wanted)} if wanted else set()

	def save_names(self, customers: Collection[str]) -> None:
		"""Tickets carry their customer's name, whatever device and state they are of."""
		ordered = sorted(customers)
		name = f"(SELECT c.customer_name FROM {CUSTOMER} c WHERE c.name = {TICKET}.customer)"
		for start in range(0, len(ordered), CHUNK):
			part = ordered[start : start + CHUNK]
			marks = ", ".join("?" * len(part))
			self.run(f"UPDATE {TICKET} SET customer_name = {name} WHERE customer IN ({marks})", part)

	def move_customer(self, source: str, target: str) -> None:
		for kind in (
			records.CustomerIdentity,
			records.Ticket,
			records.Message,
			records.Turn,
			records.DelayEvent,
			records.ConsentEvent,
			records.Satisfaction,
			records.CampaignRecipient,
		):
			self.run(f"UPDATE {table_of(kind).name} SET customer = ? WHERE customer = ?", (target, source))

	def tickets(self, names: Collection[str]) -> dict[str, records.Ticket]:
		return self._by_name(records.Ticket, names, self.LOCK)

	def latest_tickets(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], records.Ticket]:
		by_device: dict[str, list[str]] = {}
		for customer, device in pairs:
			by_device.setdefault(device, []).append(customer)
		latest: dict[tuple[str, str], records.Ticket] = {}
		for device, customers in by_device.items():
			for ticket in self._latest_of(device, customers):
				held = latest.get((ticket.customer, device))
				if held is None or _is_later(ticket, held):
					latest[ticket.customer, device] = ticket
		return latest

	def _latest_of(self, device: str, customers: list[str]) -> list[records.Ticket]:
		"""The open ticket and the one closed last, of each customer."""
		opened = self._in(records.Ticket, "open_key", [open_key(c, device) for c in customers], self.LOCK)
		rest = set(customers) - {ticket.customer for ticket in opened}
		names = []
		for start in range(0, len(ordered := sorted(rest)), CHUNK):
			part = ordered[start : start + CHUNK]
			marks = ", ".join("?" * len(part))
			names += self.rows(
				f"SELECT t.name FROM {TICKET} t JOIN (SELECT customer, MAX(closed_ms) AS closed_ms FROM "
				f"{TICKET} "
				f"WHERE customer IN ({marks}) AND device = ? GROUP BY customer) l "
				"ON l.customer = t.customer AND l.closed_ms = t.closed_ms WHERE t.device = ?",
				(*part, device, device),
			)
		return opened + list(self._by_name(records.Ticket, {row[0] for row in names}, self.LOCK).values())

	def has_ticket_event(self, name: str) -> bool:
		return bool(self._by_name(records.TicketEvent, [name]))

	def queue(self, limit: int, branches: Collection[str]) -> list[records.Ticket]:
		marks = ", ".join(["NULL", *"?" * len(branches)])  # of no branch, nothing that is some branch's alone
		mine = f"status = 'Queued' AND (is_branch_only = 0 OR branch IN ({marks}))"
		order = f"ORDER BY queue_rank, waiting_since_ms, name LIMIT ? {self.SKIP}"
		waiting = self._read(records.Ticket, f"{mine} AND waiting_since_ms > 0", (*branches, limit), order)
		if len(waiting) >= limit:
			return waiting
		order = f"ORDER BY queue_rank, queued_since_ms, name LIMIT ? {self.SKIP}"
		rest = self._read(
			records.Ticket, f"{mine} AND waiting_since_ms = 0", (*branches, limit - len(waiting)), order
		)
		return waiting + rest

	def due_tickets(self, now_ms: int, limit: int) -> list[records.Ticket]:
		order = f"ORDER BY next_check_ms LIMIT ? {self.SKIP}"
		return self._read(records.Ticket, "next_check_ms > 0 AND next_check_ms <= ?", (now_ms, limit), order)

	def due_snoozes(self, now_ms: int, limit: int) -> list[records.Ticket]:
		where = "snoozed_until_ms > 0 AND snoozed_until_ms <= ?"
		return self._read(
			records.Ticket, where, (now_ms, limit), f"ORDER BY snoozed_until_ms LIMIT ? {self.SKIP}"
		)

	def rules_in_use(self) -> list[tuple[str | None, str]]:
		sql = f"SELECT DISTINCT branch, rules_version FROM {TICKET} WHERE rules_version > ''"
		return [(branch or None, version) for branch, version in self.rows(sql)]

	def tickets_of_rules(self, branch: str | None, version: str, limit: int) -> list[records.Ticket]:
		where = "rules_version = ? AND COALESCE(branch, '') = ?"
		return self._read(records.Ticket, where, (version, branch or "", limit), f"LIMIT ? {self.SKIP}")

	def holders_gone(self) -> list[str]:
		sql = (
			f"SELECT DISTINCT t.agent FROM {TICKET} t LEFT JOIN `tabKhalifa Agent` a ON a.name = t.agent "
			"WHERE t.agent IS NOT NULL AND t.status = 'Open' AND COALESCE(a.enabled, 0) = 0"
		)
		return [row[0] for row in self.rows(sql)]

	def waiting_tickets_of(self, agents: Collection[str]) -> list[records.Ticket]:
		return self._in(
			records.Ticket, "agent", agents, f"ORDER BY waiting_since_ms {self.LOCK}", " AND status = 'Open'"
		)

	def agent(self, name: str, locked: bool = False) -> records.Agent | None:
		return self._by_name(records.Agent, [name], self.LOCK if locked else "").get(name)

	def agents(self, names: Collection[str]) -> dict[str, records.Agent]:
		return self._by_name(records.Agent, names)

	def agent_of_user(self, user: str) -> records.Agent | None:
		return next(iter(self._in(records.Agent, "user", [user])), None)

	def open_presence(self, agents: Collection[str]) -> list[records.PresenceLog]:
		return self._in(records.PresenceLog, "agent", agents, extra=" AND to_ms = 0")

	def loads(self) -> dict[str, dict[str, int]]:
		"""Open and Pending tickets by agent."""
		sql = (
			f"SELECT agent, status, COUNT(*) FROM {TICKET} "
			"WHERE agent IS NOT NULL AND status IN ('Open', 'Pending') GROUP BY agent, status"
		)
		by_agent: dict[str, dict[str, int]] = {}
		for agent, status, count in self.rows(sql):
			by_agent.setdefault(agent, {})[status] = count
		return by_agent

	# -- messages
	def messages(self, names: Collection[str]) -> dict[str, records.Message]:
		return self._by_name(records.Message, names, self.LOCK)

	def messages_by_key(self, keys: Collection[str]) -> dict[str, records.Message]:
		return {
			row.message_key or "": row for row in self._in(records.Message, "message_key", keys, self.LOCK)
		}

	def messages_by_gateway_id(self, device: str, ids: Collection[str]) -> list[records.Message]:
		wanted = set(ids)
		messages = []
		for start in range(0, len(ordered := sorted(wanted)), CHUNK):
			part = ordered[start : start + CHUNK]
			marks = ", ".join("?" * len(part))
			messages += self._read(
				records.Message, f"device = ? AND gateway_id IN ({marks})", (device, *part)
			)
		return [message for message in messages if message.gateway_id in wanted]

	def message_by_client_key(self, client_key: str) -> records.Message | None:
		return next(iter(self._in(records.Message, "client_key", [client_key])), None)

	def messages_of(self, ticket: str) -> list[records.Message]:
		return self._read(
			records.Message, "ticket = ?", (ticket,), f"ORDER BY sent_ms, sequence, name {self.LOCK}"
		)

	def newest_incoming(self, ticket: str, provider: str) -> records.Message | None:
		where = (
			"ticket = ? AND direction = 'Incoming' AND provider IN ('', ?) AND COALESCE(gateway_id, '') <> ''"
		)
		order = "ORDER BY sent_ms DESC, sequence DESC, name DESC LIMIT 1"
		return next(iter(self._read(records.Message, where, (ticket, provider), order)), None)

	def last_written_ms(self, ticket: str, identities: Collection[str]) -> int | None:
		wanted = sorted(identities)
		marks = ", ".join("?" * len(wanted))
		sql = (
			f"SELECT MAX(sent_ms) FROM {MESSAGE} WHERE ticket = ? AND direction = 'Incoming' AND identity "
			f"IN ({marks})"
		)
		return self.rows(sql, (ticket, *wanted))[0][0] if wanted else None

	def doubles(self, customer: str, other: str) -> list[tuple[str, str]]:
		sql = (
			f"SELECT a.name, a.gateway_id, b.name, b.gateway_id FROM {MESSAGE} a "
			f"JOIN {MESSAGE} b ON b.device = a.device AND b.gateway_id = a.gateway_id "
			"WHERE a.customer = ? AND b.customer = ? AND a.direction = "
			"'Incoming' AND b.direction = 'Incoming' "
			"AND a.scope <> '' AND b.scope <> ''"
		)
		return [
			(one, two) for one, id_, two, other_id in self.rows(sql, (customer, other)) if id_ == other_id
		]

	def retarget_logs(self, old: records.Message, new: records.Message) -> None:
		self.run(
			f"UPDATE {table_of(records.MessageLog).name} SET target_key = ?, message = ? "
			"WHERE target_key = ?",
			(new.message_key, new.name, old.message_key),
		)

	def drop_message(self, name: str) -> None:
		self.run(f"DELETE FROM {MESSAGE} WHERE name = ?", (name,))

	def logs(self, target_keys: Collection[str], callbacks: Collection[str] = ()) -> list[records.MessageLog]:
		logs = self._in(records.MessageLog, "target_key", target_keys)
		known = {row.name for row in logs}
		return logs + [
			row for row in self._in(records.MessageLog, "callback", callbacks) if row.name not in known
		]

	def parked_logs(self, since_ms: int, limit: int) -> list[records.MessageLog]:
		table = table_of(records.MessageLog)
		listed = ", ".join(f"l.`{field}`" for field in table.fields)
		sql = (
			f"SELECT {listed} FROM {table.name} l JOIN {MESSAGE} m ON m.message_key = l.target_key "
			"WHERE l.message IS NULL AND l.at_ms >= ? ORDER BY l.at_ms LIMIT ?"
		)
		return [records.MessageLog(*row) for row in self.rows(sql, (since_ms, limit))]

	def last_human_reply(self, ticket: str) -> records.Message | None:
		where = "ticket = ? AND origin = 'Agent' AND status <> 'Failed'"
		return next(
			iter(self._read(records.Message, where, (ticket,), "ORDER BY sent_ms DESC, name DESC LIMIT 1")),
			None,
		)

	def human_replies(self, ticket: str) -> list[records.Message]:
		return self._read(
			records.Message,
			"ticket = ? AND origin = 'Agent'",
			(ticket,),
			f"ORDER BY sent_ms DESC, name DESC {self.LOCK}",
		)

	# -- what gateways say of numbers and templates
	def provider_templates(
		self, device: str, keys: Collection[str], ids: Collection[str]
	) -> list[records.ProviderTemplate]:
		by_key = self._in(records.ProviderTemplate, "template_key", keys, self.LOCK)
		by_id = self._in(records.ProviderTemplate, "template_id", ids, self.LOCK)
		wanted = set(ids)
		rest = [row for row in by_id if row.device == device and row.template_id in wanted]
		return list({row.name: row for row in [*rest, *by_key]}.values())

	def provider_template(self, name: str, locked: bool = False) -> records.ProviderTemplate | None:
		return self._by_name(records.ProviderTemplate, [name], self.LOCK if locked else "").get(name)

	def has_device_notice(self, notice_key: str) -> bool:
		return bool(
			self.rows(
				f"SELECT 1 FROM {table_of(records.DeviceNotice).name} WHERE notice_key = ?", (notice_key,)
			)
		)

	def save_device_facts(self, facts: dict[str, list[tuple[str, str, int]]]) -> None:
		"""Write what is now known of devices, unless something later is."""
		for device, known in facts.items():
			for name, value, at_ms in known:
				if name not in DEVICE_FACTS:
					raise ValueError(f"no such fact: {name}")
				self.run(
					f"UPDATE `tabWhatsApp Device` SET {name} = ?, {name}_ms = ? WHERE name = ? AND {name}_ms "
					"<= ?",
					(safe_name(value), at_ms, device, at_ms),
				)

	# -- close all
	def count_open_tickets(self, chosen: TicketFilter) -> int:
		where, values = filter_sql(chosen)
		return int(self.rows(f"SELECT COUNT(*) FROM {TICKET} WHERE {where}", values)[0][0])

	def open_ticket_versions(self, chosen: TicketFilter) -> list[tuple[str, int]]:
		"""Name and version of the open tickets a filter means."""
		where, values = filter_sql(chosen)
		return [
			(row[0], row[1]) for row in self.rows(f"SELECT name, version FROM {TICKET} WHERE {where}", values)
		]

	def start_close_batch(
		self, batch: records.CloseBatch, chosen: TicketFilter, new_name: Callable[[], str]
	) -> int:
		items = [
			records.CloseBatchItem(new_name(), batch.name, ticket, version)
			for ticket, version in self.open_ticket_versions(chosen)
		]
		batch.total = len(items)
		self.save(Changes(created={records.CloseBatch: [batch], records.CloseBatchItem: items}))
		return len(items)

	def close_batch(self, name: str) -> records.CloseBatch | None:
		return self._by_name(records.CloseBatch, [name], self.LOCK).get(name)

	def batch_items(self, batch: str, result: str, limit: int) -> list[records.CloseBatchItem]:
		return self._read(
			records.CloseBatchItem,
			"batch = ? AND result = ?",
			(batch, result, limit),
			"ORDER BY name LIMIT ?",
		)

	# -- watching
	def backlog(self, now_ms: int) -> Backlog:
		webhook_events, oldest_in = self.rows(
			f"SELECT COUNT(*), MIN(received_ms) FROM {EVENT} WHERE status IN ('New', 'Failed')"
		)[0]
		states = dict(
			self.rows(
				f"SELECT status, COUNT(*) FROM {MESSAGE} WHERE status IN ('Queued', 'Sending', 'Unknown', "
				"'Failed') GROUP BY status"
			)
		)
		oldest_out = self.rows(f"SELECT MIN(received_ms) FROM {MESSAGE} WHERE status = 'Queued'")[0][0]
		dead = self.rows(f"SELECT COUNT(*) FROM {EVENT} WHERE status = 'Dead'")[0][0]
		return Backlog(
			webhook_events,
			now_ms - oldest_in if oldest_in else 0,
			states.get("Queued", 0) + states.get("Sending", 0),
			now_ms - oldest_out if oldest_out else 0,
			states.get("Unknown", 0),
			states.get("Failed", 0),
			dead,
		)


def _is_later(one: records.Ticket, other: records.Ticket) -> bool:
	"""Open beats closed; then the one closed last."""
	return (one.open_key is not None, one.closed_ms or 0, one.name) > (
		other.open_key is not None,
		other.closed_ms or 0,
		other.name,
	)
