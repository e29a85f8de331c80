"""Ways through the inbox: keys of any keyboard, Back, cards, search, quick replies, notifications,
and what opening costs.
"""

from __future__ import annotations

import frappe
from frappe.utils.password import update_password

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA, PASSWORD
from khalifa_whatsapp.tests.contrast import FAINT
from khalifa_whatsapp.tests.inbox_page import INBOX, LAILA, MESSAGES, InboxPageCase
from khalifa_whatsapp.tests.records import make_user
from khalifa_whatsapp.tests.test_inbox_troubles import TwoCustomers

CLERK = "kw-clerk@example.com"
CTRL, SHIFT = 2, 8
ARABIC = {"j": "ت", "k": "ن", "r": "ق", "n": "ى", "t": "ف", "e": "ث", "q": "ض"}
RECEIVED = """window.khalifa_shown = []; window.Notification = class { static permission = "granted";
	constructor(title, { tag }) { window.khalifa_shown.push(tag); } };
	localStorage.setItem("khalifa_notify", "1");"""


class TestKeys(TwoCustomers):
	def arabic(self, letter: str) -> None:
		self.js("document.activeElement.blur()")
		self.press(ARABIC[letter], f"Key{letter.upper()}")

	def opened(self) -> str:
		return "".join(self.texts(".kin-thread-head .kin-name"))

	def dialog(self) -> str:
		return self.js("return window.cur_dialog?.display ? cur_dialog.title : ''")

	def close_dialog(self) -> None:
		self.until(self.dialog)
		self.js("cur_dialog.hide()")
		self.until(lambda: not self.dialog() and not self.texts(".modal.show"))

	def test_an_arabic_keyboard_has_all_keys(self) -> None:
		self.enter(MONA)
		self.until(lambda: len(self.texts(".kin-line")) == 2)
		self.arabic("j")
		self.until(lambda: self.opened() == "Laila")
		self.arabic("j")
		self.until(lambda: self.opened() == "Samy" and "hello" in self.texts(MESSAGES))
		self.arabic("k")
		self.until(lambda: self.opened() == "Laila" and "good morning" in self.texts(MESSAGES))
		self.arabic("n")
		self.assertTrue(self.is_note())
		self.arabic("r")
		self.assertFalse(self.is_note())
		self.assertTrue(self.js("return document.activeElement.matches('.kin-input')"))
		for letter, title in (("t", "Transfer the Conversation"), ("e", "Close the Conversation")):
			self.arabic(letter)
			self.until(lambda title=title: self.dialog() == title, title)
			self.close_dialog()
		self.js("document.activeElement.blur()")
		self.press("ظ", "Slash")
		self.assertTrue(self.js("return document.activeElement.matches('.kin-search')"))
		self.js("document.activeElement.blur()")
		self.press("؟", "Slash", SHIFT)
		self.until(lambda: self.dialog() == "Keys")
		self.close_dialog()

	def test_no_key_acts_behind_a_dialog_or_into_a_text(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.arabic("e")
		self.until(lambda: self.dialog() == "Close the Conversation")
		self.js("document.activeElement.blur()")
		self.press("ف", "KeyT")
		self.assertEqual(self.dialog(), "Close the Conversation")
		self.close_dialog()
		self.js("document.querySelector('.kin-input').focus()")
		self.press("ث", "KeyE")
		self.assertEqual(self.dialog(), "")

	def test_quick_replies_come_by_a_key_and_ask_for_what_nobody_knows(self) -> None:
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "Khalifa Reply Template")
		old = frappe.get_doc(
			doctype="Khalifa Reply Template", shortcut="price", title="Price", body="x"
		).insert()
		frappe.db.set_value(
			"Khalifa Reply Template", old.name, "body", "{customer}: {price} at {{branch}} {}"
		)
		frappe.db.commit()
		self.enter(MONA)
		self.open("Samy", "hello")
		self.arabic("q")
		self.until(lambda: self.texts(".kin-popup b") == ["/price"], "by a key of the page")
		self.press("Escape", "Escape")
		self.write_answer("Sir, ")
		self.press("ظ", "Slash", CTRL)
		self.until(lambda: self.is_shown(".kin-popup"), "by a key while writing")
		self.click(".kin-popup button")
		self.until(lambda: self.dialog() == "Fill In")
		self.js("cur_dialog.set_value('blank_0', '50')")
		self.click(".modal.show .btn-primary", "Insert")
		self.until(lambda: self.written() == "Sir, Samy: 50 at North {}", "filled in where one writes")


