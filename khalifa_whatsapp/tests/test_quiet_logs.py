"""Whatever fails: a canary stands in every variable and in every text,
and nothing of it may be in any log.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
import pymysql
from frappe.core.doctype.error_log.error_log import ErrorLog
from frappe.core.doctype.scheduled_job_type.scheduled_job_type import ScheduledJobType
from frappe.database.mariadb.database import MariaDBDatabase
from frappe.utils import background_jobs

import khalifa_whatsapp.api as api
from khalifa_whatsapp.api import decorators
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import close_all, hourly, intake, media, minute, nightly, outbox, reassign, watch
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.services.inbound import handlers
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.broken import spoil
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, clear, post_signed
from khalifa_whatsapp.tests.test_broken_devices import HEALTH, HEARTBEAT
from khalifa_whatsapp.tests.test_steps import CANARY, PHONE, StepCase, broken
from khalifa_whatsapp.tests.web import METHOD, Answer, Caller

API = Path(api.__file__).parent


class PrivateTextCase(StepCase):
	"""A canary in every variable and in the error's text: nothing of it may be in any log."""

	def setUp(self) -> None:
		super().setUp()
		frappe.db.rollback()
		frappe.cache.delete_keys(frappe.deferred_insert.queue_prefix)
		# what others' tests left; and what was still to be written, above
		for doctype in (
			"Error Log",
			"Scheduled Job Log",
		):
			frappe.db.delete(doctype)
		frappe.db.commit()
		self.logs = {path: path.stat().st_size for path in log_files()}

	def nothing_leaked(self) -> None:
		frappe.db.rollback()
		frappe.deferred_insert.save_to_db()
		frappe.db.commit()
		for doctype, field in (
			("Error Log", "error"),
			("Error Log", "method"),
			("Scheduled Job Log", "details"),
		):
			for text in frappe.get_all(doctype, pluck=field):
				self.clean_text(text or "", doctype)
		for path in log_files():
			self.clean_text(self.written(path), str(path))

	def written(self, path: Path) -> str:
		"""What a log file got since the test began."""
		with path.open("rb") as log:
			log.seek(self.logs.get(path, 0))
			return log.read().decode(errors="replace")

	def clean_text(self, text: str, where: str) -> None:
		for term in (CANARY, PHONE, "k=", "s3cret"):
			self.assertNotIn(term, text, where)

	def execute(self, job: Callable[..., Any], **given: Any) -> str:
		"""As a worker does; what it prints."""
		name = f"{job.__module__}.{job.__name__}"
		with contextlib.redirect_stdout(Printed()) as printed:
			background_jobs.execute_job(frappe.local.site, name, None, name, given, is_async=False)
		return printed.text


