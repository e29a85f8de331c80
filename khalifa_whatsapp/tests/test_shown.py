"""What gateways post is seen in words: in the list, in the thread, in quotes and in search."""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.tests.case import HUDA
from khalifa_whatsapp.tests.test_inbox import InboxCase
from khalifa_whatsapp.tests.webhook_case import CORPUS, META_SECRET, make_device, post_meta, post_shop

HTML = "<b>سامي</b>"


class TestWhatCameIsSeen(InboxCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_device(
			"Meta", "cloud_api", phone_number_id="600100200300400", access_token="t", app_secret=META_SECRET
		)
		shop = make_device("Shop", "wppconnect", base_url="http://127.0.0.1:21465", session_name="shop1")
		cls.k = shop.new_webhook_secret()["url"].rpartition("k=")[2]
		frappe.db.commit()

	def setUp(self) -> None:
		super().setUp()
		if not (CORPUS / "cloud_api").exists():
			self.skipTest("no corpus beside this copy of the app")

	def come(self, gateway: str, *names: str) -> None:
		"""These deliveries arrive at the webhook, and are taken in."""
		for name in names:
			raw = (CORPUS / gateway / f"{name}.json").read_bytes()
			answer = post_meta(raw) if gateway == "cloud_api" else post_shop(raw, self.k)
			self.assertEqual(answer.status, 200)
		with self.quiet():
			intake.run("Meta" if gateway == "cloud_api" else "Shop")

	def line(self) -> str:
		(row,) = self.ask(HUDA, "conversations", view="all")["rows"]
		self.assertNotIn("preview_label", row)
		return row["preview"]

	def messages(self) -> list[dict[str, Any]]:
		items = self.ask(HUDA, "thread", ticket=self.only(records.Ticket).name)["items"]
		return [item for item in items if item["kind"] == "message"]

	def parts(self) -> list[tuple[str, ...]]:
		"""The last message's parts, without what is empty in them."""
		keys = ("kind", "text", "label", "value")
		return [
			tuple(part[key] for key in keys if part[key]) + tuple(part["lines"])
			for part in self.messages()[-1]["parts"]
		]

	def test_a_filled_form_shows_its_fields_in_their_order_and_as_text(self) -> None:
		self.come("cloud_api", "interactive_nfm_reply_nested")
		self.assertEqual(
			self.parts(),
			[
				("field", "screen 0 Name 0", HTML),
				("field", "items", "باراسيتامول, فيتامين سي"),
				("field", "delivery", "✓"),
			],
		)
		self.assertIn("باراسيتامول", self.line())
		self.assertNotIn("Sent", json.dumps(self.messages()[0]["parts"]))
		lines = self.ask(HUDA, "conversations", view="all", search="باراسيتامول")["rows"]
		self.assertEqual(len(lines), 1)

	def test_an_advertisement_and_a_product_are_shown_and_found(self) -> None:
		self.come("cloud_api", "text_referral")
		self.assertEqual(self.parts()[0][:2], ("ad", "عرض الشتاء"))
		self.assertTrue(self.line().startswith("شفت الإعلان · 📢"))
		self.come("cloud_api", "text_product_question")
		self.assertEqual(self.parts(), [("fact", "Asks about the product", "SKU-9"), ("text", "متوفر؟")])
		self.assertEqual(self.line(), "متوفر؟ · 🛍 SKU-9")
		self.assertEqual(len(self.ask(HUDA, "conversations", view="all", search="sku-9")["rows"]), 1)

	def test_what_can_not_be_shown_says_what_it_is_and_where_it_can_be_read(self) -> None:
		ask, phone = "Ask the customer to send it in another way.", "It can be read on the phone."
		for gateway, name, said, advice in (
			("cloud_api", "unsupported", "Poll", ask),
			(
				"cloud_api",
				"unsupported_too_big",
				"A file that WhatsApp could not deliver: too big or damaged",
				ask,
			),
			(
				"cloud_api",
				"video_that_could_not_be_fetched",
				"A file that WhatsApp could not deliver: too big or damaged",
				ask,
			),
			("cloud_api", "unknown_type", "A kind of message that is not known here", ask),
			(
				"wppconnect",
				"image_view_once",
				"A picture, video or voice message that can be opened once",
				phone,
			),
			("wppconnect", "ciphertext", "A message that has not arrived yet", phone),
		):
			with self.subTest(name):
				self.setUp()
				self.come(gateway, name)
				self.assertEqual(self.parts(), [("note", said), ("note", advice)])
				self.assertTrue(self.line().endswith(said), self.line())

	def test_contacts_have_names_or_at_least_a_number(self) -> None:
		for gateway, name, card in (
			("cloud_api", "contacts_company_only", ("صيدلية النيل", "+20 50 2345678")),
			("cloud_api", "contacts_phones_only", ("201223456789", "+20 12 23456789")),
			("wppconnect", "vcard_quoted_printable", ("أحمد علي", "+201223456789")),
			("wppconnect", "vcard_unreadable", ("أحمد",)),
		):
			with self.subTest(name):
				self.setUp()
				self.come(gateway, name)
				self.assertEqual(self.parts(), [("card", *card)])
				self.assertEqual(self.line().replace(" ", ""), f"👤{''.join(card)}".replace(" ", ""))

	def test_a_call_is_one_line_and_a_missed_one_waits(self) -> None:
		self.come("cloud_api", "calls_missed", "calls_connect", "calls_missed")
		(message,), ticket = self.messages(), self.only(records.Ticket)
		self.assertEqual([part["label"] for part in message["parts"]], ["Missed call", "Video call"])
		self.assertEqual(
			(self.line(), ticket.status, bool(ticket.waiting_since_ms)),
			("📞 Missed call", records.QUEUED, True),
		)
		self.assertTrue(self.ask(HUDA, "thread", ticket=ticket.name)["service_window"]["until_ms"])
		self.setUp()
		self.come("cloud_api", "calls_connect", "calls_answered")
		self.assertEqual(self.parts()[-1], ("fact", "Length", "3:05"))
		self.assertEqual(self.only(records.Ticket).waiting_since_ms, None)
		self.setUp()
		self.come("wppconnect", "incomingcall_video", "call_log")
		self.assertEqual((len(self.messages()), self.line()), (1, "📞 The customer called"))
		self.assertTrue(self.only(records.Ticket).waiting_since_ms)

	def test_what_was_typed_on_the_phone_keeps_its_quote_place_and_card(self) -> None:
		self.come("cloud_api", "text", "smb_message_echoes_details")
		answer, place, card = [item for item in self.messages() if item["origin"] == "Phone"]
		self.assertEqual(answer["reply_to"]["body"], "عايز أعرف السعر 😀")
		self.assertEqual(place["parts"][0]["point"], [31.04, 31.37])
		self.assertEqual([part["label"] or part["text"] for part in card["parts"]], ["Forwarded", "د. منى"])

	def test_the_message_takes_the_place_of_the_news_of_it(self) -> None:
		self.come("cloud_api", "edit")
		self.assertEqual((self.line(), self.messages()[0]["is_edited"]), ("⏳ التصحيح", 1))
		raw = json.loads((CORPUS / "cloud_api" / "text.json").read_bytes())
		raw["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = "wamid.FAKEIN0002"
		post_meta(json.dumps(raw).encode())
		with self.quiet():
			intake.run("Meta")
		(message,) = self.messages()
		self.assertEqual(
			(message["content_type"], message["body"], self.line()), ("text", "التصحيح", "التصحيح")
		)

	def test_everything_recorded_is_shown_as_text(self) -> None:
		for gateway in ("cloud_api", "wppconnect"):
			self.come(gateway, *(path.stem for path in sorted((CORPUS / gateway).glob("*.json"))))
		for row in self.ask(HUDA, "conversations", view="all", limit=50)["rows"]:
			self.assertTrue(row["preview"].strip(), row)
			thread = self.ask(HUDA, "thread", ticket=row["ticket"], limit=100)
			for item in thread["items"]:
				if item["kind"] == "message":
					self.assertTrue(item["parts"] or item["file"], item)
					self.assertNotIn("[object", json.dumps(item))
