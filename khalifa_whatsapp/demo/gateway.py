"""The demonstration's gateway: what customers write is put in by hand, what we send ends here."""

from __future__ import annotations

import heapq
import math
from random import Random

from khalifa_whatsapp.core.cost import Pricing
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.demo.company import DEVICE, PLACE, Caller
from khalifa_whatsapp.demo.texts import Line
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.loopback import LoopbackDriver, signed_call

SECRET = "demo"  # signs calls within this process only; a site's device has none
FAILURE_RATE, READ_RATE = 0.006, 0.85
PRICING = Pricing("service", "regular")  # as Meta says it of a free-form answer
MIME_TYPES = {"image": "image/jpeg", "document": "application/pdf", "voice": "audio/ogg"}


class DemoGateway(LoopbackDriver):
	"""A loopback whose deliveries may hold every kind of message. Its receipts come by `due_receipts`."""

	def __init__(self, rng: Random) -> None:
		super().__init__(base.DeviceConfig(DEVICE, "loopback", app_secrets=(SECRET,)))
		self._rng = rng
		self._posts: dict[bytes, list[base.Event]] = {}
		self._receipts: list[tuple[int, int, base.MessageStatus]] = []
		self._count = 0
		self.now_ms = 0

	def post(self, events: list[base.Event]) -> base.WebhookCall:
		"""A call of the gateway with these events."""
		self._count += 1
		raw = b"demo-%d" % self._count
		self._posts[raw] = events
		return signed_call(raw, self.config.app_secrets)

	def parse(self, raw: bytes) -> list[base.Event]:
		"""What was put into the post."""
		return self._posts.pop(raw)

	def message(self, caller: Caller, line: Line, at_ms: int) -> base.InboundMessage:
		"""A customer's message."""
		self._count += 1
		mime_type = MIME_TYPES.get(line.kind)
		return base.InboundMessage(
			base.MessageRef(f"demo-in-{self._count}"),
			(Identity("phone", caller.phone),),
			at_ms,
			line.kind,
			line.body,
			caller.name,
			media=base.Media(mime_type=mime_type) if mime_type else None,
			data={"location": PLACE} if line.kind == "location" else {},
		)

	def send(self, message: base.Outgoing) -> base.Accepted:
		"""Take it; now and then a number turns out to have no WhatsApp."""
		if self._rng.random() < FAILURE_RATE:
			raise base.RecipientError("This number is not on WhatsApp.", code="not_on_whatsapp")
		self._count += 1
		ref = base.MessageRef(f"demo-out-{self._count}")
		delivered = self.now_ms + self._rng.randrange(2_000, 20_000)
		self._later(ref, "delivered", delivered)
		if self._rng.random() < READ_RATE:
			self._later(ref, "read", delivered + round(60_000 * math.exp(self._rng.gauss(0.7, 1))))
		return base.Accepted(ref, recipient=message.recipient)

	def _later(self, ref: base.MessageRef, status: str, at_ms: int) -> None:
		self._count += 1
		heapq.heappush(
			self._receipts, (at_ms, self._count, base.MessageStatus(ref, status, at_ms, pricing=PRICING))
		)

	def due_receipts(self, now_ms: int) -> list[base.Event]:
		"""Receipts that have come by now."""
		receipts: list[base.Event] = []
		while self._receipts and self._receipts[0][0] <= now_ms:
			receipts.append(heapq.heappop(self._receipts)[2])
		return receipts
