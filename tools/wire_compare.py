"""Sends the same requests, through gunicorn, to a site without the app and to one with it, and compares the
answers' bytes.

Whoever has none of the app's roles must meet Frappe as it is, and so must an agent in what is not the app's.
Both sites have the same people and rows. Reads go a third time to the site without the app, through the
process that served the app's: all sites of a bench share it. What must differ is named below (`CHANGING`,
`OF_THE_APP`); everything else counts. The verdict is in test-results/wire.json. The two sites are made anew
and kept. Standard library only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import benches
import other_tests
from benches import RESULTS, Bench, Failed, say
from wire_requests import AGENT, PASSWORD, PEOPLE, VISITOR, Ask, requests_of

WITHOUT, WITH = "khalifa-wire-without.localhost", "khalifa-wire-with.localhost"
REPORT = RESULTS / "wire.json"
SEED = Path(__file__).with_name("wire_rows.py")
REQUEST_SECONDS = 60
SIGNED_IN = frozenset(PEOPLE) - {"Guest", VISITOR}
# What differs between two answers of one site to the same request
CHANGING = tuple(
	(re.compile(pattern), put)
	for pattern, put in (
		(r"khalifa-wire-with(out)?\.localhost(:\d+)?", "SITE"),
		(r"\d{4}-\d\d-\d\d[ T+]\d\d(:|%3A)\d\d(:|%3A)\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "TIME"),
		(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "TIME"),
		(r"\b[0-9a-f]{16,64}\b", "HASH"),
		(r"(?<!\\)\b(?=[a-z]*\d)[a-z0-9]{10}\b", "NAME"),
		(r'(?<!\\)"[a-z0-9]{10}"', '"NAME"'),
		(r"(?<=[\w-])[0-9a-f]{6,7}(?=\.txt\b)", ""),  # of a file whose name was taken
		(r"\n {2,}File (&quot;|\")[^\n]*(\n {4}[^\n]*)*", ""),  # where a traceback came through
		(r"csrf_token[\"']?\s*[=:]\s*[\"'][^\"']*", "csrf_token"),
		(r"([?&;])v=[\w.]+", r"\1v="),
		(r"\.[A-Z0-9]{8}\.(js|css)", r".HASH.\1"),
		(r"_[0-9a-f]{16}\b", "DATABASE"),
		(r"(127\.0\.0\.1|localhost):\d+", "HOST"),
	)
)
# What an installed app adds to every site: its scripts in Desk, its name and release among the apps'
OF_THE_APP = tuple(
	re.compile(pattern)
	for pattern in (
		r"\s*<(script|link)[^>]*/assets/khalifa_whatsapp/[^>]*>(</script>)?",
		r"<meta[^>]*khalifa_whatsapp[^>]*>",
		r',\s*\\*"khalifa_whatsapp\\*": \{[^{}]*\}',  # among the versions that a user has seen
		r"</assets/khalifa_whatsapp/[^>]*>; rel=preload; as=\w+;?,?",
		# whose links show a title: `link_title_doctypes`
		r'\\?"Khalifa (Ticket|Customer|Agent|Agent KPI)\\?",(\s|\\n)*(?=[^\[\]{}]*\])',
	)
)
TOKEN = re.compile(r'csrf_token"?\s*[=:]\s*"([0-9a-f]{20,})"')
# In what Desk begins with, Frappe's lists of all apps, modules and single DocTypes of a site
OF_APPS = frozenset({"module_app", "module_wise_workspaces", "single_types", "versions"})
BOOT = re.compile(r"frappe\.boot = (\{.*?\});\s*\n", re.DOTALL)
SKIPPED_HEADERS = frozenset(
	{
		"date",
		"content-length",
		"etag",
		"server",
		"connection",
		"x-frappe-request-id",
		"last-modified",
		"expires",
		"x-from-cache",
	}
)
DEBUG = frozenset({"exc", "_exc_source", "_debug_messages"})


class Answer(NamedTuple):
	status: int
	headers: dict[str, str]
	body: str


class Person:
	"""Somebody on one site, by one server."""

	def __init__(self, port: int, site: str) -> None:
		self.port, self.site, self.cookies, self.token = port, site, SimpleCookie(), ""

	def sign_in(self, user: str) -> None:
		answer = self.send(Ask("POST", "/api/method/login", form={"usr": user, "pwd": PASSWORD}))
		if answer.status != 200:
			raise Failed(f"{user} can't sign in on {self.site}: {answer.status} {answer.body[:300]}")
		self.send(Ask("GET", "/app"))  # the first says what is new in Frappe

	def send(self, ask: Ask) -> Answer:
		path, body, headers = ask.encoded()
		cookies = "; ".join(f"{name}={held.coded_value}" for name, held in self.cookies.items())
		connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)
		try:
			own = {"Host": self.site, "Cookie": cookies, "X-Frappe-CSRF-Token": self.token}
			connection.request(ask.http, path, body, {**own, **headers})
			response = connection.getresponse()
			received = response.getheaders()
			for name, value in received:
				if name.lower() == "set-cookie":
					self.cookies.load(value)
			text = response.read().decode("utf-8", "replace")
			if token := TOKEN.search(text):
				self.token = token[1]  # as a page keeps it: without it Frappe would refuse all changes
			return Answer(response.status, plain_headers(received), plain(text))
		except (OSError, http.client.HTTPException) as error:
			return Answer(0, {}, type(error).__name__)
		finally:
			connection.close()


def plain_headers(received: list[tuple[str, str]]) -> dict[str, str]:
	"""Of cookies, the names and how they are kept."""
	headers: dict[str, str] = {}
	for name, value in received:
		if name.lower() not in SKIPPED_HEADERS:
			kept = re.sub(r"=[^;]*", "=", value, count=1) if name.lower() == "set-cookie" else value
			headers[name.lower()] = "\n".join(filter(None, (headers.get(name.lower()), plain(kept))))
	return headers


def plain(text: str) -> str:
	for pattern in OF_THE_APP:
		text = pattern.sub("", text)
	for pattern, put in CHANGING:
		text = pattern.sub(put, text)
	return text


def received(answer: Answer) -> dict[str, Any]:
	"""What is compared, in parts: a traceback names the files that it came through."""
	try:
		body = json.loads(answer.body)
	except ValueError:
		return {"status": answer.status, **answer.headers, **boot_in(answer.body)}
	parts = (
		{key: value for key, value in body.items() if key not in DEBUG}
		if isinstance(body, dict)
		else {"body": body}
	)
	# of REST v2, each with its traceback
	for error in parts["errors"] if isinstance(parts.get("errors"), list) else ():
		error["exception"] = str(error.get("exception", "")).strip().rpartition("\n")[2]
	if is_counted(parts.get("message")):
		parts["message"].sort(key=json.dumps)  # Frappe leaves equal counts in any order
	return {"status": answer.status, **answer.headers, **parts}


def is_counted(held: Any) -> bool:
	return isinstance(held, list) and all(
		isinstance(row, dict) and row.keys() == {"count", "name"} for row in held
	)


def boot_in(page: str) -> dict[str, Any]:
	"""A page of Desk, and each part of what it begins with; of other pages, the text."""
	match = BOOT.search(page)
	if match is None:
		return {"body": page}
	try:
		boot = json.loads(match[1])
	except ValueError:
		return {"body": page}
	boot.get("user", {}).get("roles", []).sort()  # in the order of their rows' names, which are drawn
	parts = {f"boot.{key}": without_ours(held) if key in OF_APPS else held for key, held in boot.items()}
	return {"body": page.replace(match[1], ""), **parts}


def without_ours(held: Any) -> Any:
	if isinstance(held, dict):
		return {name: value for name, value in held.items() if not name.casefold().startswith("khalifa")}
	return [name for name in held if not name.casefold().startswith("khalifa")]


def difference(one: Answer, other: Answer) -> str:
	"""Which parts differ, and where in them."""
	if one == other:
		return ""
	parts, before, after = [], received(one), received(other)
	for key in {**before, **after}:
		texts = [json.dumps(held.get(key), ensure_ascii=False, default=str) for held in (before, after)]
		if texts[0] != texts[1]:
			parts.append(f"{key}: {around(*texts)}")
	return "; ".join(parts)


def around(one: str, other: str) -> str:
	at = next(
		(at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
		min(len(one), len(other)),
	)
	begin = max(0, at - 60)
	return f"without {one[begin : at + 140]!r}, with {other[begin : at + 140]!r}"


def compare(ports: tuple[int, int], user: str, every: int) -> tuple[Counter[int], list[str]]:
	"""All requests of one person, or each so many'th: how many were answered by each status,
	and what differs.
	"""
	without, with_app, neighbour = (
		Person(port, site)
		for port, site in zip((ports[0], *ports[1:] * 2), (WITHOUT, WITH, WITHOUT), strict=True)
	)
	everybody = (without, with_app, neighbour)
	for person in everybody if user != "Guest" else ():
		person.sign_in(user)
	statuses, problems = Counter[int](), []
	for ask in islice(requests_of(user), 0, None, every):
		before = without.send(ask)
		statuses[before.status] += 1
		if problem := difference(before, with_app.send(ask)):
			problems.append(f"{user}: {ask}: {problem}")
			say(problems[-1])
		if not ask.path.startswith("/api/"):
			before = without.send(ask)  # Frappe keeps pages, and sends one that it kept with fewer headers
		if ask.path.endswith("/logout"):
			neighbour.send(ask)
		if ask.http == "GET" and (problem := difference(before, neighbour.send(ask))):
			problems.append(f"{user}: {ask}: on a site beside the app's: {problem}")
			say(problems[-1])
	return statuses, problems


@contextmanager
def served(bench: Bench) -> Iterator[int]:
	"""The bench by a gunicorn of one process, on a port of its own."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		port = probe.getsockname()[1]
	command = [
		bench.python,
		"-m",
		"gunicorn",
		"-b",
		f"127.0.0.1:{port}",
		"--workers",
		"1",
		"-t",
		"120",
		"frappe.app:application",
	]
	environment = {**benches.environment(), "PYTHONHASHSEED": "0"}  # Frappe answers in the order of sets
	with benches.LOG.open("a", encoding="utf-8") as log:
		server = subprocess.Popen(
			[str(part) for part in command], cwd=bench.sites, env=environment, stdout=log, stderr=log
		)
		try:
			benches.wait_until(
				lambda: benches.answers(("127.0.0.1", port)), lambda: "gunicorn doesn't answer"
			)
			yield port
		finally:
			server.terminate()
			server.wait(benches.START_SECONDS)


