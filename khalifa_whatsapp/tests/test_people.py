"""Who writes, and whom an answer reaches: from the webhook's bytes to the request that the gateway gets,
and on the pages.
"""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.phones import from_gateway
from khalifa_whatsapp.jobs import duplicates, intake, outbox
from khalifa_whatsapp.patches import fill_identities
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA
from khalifa_whatsapp.tests.records import insert
from khalifa_whatsapp.tests.web import METHOD, Caller
from khalifa_whatsapp.tests.worker import JobCase
from simulation.simulators import wire
from simulation.simulators.cloud_api import CloudApiSimulator
from simulation.simulators.wppconnect import WppConnectSimulator

META, SHOP = "Meta", "Shop"
OLD, NEW = "201001234567", "201119876543"
HERS, HIS = "EG.80000000000000008", "EG.90000000000000001"
CUSTOMERS, INBOX = "khalifa_whatsapp.api.customers.", "khalifa_whatsapp.api.inbox."


def shown(digits: str) -> str:
	"""A number as the installed release of phonenumbers writes it for people."""
	return from_gateway(digits).display()


class PeopleCase(JobCase):
	"""A number of Meta's, with a gateway that keeps what it was asked to send."""

	def setUp(self) -> None:
		super().setUp()
		self.gateway = CloudApiSimulator(now_ms, seed=1)
		self.gateway.start()
		self.addCleanup(self.gateway.stop)
		config = self.gateway.config(META)
		if not frappe.db.exists("WhatsApp Device", META):
			frappe.get_doc(
				doctype="WhatsApp Device",
				device_name=META,
				provider="cloud_api",
				base_url=config.base_url,
				api_version="v26.0",
				phone_number_id=config.phone_number_id,
				business_account_id=config.business_account_id,
				access_token=config.access_token,
				app_secret=config.app_secrets[0],
				verify_token=config.verify_token,
			).insert()
		frappe.db.set_value("WhatsApp Device", META, {"base_url": config.base_url, "breaker_state": "Closed"})
		frappe.db.commit()
		forget_devices()
		self.count = 0

	def say(
		self, person: wire.Person, body: str = "hello", seconds: float = 0, kind: str = "text", **more: Any
	) -> str:
		"""A customer writes, or something is said of him or her."""
		self.count += 1
		content = more.pop("content", {"body": body})
		message = wire.cloud_message(
			person, f"wamid.{self.count}", now_ms() + round(seconds * 1000), kind, content, **more
		)
		value = wire.cloud_value(
			self.gateway.phone_number_id, "1", messages=[message], contacts=[wire.cloud_contact(person)]
		)
		self.post("messages", value)
		return f"wamid.{self.count}"

	def post(self, field: str, value: dict[str, Any]) -> None:
		entry = {"id": self.gateway.account_id, "changes": [{"field": field, "value": value}]}
		raw = wire.cloud_encode({"object": "whatsapp_business_account", "entry": [entry]})
		answer = Caller().send(
			"POST",
			f"{METHOD}khalifa_whatsapp.api.webhook.cloud_api",
			query_string={"device": META},
			data=raw,
			headers=wire.cloud_headers(self.gateway.app_secret, raw),
		)
		self.assertEqual(answer.status, 200, answer.text)
		with self.quiet():
			intake.run(META)

	def change_number(self) -> None:
		self.say(
			wire.Person(OLD),
			kind="system",
			content={"type": "user_changed_number", "wa_id": NEW, "body": "changed"},
		)

	def the_ticket(self) -> records.Ticket:
		(ticket,) = [one for one in self.all(records.Ticket) if one.open_key is not None]
		return ticket

	def answer(self, user: str = MONA, body: str = "answer") -> dict[str, Any]:
		"""An agent answers in the inbox; the request that the gateway got."""
		self.online(self.mona)
		self.keys += 1
		done = self.as_(user).call(
			"khalifa_whatsapp.api.conversation.reply",
			ticket=self.the_ticket().name,
			body=body,
			client_key=f"people-{self.keys}",
		)
		self.assertEqual(done.status, 200, done.text)
		outbox.run(META)
		return self.gateway.sent_log.rows()[-1].payload

	def thread(self, user: str = MONA, ticket: str = "") -> dict[str, Any]:
		self.online(self.mona)
		answer = self.as_(user).read(f"{INBOX}thread", ticket=ticket or self.the_ticket().name)
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message


