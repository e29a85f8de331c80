"""The gateways' wire formats, written: what they post and answer. Ids and people are the caller's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from khalifa_whatsapp.drivers.cloud_api.verify import SIGNATURE_HEADER, sign

JSON_TYPE = {"content-type": "application/json"}
WPP_MEDIA = {"audio": "audio", "voice": "ptt", "image": "image", "video": "video", "document": "document"}


@dataclass(frozen=True, slots=True)
class Person:
	"""A customer as gateways see one. `digits`: phone without plus. Whatever is empty the gateway hides."""

	digits: str = ""
	name: str = ""
	user_id: str = ""  # Cloud API
	lid: str = ""  # WhatsApp Web

	@property
	def wid(self) -> str:
		"""The chat's id in WhatsApp Web: the privacy id where there is one."""
		return f"{self.lid}@lid" if self.lid else f"{self.digits}@c.us"


# --- Cloud API ---


def cloud_encode(payload: Mapping[str, Any]) -> bytes:
	"""A body as Meta writes it: compact, everything but ASCII escaped."""
	return json.dumps(payload, separators=(",", ":")).encode()


def cloud_headers(app_secret: str, raw: bytes) -> dict[str, str]:
	"""The headers Meta puts on a body."""
	return {**JSON_TYPE, SIGNATURE_HEADER: sign(app_secret, raw)}


