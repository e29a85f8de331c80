"""Jobs as the workers run them."""

from __future__ import annotations

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.tests.case import (
	HUDA,
	MONA,
	SiteCase,
)

MANAGER = Actor(HUDA, "Huda", None, is_manager=True)
INTAKE, OUTBOX, CLOSE_ALL = (
	f"khalifa_whatsapp.jobs.{name}.run" for name in ("intake", "outbox", "close_all")
)


class JobCase(SiteCase):
	def post(self, count: int = 1, first: int = 1) -> None:
		"""Customers write, one each; nobody has taken it in yet."""
		for number in range(first, first + count):
			self.deliver(
				message_item(
					f"+2010012{number:05d}", f"hello {number}", f"in-{number}", now_ms(), f"C {number}"
				)
			)
		del self.enqueued[:]

	def reply(self, ticket: str, body: str = "answer") -> records.Message:
		self.keys += 1
		actor = Actor(MONA, "Mona Adel", self.mona)
		return answers.reply(on_site(), actor, ticket, body, f"key-{self.keys}", now_ms())

	def woken(self) -> list[str]:
		return [method for method, _ in self.enqueued]

	def effects(self, count: int) -> None:
		"""Each of `count` deliveries had its effect, once."""
		self.assertEqual([event.status for event in self.events()], ["Done"] * count)
		self.assertEqual(len(self.all(records.Message)), count)
		self.assertEqual(len({m.gateway_id for m in self.all(records.Message)}), count)
		self.assertEqual(len(self.all(records.Ticket)), count)
		self.assertEqual(len(self.all(records.Customer)), count)