class TestWhomAnAnswerReaches(PeopleCase):
	def test_after_a_change_of_number_the_gateway_is_given_the_new_one(self) -> None:
		self.say(wire.Person(OLD, "Sara"))
		self.assertEqual(self.answer()["to"], OLD)
		self.change_number()
		shown_thread = self.thread()
		self.assertEqual(shown_thread["ticket"]["answers_to"], shown(NEW))
		self.assertEqual(shown_thread["service_window"]["is_open"], False)
		lines = [
			item["text"]
			for item in shown_thread["items"]
			if item["kind"] == "event" and item["event"] == "number_changed"
		]
		self.assertEqual(len(lines), 1)
		self.assertIn(shown(NEW), lines[0])
		self.say(wire.Person(NEW, "Sara"), seconds=1)
		self.assertEqual(self.answer(body="to the new one")["to"], NEW)
		sent = [item for item in self.thread()["items"] if item.get("direction") == "Outgoing"]
		self.assertEqual([item["identity"] for item in sent], [shown(OLD), shown(NEW)])
		self.assertEqual([sent.payload["to"] for sent in self.gateway.sent_log.rows()], [OLD, NEW])

	def test_a_second_phone_is_answered_when_it_wrote_last(self) -> None:
		self.say(wire.Person(OLD, "Sara"))
		customer = self.the_ticket().customer
		self.online(self.mona)
		self.assertEqual(
			self.as_(MONA).call(f"{CUSTOMERS}link_phone", customer=customer, phone="01119876543").status, 200
		)
		self.assertEqual(self.answer()["to"], OLD)
		self.say(wire.Person(NEW, "Sara"), seconds=1)
		self.assertEqual(self.answer(body="second")["to"], NEW)
		self.assertEqual(len(self.all(records.Customer)), 1)

	def test_one_number_is_said_nowhere(self) -> None:
		self.say(wire.Person(OLD, "Sara", HERS))
		shown_thread = self.thread()
		self.assertEqual(
			(shown_thread["ticket"]["answers_to"], shown_thread["ticket"]["new_holder"]), ("", "")
		)
		self.assertEqual(
			[item["identity"] for item in shown_thread["items"] if item["kind"] == "message"], [""]
		)

	def test_the_panel_distinguishes_a_number_that_was_given_up_from_one_in_use(self) -> None:
		self.say(wire.Person(OLD, "Sara"))
		self.change_number()
		self.online(self.mona)
		panel = self.as_(MONA).read(f"{INBOX}customer", ticket=self.the_ticket().name).message
		self.assertEqual((panel["phones"], panel["former_phones"]), ([f"+{NEW}"], [f"+{OLD}"]))

	def test_who_hides_the_number_is_known_by_the_status_of_our_answer(self) -> None:
		self.say(wire.Person(OLD, "Sara"))
		self.gateway.know(wire.Person(OLD, "Sara", HERS))
		self.answer()
		for post in self.gateway.take(everything=True):
			Caller().send(
				"POST",
				f"{METHOD}khalifa_whatsapp.api.webhook.cloud_api",
				query_string={"device": META},
				data=post.raw,
				headers=dict(post.headers),
			)
		intake.run(META)
		self.say(wire.Person("", "Sara", HERS), seconds=1)
		self.assertEqual(len(self.all(records.Customer)), 1)
		self.assertEqual(len(self.all(records.Ticket)), 1)

	def test_who_hides_the_number_is_known_by_what_he_or_she_quotes(self) -> None:
		self.say(wire.Person(OLD, "Sara"))
		self.answer()
		quoted = self.gateway.sent_log.rows()[-1].gateway_id
		self.say(wire.Person("", "Sara", HERS), seconds=1, reply_to=quoted)
		self.assertEqual(len(self.all(records.Customer)), 1)
		self.assertEqual(self.answer(body="again")["to"], OLD)


