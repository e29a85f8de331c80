"""What an open inbox hears at once through Frappe's socket, with its clock stopped;
and what it does when it hears nothing.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.stores.site_notices import ROOM_OF_MANAGERS
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA
from khalifa_whatsapp.tests.pages import PageCase

LIVE = "frappe.pages['khalifa-inbox'].inbox.live"
LINES = ".kin-line .kin-name"


class TestLivePages(PageCase):
	def enter(self, user: str, view: str) -> None:
		"""Open a view of the inbox, its socket joined to the room in which it hears of the queue,
		and its clock stopped.
		"""
		self.sign_in(user)
		self.room = {"room": ROOM_OF_MANAGERS} if user == HUDA else {"user": user}
		self.go("/app/khalifa-inbox", ".kin-tabs .kin-tab")
		self.click(f".kin-tab[data-view={view}]")
		self.js(
			f"{LIVE}.poll = () => {{}}; frappe.realtime.on('khalifa_whatsapp:joined', () => (window.joined = "
			"1))"
		)
		self.until(self.is_joined, "the socket's room")

	def is_joined(self) -> bool:
		frappe.publish_realtime("khalifa_whatsapp:joined", {}, **self.room)
		return self.js("return !!window.joined")

	def post(self, item: dict[str, object]) -> None:
		"""Through the webhook, and taken in."""
		self.assertEqual(self.deliver(item).status, 200)
		with self.quiet():
			intake.run(DEVICE)

	def customer_writes(self, body: str, key: str) -> None:
		self.post(message_item("+201001234567", body, key, now_ms(), "Samy"))

	def test_what_a_colleague_takes_from_the_queue_goes_from_everybody_s(self) -> None:
		self.customer_writes("hello", "in-1")
		ticket = self.only(records.Ticket)
		self.assertEqual(ticket.status, records.QUEUED)
		self.online(self.mona)  # who is given it at once
		frappe.db.set_value(
			"Khalifa Ticket", ticket.name, {"agent": None, "agent_name": None, "status": records.QUEUED}
		)
		frappe.db.commit()
		self.enter(ALI, "queue")
		self.until(lambda: self.texts(LINES) == ["Samy"])
		self.done(MONA, "assign", ticket=ticket.name, agent=self.mona)
		self.until(lambda: self.texts(LINES) == [], "the line goes")
		self.assertIn("The queue is empty.", self.page_text())

	def test_a_reaction_and_a_changed_message_are_seen_where_they_were_written(self) -> None:
		self.online(self.mona)
		self.customer_writes("two boxes", "in-1")
		self.enter(MONA, "mine")
		self.click(".kin-line")
		self.until(lambda: "two boxes" in self.texts(".kin-log .kin-text"))
		self.post(
			{"type": "reaction", "id": "in-1", "from": "+201001234567", "emoji": "👍", "at_ms": now_ms()}
		)
		self.until(lambda: "👍" in "".join(self.texts(".kin-log .kin-bubble")), "the reaction")
		self.post({"type": "edit", "id": "in-1", "text": "three boxes", "at_ms": now_ms()})
		self.until(lambda: "three boxes" in self.texts(".kin-log .kin-text"), "the new words")
		self.until(lambda: self.texts(".kin-line .kin-preview") == ["three boxes"], "the list's words")
		self.post({"type": "revoke", "id": "in-1", "at_ms": now_ms()})
		self.until(lambda: "This message was taken back." in self.page_text(), "taken back")

	def sign(self) -> str:
		return "".join(self.texts(".kin-socket"))

	def test_without_a_socket_the_page_says_so_and_looks_by_the_clock(self) -> None:
		self.enter(HUDA, "all")
		self.js(f"delete {LIVE}.poll; frappe.realtime.socket.disconnect(); {LIVE}.connection.beat()")
		self.until(lambda: "No live connection" in self.sign(), "the sign")
		self.customer_writes("anybody?", "in-1")
		self.until(lambda: self.texts(LINES) == ["Samy"], "found by the clock")

	def test_a_socket_that_is_connected_and_receives_nothing_is_found_out_and_connected_anew(self) -> None:
		self.enter(HUDA, "all")
		deaf = self.js("return frappe.realtime.socket.id")
		self.js(f"{LIVE}.connection.received = () => {{}}; {LIVE}.connection.beat()")
		self.until(lambda: "No live connection" in self.sign(), "the sign")
		self.js(f"delete {LIVE}.connection.received; window.joined = 0; {LIVE}.connection.next()")
		self.until(lambda: self.sign() == "", "it hears again")
		self.assertNotEqual(self.js("return frappe.realtime.socket.id"), deaf)
		self.until(self.is_joined, "and is in the managers' room")
