"""A year of a busy number for the inbox's benchmark: rows with a mark in their names, put in place once,
removable.

Conversations are skewed as on a real site: many have a few messages, a few have a thousand; some agents hold
more than others; common words are common. Names of messages sort by time, as real ones do, so that a
conversation's messages lie as far apart in their table as there.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

MARK = "ib-"  # names of all rows begin with it
DEVICE = f"{MARK}device"
MANAGER = f"{MARK}manager@example.com"
AGENTS = BRANCHES = 15
DAYS, OPEN_DAYS = 400, 20
DAY_MS = 86_400_000
TEXTS = 20_000  # different texts of messages
CHUNK = 2_000  # tickets a statement
STAMP = "creation, modified, owner, modified_by"
TABLES = ("Khalifa Message", "Khalifa Ticket Event", "Khalifa Ticket", "Khalifa Customer")


def _split(text: str) -> list[str]:
	return text.split()


COMMON = _split(
	"عايز أعرف سعر الدواء ده متاح عندكم ولا لأ شكرًا جزيلًا السلام عليكم "
	"ورحمة الله وبركاته لو سمحت ممكن توصيل "
	"النهارده بكرة الفرع المعادي مدينة نصر العنوان رقم الطلب تمام إن شاء "
	"الله حاضر يا فندم تحت أمرك علبة شريط جرعة "
	"أقراص شراب مرهم خصم فاتورة دفع كاش فيزا مواعيد العمل الصيدلية دكتور روشتة صورة بديل مستورد محلي"
)
GIVEN = _split(
	"أحمد محمد مُنى سارة عمر يوسف هدى علي فاطمة خالد نور مريم حسن إبراهيم ليلى كريم دينا طارق سلمى ياسر"
)
FAMILY = _split("عبد الله السيد حسنين الشريف مصطفى رمضان فؤاد النجار الحداد منصور صبري الجمل عطية سليمان زكي")
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
RARE = "زعفرانية"  # a word that about one text in 2,000 has
FREQUENT = "الدواء"


@dataclass(frozen=True, slots=True)
class Size:
	"""How much of everything."""

	messages: int
	tickets: int
	customers: int
	open: int


def put(size: Size) -> bool:
	"""Put the rows in place unless they are; whether anything was written."""
	if [count(doctype) for doctype in ("Khalifa Message", "Khalifa Ticket")] == [size.messages, size.tickets]:
		return False
	remove()
	_Fill(size).run()
	return True


def count(doctype: str) -> int:
	"""How many rows of ours are there."""
	import frappe

	return frappe.db.sql(f"SELECT COUNT(*) FROM `tab{doctype}` WHERE name LIKE '{MARK}%'")[0][0]


def agent_user(number: int) -> str:
	"""The login of an agent; 0 holds the most conversations."""
	return f"{MARK}agent-{number}@example.com"


def remove() -> None:
	"""Take every row of ours away again."""
	import frappe

	for doctype in TABLES:
		ours = count(doctype)
		if ours and ours == frappe.db.count(doctype):
			frappe.db.sql_ddl(f"TRUNCATE TABLE `tab{doctype}`")
			continue
		for _ in range(0, ours, 20_000):
			frappe.db.sql(f"DELETE FROM `tab{doctype}` WHERE name LIKE '{MARK}%' LIMIT 20000")
			frappe.db.commit()
	users = frappe.get_all("User", {"name": ("like", f"{MARK}%")}, pluck="name")
	for agent in frappe.get_all("Khalifa Agent", {"user": ("in", users or [""])}, pluck="name"):
		frappe.delete_doc("Khalifa Agent", agent, force=True)
	for doctype, names in (("User", users), ("WhatsApp Device", [DEVICE]), ("Khalifa Branch", _branches())):
		for name in names:
			frappe.delete_doc(doctype, name, force=True, ignore_missing=True)
	frappe.db.commit()


def _branches() -> list[str]:
	return [f"{MARK}فرع {number + 1}" for number in range(BRANCHES)]


class _Fill:
	"""One filling, the same for the same sizes but for the time that it starts from."""

	def __init__(self, size: Size) -> None:
		self.size = size
		self.random = random.Random(7)
		self.now = time.time_ns() // 1_000_000

	def run(self) -> None:
		"""People, customers, tickets, messages; then the indexes and what the optimizer knows of them."""
		import frappe

		from khalifa_whatsapp.setup.indexes import add_indexes

		self.make_people()
		self.make_customers()
		self.make_tickets()
		terms = "SHOW INDEX FROM `tabKhalifa Message` WHERE Key_name = 'search_text_words'"
		if frappe.db.sql(terms):  # built at once afterwards, which is many times faster
			frappe.db.sql_ddl("ALTER TABLE `tabKhalifa Message` DROP INDEX search_text_words")
		self.make_messages()
		self.make_events()
		add_indexes("Khalifa Message")
		for doctype in TABLES:
			frappe.db.sql(f"ANALYZE TABLE `tab{doctype}`")
		frappe.db.commit()

	def make_people(self) -> None:
		"""Branches, a device, agents, a manager; as documents, for a person signs in with them."""
		import frappe

		for name in _branches():
			frappe.get_doc(doctype="Khalifa Branch", branch_name=name).insert()
		frappe.get_doc(doctype="WhatsApp Device", device_name=DEVICE, provider="loopback").insert()
		self.agents: list[tuple[str, str, str]] = []
		for number, branch in zip(range(AGENTS), _branches(), strict=True):
			name = f"{GIVEN[number]} {FAMILY[number]}"
			_user(agent_user(number), name)
			made = frappe.get_doc(
				doctype="Khalifa Agent",
				user=agent_user(number),
				employee_name=name,
				branch=branch,
				capacity=1000,
			).insert()
			self.agents.append((made.name, name, branch))
		frappe.get_doc("User", _user(MANAGER, "مديرة القياس")).add_roles("WhatsApp Manager")
		frappe.db.commit()

	def make_customers(self) -> None:
		"""People with Arabic names and numbers."""
		from khalifa_whatsapp.core.arabic import normalise

		pick, self.customers = self.random.choice, []
		for number in range(self.size.customers):
			name = f"{pick(GIVEN)} {pick(GIVEN)} {pick(FAMILY)}"
			phone = f"+20{1_000_000_000 + number * 7919 % 599_999_993:010}"
			self.customers.append((f"{MARK}c-{number:06}", name, phone))
		rows = [
			(*row, pick(self.agents)[0], self.now, normalise(f"{row[1]} {row[2]}"), *_stamp(self.now))
			for row in self.customers
		]
		_insert(
			"Khalifa Customer",
			f"name, customer_name, phone, last_agent, created_ms, search_text, {STAMP}",
			rows,
		)

	def make_tickets(self) -> None:
		"""Conversations in the order they began: the open ones among the latest, of different customers."""
		size, draw = self.size, self.random
		sizes = self.sizes()
		first_open = size.tickets - size.open
		open_customers = draw.sample(self.customers, size.open)
		self.plan, rows, first = [], [], 0
		for number in range(size.tickets):
			is_open = number >= first_open
			customer = open_customers[number - first_open] if is_open else draw.choice(self.customers)
			share = (size.tickets - number) / (size.open if is_open else size.tickets)
			opened = self.now - int(DAY_MS * (OPEN_DAYS if is_open else DAYS) * share)
			last = min(opened + int(DAY_MS * draw.random() ** 3 * 3) + 60_000, self.now - 1_000)
			agent = draw.choices(self.agents, [1 / (place + 2) for place in range(AGENTS)])[0]
			state = self.state(is_open)
			name = f"{MARK}t-{number:06}"
			self.plan.append((number, name, *customer[:2], *agent[:2], opened, last, sizes[number], first))
			rows.append(self.ticket(name, customer, agent, state, opened, last))
			first += sizes[number]
		_insert("Khalifa Ticket", f"{TICKET}, {STAMP}", rows)

	def sizes(self) -> list[int]:
		"""How many messages each conversation has: half have fewer than ten,
		one in a thousand some hundreds.
		"""
		drawn = [1 + int(self.random.lognormvariate(2.2, 1.05)) for _ in range(self.size.tickets)]
		factor = self.size.messages / sum(drawn)
		sizes = [max(1, int(number * factor)) for number in drawn]
		missing = self.size.messages - sum(sizes)
		for place in range(abs(missing)):
			sizes[place % len(sizes)] += 1 if missing > 0 else -1
		return sizes

	def state(self, is_open: bool) -> str:
		return self.random.choices(("Open", "Pending", "Queued"), (60, 36, 4))[0] if is_open else "Closed"

	def ticket(
		self, name: str, customer: Any, agent: Any, state: str, opened: int, last: int
	) -> tuple[Any, ...]:
		waits = state == "Queued" or (state == "Open" and self.random.random() < 0.4)
		is_late = waits and self.random.random() < 0.3
		owner = (None, None) if state == "Queued" else agent[:2]
		return (
			name,
			customer[0],
			customer[1],
			DEVICE,
			state,
			*owner,
			agent[2],
			opened,
			last,
			last,
			last if state == "Closed" else 0,
			"resolved" if state == "Closed" else None,
			name if state != "Closed" else None,
			last if waits else 0,
			(last + 600_000 if is_late else self.now + DAYS * DAY_MS) if waits else 0,
			self.random.randint(1, 5) if waits else 0,
			" ".join(self.random.choices(COMMON, k=8)),
			*_stamp(last),
		)

	def make_messages(self) -> None:
		"""Texts joined to the plan of tickets, in the order of their times."""
		import frappe

		self.make_texts()
		frappe.db.sql_ddl(
			f"CREATE TEMPORARY TABLE `{MARK}plan` (place INT PRIMARY KEY, ticket VARCHAR(20), customer "
			"VARCHAR(20), "
			"customer_name VARCHAR(140), agent VARCHAR(140), agent_name VARCHAR(140), opened BIGINT, "
			"last BIGINT, "
			"size INT, first INT)"
		)
		for start in range(0, len(self.plan), CHUNK):
			marks = ", ".join([f"({', '.join(['%s'] * 10)})"] * len(self.plan[start : start + CHUNK]))
			values = [value for row in self.plan[start : start + CHUNK] for value in row]
			frappe.db.sql(f"INSERT INTO `{MARK}plan` VALUES {marks}", values)
		for start in range(0, len(self.plan), CHUNK):
			frappe.db.sql(MESSAGES, {"start": start, "end": start + CHUNK - 1})
			frappe.db.commit()

	def make_texts(self) -> None:
		"""Texts as people write them, and as `UnitOfWork.finish` lets search compare them."""
		import frappe

		from khalifa_whatsapp.core.arabic import message_search_text

		frappe.db.sql_ddl(
			f"CREATE TEMPORARY TABLE `{MARK}text` (number INT PRIMARY KEY, body TEXT, search_text TEXT) "
			"CHARSET utf8mb4"
		)
		rare = ["".join(self.random.choices(LETTERS, k=self.random.randint(4, 8))) for _ in range(4_000)]
		skew = [1 / (rank + 3) for rank in range(len(COMMON))]
		for start in range(0, TEXTS, CHUNK):
			values: list[Any] = []
			for number in range(start, start + CHUNK):
				terms = self.random.choices(COMMON, skew, k=self.random.randint(2, 18))
				terms += self.random.choices(rare, k=self.random.randint(0, 3))
				terms += [RARE] if number % 2_000 == 3 else []
				body = " ".join(terms)
				values += [number, body, message_search_text(body)]
			frappe.db.sql(f"INSERT INTO `{MARK}text` VALUES {', '.join(['(%s, %s, %s)'] * CHUNK)}", values)

	def make_events(self) -> None:
		"""That each conversation began, was given to its agent, and ended."""
		import frappe

		for event, at, where in (
			("created", "opened_ms", "1"),
			("assigned", "opened_ms + 1000", "agent IS NOT NULL"),
			("closed", "closed_ms", "closed_ms > 0"),
		):
			frappe.db.sql(
				"INSERT INTO `tabKhalifa Ticket Event` (name, ticket, event, at_ms, actor_name, to_agent, "
				f"{STAMP}) "
				f"SELECT CONCAT('{MARK}e-', {at}, '{event[0]}', SUBSTR(name, 6)), name, '{event}', {at}, "
				"agent_name, "
				f"agent, {STAMP} FROM `tabKhalifa Ticket` WHERE name LIKE '{MARK}%%' AND {where} ORDER BY "
				f"{at}"
			)
			frappe.db.commit()


TICKET = (
	"name, customer, customer_name, device, status, agent, agent_name, branch, opened_ms, "
	"last_message_ms, last_in_ms, "
	"closed_ms, close_reason, open_key, waiting_since_ms, due_by_ms, unread_count, preview"
)
# The s-th message of a ticket: the first is the customer's, about half of the others are answers of its agent
MESSAGES = f"""
INSERT INTO `tabKhalifa Message` (name, ticket, customer, device, provider, content_type, direction, origin,
	status, sender_name, agent, sent_ms, received_ms, sent_on, received_on, body, search_text, message_key,
	gateway_id, {STAMP})
