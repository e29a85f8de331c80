"""The inbox's list in a real Chromium: narrowing, ordering and keeping lists, marks, and several at once."""

from __future__ import annotations

import json

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.tests.case import ALI, HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.inbox_page import LAILA, SAMY, InboxPageCase

OMAR = "+201222222222"
NAMES = ".kin-line .kin-name"


class ListPageCase(InboxPageCase):
	def setUp(self) -> None:
		super().setUp()
		for user in (MONA, ALI, HUDA):
			frappe.defaults.clear_user_default("khalifa_inbox", user)
		self.online(self.mona)
		for number, (phone, name) in enumerate(((SAMY, "Samy"), (LAILA, "Laila"), (OMAR, "Omar"))):
			self.customer_writes(f"hello from {name}", phone, f"in-{number}", name)
		self.until(lambda: {ticket.agent for ticket in self.all(records.Ticket)} == {self.mona})

	def named(self, name: str) -> records.Ticket:
		return self.only(records.Ticket, customer_name=name)

	def lines(self) -> list[str]:
		return self.texts(NAMES)

	def is_listed(self, *names: str) -> bool:
		return self.lines() == list(names)

	def answer(self, name: str) -> None:
		"""Nobody waits in this conversation any more."""
		self.done(MONA, "reply", ticket=self.named(name).name, body="yes", client_key=f"yes-{name}")

	def choose(self, selector: str, value: str) -> None:
		self.until(lambda: self.is_shown(selector), selector)
		self.js(
			"const box = document.querySelector(arguments[0]); box.value = arguments[1]; "
			"box.dispatchEvent(new Event('change', {bubbles: true}))",
			selector,
			value,
		)

	def menu(self, name: str, act: str) -> None:
		self.js(
			"[...document.querySelectorAll('.kin-line')].find(one => one.textContent.includes(arguments[0]))"
			".querySelector('.kin-line-more').click()",
			name,
		)
		self.click(f".kin-menu-item[data-act={act}]")

	def tick(self, *names: str) -> None:
		for name in names:
			self.menu(name, "tick")


class TestNarrowing(ListPageCase):
	def test_filters_an_order_and_a_list_that_is_kept(self) -> None:
		frappe.db.set_value("Khalifa Ticket", self.named("Laila").name, "branch", self.south)
		frappe.db.commit()
		self.enter(MONA)
		self.until(lambda: self.is_listed("Omar", "Laila", "Samy"))
		self.click(".kin-narrow")
		self.choose("select[data-filter=sort]", "waiting")
		self.until(lambda: self.is_listed("Samy", "Laila", "Omar"), "who waits longest is first")
		self.choose("select[data-filter=branch]", self.south)
		self.until(lambda: self.is_listed("Laila"), "of one branch")
		self.until(lambda: self.texts(".kin-tab.active .kin-count") == ["1"], "the count says the same")
		self.type_into(".kin-keep input", "Southern")
		self.click(".kin-keep button")
		self.until(lambda: self.texts(".kin-kept.active") == ["★ Southern"])
		self.click(".kin-tab", "Mine")
		self.until(lambda: self.is_listed("Omar", "Laila", "Samy"), "nothing of it is left behind")
		self.go("/app/khalifa-inbox", ".kin-kept")
		self.click(".kin-kept", "Southern")
		self.until(lambda: self.is_listed("Laila"), "it is there when the page is loaded again")
		self.click(".kin-narrowed[data-filter=branch]")
		self.until(lambda: self.is_listed("Samy", "Laila", "Omar"), "a tap takes a filter away")

	def test_a_filter_that_nothing_passes_says_so(self) -> None:
		for name in ("Samy", "Laila", "Omar"):
			self.as_(MONA).call("khalifa_whatsapp.api.conversation.mark_read", ticket=self.named(name).name)
		self.enter(MONA)
		self.until(lambda: len(self.lines()) == 3)
		self.click(".kin-narrow")
		self.until(lambda: self.is_shown("input[data-filter=is_unread]"))
		self.js("document.querySelector('input[data-filter=is_unread]').click()")
		self.until(lambda: "No conversation here passes the filters." in self.page_text())
		self.click(".kin-empty button", "Remove the Filters")
		self.until(lambda: len(self.lines()) == 3)


