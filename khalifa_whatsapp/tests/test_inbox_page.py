"""The inbox in a real Chromium against the site's own web server: a day at the desk,
and what must stay text.
"""

from __future__ import annotations

import time

import frappe

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import outbox
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA
from khalifa_whatsapp.tests.inbox_page import InboxPageCase

NASTY = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'> {{7*7}} =1+1"
PLAYER = (
	"const player = document.querySelector('.kin-bubble.out audio'); if (player) player.preload = 'auto';"
)
MESSAGES = ".kin-log .kin-bubble .kin-text"


class TestTheInboxPage(InboxPageCase):
	# -- a day

	def test_a_message_comes_while_the_page_is_open_and_is_answered_and_handed_on(self) -> None:
		self.online(self.mona)
		self.online(self.ali)
		frappe.db.set_value("Khalifa Agent", self.ali, "presence", "Away")
		frappe.db.commit()
		self.enter(MONA)
		self.customer_writes("عايز أعرف السعر")
		ticket = self.until(lambda: self.texts(".kin-line .kin-name") and self.only(records.Ticket))
		self.click(".kin-line")
		self.until(lambda: "عايز أعرف السعر" in self.texts(MESSAGES))
		self.write_answer("السعر 50 جنيه")
		self.click(".kin-send")
		self.until(lambda: "السعر 50 جنيه" in self.texts(MESSAGES))
		self.assertIn("Mona Adel", self.texts(".kin-author bdi"))
		with self.quiet():
			outbox.run(DEVICE)
		self.assertEqual([m.status for m in self.all(records.Message, direction="Outgoing")], [records.SENT])
		self.until(lambda: self.texts(".kin-bubble.out .kin-tick") == ["✓"])
		self.click(".kin-actions button", "Transfer")
		self.click(".modal.show .kin-receiver", "Ali Hassan")
		self.type_into(".modal.show .kin-reason", "his branch")
		self.click(".modal.show .btn-primary", "Transfer")
		self.until(lambda: self.only(records.Ticket, name=ticket.name).agent == self.ali)

	def test_what_a_customer_writes_is_text_everywhere(self) -> None:
		self.online(self.mona)
		self.enter(MONA)
		self.customer_writes(NASTY)
		self.until(lambda: self.texts(".kin-line .kin-preview"))
		self.click(".kin-line")
		self.until(lambda: NASTY in self.texts(MESSAGES))
		self.assertIsNone(self.js("return window.hacked || null"))
		self.assertEqual(
			self.js("return document.querySelectorAll('.khalifa-inbox script, .kin-log img').length"), 0
		)

	def test_a_colleague_s_answer_in_between_is_shown_before_ones_own_goes(self) -> None:
		self.online(self.mona)
		self.customer_writes("hello")
		self.enter(MONA)
		self.click(".kin-line")
		self.until(lambda: "hello" in self.texts(MESSAGES))
		ticket = self.only(records.Ticket).name
		self.as_(HUDA).call(
			"khalifa_whatsapp.api.conversation.reply", ticket=ticket, body="from the manager", client_key="h"
		)
		self.write_answer("mine")
		self.click(".kin-send")
		self.until(lambda: self.texts(".kin-above .kin-trouble"))
		self.assertEqual(
			self.js("return document.querySelector('.kin-input').value"), "mine", "nothing is lost"
		)
		self.until(lambda: "from the manager" in self.texts(MESSAGES))
		self.click(".kin-above button", "Send Anyway")
		self.until(lambda: "mine" in self.texts(MESSAGES))

	def test_what_is_spoken_into_the_page_goes_as_a_voice_message(self) -> None:
		self.online(self.mona)
		self.customer_writes("hello")
		self.enter(MONA)
		self.click(".kin-line")
		self.click(".kin-tool[title='Record a Voice Message']")
		self.until(lambda: self.js("return !!document.querySelector('.kin-tool.recording')"), "it records")
		time.sleep(1.5)
		self.click(".kin-tool.recording")
		self.until(
			lambda: self.js("return document.querySelector('.modal.show audio')?.duration > 1"),
			"it can be heard",
		)
		self.until(lambda: self.js("return !!window.cur_dialog?.display"), "the dialog has faded in")
		self.click(".modal.show .btn-modal-primary", "Send")
		message = self.until(lambda: self.all(records.Message, direction="Outgoing"), "it is sent")[0]
		self.assertEqual((message.content_type, message.mime_type), ("voice", "audio/ogg"))
		content = on_site().read_file(message.file_url)
		self.assertEqual(content[:4] + content[28:36], b"OggSOpusHead")
		self.until(lambda: self.js(f"{PLAYER} return player?.duration > 1"), "it plays")

	def test_a_draft_is_kept_and_a_foreign_conversation_is_not_opened_by_its_address(self) -> None:
		self.online(self.mona)
		self.customer_writes("hello")
		ticket = self.only(records.Ticket).name
		self.enter(MONA, f"/app/khalifa-inbox/{ticket}")
		self.until(lambda: "hello" in self.texts(MESSAGES))
		self.write_answer("half a sen")
		self.browser.refresh()
		self.until(lambda: self.js("return document.querySelector('.kin-input')?.value === 'half a sen'"))
		self.enter(ALI, f"/app/khalifa-inbox/{ticket}")
		time.sleep(2)
		self.assertNotIn("hello", self.browser.page_source)

	def test_a_delayed_customer_is_answered_on_behalf_by_the_manager(self) -> None:
		self.online(self.mona)
		self.customer_writes("anybody there?")
		self.enter(HUDA)
		self.click(".kin-tab", "All")
		self.click(".kin-line")
		self.until(lambda: any("on behalf of Mona Adel" in text for text in self.texts(".kin-behalf")))
		self.write_answer("yes, in a moment")
		self.click(".kin-send")
		self.until(lambda: "Huda, on behalf of Mona Adel" in self.texts(".kin-author bdi"))
		self.assertEqual(self.only(records.Message, direction="Outgoing").on_behalf_of, self.mona)