SELECT CONCAT('{MARK}', at, '-', LPAD(number, 7, '0')), ticket, customer, '{DEVICE}', 'loopback', 'text',
	IF(is_ours, 'Outgoing', 'Incoming'), IF(is_ours, 'Agent', 'Customer'), IF(is_ours, 'Read', 'Received'),
	IF(is_ours, agent_name, customer_name), IF(is_ours, agent, NULL), at, at, at_on, at_on,
	body, search_text, SHA2(CONCAT('{MARK}', number), 256), CONCAT('{MARK}', number), at_on, at_on,
	'Administrator', 'Administrator'
FROM (
	SELECT p.*, t.body, t.search_text, p.first + s.seq AS number,
		s.seq > 1 AND CRC32(CONCAT(p.place, '-', s.seq)) %% 2 AS is_ours,
		p.opened + (p.last - p.opened) * s.seq DIV p.size AS at,
		FROM_UNIXTIME((p.opened + (p.last - p.opened) * s.seq DIV p.size) / 1000) AS at_on
	FROM `{MARK}plan` p JOIN seq_1_to_100000 s ON s.seq <= p.size
	JOIN `{MARK}text` t ON t.number = CRC32(CONCAT(s.seq, '-', p.place)) %% {TEXTS}
	WHERE p.place BETWEEN %(start)s AND %(end)s
) made ORDER BY at
"""


def _user(email: str, name: str) -> str:
	import frappe

	return frappe.get_doc(doctype="User", email=email, first_name=name, send_welcome_email=0).insert().name


def _stamp(at_ms: int) -> tuple[str, str, str, str]:
	moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_ms / 1000))
	return moment, moment, "Administrator", "Administrator"


def _insert(doctype: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
	import frappe

	mark = f"({', '.join(['%s'] * len(rows[0]))})"
	for start in range(0, len(rows), CHUNK):
		part = rows[start : start + CHUNK]
		marks = ", ".join([mark] * len(part))
		frappe.db.sql(
			f"INSERT INTO `tab{doctype}` ({columns}) VALUES {marks}", [value for row in part for value in row]
		)
	frappe.db.commit()