class TestMarks(ListPageCase):
	def test_pinned_unread_and_drafts_are_seen_in_the_list(self) -> None:
		self.enter(MONA)
		self.until(lambda: self.is_listed("Omar", "Laila", "Samy"))
		self.menu("Samy", "pin")
		self.until(
			lambda: self.is_listed("Samy", "Omar", "Laila") and self.is_shown(".kin-line.pinned .kin-pin")
		)
		self.open("Laila", "hello from Laila")
		self.until(lambda: self.named("Laila").unread_count == 0, "read")
		self.write_answer("half an answer")
		self.open("Omar", "hello from Omar")
		self.until(lambda: any("half an answer" in text for text in self.texts(".kin-preview")), "the draft")
		self.js("document.activeElement.blur()")
		self.press("u", "KeyU")
		self.until(lambda: self.named("Omar").unread_count == 1 and self.place() == "/app/khalifa-inbox")
		self.until(
			lambda: (
				"unread"
				in self.js("return document.querySelector(arguments[0]).className", self.line("Omar"))
			)
		)
		self.menu("Samy", "unpin")
		self.until(lambda: self.is_listed("Omar", "Laila", "Samy"))

	def line(self, name: str) -> str:
		return f".kin-line[data-ticket='{self.named(name).name}']"

	def place(self) -> str:
		return self.js("return location.pathname")

	def test_the_pill_counts_down_and_then_up(self) -> None:
		self.enter(MONA)
		self.until(lambda: len(self.texts(".kin-wait")) == 3)
		self.assertTrue(all(text.endswith("left") for text in self.texts(".kin-line .kin-wait")))
		late = now_ms() - 40 * MINUTE
		state = {
			"waiting_since_ms": late,
			"due_by_ms": late + 15 * MINUTE,
			"late_soon_ms": late + 10 * MINUTE,
		}
		frappe.db.set_value("Khalifa Ticket", self.named("Samy").name, state, update_modified=False)
		frappe.db.commit()
		self.click(".kin-tab", "Delayed")
		self.until(
			lambda: self.is_listed("Samy") and self.texts(".kin-line .kin-wait.bad")[0].endswith("over")
		)


class TestSeveralAtOnce(ListPageCase):
	def test_ticked_ones_are_closed_and_what_was_not_is_said(self) -> None:
		self.answer("Samy")
		self.enter(MONA)
		self.until(lambda: len(self.lines()) == 3)
		self.tick("Samy", "Laila")
		self.until(lambda: "2 ticked" in self.page_text())
		self.click(".kin-bulk [data-bulk=close]")
		self.click(".kin-bulk-go")
		self.until(lambda: "1 closed. 1 not, for these reasons:" in self.page_text())
		self.assertIn("Laila", self.texts(".kin-bulk-outcome li")[0])
		self.assertIn("waits for an answer", self.texts(".kin-bulk-outcome li")[0])
		self.assertEqual(
			(self.named("Samy").status, self.named("Laila").status), (records.CLOSED, records.OPEN)
		)
		self.until(lambda: sorted(self.lines()) == ["Laila", "Omar"])
		self.click(".kin-undo")
		self.until(lambda: "1 reopened." in self.page_text())
		self.assertNotEqual(self.named("Samy").status, records.CLOSED)

	def test_by_keys_all_of_a_list_are_tagged(self) -> None:
		self.enter(MONA)
		self.until(lambda: len(self.lines()) == 3)
		self.js("document.querySelector('.kin-lines').focus()")
		self.press("a", "KeyA", 2)
		self.until(lambda: "3 ticked" in self.page_text())
		self.click(".kin-bulk [data-bulk=tag]")
		self.type_into(".kin-bulk-form input", "Regular")
		self.click(".kin-bulk-go")
		self.until(lambda: "3 tagged." in self.page_text())
		tags = frappe.get_all("Khalifa Customer", pluck="_user_tags")
		self.assertEqual(tags, [",Regular"] * 3)
		self.click(".kin-bulk-done")
		self.js("document.querySelector('.kin-lines').focus()")
		self.press("ArrowDown", "ArrowDown")
		self.press("ض", "KeyX")  # as an Arabic keyboard sends the key
		self.until(lambda: "1 ticked" in self.page_text())
		self.press("Escape", "Escape")
		self.until(lambda: "1 ticked" not in self.page_text())

	def test_a_manager_hands_several_on(self) -> None:
		self.online(self.ali)
		self.enter(HUDA)
		self.click(".kin-tab", "All")
		self.until(lambda: len(self.lines()) == 3)
		self.tick("Samy", "Omar")
		self.click(".kin-bulk [data-bulk=transfer]")
		self.choose(".kin-bulk-form select", f"agent:{self.ali}")
		self.type_into(".kin-bulk-form input", "his customers")
		self.click(".kin-bulk-go")
		self.until(lambda: "2 transferred." in self.page_text())
		self.assertEqual(
			[self.named(name).agent for name in ("Samy", "Omar", "Laila")], [self.ali, self.ali, self.mona]
		)

	def wants_next(self) -> bool:
		kept = frappe.db.get_value("DefaultValue", {"parent": MONA, "defkey": "khalifa_inbox"}, "defvalue")
		return bool(json.loads(kept or "{}").get("opens_next"))

	def test_closing_opens_the_next_one_for_whoever_wants_it(self) -> None:
		for name in ("Samy", "Laila", "Omar"):
			self.answer(name)
		self.enter(MONA)
		self.until(lambda: len(self.lines()) == 3)
		self.click(".kin-narrow")
		self.click(".kin-opens-next")
		self.until(self.wants_next, "it is kept")
		second, third = self.lines()[1:]
		self.open(second, f"hello from {second}")
		self.click(".kin-actions button", "Close")
		self.click(".modal.show .btn-primary", "Close")
		self.until(lambda: self.named(second).status == records.CLOSED)
		self.until(lambda: self.texts(".kin-thread-head .kin-name") == [third], "the next one is open")