def cloud_message(
	person: Person, gateway_id: str, sent_ms: int, kind: str, content: Any, reply_to: str = "", **more: Any
) -> dict[str, Any]:
	"""An item of `messages[]`. `content` goes under the key that `kind` names; None leaves it out."""
	message: dict[str, Any] = {"id": gateway_id, "timestamp": str(sent_ms // 1000), "type": kind, **more}
	if person.digits:
		message["from"] = person.digits
	if person.user_id:
		message["from_user_id"] = person.user_id
	if content is not None:
		message[kind] = content
	if reply_to:
		message["context"] = {"id": reply_to}
	return message


def cloud_contact(person: Person) -> dict[str, Any]:
	"""An item of `contacts[]`."""
	contact: dict[str, Any] = {"profile": {"name": person.name} if person.name else {}}
	if person.digits:
		contact["wa_id"] = person.digits
	if person.user_id:
		contact["user_id"] = person.user_id
	return contact


def cloud_status(
	person: Person,
	gateway_id: str,
	status: str,
	at_ms: int,
	callback: str = "",
	error_code: int | None = None,
	category: str = "",
) -> dict[str, Any]:
	"""An item of `statuses[]`; with a category it says how it is charged."""
	item: dict[str, Any] = {"id": gateway_id, "status": status, "timestamp": str(at_ms // 1000)}
	if person.digits:
		item["recipient_id"] = person.digits
	if person.user_id:
		item["recipient_user_id"] = person.user_id
	if callback:
		item["biz_opaque_callback_data"] = callback
	if category:
		item["pricing"] = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
	if error_code is not None:
		item["errors"] = [cloud_error(error_code)["error"]]
	return item


def cloud_value(
	phone_number_id: str,
	display_number: str,
	*,
	messages: Sequence[Mapping[str, Any]] = (),
	contacts: Sequence[Mapping[str, Any]] = (),
	statuses: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
	"""The value of a `messages` change."""
	metadata = {"display_phone_number": display_number, "phone_number_id": phone_number_id}
	value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": metadata}
	lists = {"contacts": contacts, "messages": messages, "statuses": statuses}
	return {**value, **{key: list(items) for key, items in lists.items() if items}}


def cloud_envelope(
	account_id: str, changes: Iterable[tuple[str, Mapping[str, Any]]], rng: Random
) -> dict[str, Any]:
	"""A delivery of (field, value) pairs. Whether neighbours share an entry or a value is up to chance."""
	entries: list[dict[str, Any]] = []
	for field, value in changes:
		if not entries or rng.random() < 0.3:
			entries.append({"id": account_id, "changes": []})
		held = entries[-1]["changes"]
		if held and field == "messages" == held[-1]["field"] and rng.random() < 0.6:
			_merge(held[-1]["value"], value)
		else:
			held.append({"field": field, "value": {key: _copy(item) for key, item in value.items()}})
	return {"object": "whatsapp_business_account", "entry": entries}


def _copy(item: Any) -> Any:
	return list(item) if isinstance(item, list) else item


def _merge(into: dict[str, Any], value: Mapping[str, Any]) -> None:
	for key in ("contacts", "messages", "statuses"):
		new = [item for item in value.get(key, ()) if item not in into.get(key, ())]
		if new:
			into[key] = [*into.get(key, ()), *new]


def cloud_accepted(gateway_id: str, to: str, recipient: str = "") -> dict[str, Any]:
	"""The answer to a send that was taken."""
	contact = {"input": recipient, "user_id": recipient} if recipient else {"input": to, "wa_id": to}
	return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": gateway_id}]}


def cloud_error(code: int, details: str = "") -> dict[str, Any]:
	"""The body of a refusal."""
	text = f"(#{code}) Simulated"
	data = {"messaging_product": "whatsapp", "details": details or "Simulated"}
	error = {
		"message": text,
		"type": "OAuthException",
		"code": code,
		"error_data": data,
		"fbtrace_id": "ASIM",
	}
	return {"error": error}


# --- WPPConnect Server ---


def wpp_encode(payload: Mapping[str, Any]) -> bytes:
	"""A body as Node writes it: compact UTF-8."""
	return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def wpp_event(event: str, session: str, **data: Any) -> dict[str, Any]:
	"""One post: the data merged into the envelope."""
	return {"event": event, "session": session, **data}


def wpp_id(chat: str, hex_id: str, from_me: bool) -> dict[str, Any]:
	"""A message id in its object form."""
	term = "true" if from_me else "false"
	return {"fromMe": from_me, "remote": chat, "id": hex_id, "_serialized": f"{term}_{chat}_{hex_id}"}


def wpp_message(
	person: Person,
	own_number: str,
	hex_id: str,
	sent_ms: int,
	kind: str = "chat",
	body: str = "",
	**more: Any,
) -> dict[str, Any]:
	"""The data of `onmessage`. The sender's card holds the phone when the person has both phone and LID."""
	card: dict[str, Any] = {"id": person.wid, "pushname": person.name, "isMyContact": False}
	if person.lid and person.digits:
		card["phoneNumber"] = {
			"server": "c.us",
			"user": person.digits,
			"_serialized": f"{person.digits}@c.us",
		}
	return {
		"id": f"false_{person.wid}_{hex_id}",
		"type": kind,
		"body": body,
		"t": sent_ms // 1000,
		"timestamp": sent_ms // 1000,
		"notifyName": person.name,
		"from": person.wid,
		"to": f"{own_number}@c.us",
		"chatId": person.wid,
		"fromMe": False,
		"ack": 1,
		"isGroupMsg": False,
		"isMedia": kind in WPP_MEDIA.values(),
		"isForwarded": False,
		"sender": card,
		**more,
	}


def wpp_own_message(
	chat: str, own_number: str, hex_id: str, sent_ms: int, body: str, ack: int = 1
) -> dict[str, Any]:
	"""A message of ours: the answer to a send, and the data of `onselfmessage`."""
	return {
		"id": f"true_{chat}_{hex_id}",
		"ack": ack,
		"type": "chat",
		"body": body,
		"from": f"{own_number}@c.us",
		"to": chat,
		"fromMe": True,
		"isGroupMsg": False,
		"t": sent_ms // 1000,
	}


def wpp_ack(chat: str, own_number: str, hex_id: str, ack: int, sent_ms: int) -> dict[str, Any]:
	"""The data of `onack`. Its time is the message's, not the ack's."""
	ours = f"{own_number}@c.us"
	return {"id": wpp_id(chat, hex_id, True), "ack": ack, "from": ours, "to": chat, "t": sent_ms // 1000}


def wpp_accepted(session: str, item: Mapping[str, Any]) -> dict[str, Any]:
	"""The answer to a send that was taken (201)."""
	return {"status": "success", "mapper": "return", "session": session, "response": [dict(item)]}
