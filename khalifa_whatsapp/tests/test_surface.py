"""Every whitelisted method of the app: who gets in,
and that a colleague's conversation stays the colleague's.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from contextlib import suppress
from typing import Any

import frappe
import pymysql

import khalifa_whatsapp
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.services.tickets import delays
from khalifa_whatsapp.tests.case import ALI, DEVICE, HOST, HUDA, MINUTE, MONA, VISITOR, SiteCase
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.records import make_user
from khalifa_whatsapp.tests.web import METHOD, Caller

APP = "khalifa_whatsapp"
API = f"{APP}.api."
# Whoever adds an endpoint for guests adds it here, and to the security notes
FOR_GUESTS = {
	f"{API}health.check",
	f"{API}metrics.scrape",
	f"{API}webhook.cloud_api",
	f"{API}webhook.loopback",
	f"{API}webhook.wppconnect",
	# Frappe's own, which the socket server asks in whoever's name, and which answer for our rows what we say
	f"{APP}.access.rooms.can_subscribe_doc",
	f"{APP}.access.rooms.can_subscribe_doctype",
}
# They change nothing, so a GET will do
ONLY_READ = {
	f"{API}auto_replies.usage",
	f"{API}campaign_audience.download_skipped",
	f"{API}campaign_audience.preview",
	f"{API}campaign_audience.report_columns",
	f"{API}campaign_audience.skipped",
	f"{API}campaign_template.places",
	f"{API}campaigns.state",
	f"{API}cards.answered_today",
	f"{API}cards.cost_this_month",
	f"{API}cards.delayed_now",
	f"{API}cards.devices_down",
	f"{API}cards.failing_jobs",
	f"{API}cards.first_response_today",
	f"{API}cards.last_minute_job",
	f"{API}cards.my_days",
	f"{API}cards.open_tickets",
	f"{API}cards.satisfaction",
	f"{API}cards.waiting_now",
	f"{API}conversation.count_open",
	f"{API}device_tools.counters",
	f"{API}conversation.close_all_status",
	f"{API}first_contact.find",
	f"{API}first_contact.look",
	f"{API}first_contact.numbers",
	f"{API}first_contact.templates",
	f"{API}inbox.agents",
	f"{API}inbox.boot",
	f"{API}inbox.changes",
	f"{API}inbox.conversations",
	f"{API}inbox.customer",
	f"{API}inbox.quick_replies",
	f"{API}inbox.quick_reply_values",
	f"{API}inbox.rows",
	f"{API}inbox.templates",
	f"{API}inbox.thread",
	f"{API}macros.offered",
	f"{API}inbox_bulk.names",
	f"{API}inbox_choices.filters",
	f"{API}media.download",
	f"{API}bulk.reassign_status",
	f"{API}desk.agent_loads",
	f"{API}desk.batch_items",
	f"{API}desk.customer_form",
	f"{API}desk.message_form",
	f"{API}desk.receivers",
	f"{API}desk.ticket_form",
	f"{API}desk.waiting_states",
	f"{API}templates.choices",
}
# They tell a person who has the agent's role and can't work yet that there is nothing, or what is missing; no
# row
FOR_WHO_CAN_T_WORK_YET = {
	**dict.fromkeys(
		(
			f"{API}cards.{name}"
			for name in (
				"answered_today",
				"delayed_now",
				"first_response_today",
				"open_tickets",
				"waiting_now",
			)
		),
		"–",
	),
	f"{API}cards.my_days": {},
	f"{API}inbox.boot": {"missing": {"what": "switched_off", "managers": ["Huda"]}},
}
# In the place of Frappe's own methods, which any user may call; they ask for permission row by row
IN_PLACE_OF_FRAPPES = f"{APP}.access."


def modules() -> None:
	"""Import the whole app, so that no whitelisted method is missed."""
	skipped = (f"{APP}.tests", f"{APP}.patches")
	for module in pkgutil.walk_packages(khalifa_whatsapp.__path__, f"{APP}."):
		if not module.name.startswith(skipped):
			importlib.import_module(module.name)


def path_of(method: Any) -> str:
	return f"{method.__module__}.{method.__qualname__}"


def whitelisted() -> set[str]:
	modules()
	return {path_of(method) for method in frappe.whitelisted if method.__module__.startswith(f"{APP}.")}


def methods_of(path: str) -> list[str]:
	method = frappe.get_attr(path)
	return frappe.allowed_http_methods_for_whitelisted_func[method]


def endpoints() -> list[str]:
	"""Our own endpoints: neither for guests, nor in the place of Frappe's, nor of a form."""
	ours = whitelisted() - FOR_GUESTS
	return sorted(path for path in ours if path.startswith(API))