class TestANewHolder(PeopleCase):
	def setUp(self) -> None:
		super().setUp()
		self.say(wire.Person(OLD, "Sara", HERS), body="my prescription")
		self.answer(body="is ready")
		self.say(wire.Person(OLD, "Hany", HIS), body="who is this?", seconds=5)

	def test_it_is_asked_and_one_click_makes_a_new_person(self) -> None:
		former = self.the_ticket()
		shown_thread = self.thread()
		self.assertIn(shown(OLD), shown_thread["ticket"]["new_holder"])
		self.assertEqual(shown_thread["ticket"]["customer_name"], "Sara")
		self.assertIn("other_account", [item.get("event") for item in shown_thread["items"]])
		self.assertEqual(self.as_(ALI).call(f"{CUSTOMERS}new_person", ticket=former.name).status, 403)
		done = self.as_(MONA).call(f"{CUSTOMERS}new_person", ticket=former.name)
		self.assertEqual(done.status, 200, done.text)
		ticket = self.the_ticket()
		self.assertEqual(done.message, {"ticket": ticket.name})
		shown_thread = self.thread()
		self.assertEqual(
			(shown_thread["ticket"]["customer_name"], shown_thread["ticket"]["new_holder"]), ("Hany", "")
		)
		self.assertEqual(
			[item["body"] for item in shown_thread["items"] if item["kind"] == "message"], ["who is this?"]
		)
		self.assertEqual(self.answer(body="a pharmacy")["to"], OLD)
		old = [m.body for m in self.all(records.Message, ticket=former.name)]
		self.assertEqual(
			(old, self.ticket(former.name).close_reason), (["my prescription", "is ready"], "new_holder")
		)
		self.assertEqual(self.as_(MONA).call(f"{CUSTOMERS}new_person", ticket=ticket.name).status, 409)

	def test_the_same_person_is_asked_for_once(self) -> None:
		ticket = self.the_ticket().name
		self.online(self.mona)
		self.assertEqual(self.as_(MONA).call(f"{CUSTOMERS}same_person", ticket=ticket).status, 200)
		self.say(wire.Person(OLD, "Sara", HIS), seconds=6)
		shown_thread = self.thread()
		self.assertEqual(
			(shown_thread["ticket"]["new_holder"], shown_thread["ticket"]["customer_name"]), ("", "Sara")
		)