class TestTextsStayOut(PrivateTextCase):
	def test_no_job_of_a_worker_lets_an_error_out(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(ticket, CANARY)
		self.post(1, first=40)
		frappe.db.sql(
			"UPDATE `tabWhatsApp Device` SET provider = 'wppconnect', session_name = 'x' WHERE name = %s",
			(DEVICE,),
		)
		frappe.db.commit()
		self.addCleanup(spoil, DEVICE, provider="loopback", session_name="")
		moved = {
			"run_name": "r",
			"user": HUDA,
			"tickets": [ticket],
			"reason": CANARY,
			"to_agent": None,
			"to_branch": None,
		}
		for step, job, module, broken_name, given in (
			("intake", intake.run, intake, "get_device", {"device": DEVICE}),
			("outbox", outbox.run, outbox, "send_due", {"device": DEVICE}),
			("media", media.run, media.media, "fetch", {"device": DEVICE}),
			("watch", watch.run, watch.sessions, "watch", {"device": DEVICE}),
			("look", watch.look, watch, "is_watched", {"device": DEVICE}),
			("close all run", close_all.run, close_all, "_go_on", {"batch": "b"}),
			("reassign", reassign.run, reassign, "transfer_each", moved),
		):
			with self.subTest(f"{job.__module__} {broken_name}"), patch.object(module, broken_name, broken):
				clear("Khalifa Alert")
				frappe.db.commit()
				forget_devices()
				self.clean_text(self.execute(job, **given), "printed")
				steps = frappe.get_all("Khalifa Alert", {"kind": "Job"}, pluck="step")
				self.assertEqual(steps, [step])
		self.nothing_leaked()

	def test_one_conversation_that_can_t_be_handed_over_holds_up_no_other(self) -> None:
		tickets = [self.ticket_of(self.mona, f"+20100123450{number}") for number in (1, 2)]
		really = reassign.actions.transfer

		def transfer(store: Any, actor: Any, ticket: str, *more: Any) -> Any:
			return broken() if ticket == tickets[0] else really(store, actor, ticket, *more)

		moved = {
			"run_name": "r",
			"user": HUDA,
			"tickets": tickets,
			"reason": CANARY,
			"to_agent": None,
			"to_branch": self.south,
		}
		with patch.object(reassign.actions, "transfer", transfer):
			self.execute(reassign.run, **moved)
		state = reassign.state_of("r")
		self.assertEqual([row["is_done"] for row in state["results"]], [False, True], state)
		self.assertIn("Khalifa WhatsApp: reassign", frappe.get_all("Error Log", pluck="method"))
		self.assertNotIn(CANARY, json.dumps(state))
		self.nothing_leaked()

	def test_nor_does_the_scheduler_learn_any(self) -> None:
		for job, module, name in (
			(minute, minute.presence, "sweep"),
			(hourly, hourly.kpi, "rollup_today"),
			(nightly, nightly.kpi, "rollup_dirty"),
		):
			kind: ScheduledJobType = frappe.get_doc("Scheduled Job Type", {"method": f"{job.__name__}.run"})
			with patch.object(module, name, broken):
				kind.execute()
			log = frappe.get_last_doc("Scheduled Job Log")
			self.assertEqual(log.status, "Failed")
			self.assertIn("StepsFailed", log.details)
		self.nothing_leaked()

	def test_a_poisonous_webhook_event_is_put_aside_without_its_words(self) -> None:
		self.deliver(message_item(f"+{PHONE}", CANARY, "in-1", now_ms()))
		with patch.object(handlers, "apply", broken):
			self.execute(intake.run, device=DEVICE)
		(event,) = self.events()
		self.assertEqual(event.status, "Failed")
		self.clean_text(event.error, "the event")
		self.nothing_leaked()

	def test_no_endpoint_lets_an_error_out(self) -> None:
		frappe.db.set_single_value("System Settings", "allow_error_traceback", 1)
		frappe.db.commit()
		frappe.clear_cache()
		self.addCleanup(frappe.clear_cache)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_single_value, "System Settings", "allow_error_traceback", 0)
		endpoints = sorted(endpoints_for_people())
		self.assertGreater(len(endpoints), 50)
		caller, printed = self.as_(HUDA), Printed()
		with patch.object(decorators, "_bound", broken), contextlib.redirect_stdout(printed):
			for name, methods in endpoints:
				answer = caller.send(
					methods[0], METHOD + name, **given(methods[0], {"ticket": CANARY, "phone": PHONE})
				)
				self.assertEqual((answer.status, answer.code), (500, "failed"), (name, answer.text[:300]))
				self.clean_text(answer.text, name)
		self.clean_text(printed.text, "printed")
		self.nothing_leaked()
		self.assertIn("Khalifa WhatsApp: inbox.boot", frappe.get_all("Error Log", pluck="method"))

	def test_a_refusal_leaves_nothing_either(self) -> None:
		frappe.db.set_single_value("System Settings", "allow_error_traceback", 1)
		frappe.db.commit()
		frappe.clear_cache()
		self.addCleanup(frappe.clear_cache)
		self.addCleanup(frappe.db.set_single_value, "System Settings", "allow_error_traceback", 0)
		printed = Printed()
		with contextlib.redirect_stdout(printed):
			answer = self.as_(MONA).call(
				"khalifa_whatsapp.api.conversation.reply", ticket=CANARY, body=PHONE, client_key="c"
			)
		self.assertGreaterEqual(answer.status, 400)
		self.assertNotIn("Traceback", answer.text)
		self.clean_text(printed.text, "printed")
		self.nothing_leaked()

	def test_the_error_log_keeps_places_and_kinds_of_ours_and_all_of_others(self) -> None:
		terms = CANARY
		try:
			Steps.each(None, "x", terms, None)  # type: ignore[arg-type]
		except AttributeError:
			frappe.log_error(title=terms)
		log: ErrorLog = frappe.get_last_doc("Error Log")
		self.assertEqual(log.method, "Khalifa WhatsApp: AttributeError")
		self.assertIn("jobs/steps.py", log.error)
		self.clean_text(log.error + log.method, "Error Log")
		try:
			json.loads(f'{{"{terms}')
		except ValueError:
			theirs = frappe.get_traceback(with_context=True).replace("khalifa_whatsapp/tests/", "other_app/")
		doc = frappe.get_doc(doctype="Error Log", method="their title", error=theirs).insert()
		self.assertEqual((doc.method, doc.error), ("their title", theirs))
		guarded = theirs + (
			'\n  File "apps/khalifa_whatsapp/khalifa_whatsapp/access/files.py", line 3, in validate\n    x '
			"= 1"
		)
		self.assertEqual(
			frappe.get_doc(doctype="Error Log", method="t", error=guarded).insert().error, guarded
		)


