"""Conversations as people handle them: signed in, through `/api/method`."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.case import CONVERSATION, HOST, HUDA, SiteCase
from khalifa_whatsapp.tests.web import Answer


class DeskCase(SiteCase):
	def do(self, user: str, verb: str, **arguments: Any) -> Answer:
		answer = self.as_(user).call(CONVERSATION + verb, **arguments)
		if user != HUDA:
			self.assertNotIn(HOST, answer.text, "a login in what an agent gets back")
		return answer

	def done(self, user: str, verb: str, **arguments: Any) -> Any:
		answer = self.do(user, verb, **arguments)
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message

	def refused(self, status: int, code: str, user: str, verb: str, **arguments: Any) -> Answer:
		"""The refusal has its status, its code and a sentence; and nothing is written."""
		before = self.state()
		answer = self.do(user, verb, **arguments)
		self.assertEqual((answer.status, answer.code), (status, code), answer.text)
		self.assertTrue(answer.said)
		self.assertNotIn("Traceback", answer.text)
		self.assertEqual(self.state(), before)
		return answer

	def state(self) -> Any:
		frappe.db.rollback()
		kinds = (
			records.Ticket,
			records.Message,
			records.TicketEvent,
			records.Turn,
			records.Segment,
			records.CloseBatch,
		)
		return [on_site()._read(kind, "1 = 1", (), "ORDER BY name") for kind in kinds]

	def key(self) -> str:
		self.keys += 1
		return f"key-{self.keys}"

	def reply(self, user: str, ticket: str, body: str = "answer", **more: Any) -> Answer:
		return self.do(user, "reply", **{"ticket": ticket, "body": body, "client_key": self.key(), **more})