class TestTwoWhoAreOne(PeopleCase):
	def test_a_manager_is_notified_once_and_asked_on_the_form(self) -> None:
		self.say(wire.Person("", "Sara", HERS))
		frappe.db.sql("UPDATE `tabKhalifa Customer` SET _user_tags = ',vip'")
		frappe.db.commit()
		self.say(wire.Person(OLD, "<b>Sara</b>"))
		self.say(wire.Person(OLD, "<b>Sara</b>", HERS), seconds=1)
		self.say(wire.Person(OLD, "<b>Sara</b>", HERS), seconds=2)
		(asked,) = [one for one in self.all(records.Customer) if one.duplicate_of]
		frappe.db.delete("Notification Log")
		self.assertEqual((duplicates.notify_managers(), duplicates.notify_managers()), (1, 0))
		notes = frappe.get_all(
			"Notification Log", {"for_user": HUDA}, ["document_type", "document_name", "subject"]
		)
		self.assertEqual(
			[(note.document_type, note.document_name) for note in notes], [("Khalifa Customer", asked.name)]
		)
		self.assertNotIn("<b>", notes[0].subject)
		self.assertEqual(frappe.db.count("Notification Log", {"for_user": MONA}), 0)
		form = "khalifa_whatsapp.api.desk.customer_form"
		self.assertEqual(
			self.as_(HUDA).read(form, customer=asked.name).message["duplicate"]["name"], asked.duplicate_of
		)
		self.assertEqual(self.as_(MONA).call(f"{CUSTOMERS}keep_apart", customer=asked.name).status, 403)
		self.assertEqual(self.as_(HUDA).call(f"{CUSTOMERS}keep_apart", customer=asked.name).status, 200)
		self.assertIsNone(self.as_(HUDA).read(form, customer=asked.name).message["duplicate"])
		self.say(wire.Person(OLD, "Sara", HERS), seconds=3)
		self.assertEqual(duplicates.notify_managers(), 0)
		self.assertEqual(
			self.as_(HUDA).call(f"{CUSTOMERS}merge", source=asked.name, target=asked.duplicate_of).status, 200
		)
		self.assertEqual(len([one for one in self.all(records.Ticket) if one.open_key]), 1)

	def test_a_privacy_id_is_asked_for_at_the_gateway_and_its_answer_kept(self) -> None:
		with WppConnectSimulator(now_ms, seed=3) as shop:
			self.make_shop(shop)
			mona = wire.Person(OLD, "Mona", lid="98765432109876")
			shop.chats.know(mona)
			for number, chat in enumerate((f"{mona.lid}@lid", f"{mona.digits}@c.us")):
				body = {
					"event": "onmessage",
					"session": shop.session_name,
					"id": f"false_{chat}_3AFAKE01",
					"type": "chat",
					"body": "hi",
					"t": now_ms() // 1000,
					"from": chat,
					"chatId": chat,
					"fromMe": False,
					"sender": {"id": chat, "pushname": "Mona"},
				}
				on_site().record_webhook_event(
					SHOP, "wppconnect", f"{number:064}", json.dumps(body).encode(), now_ms()
				)
			intake.run(SHOP)
		self.assertEqual([one.phone for one in self.all(records.Customer)], [f"+{OLD}"])
		self.assertEqual((len(self.all(records.Ticket)), len(self.all(records.Message))), (1, 1))

	def make_shop(self, shop: WppConnectSimulator) -> None:
		config = shop.config(SHOP)
		if not frappe.db.exists("WhatsApp Device", SHOP):
			frappe.get_doc(
				doctype="WhatsApp Device",
				device_name=SHOP,
				provider="wppconnect",
				session_name=config.session_name,
				gateway_secret=config.gateway_secret,
				access_token=config.access_token,
				base_url=config.base_url,
			).insert()
		frappe.db.set_value("WhatsApp Device", SHOP, "base_url", config.base_url)
		frappe.db.commit()
		forget_devices()


class TestOldRows(JobCase):
	def test_identities_get_their_accounts_and_names_once(self) -> None:
		insert(records.Customer("C-1", "Sara", "+201001234567", created_ms=5))
		insert(records.Customer("C-2", "+201119876543", "+201119876543", created_ms=5))
		kinds = {
			"I-1": ("phone", "C-1"),
			"I-2": ("bsuid", "C-1"),
			"I-3": ("phone", "C-2"),
			"I-4": ("phone", "C-2"),
		}
		for name, (kind, customer) in kinds.items():
			insert(records.CustomerIdentity(name, name * 16, kind, f"+{name}", customer))
		frappe.db.commit()
		self.replace("khalifa_whatsapp.patches.fill_identities.CHUNK", 1)
		for _run in range(2):
			fill_identities.execute()
			rows = {row.name: row for row in self.all(records.CustomerIdentity)}
			self.assertEqual([rows[name].account for name in sorted(rows)], ["I-1", "I-1", "I-3", "I-4"])
			self.assertEqual([rows[name].profile_name for name in sorted(rows)], ["Sara", "", "", ""])
			self.assertEqual([one.named_ms for one in self.all(records.Customer)], [5, None])
		self.assertEqual(
			[rows[name].identity_key for name in sorted(rows)], [name * 16 for name in sorted(rows)]
		)
