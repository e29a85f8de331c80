"""Invented customers: who they are on each gateway, and every kind of message that they can send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from khalifa_whatsapp.demo import names, texts
from khalifa_whatsapp.demo.company import PLACE
from simulation.simulators import CloudApiSimulator, Person, WppConnectSimulator

# What tables, searches and terminals must bear: marks, stretched letters, both directions, composed emojis
UNUSUAL = (
	"مُحتاجة شَراب كُحّة لطفل ٣ سنين",
	"محتـــاج كمامات وكحول 👍🏽",
	"هو Augmentin 625 بكام النهارده؟",
	"بكام جهاز قياس السكر؟ 🩸",
	"Hi, do you have Voltaren gel?",
)
UNUSUAL_RATE = 0.1
EMOJI = ("👍", "❤️", "🙏", "😂")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
# How often each kind comes among 100 messages; the rest are texts.
KINDS = {
	"image": 11,
	"voice": 8,
	"document": 3,
	"video": 2,
	"audio": 2,
	"sticker": 3,
	"location": 3,
	"contacts": 1,
	"button_reply": 2,
	"list_reply": 2,
	"order": 1,
	"unsupported": 1,
	"unknown": 1,
}
MEDIA = {
	"image": "image/jpeg",
	"voice": "audio/ogg; codecs=opus",
	"audio": "audio/mpeg",
	"video": "video/mp4",
	"document": "application/pdf",
	"sticker": "image/webp",
}


@dataclass(slots=True)
class Customer:
	"""A customer on one device: the person, and what he or she wrote last."""

	person: Person
	device: str
	has_written: bool = False
	last_id: str = ""


def make_customers(rng: Random, device: str, count: int, first: int) -> list[Customer]:
	"""`count` customers of one device, numbered from `first` so that phones never repeat."""
	return [Customer(_person(rng, device, number), device) for number in range(first, first + count)]


def _person(rng: Random, device: str, number: int) -> Person:
	name = f"{rng.choice(names.FIRST)} {rng.choice(names.LAST)}"
	digits = f"20100{5_000_000 + number:07d}"
	if rng.random() < 0.04:
		name, digits = rng.choice(names.FOREIGN), f"39333{1_000_000 + number:07d}"
	if device == "cloud":
		hides_phone = rng.random() < 0.03
		return Person(
			"" if hides_phone else digits,
			name,
			f"EG.{9_000_000_000 + number}" if rng.random() < 0.5 or hides_phone else "",
		)
	return Person(digits, name, lid=f"{77_000_000_000_000 + number}" if rng.random() < 0.3 else "")


@dataclass(slots=True)
class Deck:
	"""Kinds of messages as cards, so that even a short day sees all of them."""

	rng: Random
	cards: list[str] = field(default_factory=list)

	def draw(self) -> str:
		"""The kind of the next message."""
		if not self.cards:
			self.cards = [kind for kind, count in KINDS.items() for _ in range(count)]
			self.cards += ["text"] * (100 - len(self.cards))
			self.rng.shuffle(self.cards)
			rare = list(KINDS)
			self.rng.shuffle(rare)
			for place, kind in enumerate(rare):  # one of each within the first sixty
				swap = self.cards.index(kind)
				spot = 99 - place * 4
				self.cards[swap], self.cards[spot] = self.cards[spot], self.cards[swap]
		return self.cards.pop()


class Pen:
	"""Writes customers' messages through the simulated gateways."""

	def __init__(self, rng: Random, cloud: CloudApiSimulator, wpp: WppConnectSimulator) -> None:
		self.rng, self.cloud, self.wpp = rng, cloud, wpp
		self.deck = Deck(rng)

	def write(self, customer: Customer, text: str = "") -> str:
		"""One message: this text, or whatever the deck says. Gives the gateway's id."""
		kind = "text" if text else self.deck.draw()
		text = text or self._text(customer)
		writer = _CLOUD if customer.device == "cloud" else _WPP
		sim: Any = self.cloud if customer.device == "cloud" else self.wpp
		compose = writer.get(kind)
		if kind in MEDIA:
			caption = texts.caption(self.rng) if kind in ("image", "video", "document") else ""
			customer.last_id = self._media(sim, customer.person, kind, caption)
		elif compose is not None:
			customer.last_id = compose(sim, customer.person, self.rng)
		else:
			customer.last_id = sim.customer_text(customer.person, text)
		customer.has_written = True
		return customer.last_id

	def _text(self, customer: Customer) -> str:
		if self.rng.random() < UNUSUAL_RATE:
			return self.rng.choice(UNUSUAL)
		return texts.remark(self.rng) if customer.has_written else texts.question(self.rng)

	def _media(self, sim: Any, person: Person, kind: str, caption: str) -> str:
		return str(sim.customer_media(person, kind, PNG, MEDIA[kind], caption))

	def afterthought(self, customer: Customer) -> tuple[str, str] | None:
		"""A reaction, an edit or a revoke of the customer's last message; (kind, id of the target)."""
		if not customer.last_id:
			return None
		kind = self.rng.choice(
			("reaction", "revoke") if customer.device == "wpp" else ("reaction", "edit", "revoke")
		)
		self._publish_message(customer, kind)
		return kind, customer.last_id

	def _publish_message(self, customer: Customer, kind: str) -> None:
		target, person = customer.last_id, customer.person
		if customer.device == "cloud":
			content: dict[str, Any] = {"original_message_id": target}
			if kind == "reaction":
				content = {"message_id": target, "emoji": self.rng.choice(EMOJI)}
			elif kind == "edit":
				content["message"] = {"type": "text", "text": {"body": texts.remark(self.rng)}}
			self.cloud.customer_message(person, kind, content)
			return
		message_id = {
			"fromMe": False,
			"remote": person.wid,
			"id": target,
			"_serialized": f"false_{person.wid}_{target}",
		}
		now = self.wpp.now_ms()
		if kind == "reaction":
			own = {**message_id, "id": f"{target}R", "_serialized": f"false_{person.wid}_{target}R"}
			emoji = self.rng.choice(EMOJI)
			self.wpp.push(
				"onreactionmessage", {"id": own, "msgId": message_id, "reactionText": emoji, "timestamp": now}
			)
		else:
			revoked = {
				"id": f"false_{person.wid}_{target}V",
				"refId": message_id,
				"from": person.wid,
				"t": now // 1000,
			}
			self.wpp.push("onrevokedmessage", revoked)

	def noise(self) -> None:
		"""Something that is no message: the number's quality, a group, somebody typing."""
		self.wpp.push("onpresencechanged", {"isOnline": True, "t": self.wpp.now_ms() // 1000})
		value = {
			"display_phone_number": "201055500011",
			"event": "FLAGGED",
			"current_limit": f"TIER_{self.rng.randrange(999)}K",
		}
		self.cloud.push("phone_number_quality_update", value)


Writer = Callable[[Any, Person, Random], str]


def _cloud(kind: str, content: Callable[[Random], Any]) -> Writer:
	return lambda sim, person, rng: sim.customer_message(person, kind, content(rng))


def _cloud_unsupported(sim: CloudApiSimulator, person: Person, rng: Random) -> str:
	errors = [{"code": 131051, "title": "Message type unknown"}]
	return sim.customer_message(person, "unsupported", {"type": "poll_creation"}, errors=errors)


_CARD = [
	{
		"name": {"formatted_name": "صيدلية الحي", "first_name": "صيدلية"},
		"phones": [{"phone": "+20 50 5550001"}],
	}
]
_ORDER = {
	"catalog_id": "C1",
	"product_items": [{"product_retailer_id": "SKU-9", "quantity": 2, "item_price": 150, "currency": "EGP"}],
}
_CLOUD: dict[str, Writer] = {
	"location": _cloud("location", lambda rng: PLACE),
	"contacts": _cloud("contacts", lambda rng: _CARD),
	"button_reply": _cloud("button", lambda rng: {"text": "نعم، أكد الطلب", "payload": "confirm"}),
	"list_reply": _cloud(
		"interactive",
		lambda rng: {
			"type": "list_reply",
			"list_reply": {"id": "b3", "title": "فرع طلخا", "description": ""},
		},
	),
	"order": _cloud("order", lambda rng: _ORDER),
	"unsupported": _cloud_unsupported,
	"unknown": _cloud("hologram", lambda rng: {"depth": rng.randrange(9)}),
}


def _wpp(kind: str, body: str = "", **more: Any) -> Writer:
	return lambda sim, person, rng: sim.customer_text(person, body, type=kind, **more)


_WPP: dict[str, Writer] = {
	"location": _wpp("location", lat=PLACE["latitude"], lng=PLACE["longitude"], loc=PLACE["name"]),
	"contacts": _wpp("vcard", "BEGIN:VCARD\nFN:صيدلية الحي\nTEL:+20 50 5550001\nEND:VCARD"),
	"button_reply": _wpp("buttons_response", "نعم، أكد الطلب", selectedButtonId="confirm"),
	"list_reply": _wpp(
		"list_response",
		"فرع طلخا",
		listResponse={"title": "فرع طلخا", "singleSelectReply": {"selectedRowId": "b3"}},
	),
	"order": _wpp("order", orderId="1", orderTitle="طلب صيدلية", itemCount=2),
	"unsupported": _wpp("poll_creation", "poll"),
	"unknown": _wpp("hologram"),
}
