"""Desk's own pages in a real Chromium: a manager closes what a filter shows, watches it,
and takes it back.
"""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import close_all as job
from khalifa_whatsapp.services.tickets import bulk_close
from khalifa_whatsapp.tests.case import HUDA
from khalifa_whatsapp.tests.pages import PageCase

STATE = ".modal.show [data-fieldname=state]"
NORTH, SOUTH = (
	[f"+2010012300{number:02}" for number in range(3)],
	[f"+2010012310{number:02}" for number in range(2)],
)


class TestCloseAll(PageCase):
	def setUp(self) -> None:
		super().setUp()
		self.north_tickets = self.opened_for(self.mona, NORTH)
		self.south_tickets = self.opened_for(self.ali, SOUTH)
		self.sign_in(HUDA)

	def opened_for(self, agent: str, phones: list[str]) -> list[str]:
		"""The agent's open tickets, and one more that is closed: the list shows it,
		and nobody closes it again.
		"""
		*tickets, closed = [self.write(phone) for phone in (*phones, f"{phones[0]}9")]
		self.online(agent)
		self.done(HUDA, "close", ticket=closed)
		frappe.db.set_value("Khalifa Agent", agent, "presence", "Offline")
		frappe.db.commit()
		self.assertEqual({self.ticket(name).agent for name in [*tickets, closed]}, {agent})
		return tickets

	def ask_to_close(self, address: str, count: int) -> None:
		"""Press the button on a filtered list; the dialog counts what the filter shows."""
		self.go(address, ".list-row")
		self.until(lambda: len(self.texts(".list-row-container .list-row")) >= count, f"{count} rows")
		self.click(".page-head button", "Close All Open Tickets")
		self.until(
			lambda: any(
				f"Open tickets that will be closed: {count}." in text for text in self.texts(".modal.show")
			)
		)
		self.until(lambda: self.js("return !!window.cur_dialog?.display"), "the dialog has faded in")
		self.assertEqual(self.texts(".modal.show .btn-modal-primary"), [f"Close {count} Tickets"])

	def start(self, reason: str) -> str:
		count = self.texts(".modal.show .btn-modal-primary")
		self.type_into(".modal.show input[data-fieldname=reason]", reason)
		self.click(".modal.show .btn-modal-primary", count[0])
		return self.until(lambda: self.all(records.CloseBatch), "the run begins")[0].name

	def step(self, batch: str) -> None:
		"""The worker's part, one ticket of it."""
		self.replace("khalifa_whatsapp.services.tickets.bulk_close.CHUNK", 1)
		bulk_close.step(on_site(), Actor(HUDA, "Huda", None, is_manager=True), batch, now_ms())

	def shown(self, terms: str, percent: int) -> None:
		self.until(lambda: terms in "".join(self.texts(STATE)), terms)
		bar = (
			"return Number(document.querySelector('.modal.show .progress-bar').getAttribute('aria-valuenow'))"
		)
		self.assertEqual(self.js(bar), percent)

	def rows(self, selector: str) -> list[list[str]]:
		script = """return [...document.querySelectorAll(arguments[0] + ' tbody tr')]
			.map(row => [...row.cells].map(cell => cell.textContent))"""
		return self.until(lambda: self.js(script, selector), selector)

	def states(self, tickets: list[str]) -> list[str]:
		return [self.ticket(name).status for name in tickets]

	def test_what_a_filter_shows_is_closed_but_for_what_changed_meanwhile(self) -> None:
		self.ask_to_close("/app/khalifa-ticket?branch=North", 3)
		self.assertIn("North", "".join(self.texts(".modal.show li")))
		batch = self.start("the branch is closed today")
		self.shown("Closing: 0 of 3", 0)
		self.write(NORTH[1], "one more thing")
		self.step(batch)
		self.shown("Closing: 1 of 3", 33)
		self.assertEqual(job.run(batch), "Done")
		self.shown("Closed: 2. Left as they are: 1.", 100)
		self.assertEqual(self.rows(".modal.show .left-alone"), [["Samy", "Mona Adel", "changed meanwhile"]])
		self.check_database(batch)
		self.check_form(batch)

	def check_database(self, batch: str) -> None:
		first, second, third = self.north_tickets
		self.assertEqual(self.states([first, second, third]), [records.CLOSED, records.OPEN, records.CLOSED])
		self.assertEqual(self.states(self.south_tickets), [records.OPEN, records.OPEN])
		self.assertEqual(
			(self.ticket(first).close_reason, self.ticket(first).close_batch),
			("the branch is closed today", batch),
		)
		run = self.only(records.CloseBatch)
		self.assertEqual((run.status, run.total, run.closed, run.skipped), ("Done", 3, 2, 1))
		self.assertEqual((run.requested_by, run.requested_by_name), (HUDA, "Huda"))
		items = {item.ticket: (item.result, item.why) for item in self.all(records.CloseBatchItem)}
		self.assertEqual(
			items, {first: ("Closed", ""), second: ("Skipped", "changed meanwhile"), third: ("Closed", "")}
		)

	def check_form(self, batch: str) -> None:
		self.go(f"/app/khalifa-close-batch/{batch}", "[data-fieldname=items_html] tbody tr")
		left, *closed = self.rows("[data-fieldname=items_html]")
		self.assertEqual(left, ["Samy", "Mona Adel", "North", "Skipped", "changed meanwhile"])
		self.assertEqual(closed, [["Samy", "Mona Adel", "North", "Closed", ""]] * 2)
		self.assertEqual(self.numbers("total", "closed", "skipped"), [3, 2, 1])

	def numbers(self, *fields: str) -> list[Any]:
		return self.js(
			"return arguments[0].map(field => Number(cur_frm.get_field(field).disp_area.innerText))", fields
		)

	def test_a_filter_that_only_the_list_knows_and_everything_taken_back(self) -> None:
		self.ask_to_close(
			f"/app/khalifa-ticket?customer_name=%5B%22like%22%2C%22%25Sam%25%22%5D&agent={self.ali}", 2
		)
		batch = self.start("wrong number")
		self.assertEqual(job.run(batch), "Done")
		self.shown("Closed: 2. Left as they are: 0.", 100)
		self.assertEqual(
			self.states([*self.south_tickets, *self.north_tickets]), [records.CLOSED] * 2 + [records.OPEN] * 3
		)
		self.write(SOUTH[0], "I am still here")
		self.click(".modal.show .btn-modal-primary", "Undo")
		self.shown("Reopened: 1.", 100)
		self.assertEqual(self.rows(".modal.show .left-alone"), [["Samy", "", "changed after the batch"]])
		run = self.only(records.CloseBatch)
		self.assertEqual((run.status, run.closed, run.undone), ("Undone", 2, 1))
		self.assertEqual(
			self.states(self.south_tickets),
			[records.QUEUED, records.QUEUED],
			"both are open; Ali is not there",
		)