class TestTheSurface(SiteCase):
	def test_guests_may_use_what_is_written_here_and_nothing_else(self) -> None:
		whitelisted()
		guests = {path_of(m) for m in frappe.guest_methods if m.__module__.startswith(f"{APP}.")}
		self.assertEqual(guests, FOR_GUESTS)

	def test_every_method_has_a_place_in_these_tests(self) -> None:
		of_forms = {
			path for path in whitelisted() if ".doctype." in path or ".page." in path or ".report." in path
		}
		overrides = {path for path in whitelisted() if path.startswith(IN_PLACE_OF_FRAPPES)}
		self.assertEqual(whitelisted() - of_forms - overrides - FOR_GUESTS, set(endpoints()))
		hooked = {
			path for paths in frappe.get_hooks("override_whitelisted_methods").values() for path in paths
		}
		self.assertLessEqual(overrides, hooked)

	def test_guests_and_visitors_get_into_no_other_method(self) -> None:
		before = self.counts()
		for path in endpoints():
			for http in ("POST", "GET"):
				for who in (Caller(), self.as_(VISITOR)):
					answer = who.send(http, METHOD + path, query_string={"ticket": "KT-000001", "batch": "x"})
					self.assertEqual(answer.status, 403, (path, http))
		self.assertEqual(self.counts(), before)

	def test_what_changes_something_takes_a_post(self) -> None:
		self.assertLessEqual({path for path in endpoints() if "GET" in methods_of(path)}, ONLY_READ)

	def test_an_agent_without_the_role_or_disabled_gets_in_nowhere(self) -> None:
		frappe.db.set_value("Khalifa Agent", self.ali, "enabled", 0)
		frappe.db.commit()
		for path in endpoints():
			answer = self.as_(ALI).send("POST", METHOD + path)
			if path in FOR_WHO_CAN_T_WORK_YET:
				self.assertEqual(answer.message, FOR_WHO_CAN_T_WORK_YET[path], path)
			else:
				self.assertEqual(answer.status, 403, path)


class TestAForeignConversation(SiteCase):
	"""Ali knows the names of Mona's rows, and tries them everywhere."""

	def setUp(self) -> None:
		super().setUp()
		self.ticket_name = self.ticket_of(self.mona)
		delays.scan(on_site(), now_ms() + 60 * MINUTE)
		with self.quiet():
			self.deliver(message_item("+201001234567", "very private words", "in-private", now_ms(), "Samy"))
			intake.run(DEVICE)
		message = self.all(records.Message)[-1]
		self.rows = {
			"ticket": self.ticket_name,
			"customer": message.customer,
			"message": message.name,
			"delay": self.only(records.DelayEvent, kind="Agent").name,
			"source": message.customer,
			"target": message.customer,
		}
		del self.enqueued[:]

	def test_no_method_does_or_reveals_anything(self) -> None:
		tried = 0
		for path in endpoints():
			needed = [name for name in self.parameters(path) if name in self.rows]
			if not needed:
				continue
			tried += 1
			given = {name: self.rows.get(name, self.sample(name)) for name in self.parameters(path)}
			before = self.state()
			http = "POST" if "POST" in methods_of(path) else "GET"
			sent = {"data": given} if http == "POST" else {"query_string": given}
			answer = self.as_(ALI).send(http, METHOD + path, **sent)
			self.assertIn(answer.status, (403, 404), (path, answer.text))
			self.assertEqual(self.state(), before, path)
			for secret in ("very private", "Samy", "1001234567", HOST):
				self.assertNotIn(secret, answer.text, path)
		self.assertGreater(tried, 8)

	def test_a_foreign_row_and_no_row_are_refused_in_the_same_words(self) -> None:
		"""Where an agent has no business with the row at all;
		who answers a conversation is no secret to colleagues.
		"""
		for method, name, more in (
			("conversation.note", "ticket", {"body": "x"}),
			("conversation.reopen", "ticket", {}),
			("conversation.mark_read", "ticket", {}),
			("agents.object_to_delay", "delay", {"objection": "x"}),
			("customers.link_phone", "customer", {"phone": "01001234599"}),
		):
			foreign = self.as_(ALI).call(API + method, **{name: self.rows[name], **more})
			missing = self.as_(ALI).call(API + method, **{name: "none", **more})
			self.assertEqual(
				(foreign.status, foreign.code, foreign.said), (missing.status, missing.code, missing.said)
			)

	def parameters(self, path: str) -> list[str]:
		parameters = inspect.signature(frappe.get_attr(path)).parameters.values()
		return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]

	def sample(self, name: str) -> Any:
		"""A value that would do, were the row one's own."""
		return {"to_agent": self.ali, "agent": self.ali, "phone": "01001234599", "to_branch": ""}.get(
			name,
			{
				"seen_ms": "",
				"take_over": "0",
				"reply_to": "",
				"is_accepted": "1",
				"is_voice": "1",
				"is_seen": "1",
				"is_pinned": "1",
				"is_stopped": "1",
				"after_ms": "0",
				"until_ms": "",
				"limit": "5",
			}.get(name, "resolved"),
		)

	def state(self) -> Any:
		frappe.db.rollback()
		return [
			on_site()._read(kind, "1 = 1", (), "ORDER BY name")
			for kind in records.RECORDS
			if kind is not records.Agent
		]