class TestWaysBack(TwoCustomers):
	def place(self) -> str:
		return self.js("return location.pathname")

	def test_back_on_a_phone_leads_from_the_customer_to_the_thread_to_the_list(self) -> None:
		self.as_phone()
		self.enter(MONA)
		self.open("Samy", "hello")
		self.assertFalse(self.is_shown(".kin-list"))
		self.click(".kin-who")
		self.until(lambda: self.is_shown(".kin-panel"))
		self.js("history.back()")
		self.until(lambda: self.is_shown(".kin-log") and not self.is_shown(".kin-panel"))
		self.js("history.back()")
		self.until(lambda: self.is_shown(".kin-list") and not self.is_shown(".kin-thread"))
		self.assertEqual(self.place(), INBOX)
		self.open("Laila", "good morning")
		self.click(".kin-who")
		self.click(".kin-panel-close")
		self.until(lambda: self.is_shown(".kin-log"))
		self.click(".kin-back")
		self.until(lambda: self.is_shown(".kin-list") and not self.is_shown(".kin-thread"))
		self.assertEqual(self.place(), INBOX)
		self.js("history.forward()")
		self.until(
			lambda: "good morning" in self.texts(MESSAGES) and self.is_shown(".kin-log"), "and forward"
		)

	def test_the_page_s_own_back_works_for_who_came_by_an_address(self) -> None:
		ticket = self.ticket_named("Samy")
		self.as_phone()
		self.sign_in(MONA)
		self.go(f"{INBOX}/{ticket}", ".kin-bubble")
		self.click(".kin-back")
		self.until(lambda: self.is_shown(".kin-list") and self.place() == INBOX)

	def test_the_card_of_delayed_customers_opens_them(self) -> None:
		self.enter(HUDA, f"{INBOX}/delayed")
		self.until(
			lambda: self.texts(".kin-tab.active") and self.texts(".kin-tab.active")[0].startswith("Delayed")
		)
		card = self.as_(HUDA).call("khalifa_whatsapp.api.cards.delayed_now").message
		self.js("frappe.set_route(arguments[0])", ["khalifa-inbox", "queue"])
		self.until(lambda: self.texts(".kin-tab.active")[0].startswith("Queue"))
		self.js("frappe.set_route(arguments[0])", card["route"])
		self.until(lambda: self.texts(".kin-tab.active")[0].startswith("Delayed"))
		self.click(".kin-tab", "All")
		self.until(lambda: self.place() == INBOX, "the address says what is shown")


class TestCosts(TwoCustomers):
	def test_a_conversation_is_opened_by_one_request(self) -> None:
		self.enter(MONA)
		self.until(lambda: len(self.texts(".kin-line")) == 2)
		self.settle()
		self.watch()
		self.open("Samy", "hello")
		self.until(lambda: self.texts(".kin-panel h6"), "the customer beside it")
		self.until(lambda: self.only(records.Ticket, customer_name="Samy").unread_count == 0, "read")
		self.until(lambda: len(self.texts(".kin-badge")) == 1, "in the list too")
		self.settle()
		heartbeats = {"agents.heartbeat"}  # each minute, whatever is open
		self.assertEqual([one for one in self.asked() if one not in heartbeats], ["inbox.open_conversation"])


