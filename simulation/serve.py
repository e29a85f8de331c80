"""`--serve`: the endpoint stays open on the real clock,
and whatever is posted to it becomes a ticket before your eyes.
"""

from __future__ import annotations

import json
import secrets
import shlex
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from khalifa_whatsapp.bootstrap import EmbeddedHost, embedded, now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import SYSTEM
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.wppconnect.verify import SECRET_PARAMETER, digest_of
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import dispatch
from khalifa_whatsapp.services.tickets import assignment, delays, presence
from simulation.endpoint import EndpointServer, WebhookEndpoint
from simulation.gateways import CLOUD, WPP
from simulation.simulators import Person, wire
from simulation.text import clock, isolate
from simulation.views import line
from simulation.world import ZONE, agent_of, company_rules, employee

SWEEP_SECONDS = 1.0  # how long a wake-up may be lost without anybody noticing
EVENTS = (
	"SELECT e.name, e.event, e.ticket, t.customer_name, t.status, COALESCE(t.agent_name, ''), "
	"e.reason, t.preview "
	"FROM `tabKhalifa Ticket Event` e JOIN `tabKhalifa Ticket` t ON t.name = "
	"e.ticket WHERE e.name > ? ORDER BY e.name"
)
MESSAGES = (
	"SELECT m.name, m.ticket, c.customer_name, m.content_type, m.body, m.data, "
	"m.direction FROM `tabKhalifa Message` m "
	"JOIN `tabKhalifa Customer` c ON c.name = m.customer WHERE m.direction = "
	"'Incoming' AND m.name > ? ORDER BY m.name"
)


@dataclass(frozen=True, slots=True)
class Secrets:
	"""Made at every start and shown once: nothing here has a default."""

	app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
	verify_token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
	webhook_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))


PHONE_NUMBER_ID, ACCOUNT_ID, SESSION = "600100200300400", "500100200300400", "shop1"
OWN_NUMBER = "201055500011"


def devices(credentials: Secrets) -> list[DeviceConfig]:
	"""A number of each kind. Their gateways do not exist: nothing leaves this machine."""
	return [
		DeviceConfig(
			CLOUD,
			"cloud_api",
			base_url="http://127.0.0.1:9",
			phone_number_id=PHONE_NUMBER_ID,
			business_account_id=ACCOUNT_ID,
			app_secrets=(credentials.app_secret,),
			verify_token=credentials.verify_token,
		),
		DeviceConfig(
			WPP,
			"wppconnect",
			base_url="http://127.0.0.1:9",
			session_name=SESSION,
			webhook_secret_digests=(digest_of(credentials.webhook_secret),),
		),
	]


def serving_host(credentials: Secrets, agents: int, database: str) -> EmbeddedHost:
	"""Branches that never close, and agents who are always there."""
	settings = Settings()
	rules = company_rules(settings, Calendar.always(ZONE))
	people = [(agent_of(number, employee(number), settings), None) for number in range(agents)]
	return embedded(rules, devices(credentials), people, database or ":memory:")


def cloud_curl(url: str, app_secret: str, at_ms: int, text: str = "السلام عليكم، فيه بانادول؟") -> str:
	"""A line for the shell: a message as Meta would post it, signed for exactly this body."""
	person = Person("201005550001", "منى السيد")
	message = wire.cloud_message(person, f"wamid.{secrets.token_hex(12)}", at_ms, "text", {"body": text})
	value = wire.cloud_value(
		PHONE_NUMBER_ID, OWN_NUMBER, messages=[message], contacts=[wire.cloud_contact(person)]
	)
	entry = {"id": ACCOUNT_ID, "changes": [{"field": "messages", "value": value}]}
	raw = wire.cloud_encode({"object": "whatsapp_business_account", "entry": [entry]})
	return _curl(url, raw, wire.cloud_headers(app_secret, raw))


def wpp_curl(url: str, webhook_secret: str, at_ms: int, text: str = "مساء الخير، الطلب اتأخر") -> str:
	"""A line for the shell: a message as WPPConnect Server would post it."""
	person = Person("201005550002", "كريم حجازي")
	data = wire.wpp_message(person, OWN_NUMBER, f"3A{secrets.token_hex(9).upper()}", at_ms, "chat", text)
	# ASCII only: what is pasted must not depend on the terminal's encoding
	raw = json.dumps(wire.wpp_event("onmessage", SESSION, **data), separators=(",", ":")).encode()
	return _curl(f"{url}?{SECRET_PARAMETER}={webhook_secret}", raw, wire.JSON_TYPE)


def _curl(url: str, raw: bytes, headers: dict[str, str]) -> str:
	options = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
	return f"curl -sS --max-time 10 {shlex.quote(url)} {options} --data-binary {shlex.quote(raw.decode())}"


