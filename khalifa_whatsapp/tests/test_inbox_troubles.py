"""The inbox when something goes wrong: a network that goes, a server that hangs, a session that ends,
and what is written meanwhile.
"""

from __future__ import annotations

import time

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.services.tickets import presence
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA
from khalifa_whatsapp.tests.inbox_page import LAILA, InboxPageCase
from khalifa_whatsapp.tests.pages import hanging, serve

PROBLEM = ".kin-above .kin-trouble"
BANNER = ".kin-banner:not([hidden])"
FOREVER_AGO = 0


class TwoCustomers(InboxPageCase):
	def setUp(self) -> None:
		super().setUp()
		self.online(self.mona)
		self.customer_writes("hello")
		self.customer_writes("good morning", LAILA, "in-2", "Laila")

	def ticket_named(self, name: str) -> str:
		return self.only(records.Ticket, customer_name=name).name


class TestCallsEnd(TwoCustomers):
	def test_without_a_network_the_text_stays_and_goes_once_when_there_is_one(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.write_answer("50 pounds")
		with self.offline():
			self.click(".kin-send")
			self.until(lambda: self.texts(PROBLEM), "a word about it")
			self.assertIn("Your text is kept", self.texts(PROBLEM)[0])
			self.assertEqual((self.written(), self.may_send(), self.answers()), ("50 pounds", True, []))
		self.open("Laila", "good morning")
		self.write_answer("good morning to you")
		self.click(".kin-send")
		self.until(lambda: self.answers() == ["good morning to you"], "another conversation")
		self.open("Samy", "hello")
		self.assertEqual(self.written(), "50 pounds")
		self.click(".kin-send")
		self.until(lambda: self.answers() == ["good morning to you", "50 pounds"], "sent")
		self.until(lambda: self.written() == "" and not self.texts(PROBLEM))

	def test_of_a_server_that_hangs_a_word_is_said_and_what_it_does_later_is_done_once(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.write_answer("50 pounds")
		with hanging(serve()):
			self.click(".kin-send")
			self.until(lambda: self.texts(PROBLEM), "a word about it", 30)
			self.assertEqual((self.written(), self.may_send()), ("50 pounds", True))
			self.open_another_and_return()
		time.sleep(2)  # it may do now what the page gave up
		self.until(
			lambda: self.may_send() or self.click(".kin-log .kin-notice button"),
			"the conversation is there again",
		)
		self.assertEqual(self.written(), "50 pounds", "the page does not know")
		self.click(".kin-send")
		self.until(lambda: self.written() == "", "now it knows")
		time.sleep(1)
		self.assertEqual(self.answers(), ["50 pounds"])

	def open_another_and_return(self) -> None:
		"""While nothing answers: what would have lost the draft's key."""
		for ticket in (self.ticket_named("Laila"), self.ticket_named("Samy")):
			self.js("frappe.pages['khalifa-inbox'].inbox.open(arguments[0])", ticket)

	def test_other_words_after_a_lost_answer_are_not_taken_for_the_first(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.write_answer("50 pounds")
		self.js("""const really = window.fetch; window.fetch = (url, ...rest) => {
			const answer = really(url, ...rest);
			if (!String(url).includes("conversation.reply")) return answer;
			window.fetch = really;
			return answer.then(() => Promise.reject(new TypeError("lost")));
		};""")
		self.click(".kin-send")
		self.until(
			lambda: self.texts(PROBLEM) and self.answers() == ["50 pounds"], "sent, and its answer lost"
		)
		self.write_answer(" each")
		self.click(".kin-send")
		self.until(lambda: "did arrive" in "".join(self.texts(PROBLEM)), "asked")
		self.assertEqual((self.answers(), self.written()), (["50 pounds"], "50 pounds each"))
		self.click(".kin-above button", "Send as Well")
		self.until(lambda: self.answers() == ["50 pounds", "50 pounds each"])

	def test_every_wait_of_the_page_ends_without_a_network(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		with self.offline():
			self.js("frappe.pages['khalifa-inbox'].inbox.open(arguments[0])", self.ticket_named("Laila"))
			self.until(lambda: self.texts(".kin-log .kin-notice button"), "the thread says so, with a way on")
			self.click(".kin-tab", "Queue")
			self.until(lambda: self.texts(".kin-lines .kin-notice button"), "so does the list")
			self.js("frappe.pages['khalifa-inbox'].inbox.live.now('x')")
			time.sleep(1)
		# the page may have asked again by itself already, and then there is no button any more
		self.js("document.querySelector('.kin-lines .kin-notice button')?.click()")
		self.until(lambda: "The queue is empty." in self.page_text())
		self.click(".kin-log .kin-notice button")
		self.until(lambda: "good morning" in self.texts(".kin-log .kin-text"))
		self.customer_writes("still there?", LAILA, "in-3", "Laila")
		self.until(lambda: "still there?" in self.texts(".kin-log .kin-text"), "what comes is shown again")

	def test_a_note_is_kept_and_saved_once_too(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.click(".kin-tool[title=Note]")
		self.write_answer("he pays late")
		with self.offline():
			self.click(".kin-send")
			self.until(lambda: self.texts(PROBLEM))
			self.assertEqual((self.written(), self.is_note()), ("he pays late", True))
		self.click(".kin-send")
		self.until(lambda: self.notes() == ["he pays late"] and self.written() == "")
		self.assertEqual(self.answers(), [])

	def test_who_was_signed_out_is_informed_and_keeps_the_text(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.write_answer("50 pounds")
		frappe.db.delete("Sessions", {"user": MONA})
		frappe.db.commit()
		frappe.clear_cache(user=MONA)
		frappe.cache.delete_value("session")
		self.callers.pop(MONA, None)
		self.click(".kin-send")
		self.until(lambda: "signed out" in "".join(self.texts(PROBLEM)))
		self.assertEqual((self.written(), self.answers()), ("50 pounds", []))

	def test_a_page_that_can_t_begin_says_so_and_tries_again(self) -> None:
		self.enter(MONA)
		self.js("""window.khalifa_really = window.fetch;
			window.fetch = () => Promise.reject(new TypeError("away"));
			frappe.pages['khalifa-inbox'].inbox.start()""")
		self.until(lambda: self.texts(".kin-notice button") == ["Try Again"])
		self.js("window.fetch = window.khalifa_really")
		self.click(".kin-notice button")
		self.until(lambda: self.texts(".kin-line .kin-name"))
		self.open("Samy", "hello")


class TestPresence(TwoCustomers):
	def pill(self) -> str:
		return "".join(self.texts("#page-khalifa-inbox .page-head .indicator-pill:not(.kin-socket)")).strip()

	def test_who_was_set_offline_by_a_manager_sees_it_and_by_whom_and_comes_back_by_a_click(self) -> None:
		self.enter(MONA)
		self.until(lambda: self.pill() == "Online")
		answer = self.as_(HUDA).call(
			"khalifa_whatsapp.api.agents.set_presence", presence="Offline", agent=self.mona
		)
		self.assertEqual(answer.status, 200, answer.text)
		self.until(lambda: "Huda set you offline." in "".join(self.texts(BANNER)), "the banner", 10)
		self.assertEqual(self.pill(), "Offline")
		self.click(".kin-banner button", "Go Online")
		self.until(lambda: frappe.db.get_value("Khalifa Agent", self.mona, "presence") == "Online")
		self.until(lambda: self.pill() == "Online" and not self.texts(BANNER))

	def test_who_was_silent_for_too_long_is_informed_so(self) -> None:
		self.enter(MONA)
		self.until(lambda: self.pill() == "Online")
		self.until(self.is_swept, "the sweep, between two heartbeats of the page")
		self.until(lambda: "was not heard of" in "".join(self.texts(BANNER)), "the banner", 20)

	def is_swept(self) -> bool:
		"""Let the page have been silent, and sweep: a heartbeat that comes in between says otherwise."""
		frappe.db.set_value("Khalifa Agent", self.mona, "heartbeat_ms", FOREVER_AGO)
		frappe.db.commit()
		with self.quiet():
			presence.sweep(on_site(), now_ms())
		return frappe.db.get_value("Khalifa Agent", self.mona, "presence") == "Offline"

	def test_the_page_learns_it_from_a_heartbeat_when_its_socket_is_away(self) -> None:
		self.enter(MONA)
		self.until(lambda: self.pill() == "Online")
		self.js("frappe.realtime.socket.disconnect()")
		self.as_(HUDA).call("khalifa_whatsapp.api.agents.set_presence", presence="Away", agent=self.mona)
		self.js("khalifa.desk.connection.beat()")
		self.until(lambda: "Huda set you away." in "".join(self.texts(BANNER)), "the banner", 10)
		self.assertEqual(self.pill(), "Away")

	def test_one_s_own_click_is_no_surprise(self) -> None:
		self.enter(MONA)
		self.js("khalifa.desk.standing.set('Away')")
		self.until(lambda: self.pill() == "Away")
		time.sleep(1)
		self.assertEqual(self.texts(BANNER), [])

	def test_whose_record_is_switched_off_meanwhile_reads_who_can_mend_it(self) -> None:
		self.enter(ALI)
		frappe.db.set_value("Khalifa Agent", self.ali, "enabled", 0)
		frappe.db.commit()
		self.js("khalifa.desk.connection.beat()")
		self.until(lambda: "Your agent record is switched off" in self.page_text())
		self.assertIn("Huda", self.page_text())
		frappe.db.set_value("Khalifa Agent", self.ali, "enabled", 1)
		frappe.db.commit()
		frappe.db.set_value("Khalifa Agent", self.ali, "heartbeat_ms", FOREVER_AGO)
		frappe.db.commit()
		self.click(".kin-notice button", "Try Again")
		self.until(lambda: self.texts(".kin-tab"))
		self.until(
			lambda: frappe.db.get_value("Khalifa Agent", self.ali, "heartbeat_ms"),
			"and the page is heard of again",
		)


class TestDrafts(TwoCustomers):
	def test_a_note_comes_back_as_a_note_and_never_reaches_the_customer(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.click(".kin-tool[title=Note]")
		self.write_answer("he never pays")
		self.open("Laila", "good morning")
		self.assertEqual((self.written(), self.is_note()), ("", False))
		self.open("Samy", "hello")
		self.assertEqual((self.written(), self.is_note()), ("he never pays", True))
		self.browser.refresh()
		self.until(lambda: "hello" in self.texts(".kin-log .kin-text"))
		self.assertEqual((self.written(), self.is_note()), ("he never pays", True))
		self.click(".kin-tool[title=Note]")  # by an act of will, and even then it is another text
		self.assertEqual((self.written(), self.is_note()), ("", False))
		self.write_answer("50 pounds")
		self.click(".kin-tool[title=Note]")
		self.assertEqual(self.written(), "he never pays")
		self.click(".kin-tool[title=Note]")
		self.click(".kin-send")
		self.until(lambda: self.answers() == ["50 pounds"])
		self.assertEqual(self.notes(), [])
		self.click(".kin-tool[title=Note]")
		self.assertEqual(self.written(), "he never pays", "and it is still there")

	def test_a_conversation_that_opens_again_makes_no_answer_of_a_note(self) -> None:
		self.done(MONA, "close", ticket=self.ticket_named("Samy"), reason="no_reply_needed")
		ticket = self.ticket_named("Samy")
		self.enter(MONA, f"/app/khalifa-inbox/{ticket}")
		self.until(
			lambda: self.is_note() and self.texts(".kin-closed button"),
			"a closed conversation takes notes only",
		)
		self.write_answer("he never pays")
		self.done(MONA, "reopen", ticket=ticket)
		self.until(lambda: not self.is_shown(".kin-closed"), "opened again")
		self.assertEqual((self.written(), self.is_note()), ("he never pays", True))

	def test_an_answer_that_can_t_go_any_more_is_not_made_a_note(self) -> None:
		ticket = self.ticket_named("Samy")
		self.enter(MONA)
		self.open("Samy", "hello")
		self.write_answer("50 pounds")
		self.done(MONA, "close", ticket=ticket, reason="no_reply_needed")
		self.until(lambda: self.is_shown(".kin-closed"), "closed")
		self.assertEqual((self.written(), self.is_note(), self.may_send()), ("50 pounds", False, False))

	def test_a_quote_is_of_the_answer_and_shows_it(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.click(".kin-tool[title=Note]")
		self.write_answer("he never pays")
		self.js("document.querySelector('.kin-bubble.in .kin-tools button[title=Reply]').click()")
		self.assertEqual(
			(self.written(), self.is_note(), self.texts(".kin-quoting bdi")), ("", False, ["hello"])
		)
		self.write_answer("yes?")
		self.open("Laila", "good morning")
		self.open("Samy", "hello")
		self.assertEqual((self.written(), self.texts(".kin-quoting bdi")), ("yes?", ["hello"]))
		self.click(".kin-send")
		sent = self.until(lambda: self.all(records.Message, direction="Outgoing"))[0]
		self.assertEqual(sent.reply_to, self.only(records.Message, body="hello").message_key)

	def test_a_file_is_no_part_of_a_note(self) -> None:
		self.enter(MONA)
		self.open("Samy", "hello")
		self.click(".kin-tool[title=Note]")
		self.js("""const { composer } = frappe.pages['khalifa-inbox'].inbox;
			composer.files.bring(new File(["x"], "x.txt", { type: "text/plain" }))""")
		time.sleep(1)
		self.assertFalse(self.js("return !!window.cur_dialog?.display"))
		self.assertIn("A note holds no files", self.page_text())