class TestSearch(TwoCustomers):
	def find(self, terms: str) -> None:
		self.js(
			"const box = document.querySelector('.kin-search'); box.value = arguments[0]; "
			"box.dispatchEvent(new Event('input'))",
			terms,
		)

	def lines(self) -> list[tuple[str, str]]:
		names, tags = self.texts(".kin-line .kin-name"), self.texts(".kin-line .kin-agent .kin-tag")
		return sorted(zip(names, tags, strict=True)) if len(names) == len(tags) else []

	def test_a_customer_is_found_wherever_the_conversation_is(self) -> None:
		self.done(MONA, "close", ticket=self.ticket_named("Laila"), reason="no_reply_needed")
		self.online(self.ali)
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET presence = 'Offline'")
		frappe.db.commit()
		self.customer_writes("good evening", "+201112223334", "in-9", "Laila Aziz")
		self.enter(MONA, f"{INBOX}/delayed")
		self.find("laila")
		self.until(
			lambda: self.lines() == [("Laila", "Closed"), ("Laila Aziz", "Queue")],
			"in other lists than the open one",
		)
		self.assertEqual(self.texts(".kin-tab.active"), [])
		self.find("good")
		self.until(
			lambda: sorted(self.texts(".kin-line mark")) == ["good", "good"], "words of messages, marked"
		)
		self.assertIn("good morning", " ".join(self.texts(".kin-line .kin-preview")))
		self.find("1119876543")
		self.until(lambda: self.texts(".kin-line mark") == [LAILA], "a number")
		self.find("nobody at all")
		self.until(lambda: "Nothing was found in any conversation that you may see." in self.page_text())
		self.enter(ALI)
		self.find("laila")
		self.until(lambda: self.lines() == [("Laila Aziz", "Queue")], "what one may not see is not found")
		self.click(".kin-tab", "Closed")
		self.until(lambda: "There is nothing here." in self.page_text(), "a list again")
		self.assertEqual(self.js("return document.querySelector('.kin-search').value"), "")


class TestClocks(InboxPageCase):
	def test_moments_are_those_of_the_site_whatever_the_browser_s_zone(self) -> None:
		self.online(self.mona)
		self.customer_writes("hello")
		self.cdp("Emulation.setTimezoneOverride", timezoneId="Pacific/Kiritimati")
		self.addCleanup(self.cdp, "Emulation.setTimezoneOverride", timezoneId="")
		self.enter(MONA)
		self.open("Samy", "hello")
		stored = frappe.db.get_value("Khalifa Message", {"body": "hello"}, "sent_on")
		self.assertIn(stored.strftime("%H:%M"), self.texts(".kin-bubble time"))
		self.assertEqual(self.texts(".kin-day"), ["Today"])


class TestContrast(TwoCustomers):
	def test_every_text_of_the_page_can_be_read_in_both_themes(self) -> None:
		late = {"waiting_since_ms": now_ms() - 17 * 60_000, "response_by_ms": now_ms() - 60_000}
		frappe.db.set_value("Khalifa Ticket", self.ticket_named("Laila"), late)
		ticket = self.ticket_named("Samy")
		for status in (records.READ, records.FAILED, records.UNKNOWN):
			sent = self.done(MONA, "reply", ticket=ticket, body=status, client_key=self.key())["message"]
			frappe.db.set_value("Khalifa Message", sent, {"status": status, "error_text": "no"})
		self.done(MONA, "note", ticket=ticket, body="he never pays")
		frappe.db.commit()
		self.enter(MONA)
		self.until(lambda: self.texts(".kin-badge") and self.texts(".kin-count.bad"))
		self.check("the list")
		self.open("Samy", "hello")
		self.write_answer("yes?")
		with self.offline():
			self.click(".kin-send")
			self.until(lambda: self.texts(".kin-above .kin-trouble"))
		self.as_(HUDA).call("khalifa_whatsapp.api.agents.set_presence", presence="Offline", agent=self.mona)
		self.until(lambda: self.is_shown(".kin-banner"))
		self.check("a conversation with everything")

	def check(self, what: str) -> None:
		for theme in ("light", "dark"):
			self.js("document.documentElement.setAttribute('data-theme', arguments[0])", theme)
			self.js("return new Promise(done => setTimeout(done, 400))")
			self.assertEqual(self.js(FAINT, ".khalifa-inbox-page", 4.5), [], f"{what}, {theme}")

	def test_the_check_itself_can_fail(self) -> None:
		self.enter(MONA)
		self.until(lambda: self.texts(".kin-badge"))
		# the same over white, whose contrast with white everybody knows
		for grey in (
			"#777",
			"rgb(0 0 0 / 53.333%)",
		):
			self.js("document.querySelector('.kin-badge').style.background = arguments[0]", grey)
			[[ratio, text, _where]] = self.js(FAINT, ".kin-badge", 4.5)
			self.assertAlmostEqual(ratio, 4.48, delta=0.03)
			self.assertEqual(text, "1")