class Serving:
	"""The background of the open endpoint: drains woken by the endpoint, a sweep, and the minute's work."""

	def __init__(self, host: EmbeddedHost, say: Callable[[str], None]) -> None:
		self.host, self.say = host, say
		self.stop = threading.Event()
		self._wake = threading.Event()
		self._seen_event, self._seen_message = "", ""
		self._threads = [
			threading.Thread(target=run, daemon=True) for run in (self._drain, self._send, self._minutes)
		]

	def wake(self, device: str) -> None:
		"""Something new was stored."""
		self._wake.set()

	def __enter__(self) -> Serving:
		for entry in self.host.store.roster():
			presence.set_presence(self.host.store, SYSTEM, entry.agent.name, records.ONLINE, now_ms())
		for thread in self._threads:
			thread.start()
		return self

	def __exit__(self, *error: object) -> None:
		self.stop.set()
		self._wake.set()
		for thread in self._threads:
			thread.join(5)

	def _drain(self) -> None:
		while not self.stop.is_set():
			self._wake.wait(SWEEP_SECONDS)
			self._wake.clear()
			self.take_in()

	def take_in(self) -> None:
		"""Take in what is due, hand it out, tell of it."""
		store = self.host.store
		for device in store.devices_with_due_webhook_events(now_ms()):
			drain.drain(store, self.host.drivers[device], now_ms)
		assignment.assign_queue(store, now_ms())
		self._report()

	def _send(self) -> None:
		while not self.stop.wait(SWEEP_SECONDS):
			for device in self.host.store.devices_with_due_messages(now_ms()):
				dispatch.drain(self.host.store, self.host.drivers[device], now_ms)

	def _minutes(self) -> None:
		while not self.stop.wait(30):
			for entry in self.host.store.roster():
				presence.heartbeat(self.host.store, entry.agent.name, now_ms())
			presence.sweep(self.host.store, now_ms())
			delays.renew_deadlines(self.host.store, now_ms())
			delays.scan(self.host.store, now_ms())

	def _report(self) -> None:
		for name, ticket, customer, *what in self.host.store.rows(MESSAGES, (self._seen_message,)):
			self._seen_message = name
			self.say(
				f"{clock(now_ms())}  message   {ticket}  {isolate(customer, 24)}: {isolate(line(*what), 60)}"
			)
		for row in self.host.store.rows(EVENTS, (self._seen_event,)):
			self._seen_event = row[0]
			self.say(_event_line(*row[1:]))


def _event_line(
	event: str, ticket: str, customer: str, status: str, agent: str, reason: str, preview: str
) -> str:
	who = f" → {isolate(agent, 24)}" if agent and event in ("assigned", "transferred") else ""
	why = f" ({reason})" if reason else ""
	return f"{clock(now_ms())}  {event:<9} {ticket}  {isolate(customer, 24)}{who}{why}"


def serve(console: Console, port: int, agents: int, database: str) -> int:
	"""Until Ctrl+C or a signal to end."""
	credentials = Secrets()
	host = serving_host(credentials, agents, database)
	lock = threading.Lock()

	def say(line: str) -> None:
		with lock:
			console.print(line, highlight=False, markup=False, soft_wrap=True)

	serving = Serving(host, say)
	try:
		with (
			EndpointServer(WebhookEndpoint(host.store, host.drivers, now_ms, serving.wake), port) as endpoint,
			serving,
		):
			print_help(say, endpoint, credentials, agents)
			_wait_for_the_end(serving.stop)
	finally:
		host.close()
	say("Closed.")
	return 0


def print_help(
	say: Callable[[str], None], endpoint: EndpointServer, credentials: Secrets, agents: int
) -> None:
	"""Where the endpoint is, and how to request."""
	say(
		f"The endpoint is up: {endpoint.url} (this machine only), {agents} agents are online. Ctrl+C ends it."
	)
	say(
		"\nA message as the Cloud API posts it, signed. Paste it into another terminal; pasted twice it "
		"still is one:\n"
	)
	say(cloud_curl(endpoint.webhook(CLOUD), credentials.app_secret, now_ms()))
	say("\nA message as WPPConnect Server posts it:\n")
	say(wpp_curl(endpoint.webhook(WPP), credentials.webhook_secret, now_ms()))
	say(f"\nHealth: curl -sS --max-time 10 {endpoint.url}/health")
	say(
		f"Subscription check: curl -sS --max-time 10 '{endpoint.webhook(CLOUD)}?hub.mode=subscribe"
		f"&hub.verify_token={credentials.verify_token}&hub.challenge=1234'\n"
	)


def _wait_for_the_end(stop: threading.Event) -> None:
	def end(number: int, frame: Any) -> None:
		stop.set()

	kept = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
	try:
		while not stop.wait(0.5):
			pass
	finally:
		for number, handler in kept.items():
			signal.signal(number, handler)
