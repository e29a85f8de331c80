"""The inbox's lists as people narrow, order and keep them; and acts on several conversations at once."""

from __future__ import annotations

import itertools
import json
from typing import Any

import frappe

from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.case import ALI, HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.test_inbox import InboxCase

ROOT = "khalifa_whatsapp.api."
CUSTOMERS = 9


class ListsCase(InboxCase):
	def setUp(self) -> None:
		super().setUp()
		for user in (MONA, ALI, HUDA):
			frappe.defaults.clear_user_default("khalifa_inbox", user)
		self.tickets = [self.write(f"+20100555{number:04}") for number in range(CUSTOMERS)]
		for number, ticket in enumerate(self.tickets):
			status, agent = (("Open", self.mona), ("Pending", self.mona), ("Open", self.ali))[number % 3]
			waits = 1_000_000 + number * 7 % 5 if status == "Open" else 0
			state = {
				"status": status,
				"agent": agent,
				"branch": self.north if number % 2 else self.south,
				"last_message_ms": 5_000_000 + number * 5 % 4,
				"unread_count": number % 2,
				"waiting_since_ms": waits,
				"due_by_ms": waits and waits + number * 11 % 7,
			}
			frappe.db.set_value("Khalifa Ticket", ticket, state, update_modified=False)
		frappe.db.commit()

	def post(self, user: str, method: str, **given: Any) -> Any:
		answer = self.as_(user).call(ROOT + method, **given)
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message

	def pages(self, user: str, view: str, limit: int = 2, **given: Any) -> list[str]:
		seen, cursor = [], ""
		while True:
			page = self.ask(user, "conversations", view=view, cursor=cursor, limit=limit, **given)
			seen += [row["ticket"] for row in page["rows"]]
			cursor = page["next_cursor"]
			if not cursor:
				return seen

	def wanted(self, key: str, view: str = "all", **filters: Any) -> list[str]:
		"""Those with such a moment by it, then the others, the newest first; of equals the larger name."""
		if view == "mine":
			filters["agent"] = self.mona
		fields = ["name", "last_message_ms", "waiting_since_ms", "due_by_ms"]
		rows = frappe.get_all("Khalifa Ticket", filters, fields)
		rows.sort(key=lambda row: row.name, reverse=True)
		if key == "last_message_ms":
			return [row.name for row in sorted(rows, key=lambda row: -row.last_message_ms)]
		rows.sort(key=lambda row: row[key] or 10**9 - row.last_message_ms)
		return [row.name for row in rows]


class TestOrders(ListsCase):
	def test_every_order_is_one_over_all_pages(self) -> None:
		orders = {"newest": "last_message_ms", "waiting": "waiting_since_ms", "due": "due_by_ms"}
		for sort, key in orders.items():
			for user, view in ((HUDA, "all"), (MONA, "mine")):
				for limit in (2, 3, 100):
					self.assertEqual(
						self.pages(user, view, limit, sort=sort), self.wanted(key, view), (sort, view, limit)
					)

	def test_a_line_s_place_is_the_same_alone_and_in_the_list(self) -> None:
		self.post(MONA, "inbox_settings.pin", ticket=self.tickets[3])
		for sort in ("", "newest", "waiting", "due"):
			given = {"view": "mine", "sort": sort}
			page = self.ask(MONA, "conversations", **given)
			names = [row["ticket"] for row in page["rows"]]
			rows = {
				row["ticket"]: row
				for row in self.ask(MONA, "rows", tickets=json.dumps(names), **given)["rows"]
			}
			self.assertEqual([rows[name]["place"] for name in names], [row["place"] for row in page["rows"]])
			step = 1 if page["is_descending"] else -1
			places = [(step * row["place"], row["ticket"]) for row in page["rows"]]
			self.assertEqual(places, sorted(places, reverse=True), sort)

	def test_what_is_pinned_lies_on_top_of_mine_and_nowhere_else(self) -> None:
		mine = self.pages(MONA, "mine")
		low = mine[-1]
		self.post(MONA, "inbox_settings.pin", ticket=low)
		for sort in ("", "waiting", "due"):
			self.assertEqual(self.pages(MONA, "mine", sort=sort)[0], low, sort)
		self.assertEqual(self.pages(MONA, "mine"), [low, *mine[:-1]])
		self.assertTrue(self.ask(MONA, "conversations")["rows"][0]["is_pinned"])
		self.assertEqual(self.pages(HUDA, "all"), self.wanted("last_message_ms"))
		self.post(MONA, "inbox_settings.pin", ticket=low, is_pinned=0)
		self.assertEqual(self.pages(MONA, "mine"), mine)

	def test_only_one_s_own_is_pinned(self) -> None:
		foreign, none = (
			self.as_(ALI).call(f"{ROOT}inbox_settings.pin", ticket=name) for name in (self.tickets[0], "none")
		)
		self.assertEqual((foreign.status, foreign.said), (403, none.said))

	def test_an_unknown_order_or_filter_is_refused(self) -> None:
		for given in ({"sort": "name"}, {"filters": '{"owner": "x"}'}, {"filters": "[1]"}, {"filters": "{"}):
			self.assertEqual(self.as_(MONA).call(f"{ROOT}inbox.conversations", **given).status, 417, given)