class TestLogins(SiteCase):
	"""The real name of a colleague is for all who work here; the login is not."""

	def test_a_colleagues_login_is_not_read_through_a_link(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.as_(MONA).call(f"{API}agents.set_presence", presence="Away")
		self.online(self.ali)
		self.as_(MONA).call(f"{API}conversation.transfer", ticket=ticket, to_agent=self.ali, reason="r")
		self.assertEqual(self.ticket(ticket).agent, self.ali)
		with signed_in(ALI):
			for field in (
				"from_agent.user",
				"from_agent.user as x",
				"from_agent.owner",
				"from_agent.modified_by",
			):
				rows = self.tried("Khalifa Ticket Event", ["name", field])
				self.assertNotIn(MONA, str(rows), field)
			names = frappe.get_list("Khalifa Ticket Event", fields=["from_agent.employee_name as who"])
			self.assertIn("Mona Adel", str(names))
		with signed_in(HUDA):
			rows = frappe.get_list("Khalifa Ticket Event", fields=["from_agent.user as login"])
			self.assertIn(MONA, str(rows))

	def tried(self, doctype: str, fields: list[str]) -> Any:
		try:
			return frappe.get_list(doctype, fields=fields)
		except (frappe.PermissionError, frappe.DataError, frappe.ValidationError):
			return None

	def test_a_colleagues_login_can_not_be_guessed_by_a_filter(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.online(self.ali)
		self.as_(MONA).call(f"{API}conversation.transfer", ticket=ticket, to_agent=self.ali, reason="r")
		frappe.db.rollback()
		with signed_in(ALI):
			for filters in (
				[["Khalifa Agent", "user", "like", "m0na%"]],
				{"from_agent.user": ("like", "m0na%")},
			):
				for method in (
					"frappe.client.get_list",
					"frappe.client.get_count",
					"frappe.desk.reportview.get_count",
				):
					with suppress(
						pymysql.err.Error, frappe.ValidationError, frappe.PermissionError, AttributeError
					):
						rows = call(method, doctype="Khalifa Ticket Event", filters=filters)
						self.assertFalse(rows, (method, filters))

	def test_an_agent_does_not_even_read_the_own_login_there(self) -> None:
		with signed_in(MONA):
			doc = call("frappe.client.get", doctype="Khalifa Agent", name=self.mona)
			self.assertEqual(doc.get("employee_name"), "Mona Adel")
			self.assertNotIn("user", {key for key, value in doc.items() if value})
		with signed_in(HUDA):
			doc = call("frappe.client.get", doctype="Khalifa Agent", name=self.mona)
			self.assertEqual(doc["user"], MONA)

	def test_managers_still_make_and_change_agents(self) -> None:
		make_user(f"new@{HOST}", "New")
		with signed_in(HUDA):
			agent = frappe.get_doc(
				{"doctype": "Khalifa Agent", "user": f"new@{HOST}", "employee_name": "New One"}
			).insert()
			agent.user = f"visit0r@{HOST}"
			agent.save()
		self.assertEqual(frappe.db.get_value("Khalifa Agent", agent.name, "user"), f"visit0r@{HOST}")
		frappe.db.rollback()