class TestDatabaseAway(PrivateTextCase):
	"""Whatever fails before or in a guest's endpoint."""

	def shop(self, **more: Any) -> Answer:
		query = {"device": "Shop", "k": f"k={CANARY}"}
		body = json.dumps({"event": "onmessage", "body": CANARY, "from": PHONE})
		headers = {"Content-Type": "application/json"}
		path = f"{METHOD}khalifa_whatsapp.api.webhook.wppconnect"
		return Caller().send("POST", path, query_string=query, data=body, headers=headers, **more)

	def test_a_gateway_is_asked_to_come_again_and_no_log_has_its_call(self) -> None:
		self.shop()  # Frappe's own caches are warm
		Caller().read(HEALTH)
		for error in (
			pymysql.err.OperationalError(2003, CANARY),
			pymysql.err.OperationalError(4151, CANARY),
			pymysql.err.OperationalError(1045, CANARY),
			pymysql.err.InterfaceError(0, CANARY),
			pymysql.err.ProgrammingError(1146, CANARY),
			ValueError(CANARY),
		):
			with patch.object(MariaDBDatabase, "_get_connection", side_effect=error):
				answer, health = self.shop(), Caller().read(HEALTH)
			self.assertEqual((answer.status, answer.raw), (503, b"try again"), error)
			self.assertEqual(answer.headers["Retry-After"], "5")
			self.assertEqual((health.status, health.message), (503, {"status": "failing"}), error)
		self.nothing_leaked()

	def test_whatever_fails_in_the_endpoint_is_reported_the_same_way(self) -> None:
		for place in ("find_device", "on_site", "callers.address", "_call"):
			with patch(f"khalifa_whatsapp.api.webhook.{place}", broken):
				answer = self.deliver(message_item(f"+{PHONE}", CANARY, "x", now_ms()))
			self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "5"), place)
		self.nothing_leaked()
		self.assertEqual(self.deliver(message_item(f"+{PHONE}", CANARY, "x", now_ms())).status, 200)

	def test_what_fails_after_the_answer_is_quiet_too(self) -> None:
		with patch("khalifa_whatsapp.api.webhook.wake_intake", broken):
			self.assertEqual(post_signed(b'{"events": []}').status, 200)
		self.nothing_leaked()

	def test_why_a_call_was_refused_stands_in_our_log_and_nothing_of_the_call(self) -> None:
		self.assertEqual(post_signed(json.dumps({"said": CANARY}).encode(), secret="s3cret").status, 401)
		self.assertEqual(self.shop().status, 401)
		ours = "".join(self.written(path) for path in log_files() if path.name == "khalifa_whatsapp.log")
		for cause in ("wrong signature", "no such device"):
			self.assertIn(f"webhook: 401, {cause}", ours)
		self.nothing_leaked()

	def test_the_log_of_requests_has_no_key(self) -> None:
		seen: list[str] = []

		def look(request: Any, response: Any) -> None:
			seen.append(request.full_path + repr(frappe.local.form_dict))

		with patch("frappe.app.log_request", look):
			self.shop()
		self.assertEqual(seen, [f"{METHOD}khalifa_whatsapp.api.webhook.wppconnect{{}}"])

	def test_every_part_of_health_fails_by_itself(self) -> None:
		from khalifa_whatsapp.api import health

		for name in health.PARTS:
			with patch.dict(health.PARTS, {name: broken}):
				answer = self.as_(HUDA).read(HEALTH)
			self.assertEqual(answer.status, 503)
			if name != "database":
				part = answer.message["parts"][name]
				self.assertEqual((part["ok"], part["error"].split()[0]), (False, "ValueError"))
			self.clean_text(answer.text, name)
		self.nothing_leaked()

	def test_a_person_is_informed_that_the_server_is_busy(self) -> None:
		caller = self.as_(MONA)
		caller.call(HEARTBEAT)
		away = pymysql.err.OperationalError(2003, CANARY)
		with patch("khalifa_whatsapp.api.agents.on_site", side_effect=away):
			answer = caller.call(HEARTBEAT)
		self.assertEqual((answer.status, answer.code), (503, "busy"), answer.text)
		self.nothing_leaked()


class Printed:
	"""Where prints go."""

	def __init__(self) -> None:
		self.text = ""

	def write(self, text: str) -> int:
		self.text += text
		return len(text)

	def flush(self) -> None:
		"""Nothing waits."""


def log_files() -> Iterator[Path]:
	sites = Path(frappe.local.sites_path).absolute()
	for folder in (sites.parent / "logs", sites / frappe.local.site / "logs"):
		yield from folder.glob("*.log")


def endpoints_for_people() -> Iterator[tuple[str, tuple[str, ...]]]:
	"""Every whitelisted method of `api` that is for people: its path and how it may be called."""
	for path in API.glob("*.py"):
		frappe.get_module(f"khalifa_whatsapp.api.{path.stem}")
	for method in frappe.whitelisted:
		if method.__module__.startswith("khalifa_whatsapp.api.") and method not in frappe.guest_methods:
			allowed = frappe.allowed_http_methods_for_whitelisted_func[method]
			yield f"{method.__module__}.{method.__name__}", tuple(allowed)


def given(http: str, values: dict[str, str]) -> dict[str, Any]:
	return {"query_string": values} if http == "GET" else {"data": values}