class TestFilters(ListsCase):
	def test_lists_lines_and_counts_follow_the_same_filters(self) -> None:
		self.post(HUDA, "inbox_bulk.tag", tickets=json.dumps(self.tickets[:5]), tag="VIP")
		choices = {
			"branch": self.north,
			"device": "Loop",
			"agent": self.ali,
			"tag": "VIP",
			"is_unread": True,
		}
		tagged = set(self.tickets[:5])
		rows = {row.name: row for row in frappe.get_all("Khalifa Ticket", fields=["*"])}
		for size in (1, 2):
			for names in itertools.combinations(choices, size):
				filters = {name: choices[name] for name in names}
				held = {
					name
					for name, row in rows.items()
					if all(
						name in tagged
						if key == "tag"
						else bool(row.unread_count)
						if key == "is_unread"
						else row[key] == value
						for key, value in filters.items()
					)
				}
				given = {"filters": json.dumps(filters)}
				self.assertEqual(set(self.pages(HUDA, "all", **given)), held, filters)
				answer = self.ask(HUDA, "rows", view="all", tickets=json.dumps(list(rows)), **given)
				self.assertEqual({row["ticket"] for row in answer["rows"] if row["is_listed"]}, held, filters)
				self.assertEqual(answer["counts"]["all"], len(held), filters)
				named = self.as_(HUDA).call(f"{ROOT}inbox_bulk.names", view="all", **given).message
				self.assertEqual(set(named["tickets"]), held, filters)

	def test_counts_of_one_s_own_follow_the_filters_and_unread_messages_do_not(self) -> None:
		counts = self.ask(MONA, "conversations", filters=json.dumps({"is_unread": 1}))["counts"]
		self.assertEqual((counts["mine"], counts["unread"]), (3, 3))
		counts = self.ask(MONA, "conversations", filters=json.dumps({"tag": "nobody's"}))["counts"]
		self.assertEqual((counts["mine"], counts["unread"]), (0, 3))

	def test_what_there_is_to_choose(self) -> None:
		self.post(MONA, "inbox_bulk.tag", tickets=json.dumps(self.tickets[:1]), tag="VIP")
		mine = self.as_(MONA).call(f"{ROOT}inbox_choices.filters").message
		self.assertEqual((mine["devices"], mine["agents"]), (["Loop"], []))
		self.assertIn("VIP", mine["tags"])
		every = self.as_(HUDA).call(f"{ROOT}inbox_choices.filters").message
		self.assertEqual([one["label"] for one in every["agents"]], ["Ali Hassan", "Mona Adel"])


class TestKeptLists(ListsCase):
	def test_a_list_is_kept_for_the_person_alone(self) -> None:
		filters = json.dumps({"branch": self.north, "is_unread": 1})
		self.post(MONA, "inbox_settings.save_view", name="North ", view="mine", filters=filters, sort="due")
		kept = self.ask(MONA, "boot")["settings"]
		wanted = {
			"name": "North",
			"view": "mine",
			"filters": {"branch": self.north, "is_unread": "1"},
			"sort": "due",
		}
		self.assertEqual(kept, {"views": [wanted], "opens_next": False})
		self.assertEqual(self.ask(ALI, "boot")["settings"]["views"], [])
		self.post(MONA, "inbox_settings.save_view", name="North", view="closed")
		self.assertEqual([one["view"] for one in self.ask(MONA, "boot")["settings"]["views"]], ["closed"])
		self.post(MONA, "inbox_settings.open_next", is_wanted=1)
		self.assertTrue(self.ask(MONA, "boot")["settings"]["opens_next"])
		self.post(MONA, "inbox_settings.drop_view", name="North")
		self.assertEqual(self.ask(MONA, "boot")["settings"], {"views": [], "opens_next": True})

	def test_a_setting_that_can_not_be_read_keeps_nobody_from_work(self) -> None:
		for text in ("{", "[]", '{"pins": 3, "views": [{"name": 1}, 5]}'):
			frappe.defaults.set_user_default("khalifa_inbox", text, MONA)
			frappe.db.commit()
			self.assertEqual(self.ask(MONA, "boot")["settings"], {"views": [], "opens_next": False})
			self.assertEqual(len(self.listed(MONA)), 6)


