"""What the browser of a simulated WPPConnect session shows of its chats: who is who,
what was said, which files.
"""

from __future__ import annotations

import base64
import threading
from collections import deque
from typing import Any

from simulation.simulators.server import Answer, Request, json_answer
from simulation.simulators.wire import Person

MAX_KEPT = 2_000  # messages; days are simulated with tens of thousands
NOT_LISTED = ("sender", "isGroupMsg", "isMedia", "isForwarded")  # of an event, and not of a chat's list
NOT_OPENED = {"status": "error", "response": "Error on open list", "error": {"level": "error"}}
NO_MESSAGE = {"status": "error", "message": "Message not found"}


class Chats:
	"""The chats of one session. A chat is found by the one id the browser keeps it under.

	Safe for many threads.
	"""

	def __init__(self) -> None:
		self.people: dict[str, Person] = {}  # by digits and by LID
		self.media: dict[str, tuple[bytes, str]] = {}  # by serialized message id
		self._messages: deque[tuple[str, dict[str, Any]]] = deque(maxlen=MAX_KEPT)
		self._unread: set[str] = set()  # chats
		self.reads: list[
			tuple[str, bool]
		] = []  # the customer's latest message, and whether we were seen typing
		self._lock = threading.Lock()

	def know(self, person: Person) -> None:
		"""Remember a person, so that the chat is named as the browser names it: by LID where there is one."""
		for key in filter(None, (person.digits, person.lid)):
			self.people[key] = person

	def chat_of(self, key: str, is_lid: bool = False) -> str:
		"""The chat's id as the browser names it, whatever the caller named it by."""
		person = self.people.get(key) or (Person(lid=key) if is_lid else Person(digits=key))
		return person.wid

	def add(self, chat: str, message: dict[str, Any], is_unread: bool = False) -> None:
		"""A message appears in a chat."""
		with self._lock:
			self._messages.append((chat, message))
			if is_unread:
				self._unread.add(chat)

	def read(self, chat: str) -> None:
		"""The chat is opened: nothing in it is unread."""
		with self._lock:
			self._unread.discard(chat)
		self.saw(chat)

	def saw(self, chat: str, is_typing: bool = False) -> None:
		"""The customer sees that we have read, or are typing."""
		with self._lock:
			theirs = [message for name, message in self._messages if name == chat and not message["fromMe"]]
			self.reads += [(str(message["id"]).rpartition("_")[2], is_typing) for message in theirs[-1:]]

	def unread(self) -> Answer:
		"""Customers' messages in unread chats, without the sender's card,
		as the browser's own list has them.
		"""
		with self._lock:
			messages = [
				message for chat, message in self._messages if chat in self._unread and not message["fromMe"]
			]
		return json_answer({"status": "success", "response": [_listed(message) for message in messages]})

	def history(self, request: Request, wid: str) -> Answer:
		"""The last messages of a chat, oldest first; a chat that the browser does not have is an error."""
		count = int(request.query.get("count", "20"))
		with self._lock:
			messages = [
				message for chat, message in self._messages if chat == (wid if "@" in wid else f"{wid}@c.us")
			]
		if not messages:
			return json_answer(NOT_OPENED, 401)
		return json_answer(
			{"status": "success", "response": [_listed(message) for message in messages[-count:]]}
		)

	def file(self, message_id: str) -> Answer:
		"""The file of a message."""
		if message_id not in self.media:
			return json_answer(NO_MESSAGE, 400)
		content, mime_type = self.media[message_id]
		return json_answer({"base64": base64.b64encode(content).decode(), "mimetype": mime_type})

	def names(self, wid: str) -> Answer:
		"""Phone and privacy id of a person, as far as WhatsApp tells."""
		user, _, server = wid.partition("@")
		person = self.people.get(user) or (Person(lid=user) if server == "lid" else Person(digits=user))
		names: dict[str, Any] = {"contact": {"name": person.name, "pushname": person.name}}
		for key, value, domain in (("lid", person.lid, "lid"), ("phoneNumber", person.digits, "c.us")):
			if value:
				names[key] = {"id": value, "server": domain, "_serialized": f"{value}@{domain}"}
		return json_answer(names)


def _listed(message: dict[str, Any]) -> dict[str, Any]:
	return {**{key: value for key, value in message.items() if key not in NOT_LISTED}, "sender": None}
