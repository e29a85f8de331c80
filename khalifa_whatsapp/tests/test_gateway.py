"""The process that owns the browsers, as a process of its own, with real browsers;
and what managers ask of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import frappe
from frappe.installer import update_site_config

from khalifa_whatsapp import site_devices
from khalifa_whatsapp.bootstrap import leases, now_ms, on_site
from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.drivers import factory
from khalifa_whatsapp.drivers.abilities import QrCode
from khalifa_whatsapp.drivers.base import AuthError, Capabilities, SessionState
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import gateway_calls, intake, outbox
from khalifa_whatsapp.jobs.browsers import mark_abandoned, sweep
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.sessions import NOT_RUNNING
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, SiteCase, make_loop
from khalifa_whatsapp.tests.gateway import FOLDER, QR, use_browser_driver

API = "khalifa_whatsapp.api.devices."
SWITCHES = "--no-sandbox\n--disable-gpu"
CHROME = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
HAS_ALL = CHROME and shutil.which("chromedriver") and find_spec("selenium")


class GatewayCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		frappe.db.sql("DELETE FROM `tabKhalifa Browser Session`")
		frappe.db.delete("Notification Log", {"document_type": "WhatsApp Device"})
		frappe.db.sql("DELETE FROM `tabWhatsApp Device` WHERE name != %s", DEVICE)
		frappe.db.set_value(
			"WhatsApp Device",
			DEVICE,
			{"browser_options": SWITCHES, "enabled": 1, "state": "Unknown", "watch": None},
		)
		frappe.db.commit()
		self.drivers = factory.DRIVERS
		for place in ("drivers.factory", "site_devices"):
			self.replace(f"khalifa_whatsapp.{place}.DRIVERS", self.drivers)
		use_browser_driver()
		self.addCleanup(forget_devices)
		forget_devices()
		gateway_calls.mark_stopped()
		self.folder = Path(tempfile.mkdtemp())
		self.addCleanup(shutil.rmtree, self.folder)

	def lease(self) -> Any:
		frappe.db.rollback()
		return leases(on_site()).get(DEVICE)

	def state(self, device: str = DEVICE) -> str:
		frappe.db.rollback()
		return frappe.db.get_value("WhatsApp Device", device, "state")

	def ask(self, what: str, user: str = HUDA) -> Any:
		return self.as_(user).call(API + what, device=DEVICE)


class TestWithoutTheProcess(GatewayCase):
	def test_who_asks_is_informed_how_to_start_it(self) -> None:
		for what in ("connect", "disconnect", "log_out", "qr"):
			answer = self.ask(what)
			self.assertEqual((answer.status, answer.code), (417, "gateway_not_running"), what)
			self.assertIn(f"bench --site {frappe.local.site} khalifa-gateway", answer.said)
		self.assertIsNone(self.lease(), "nothing is left for a process that may come much later")

	def test_the_status_says_so_too(self) -> None:
		status = self.ask("status").message
		self.assertEqual((status["state"], status["gateway"]["is_running"]), ("Unknown", False))
		self.assertEqual(status["today"], {"sent": 0, "failed": 0, "unknown": 0})

	def test_agents_are_refused(self) -> None:
		for what in ("connect", "disconnect", "log_out", "qr", "status"):
			self.assertEqual(self.ask(what, MONA).status, 403, what)

	def test_a_device_that_is_not_there_or_not_enabled_is_refused(self) -> None:
		self.assertEqual(self.as_(HUDA).call(f"{API}qr", device="No such").status, 403)
		frappe.db.set_value("WhatsApp Device", DEVICE, "enabled", 0)
		frappe.db.commit()
		forget_devices()
		self.assertEqual((self.ask("qr").status, self.ask("qr").code), (404, "device_not_enabled"))

	def test_the_outbox_job_leaves_the_device_to_the_process(self) -> None:
		self.assertEqual(outbox.run(DEVICE), {})


class TestGatewaysThatSpeakHttp(GatewayCase):
	"""Asked directly, in the request."""

	def setUp(self) -> None:
		super().setUp()
		self.replace("khalifa_whatsapp.tests.gateway.BrowserLoopback.capabilities", Capabilities(has_qr=True))
		self.replace(
			"khalifa_whatsapp.tests.gateway.BrowserLoopback.start_session", lambda driver: SessionState("qr")
		)
		self.replace("khalifa_whatsapp.tests.gateway.BrowserLoopback.stop_session", lambda driver: None)
		self.replace("khalifa_whatsapp.tests.gateway.BrowserLoopback.log_out", lambda driver: None)
		self.replace("khalifa_whatsapp.tests.gateway.BrowserLoopback.get_qr", lambda driver: QrCode(QR))

	def wanted(self) -> int:
		frappe.db.rollback()
		return frappe.db.get_value("WhatsApp Device", DEVICE, "is_connection_wanted")

	def test_connecting_begins_the_login_and_the_watchdog_keeps_it(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "is_connection_wanted", 0)
		frappe.db.commit()
		self.assertEqual(self.ask("connect").message, {"state": "qr"})
		self.assertEqual((self.wanted(), self.state()), (1, "QR"))

	def test_the_code_comes_directly(self) -> None:
		self.assertEqual(self.ask("qr").message["image"], QR)

	def test_what_a_manager_ended_the_watchdog_does_not_start_again(self) -> None:
		for what in ("disconnect", "log_out"):
			self.ask("connect")
			self.assertEqual(self.ask(what).message, {"state": "disconnected"})
			self.assertEqual((self.wanted(), self.state()), (0, "Disconnected"), what)

	def test_what_the_gateway_refuses_is_reported_in_its_safe_words(self) -> None:
		def refuse(driver: Any) -> SessionState:
			raise AuthError("The gateway does not accept our token.")

		self.replace("khalifa_whatsapp.tests.gateway.BrowserLoopback.start_session", refuse)
		answer = self.ask("connect")
		self.assertEqual((answer.status, answer.code), (417, "gateway_refused"))
		self.assertIn("does not accept our token", answer.said)

	def test_a_gateway_whose_login_is_its_token_has_no_session(self) -> None:
		factory.DRIVERS = site_devices.DRIVERS = self.drivers
		forget_devices()
		for what in ("connect", "disconnect", "log_out", "qr"):
			self.assertEqual(self.ask(what).code, "no_session", what)
		self.assertFalse(self.ask("status").message["has_session"])


@unittest.skipUnless(HAS_ALL, "needs Chromium, chromedriver and selenium")
class TestTheProcess(GatewayCase):
	def setUp(self) -> None:
		super().setUp()
		self.log = (self.folder / "log").open("w+")
		self.addCleanup(self.log.close)
		self.processes: list[subprocess.Popen[str]] = []
		self.addCleanup(self.end_all)
		self.addCleanup(update_site_config, "maintenance_mode", 0)

	def start(self) -> subprocess.Popen[str]:
		started = subprocess.Popen(
			[sys.executable, "-m", "khalifa_whatsapp.tests.gateway", frappe.local.site, sites_path()],
			env={**os.environ, FOLDER: str(self.folder)},
			stderr=self.log,
			text=True,
			start_new_session=True,
		)
		self.processes.append(started)
		return started

	def end_all(self) -> None:
		for process in self.processes:
			process.terminate()
		for process in self.processes:
			try:
				process.wait(40)
			except subprocess.TimeoutExpired:
				process.kill()
				process.wait()
		for process in browsers():  # of a process that a test has killed
			process.kill()

	def until(self, condition: Callable[[], Any], seconds: float = 45) -> float:
		began = time.monotonic()
		while not condition():
			if time.monotonic() - began > seconds:
				self.log.flush()
				self.fail(f"not within {seconds} s\n{(self.folder / 'log').read_text()}")
			time.sleep(0.1)
		return time.monotonic() - began

	def connected(self) -> subprocess.Popen[str]:
		process = self.start()
		self.until(lambda: self.state() == "Connected")
		return process

	def test_a_device_is_connected_and_let_go_at_the_end(self) -> None:
		process = self.connected()
		self.until(lambda: self.lease().state == rules.RUNNING)
		lease = self.lease()
		self.assertEqual((lease.owner_pid, len(lease.chrome_pids.split())), (process.pid, 2))
		profile = Path(lease.profile)
		self.assertEqual(profile.parent, Path(frappe.get_site_path("private", "khalifa_browsers")).absolute())
		self.assertEqual(profile.stat().st_mode & 0o777, 0o700)
		status = self.ask("status").message
		self.assertEqual((status["state"], status["gateway"]["is_running"]), ("Connected", True))
		process.terminate()
		self.assertEqual(process.wait(40), 0)
		self.assertEqual(browsers(), [])
		self.assertFalse(self.lease().owner_key)
		self.assertEqual(self.state(), "Disconnected")
		self.assertFalse(gateway_calls.is_running())

	def test_what_nobody_has_read_comes_in_once(self) -> None:
		body = {
			"device": DEVICE,
			"events": [message_item("+201001234567", "بكام؟", "in-1", now_ms(), "Samy")],
		}
		(self.folder / "in-1").write_text(json.dumps(body, ensure_ascii=False))
		self.connected()
		self.until(lambda: [event.seen_count > 1 for event in self.events()] == [True])
		with self.quiet():
			intake.run(DEVICE)
		self.assertEqual(self.only(records.Message).body, "بكام؟")

	def test_what_is_queued_goes_out_once(self) -> None:
		ticket = self.ticket_of(self.mona)
		actor = Actor(MONA, "Mona Adel", self.mona)
		message = answers.reply(on_site(), actor, ticket, "answer", "key", now_ms())
		self.connected()
		self.until(lambda: self.only(records.Message, name=message.name).status == records.SENT)
		self.assertEqual((self.folder / "sent").read_text(), f"{message.name}\n")

	def test_a_manager_sees_the_code_and_it_is_written_down_nowhere(self) -> None:
		self.connected()
		began = time.monotonic()
		answer = self.ask("qr")
		self.assertEqual(answer.message, {"state": "qr", "image": QR, "age": 1.0, "lifetime": 20.0})
		self.assertLess(time.monotonic() - began, 5)
		self.log.flush()
		self.assertNotIn("secret-code", (self.folder / "log").read_text())
		kept = list(gateway_calls.connection().scan_iter("*khalifa_answer*"))
		self.assertEqual(kept, [])

	def test_what_a_manager_ends_stays_ended_until_one_connects_it(self) -> None:
		process = self.connected()
		self.assertEqual(self.ask("disconnect").message, {"state": "disconnected"})
		self.until(lambda: self.lease().state == rules.OFF and not browsers())
		self.until(lambda: self.state() == "Disconnected")
		process.terminate()
		process.wait(40)
		self.start()
		self.until(gateway_calls.is_running)
		self.assertEqual(self.lease().state, rules.OFF)
		self.assertEqual(self.ask("qr").message, {"state": "disconnected"})
		self.ask("connect")
		self.until(lambda: self.state() == "Connected")

	def test_logging_out_is_the_drivers_doing_and_the_state_follows(self) -> None:
		self.connected()
		self.ask("log_out")
		self.until(lambda: self.state() == "QR")

	def calls(self) -> list[str]:
		"""What managers were told in Desk's notifications."""
		frappe.db.rollback()
		return frappe.get_all(
			"Notification Log", {"for_user": HUDA, "document_name": DEVICE}, pluck="subject"
		)

	def test_a_login_that_the_phone_ended_calls_managers_once_and_one_that_a_manager_ended_calls_nobody(
		self,
	) -> None:
		self.connected()
		(self.folder / "unlinked").touch()
		self.until(self.calls)
		self.assertEqual(self.state(), "QR")
		(self.folder / "unlinked").unlink()
		self.until(lambda: self.state() == "Connected")
		self.ask("log_out")
		self.until(lambda: self.state() == "QR")
		self.assertEqual(
			self.calls(), ["Loop needs you: WhatsApp waits for a phone: scan the code, under Linked Devices."]
		)

	def test_a_device_whose_owner_was_killed_is_not_said_to_be_connected(self) -> None:
		process = self.connected()
		self.assertEqual(mark_abandoned(), [])
		process.kill()
		process.wait()
		frappe.db.set_value("Khalifa Browser Session", {"device": DEVICE}, "lease_until_ms", now_ms() - 1)
		frappe.db.commit()
		self.assertEqual((mark_abandoned(), mark_abandoned()), ([DEVICE], []))
		self.assertEqual(self.state(), "Disconnected")
		self.assertEqual(self.calls(), [f"Loop needs you: {NOT_RUNNING}"])
		self.start()
		self.until(lambda: self.state() == "Connected")

	def test_after_kill_9_the_next_process_sweeps_up_and_takes_over(self) -> None:
		first = self.connected()
		profile, orphans = self.lease().profile, {process.pid for process in browsers()}
		first.kill()
		first.wait()
		began = time.monotonic()
		second = self.start()
		self.until(lambda: self.lease().owner_pid == second.pid and self.lease().state == rules.RUNNING)
		self.until(lambda: not orphans & {process.pid for process in browsers()})
		self.assertLess(time.monotonic() - began, 60)
		self.assertEqual((self.lease().profile, self.lease().generation), (profile, 2))

	def test_what_a_killed_process_left_is_ended_by_the_minute_job(self) -> None:
		process = self.connected()
		self.assertEqual(sweep(), 0)
		process.kill()
		process.wait()
		self.assertGreater(len(browsers()), 2)
		self.assertGreater(sweep(), 2)
		self.assertEqual(browsers(), [])

	def test_a_broken_connection_is_opened_again(self) -> None:
		process = self.connected()
		for _ in range(3):
			frappe.db.rollback()
			before = self.lease().heartbeat_ms
			for (connection,) in frappe.db.sql(
				"SELECT id FROM information_schema.processlist WHERE user = %s AND id != CONNECTION_ID()",
				(frappe.conf.db_name,),
			):
				frappe.db.sql(f"KILL {int(connection)}")
			self.until(lambda before=before: self.lease().heartbeat_ms > before, 20)
		self.assertIsNone(process.poll())
		self.assertEqual((self.state(), self.lease().generation), ("Connected", 1))

	def test_a_site_in_maintenance_is_left_alone(self) -> None:
		self.connected()
		update_site_config("maintenance_mode", 1)
		self.until(lambda: not browsers() and not self.lease().owner_key)
		quiet = self.lease()
		time.sleep(2)  # nothing is to happen: there is nothing to wait for
		self.assertEqual(self.lease(), quiet)
		update_site_config("maintenance_mode", 0)
		self.until(lambda: self.state() == "Connected")

	def test_one_device_that_can_not_start_stops_no_other(self) -> None:
		make_loop("Bad", browser_options="--no-sandbox", browser_binary="/nowhere/chromium")
		frappe.db.commit()
		self.connected()
		self.until(lambda: self.state("Bad") == "Disconnected", 90)
		self.assertEqual(self.state(), "Connected")
		frappe.db.rollback()
		self.assertTrue(frappe.db.get_value("WhatsApp Device", "Bad", "state_detail"))

	def test_a_device_that_is_disabled_loses_its_browser(self) -> None:
		self.connected()
		frappe.db.set_value("WhatsApp Device", DEVICE, "enabled", 0)
		frappe.db.commit()
		self.until(lambda: not browsers() and not self.lease().owner_key)


def sites_path() -> str:
	return str(Path(frappe.local.sites_path).absolute())


def browsers() -> list[Any]:
	"""The processes of this site's browsers, whoever started them."""
	from khalifa_whatsapp.drivers.sessions import processes
	from khalifa_whatsapp.jobs.browsers import profiles_folder

	return processes.of_sessions(str(profiles_folder()), lambda tags: True)
