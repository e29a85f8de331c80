"""Opening the inbox and a conversation among 1,000,000 messages, beside Frappe's own list view of 20 rows.

Over HTTP, from web workers of the script's own, in alternating rounds, as an agent and as a manager:
  ours  what the page asks for when it is opened and a conversation is clicked, one call after another:
        `boot`, the first page of conversations (an agent's own; a manager's: all), the thread
  base  what Desk's list view of tickets asks for: `reportview.get` of 20 rows, then `reportview.get_count` up
        to 1,001
The bound is for this pair. Said besides: the ratio to the rows alone, each call by itself, search, the
manager's list page by page to its end, and how many statements each call makes for few rows and for many.

The rows (a year of conversations in Arabic) are put in place once and found again by the next run; `--remove`
takes them away. Other rows of the site stay as they are.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import common
import inbox_data

BOUND = common.Bound(2.0, is_minimum=False)
INBOX = "khalifa_whatsapp.api.inbox."
PAGE = 30  # lines a page: list.js
WARM_UP = 8  # rounds that nobody counts: each worker must have seen each call
TICKET = "Khalifa Ticket"
STANDARD = (
	"name",
	"owner",
	"creation",
	"modified",
	"modified_by",
	"_user_tags",
	"_comments",
	"_assign",
	"_liked_by",
	"docstatus",
	"idx",
)
SHOWN = ("customer_name", "status", "agent_name", "branch", "waiting_since", "waiting_since_ms", "is_missed")


def main() -> int:
	"""Fill, measure, say."""
	options = _arguments()
	common.on_bench_python()
	size = inbox_data.Size(options.messages, options.tickets, options.customers, options.open)
	with common.private_bench(options.site) as bench, common.site_connection(bench):
		if options.remove:
			inbox_data.remove()
			return 0
		inbox_data.put(size)
		users = {"agent": inbox_data.agent_user(0), "manager": inbox_data.MANAGER}
		password = _set_passwords(list(users.values()))
		bench.web()
		people = {name: Person(bench, user, password, name == "manager") for name, user in users.items()}
		results = [_measure(name, person, options.rounds) for name, person in people.items()]
		_print_search(people, options.rounds)
		_print_pages(people["manager"])
		_print_statements(users)
	return max(results)


def _arguments() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
	parser.add_argument("--site", required=True, help="a site made for benchmarks")
	parser.add_argument("--remove", action="store_true", help="take the benchmark's rows away again")
	sizes = {"rounds": 41, "messages": 1_000_000, "tickets": 60_000, "customers": 30_000, "open": 10_000}
	for name, default in sizes.items():
		parser.add_argument(f"--{name}", type=int, default=default)
	return parser.parse_args()


def _set_passwords(users: list[str]) -> str:
	import frappe
	from frappe.utils.password import update_password

	password = secrets.token_urlsafe(20)
	for user in users:
		update_password(user, password)
	frappe.db.commit()
	return password


# -- a person's browser


@dataclass
class Person:
	"""Somebody signed in, who asks as the page and as Desk ask, and keeps each call's milliseconds."""

	bench: common.PrivateBench
	user: str
	password: str
	is_manager: bool
	spent: dict[str, list[float]] = field(default_factory=dict)
	cookie: str = ""
	threads: list[str] = field(default_factory=list)

	def __post_init__(self) -> None:
		answer, _body = self._post("login", {"usr": self.user, "pwd": self.password})
		cookies = [value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
		self.cookie = "; ".join(part for part in cookies if part.startswith("sid="))
		self.threads = _threads(self.page()["rows"])

	def ask(self, what: str, method: str, **given: Any) -> Any:
		"""What a call answers; its time is kept under `what`."""
		form = {
			name: json.dumps(value) if isinstance(value, list | dict) else value
			for name, value in given.items()
		}
		start = time.perf_counter()
		answer, body = self._post(method, form)
		self.spent.setdefault(what, []).append(1000 * (time.perf_counter() - start))
		if answer.status != 200:
			sys.exit(f"{method} as {self.user}: {answer.status} {body[:500]!r}")
		return json.loads(body).get("message")

	def page(self, what: str = "conversations", **given: Any) -> Any:
		"""A page of the list as list.js asks for it."""
		view = "all" if self.is_manager else "mine"
		return self.ask(what, f"{INBOX}conversations", **{"view": view, "search": "", "limit": PAGE, **given})

	def _post(self, method: str, form: dict[str, Any]) -> tuple[http.client.HTTPResponse, bytes]:
		"""A call as `frappe.call` makes it."""
		headers = {
			"Host": self.bench.site,
			"Cookie": self.cookie,
			"Accept": "application/json",
			"X-Frappe-CMD": "",
			"X-Requested-With": "XMLHttpRequest",
			"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
		}
		connection = http.client.HTTPConnection("127.0.0.1", self.bench.web_port, timeout=60)
		connection.request("POST", f"/api/method/{method}", urlencode(form), headers)
		answer = connection.getresponse()
		body = answer.read()
		connection.close()
		return answer, body


def _threads(rows: list[dict[str, Any]]) -> list[str]:
	"""The ten longest conversations of a page: what they cost is the most that a click there costs."""
	import frappe

	names = [row["ticket"] for row in rows]
	sql = (
		"SELECT ticket FROM `tabKhalifa Message` WHERE ticket IN %s GROUP BY "
		"ticket ORDER BY COUNT(*) DESC LIMIT 10"
	)
	return [row[0] for row in frappe.db.sql(sql, (names,))]


# -- ours and Frappe's


def _open_inbox(person: Person, number: int) -> float:
	start = time.perf_counter()
	person.ask("boot", f"{INBOX}boot")
	person.page()
	person.ask("thread", f"{INBOX}thread", ticket=person.threads[number % len(person.threads)])
	return 1000 * (time.perf_counter() - start)


def _open_list(person: Person) -> float:
	"""The list view: its rows, then how many there are."""
	fields = [f"`tab{TICKET}`.`{name}`" for name in (*STANDARD, *SHOWN)]
	start = time.perf_counter()
	person.ask(
		"reportview.get",
		"frappe.desk.reportview.get",
		doctype=TICKET,
		fields=fields,
		filters=[],
		start=0,
		page_length=20,
		order_by=f"`tab{TICKET}`.`modified` desc",
		view="List",
		group_by="",
		with_comment_count=1,
	)
	person.ask(
		"reportview.get_count",
		"frappe.desk.reportview.get_count",
		doctype=TICKET,
		filters=[],
		fields=[],
		limit=1001,
		distinct="false",
	)
	return 1000 * (time.perf_counter() - start)


def _measure(name: str, person: Person, rounds: int) -> int:
	"""Alternate, print every call, then the verdict."""
	_rounds(person, WARM_UP)
	person.spent.clear()
	ours, base = _rounds(person, rounds)
	_print(f"As {name}: each call", person.spent)
	called = "boot, conversations, thread"
	result = common.verdict(
		f"As {name}: opening the inbox and a conversation",
		ours,
		base,
		BOUND,
		"ms",
		(called, "get, get_count"),
	)
	alone = statistics.median(
		one / other for one, other in zip(ours, person.spent["reportview.get"], strict=True)
	)
	print(f"  ratio {alone:.3f} to get alone, without the count: no bound")
	return result


def _rounds(person: Person, rounds: int) -> tuple[list[float], list[float]]:
	return common.interleaved(
		rounds, lambda number: _open_inbox(person, number), lambda _number: _open_list(person)
	)


def _print(title: str, spent: dict[str, list[float]]) -> None:
	print(title)
	for what, values in spent.items():
		median, p90 = statistics.median(values), common.percentile(values, 0.9)
		print(f"  {what:<40} {median:>10,.2f} ms   p90 {p90:,.2f} (n = {len(values)})")


# -- search, pages, statements


def _print_search(people: dict[str, Person], rounds: int) -> None:
	asked = (
		(inbox_data.FREQUENT, "a frequent word"),
		(inbox_data.RARE, "a rare word"),
		("1002345", "a number"),
	)
	for name, person in people.items():
		person.spent.clear()
		for _ in range(rounds):
			for terms, what in asked:
				person.page(f"search: {what}", search=terms)
		_print(f"As {name}: search", person.spent)


def _print_pages(manager: Person) -> None:
	"""The manager's list by key, from the first page to the last."""
	manager.spent.clear()
	seen, cursor = 0, ""
	while True:
		page = manager.page("page", cursor=cursor)
		seen, cursor = seen + len(page["rows"]), page["next_cursor"]
		if not cursor:
			break
	spent = manager.spent["page"]
	parts = {
		"pages 1 to 20": spent[:20],
		"pages 91 to 110": spent[90:110],
		"the last 20 pages": spent[-21:-1],
	}
	title = f"As manager: «all» by key, {seen:,} conversations in {len(spent)} pages"
	_print(title, {which: part for which, part in parts.items() if part})


def _print_statements(users: dict[str, str]) -> None:
	"""Both must stay the same however long a page is, but for the rows of the page itself."""
	title = "Statements of a call, and rows that the database reads for it"
	print(f"{title:<64} {'page of 5':>16} {'page of 100':>16}")
	for name, user in users.items():
		for what, call in _calls(user, "all" if name == "manager" else "mine").items():
			counted = [_counted(user, lambda call=call, limit=limit: call(limit)) for limit in (5, 100)]
			print(
				f"  as {name + ', ' + what:<59}"
				+ "".join(f" {statements:>6} {rows:>9,}" for statements, rows in counted)
			)


def _calls(user: str, view: str) -> dict[str, Callable[[int], Any]]:
	from khalifa_whatsapp.api import inbox
	from khalifa_whatsapp.tests.endpoints import signed_in

	with signed_in(user):
		first = inbox.conversations(view)
		ticket, cursor = _threads(first["rows"])[0], ""
		for _ in range(60):
			page = inbox.conversations(view, cursor=cursor, limit=100)
			if not page["next_cursor"]:
				break
			cursor = page["next_cursor"]
	return {
		"boot": lambda limit: inbox.boot(),
		"conversations": lambda limit: inbox.conversations(view, limit=limit),
		"conversations far down": lambda limit: inbox.conversations(view, cursor=cursor, limit=limit),
		"thread": lambda limit: inbox.thread(ticket, limit=limit),
		"search of a frequent word": lambda limit: inbox.conversations(
			view, inbox_data.FREQUENT, limit=limit
		),
	}


def _counted(user: str, call: Callable[[], Any]) -> tuple[int, int]:
	"""Statements of a call that was made before, and the rows that they read."""
	from khalifa_whatsapp.tests.endpoints import signed_in

	with signed_in(user):
		call()
	with signed_in(user), _statements() as seen:
		before = _rows_read()
		own = len(seen)
		call()
		count = len(seen) - own
		after = _rows_read()
	return count, after - before


def _rows_read() -> int:
	import frappe

	return sum(int(value) for _name, value in frappe.db.sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"))


@contextmanager
def _statements() -> Iterator[list[str]]:
	"""What is asked of the database in the block."""
	import frappe

	seen: list[str] = []
	really = frappe.db.sql

	def noted(query: Any, *given: Any, **more: Any) -> Any:
		seen.append(str(query))
		return really(query, *given, **more)

	frappe.db.sql = noted
	try:
		yield seen
	finally:
		del frappe.db.sql


if __name__ == "__main__":
	sys.exit(main())