def prepare(bench: Bench, is_kept: bool) -> None:
	benches.start_services(bench)
	benches.add_app(bench)
	for site in (WITHOUT, WITH):
		if not is_kept or not (bench.sites / site).exists():
			benches.make_site(bench, site, with_app=site == WITH)
			bench.run(
				f"set {site} up",
				bench.python,
				"-c",
				other_tests.BEFORE_TESTS,
				site,
				env=benches.environment(),
			)
		bench.run(f"rows of {site}", bench.python, SEED, site, AGENT, PASSWORD, env=benches.environment())


def run(bench: Bench, people: list[str], every: int, result: dict[str, Any]) -> None:
	with served(bench) as without, served(bench) as with_app:
		for user in people:
			statuses, problems = compare((without, with_app), user, every)
			say(
				f"{user}: {statuses.total()} requests, {len(problems)} differ; {dict(statuses.most_common())}"
			)
			result["requests"] += statuses.total()
			result["statuses"][user] = statuses
			result["differences"] += problems
	if result["differences"]:
		raise Failed(f"{len(result['differences'])} answers differ")
	if any(
		2 * statuses[200] < statuses.total()
		for user, statuses in result["statuses"].items()
		if user in SIGNED_IN
	):
		raise Failed("most requests were refused: that proves nothing")


def main() -> int:
	"""Run everything and write down how it went."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--needed", action="store_true", help="fail when there is no bench")
	parser.add_argument("--keep", action="store_true", help="use the two sites that the last run left")
	parser.add_argument("--every", type=int, default=1, help="send each so many'th request only")
	parser.add_argument("people", nargs="*", help="only these people")
	given = parser.parse_args()
	result: dict[str, Any] = {
		"status": "failed",
		"requests": 0,
		"statuses": {},
		"differences": [],
		**benches.commit(),
	}

	def work(bench: Bench) -> None:
		prepare(bench, given.keep)
		run(bench, given.people or list(PEOPLE), given.every, result)

	other_tests.on_first_bench(REPORT, WITH, work, result)
	say(f"{result['status'].upper()}: {result['requests']} requests in {result['seconds']} s")
	return other_tests.exit_code(result, given.needed)


if __name__ == "__main__":
	sys.exit(main())
