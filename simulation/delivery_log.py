"""What the gateways posted to us, and what we answered: one half of the books. The database is the other.

It reads the wire formats by itself, not with the drivers: an auditor doesn't ask the audited.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core.keys import message_key
from simulation.gateways import CLOUD
from simulation.simulators import Post

MESSAGE, NOTICE = "message", "notice"
ACK_STATUSES = {1: "sent", 2: "delivered", 3: "read", 4: "played"}

# MESSAGE: (MESSAGE, device, gateway id); NOTICE: (NOTICE, target key, kind or status)
Item = tuple[str, str, str]


@dataclass(slots=True)
class DeliveryLog:
	"""Items by what became of their posts.

	`written` are messages that the customers' phones gave to a gateway.
	"""

	posted: Counter[Item] = field(default_factory=Counter)
	acknowledged: set[Item] = field(default_factory=set)
	posts: int = 0
	refused: int = 0  # posts answered otherwise than 200, or not at all

	def note(self, device: str, post: Post, status: int) -> None:
		"""A post was made and answered with this status (0: the gateway saw no answer)."""
		self.posts += 1
		items = set(items_of(device, post.raw))
		self.posted.update(items)
		if status == 200:
			self.acknowledged |= items
		else:
			self.refused += 1

	def attempts(self, kind: str) -> set[Item]:
		"""Distinct items of a kind that were posted at all."""
		return {item for item in self.posted if item[0] == kind}


def items_of(device: str, raw: bytes) -> Iterator[Item]:
	"""The messages and notices in a post."""
	payload = json.loads(raw)
	return _cloud_items(device, payload) if device == CLOUD else _wpp_items(device, payload)


def _cloud_items(device: str, payload: dict[str, Any]) -> Iterator[Item]:
	for entry in payload["entry"]:
		for change in entry["changes"]:
			for message in change["value"].get("messages", ()):
				yield _cloud_item(device, message)
			for status in change["value"].get("statuses", ()):
				yield NOTICE, message_key(device, "", status["id"]), status["status"]


def _cloud_item(device: str, message: dict[str, Any]) -> Item:
	kind = message["type"]
	if kind not in ("reaction", "edit", "revoke"):
		return MESSAGE, device, message["id"]
	inner = message[kind]
	return NOTICE, message_key(device, "", inner.get("message_id") or inner["original_message_id"]), kind


def _wpp_items(device: str, payload: dict[str, Any]) -> Iterator[Item]:
	event = payload["event"]
	if event == "onmessage":
		yield MESSAGE, device, payload["id"].rpartition("_")[2]
	elif event == "onack" and payload["ack"] in ACK_STATUSES:
		yield NOTICE, message_key(device, "out", payload["id"]["id"]), ACK_STATUSES[payload["ack"]]
	elif event in ("onreactionmessage", "onrevokedmessage"):
		target = payload.get("msgId") or payload["refId"]
		key = message_key(device, f"in|{target['remote']}", target["id"])
		yield NOTICE, key, "reaction" if event == "onreactionmessage" else "revoke"