class TestSeveralAtOnce(ListsCase):
	def results(self, user: str, method: str, tickets: list[str], **given: Any) -> dict[str, str]:
		"""Why it was not done, by ticket; empty: it was."""
		answer = self.post(user, f"inbox_bulk.{method}", tickets=json.dumps(tickets), **given)
		return {one["ticket"]: one["why"] for one in answer["results"]}

	def turn(self, phone: str = "+201119876543") -> str:
		"""A conversation of Mona's in which the customer waits."""
		return self.ticket_of(self.mona, phone)

	def test_agents_close_their_own_and_hear_what_was_left_and_why(self) -> None:
		waits = self.turn()
		mine, foreign = self.tickets[1], self.tickets[2]
		for ticket in (mine, foreign):
			frappe.db.set_value("Khalifa Ticket", ticket, {"turn": None, "waiting_since_ms": 0})
		frappe.db.commit()
		why = self.results(MONA, "close", [mine, foreign, waits, "none"])
		self.assertEqual(why[mine], "")
		self.assertIn("colleague", why[foreign])
		self.assertIn("waits for an answer", why[waits])
		self.assertIn("no such conversation", why["none"])
		states = [self.ticket(name).status for name in (mine, foreign, waits)]
		self.assertEqual(states, [records.CLOSED, records.OPEN, records.OPEN])
		self.assertEqual(self.results(MONA, "close", [waits], with_waiting=1), {waits: ""})
		self.assertEqual(self.results(MONA, "reopen", [mine]), {mine: ""})
		self.assertNotEqual(self.ticket(mine).status, records.CLOSED)

	def test_what_is_not_one_s_own_is_named_to_nobody(self) -> None:
		answer = self.as_(ALI).call(f"{ROOT}inbox_bulk.close", tickets=json.dumps(self.tickets[:2]))
		self.assertNotIn("Samy", answer.text)
		answer = self.as_(ALI).call(f"{ROOT}inbox_bulk.tag", tickets=json.dumps(self.tickets[:1]), tag="x")
		self.assertFalse(answer.message["results"][0]["is_done"])

	def test_several_are_handed_on(self) -> None:
		self.online(self.ali)
		why = self.results(HUDA, "transfer", self.tickets[:2], to_agent=self.ali, reason="his branch")
		self.assertEqual(set(why.values()), {""}, why)
		self.assertEqual({self.ticket(name).agent for name in self.tickets[:2]}, {self.ali})
		refused = self.results(MONA, "transfer", self.tickets[:1], to_agent=self.ali, reason="x")
		self.assertTrue(refused[self.tickets[0]])

	def test_too_many_and_none_are_refused(self) -> None:
		for chosen in ("[]", json.dumps([f"t{number}" for number in range(51)]), "x"):
			self.assertEqual(
				self.as_(MONA).call(f"{ROOT}inbox_bulk.close", tickets=chosen).status, 417, chosen
			)


class TestOneLine(ListsCase):
	def test_the_holder_marks_it_as_unread(self) -> None:
		mine = self.tickets[0]
		self.post(MONA, "conversation.mark_unread", ticket=mine)
		self.assertEqual(self.ticket(mine).unread_count, 1)
		self.assertEqual(self.as_(HUDA).call(f"{ROOT}conversation.mark_unread", ticket=mine).status, 403)

	def test_a_hit_names_its_message_and_the_thread_reaches_back_to_it(self) -> None:
		ticket = self.ticket_of(self.mona, "+201119876543")
		for number in range(60):
			self.write("+201119876543", "needle" if number == 5 else f"straw {number}")
		hit = self.ask(MONA, "conversations", search="needle")["rows"][0]["matched"]
		self.assertEqual(hit["what"], "message")
		plain = self.ask(MONA, "thread", ticket=ticket)
		self.assertNotIn(hit["message"], [item["name"] for item in plain["items"]])
		page = self.ask(MONA, "thread", ticket=ticket, around=hit["message"])
		names = [item["name"] for item in page["items"] if item["kind"] == "message"]
		self.assertIn(hit["message"], names)
		self.assertEqual(names[-1], plain["items"][-1]["name"])
		elsewhere = self.ask(MONA, "thread", ticket=self.tickets[0], around=hit["message"])
		self.assertEqual(len([one for one in elsewhere["items"] if one["kind"] == "message"]), 1)

	def test_a_number_is_found_however_it_is_typed(self) -> None:
		ticket = self.ticket_of(self.mona, "+201119876543")
		for typed in (
			"01119876543",
			"+20 111 987 6543",
			"00201119876543",
			"٠١١١٩٨٧٦٥٤٣",
			"+20 (0)111-987-6543",
			"111 987-6543",
			"9876543",
		):
			self.assertEqual(self.listed(MONA, search=typed), [ticket], typed)

	def test_a_wait_says_how_long_it_may_be(self) -> None:
		ticket = self.ticket_of(self.mona, "+201119876543")
		row = next(row for row in self.ask(MONA, "conversations")["rows"] if row["ticket"] == ticket)
		limit = self.ticket(ticket).due_by_ms - self.ticket(ticket).waiting_since_ms
		self.assertGreater(limit, MINUTE)
		self.assertLessEqual(row["waited"]["limit_ms"], limit)
