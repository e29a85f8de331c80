"""The whole of WhatsApp Web: the gateway process, its own Chrome, the driver and the stand-in page,
from code to answer.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import HUDA, MONA, SiteCase
from simulation.simulators import Person, WhatsAppWebSimulator

API = "khalifa_whatsapp.api.devices."
SHOP = "Web Shop"
CHROME = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
HAS_ALL = CHROME and shutil.which("chromedriver") and find_spec("selenium")
SAMY = Person(digits="201001234567", name="Samy")


@unittest.skipUnless(HAS_ALL, "needs Chromium, chromedriver and selenium")
class TestWhatsAppWeb(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.page = WhatsAppWebSimulator(now_ms, state="qr")
		self.page.start()
		self.addCleanup(self.page.stop)
		frappe.get_doc(
			doctype="WhatsApp Device",
			device_name=SHOP,
			provider="whatsapp_web",
			enabled=1,
			browser_url=self.page.url,
			browser_binary=CHROME,
			browser_driver=shutil.which("chromedriver"),
			browser_language="en-US",
			browser_options="--no-sandbox\n--disable-gpu",
			read_timeout=10,
			connect_timeout=5,
			min_gap_seconds=0.1,
		).insert(ignore_permissions=True)
		frappe.db.commit()
		self.addCleanup(self.remove)
		self.gateway = subprocess.Popen(
			[
				sys.executable,
				"-m",
				"frappe.utils.bench_helper",
				"frappe",
				"--site",
				frappe.local.site,
				"khalifa-gateway",
			],
			cwd=Path(frappe.local.sites_path).absolute(),
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
			start_new_session=True,
		)
		self.addCleanup(self.end)

	def end(self) -> None:
		self.gateway.send_signal(signal.SIGTERM)
		try:
			self.gateway.wait(40)
		except subprocess.TimeoutExpired:
			os.killpg(self.gateway.pid, signal.SIGKILL)
			self.gateway.wait()

	def remove(self) -> None:
		frappe.db.rollback()
		for table in (
			"Khalifa Browser Session",
			"Khalifa Message",
			"Khalifa Ticket",
			"Khalifa Webhook Event",
		):
			frappe.db.delete(table, {"device": SHOP})
		frappe.delete_doc("WhatsApp Device", SHOP, force=True)
		frappe.db.commit()
		forget_devices()

	def until(self, condition: Callable[[], Any], seconds: float = 90) -> Any:
		stop = time.monotonic() + seconds
		while not (answer := condition()):
			self.assertLess(time.monotonic(), stop, f"not within {seconds} s")
			time.sleep(0.3)
		return answer

	def state(self) -> str:
		frappe.db.rollback()
		return frappe.db.get_value("WhatsApp Device", SHOP, "state")

	def taken_in(self) -> list[Any]:
		with self.quiet():
			intake.run(SHOP)
		return self.all(records.Message, device=SHOP, direction="Incoming")

	def test_from_the_code_to_the_answer(self) -> None:
		self.until(lambda: self.state() == "QR")
		code = self.as_(HUDA).call(f"{API}qr", device=SHOP)
		self.assertTrue(code.message["image"].startswith("data:image/"), code.text[:80])
		self.assertEqual(self.as_(MONA).call(f"{API}qr", device=SHOP).status, 403)
		self.page.scan()
		self.until(lambda: self.state() == "Connected")
		self.page.customer_text(SAMY, "عايز أعرف السعر")
		(asked,) = self.until(self.taken_in)
		self.assertEqual(asked.body, "عايز أعرف السعر")
		actor = Actor(HUDA, "Huda", None, is_manager=True)
		answer = answers.reply(on_site(), actor, asked.ticket, "السعر 50 جنيه", "web-1", now_ms())
		self.until(
			lambda: (
				self.only(records.Message, name=answer.name).status
				in (records.SENT, records.DELIVERED, records.READ)
			)
		)
		self.assertEqual([row.body for row in self.page.sent_log.rows()], ["السعر 50 جنيه"])
		self.assertEqual(self.only(records.Message, name=answer.name).provider, "whatsapp_web")
