"""The site's own WSGI application, called as gateways, browsers and integrators call it.

Each call runs in a thread of its own, as in a web server: with its own session, language and connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import frappe
import frappe.app
from werkzeug.test import Client, TestResponse

T = TypeVar("T")
METHOD = "/api/method/"


def in_thread(act: Callable[[], T]) -> T:
	"""Run `act` with none of this thread's request, session or connection."""
	with ThreadPoolExecutor(1) as pool:
		return pool.submit(act).result()


@dataclass
class Answer:
	"""What came back."""

	status: int
	raw: bytes
	headers: dict[str, str]

	@property
	def text(self) -> str:
		return self.raw.decode()

	@property
	def json(self) -> dict[str, Any]:
		return json.loads(self.raw)

	@property
	def message(self) -> Any:
		"""What the method returned."""
		return self.json.get("message")

	@property
	def code(self) -> str | None:
		"""The refusal's code."""
		return self.json.get("code")

	@property
	def said(self) -> str:
		"""What the user is told."""
		messages = json.loads(self.json.get("_server_messages") or "[]")
		return " ".join(json.loads(text)["message"] for text in messages)


@dataclass
class Caller:
	"""Someone with an address and, once signed in, a session."""

	headers: dict[str, str] = field(default_factory=dict)
	site: str = field(default_factory=lambda: frappe.local.site)
	_client: Client | None = None

	def sign_in(self, user: str, password: str) -> Caller:
		answer = self.call("login", usr=user, pwd=password)
		assert answer.status == 200, answer.text
		return self

	def call(self, method: str, /, **arguments: Any) -> Answer:
		"""A method, as Desk calls it: a form, with lists and objects as JSON."""
		form = {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in arguments.items()}
		return self.send("POST", METHOD + method, data={k: v for k, v in form.items() if v is not None})

	def call_json(self, method: str, /, **arguments: Any) -> Answer:
		"""A method, as an integrator calls it."""
		return self.send("POST", METHOD + method, json=arguments)

	def read(self, method: str, /, **arguments: Any) -> Answer:
		return self.send("GET", METHOD + method, query_string=arguments)

	def send(self, http: str, path: str, **request: Any) -> Answer:
		headers = {"X-Frappe-Site-Name": self.site, **self.headers, **request.pop("headers", {})}
		client = self.client
		answer = in_thread(lambda: _open(client, http, path, headers, request))
		return Answer(answer.status_code, answer.get_data(), dict(answer.headers))

	@property
	def client(self) -> Client:
		if self._client is None:
			self._client = Client(frappe.app.application)
		return self._client


def _open(
	client: Client, http: str, path: str, headers: dict[str, str], request: dict[str, Any]
) -> TestResponse:
	answer = client.open(path, method=http, headers=headers, **request)
	answer.get_data()
	answer.close()  # what was to happen after the response happens now
	return answer