class TestDecimals(InboxPageCase):
	def test_minutes_are_shown_as_they_were_written(self) -> None:
		self.sign_in(HUDA)
		self.go("/app/khalifa-settings", ".form-page")
		shown = "const field = cur_frm.get_field(arguments[0]); return field.format_for_input(field.value)"
		self.until(lambda: self.js("return cur_frm?.doc?.delay_minutes === 15"))
		self.assertEqual(self.js("return cur_frm.get_field('delay_minutes').$input.val()"), "15")
		self.assertEqual(
			[self.js(shown, name) for name in ("pending_load", "response_target_minutes")], ["0.25", "3"]
		)


class TestEverywhereInDesk(InboxPageCase):
	def setUp(self) -> None:
		super().setUp()
		make_user(CLERK, "Clerk", "Blogger")
		update_password(CLERK, PASSWORD)
		frappe.db.commit()

	def test_an_agent_is_notified_of_a_customer_on_a_page_where_the_inbox_was_never_open(self) -> None:
		self.online(self.mona)
		self.sign_in(MONA)
		self.js(RECEIVED)
		self.go("/app/khalifa-reply-template", ".page-head")
		self.js(RECEIVED)
		self.until(
			lambda: self.js("return khalifa.desk.connection.is_up && frappe.realtime.socket.connected")
		)
		self.customer_writes("hello")
		ticket = self.only(records.Ticket).name
		self.until(lambda: self.js("return window.khalifa_shown") == [ticket], "the notification", 15)

	def test_who_asked_for_none_is_asked_for_nothing(self) -> None:
		self.online(self.mona)
		self.sign_in(MONA)
		self.go("/app/khalifa-reply-template", ".page-head")
		self.settle()
		self.watch()
		self.customer_writes("hello")
		self.until(lambda: self.only(records.Ticket).unread_count == 1)
		frappe.db.set_value("Khalifa Agent", self.mona, "presence", "Away")
		self.js("return new Promise(done => setTimeout(done, 3000))")
		self.assertEqual([one for one in self.asked() if one.startswith("inbox.")], [])

	def test_for_who_has_none_of_our_roles_nothing_is_asked_and_nothing_listened_to(self) -> None:
		self.sign_in(CLERK)
		self.go("/app/todo", ".page-head")
		self.settle()
		self.watch()
		state = self.js("""const ours = name => name.startsWith("khalifa") || name.startsWith("Khalifa");
			return [!!khalifa.desk.is_started, Object.keys(frappe.realtime.socket._callbacks || {})
				.filter(name => name.includes("khalifa"))]""")
		self.assertEqual(state, [False, []])
		entries = self.js("return performance.getEntriesByType('resource').map(one => one.name)")
		self.assertEqual([one for one in entries if "/api/method/khalifa" in one], [])


class TestWhoCantWorkYet(InboxPageCase):
	def test_an_agent_without_a_record_reads_what_is_missing_and_who_can_mend_it(self) -> None:
		new = "kw-new@example.com"
		make_user(new, "New", "WhatsApp Agent")
		update_password(new, PASSWORD)
		frappe.db.commit()
		self.sign_in(new)
		self.go(INBOX, ".kin-notice")
		self.assertIn("there is no agent record with your name yet", self.page_text())
		self.assertIn("Huda", self.page_text())
		self.assertNotIn(HUDA, self.browser.page_source)
		self.assertEqual(self.texts(".modal.show"), [])

	def test_a_manager_makes_an_own_record_by_a_click(self) -> None:
		self.enter(HUDA)
		self.until(
			lambda: any(
				"Answer Customers Myself" in text for text in self.texts(".menu-btn-group .dropdown-item")
			)
		)
		self.js(
			"[...document.querySelectorAll('.menu-btn-group .dropdown-item')].find(e => "
			"e.textContent.includes('Answer Customers Myself')).click()"
		)
		self.until(lambda: self.js("return cur_frm?.doctype === 'Khalifa Agent' && cur_frm.doc.user") == HUDA)
		self.assertEqual(self.js("return cur_frm.doc.employee_name"), "Huda")