class TestHits(ListPageCase):
	def test_a_hit_leads_to_its_message_however_old(self) -> None:
		ticket = self.named("Samy")
		mona = Actor(user=MONA, full_name="Mona Adel", agent=self.mona, branch=self.north)
		for number in range(70):
			body = "the needle" if number == 3 else f"straw {number}"
			answers.note(on_site(), mona, ticket.name, body, now_ms() + number, f"n-{number}")
		frappe.db.commit()
		self.enter(MONA)
		self.until(lambda: len(self.lines()) == 3)
		self.click(".kin-tab", "Closed")
		self.type_into(".kin-search", "needle")
		self.until(lambda: self.texts(".kin-line mark") == ["needle"], "found from another tab")
		self.click(".kin-line")
		in_sight = """const bubble = [...document.querySelectorAll('.kin-log .kin-bubble')]
			.find(one => one.textContent.includes('the needle')); if (!bubble) return false;
			const box = document.querySelector('.kin-log').getBoundingClientRect();
			const { top, bottom } = bubble.getBoundingClientRect();
			return top >= box.top && bottom <= box.bottom;"""
		self.until(lambda: self.js(in_sight), "the message itself")


class TestTheWindow(ListPageCase):
	def test_a_change_draws_one_line_and_the_place_is_kept(self) -> None:
		for number in range(60):
			self.customer_writes(
				f"line {number}", f"+2010055500{number:02}", f"m-{number}", f"Name {number:02}"
			)
		frappe.db.sql("UPDATE `tabKhalifa Ticket` SET agent = %s, status = 'Open'", self.mona)
		frappe.db.commit()
		self.enter(MONA)
		self.until(lambda: len(self.lines()) > 20)
		self.js("document.querySelector('.kin-lines').scrollTop = 1600")
		self.until(lambda: self.js("return !!document.querySelector('[aria-posinset=\"25\"]')"))
		shown = "return [...document.querySelectorAll('.kin-line')].map(one => one.dataset.ticket)"
		kept = self.js(shown)
		self.js("""window.khalifa_drawn = new Set(); new MutationObserver(all => all.forEach(one => {
			const line = (one.target.closest ? one.target : one.target.parentElement).closest('.kin-line');
			if (line) window.khalifa_drawn.add(line.dataset.ticket);
		})).observe(document.querySelector('.kin-lines'),
			{subtree: true, childList: true, characterData: true});""")
		name = self.only(records.Ticket, name=kept[25]).customer_name
		phone = self.only(records.Customer, customer_name=name).phone
		before = self.js(
			f"return document.querySelector('[data-ticket=\"{kept[21]}\"]').getBoundingClientRect().top"
		)
		self.customer_writes("something new", phone, "m-new", name)
		self.until(lambda: self.js(shown)[:1] != kept[:1] or kept[25] not in self.js(shown), "it moved up")
		after = self.js(
			f"return document.querySelector('[data-ticket=\"{kept[21]}\"]').getBoundingClientRect().top"
		)
		self.assertAlmostEqual(before, after, delta=1)
		drawn = self.js("return [...window.khalifa_drawn]")
		self.assertLessEqual(len(drawn), 3, "its own line, and pills whose minute passed meanwhile")

	def test_on_a_phone_everything_can_be_hit_with_a_finger(self) -> None:
		self.as_phone()
		self.enter(MONA)
		self.until(lambda: len(self.lines()) == 3)
		self.tick("Samy")
		self.click(".kin-narrow")
		self.until(lambda: self.is_shown(".kin-filters"))
		small = """const all = '.kin-list button, .kin-list select, .kin-list input';
			return [...document.querySelectorAll(all)]
				.filter(one => one.offsetParent && one.type !== 'checkbox' && one.offsetHeight < 40)
				.map(one => `${one.className} ${one.offsetHeight}`)"""
		self.assertEqual(self.js(small), [])
		wide = "const list = document.querySelector('.kin-list'); return list.scrollWidth - list.clientWidth"
		self.assertLessEqual(self.js(wide), 0, "nothing sticks out")
