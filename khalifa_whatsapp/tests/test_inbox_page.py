"""The inbox in a real Chromium against the site's own web server: a day at the desk, and what must stay text."""

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

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake, outbox
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA, PASSWORD, SiteCase
from khalifa_whatsapp.tests.test_real_workers import free_port

CHROME = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
HAS_ALL = CHROME and shutil.which("chromedriver") and find_spec("selenium") and find_spec("gunicorn")
SWITCHES = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
NASTY = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'> {{7*7}} =1+1"
MESSAGES = ".kin-log .kin-bubble .kin-text"


@unittest.skipUnless(HAS_ALL, "needs Chromium, chromedriver, selenium and gunicorn")
class TestTheInboxPage(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		sites = Path(frappe.local.sites_path).absolute()
		quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
		build = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "build", "--app", "khalifa_whatsapp"]
		subprocess.run(build, cwd=sites, check=True, timeout=300, **quiet)
		cls.port = free_port()
		server = subprocess.Popen(
			[sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{cls.port}", "--threads", "8", "-t", "120",
			"frappe.app:application_with_statics()"], cwd=sites, start_new_session=True, **quiet,
		)  # fmt: skip
		cls.addClassCleanup(server.wait)
		cls.addClassCleanup(os.kill, server.pid, signal.SIGTERM)
		cls.address = f"http://{frappe.local.site}:{cls.port}"
		cls.finish_setup(1)
		cls.addClassCleanup(cls.finish_setup, 0)

	@classmethod
	def finish_setup(cls, is_complete: int) -> None:
		"""Desk shows its wizard, and nothing else, on a site that was never set up."""
		frappe.db.set_single_value("System Settings", "setup_complete", is_complete)
		frappe.db.set_default("desktop:home_page", "workspace" if is_complete else "setup-wizard")
		frappe.db.commit()
		frappe.clear_cache()

	def setUp(self) -> None:
		super().setUp()
		from selenium import webdriver
		from selenium.webdriver.chrome.service import Service

		options = webdriver.ChromeOptions()
		options.binary_location = CHROME
		for switch in [*SWITCHES.split(), "--window-size=1440,900", f"--host-resolver-rules=MAP {frappe.local.site} 127.0.0.1"]:
			options.add_argument(switch)
		self.browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
		self.addCleanup(self.browser.quit)

	# -- short words

	def until(self, condition: Callable[[], Any], seconds: float = 40) -> Any:
		stop = time.monotonic() + seconds
		while True:
			frappe.db.rollback()
			found = condition()
			if found or time.monotonic() > stop:
				self.assertTrue(found, f"not within {seconds} s")
				return found
			time.sleep(0.2)

	def js(self, script: str, *given: Any) -> Any:
		return self.browser.execute_script(script, *given)

	def texts(self, selector: str) -> list[str]:
		found = self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)
		return [text.replace("\u2068", "").replace("\u2069", "") for text in found]  # marks around names

	def click(self, selector: str, text: str = "") -> None:
		script = """const found = [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent && e.textContent.includes(arguments[1]));
			if (found.length) found[found.length - 1].click(); return found.length > 0;"""
		self.until(lambda: self.js(script, selector, text))

	def write(self, text: str) -> None:
		from selenium.webdriver.common.by import By

		self.until(lambda: self.js("return !!document.querySelector('.kin-input')?.offsetParent"))
		self.browser.find_element(By.CSS_SELECTOR, ".kin-input").send_keys(text)

	def enter(self, user: str, path: str = "/app/khalifa-inbox") -> None:
		self.browser.get(f"{self.address}/login")
		answer = """const done = arguments[2]; fetch('/api/method/login', {method: 'POST', headers: {'Content-Type':
			'application/x-www-form-urlencoded'}, body: new URLSearchParams({usr: arguments[0], pwd: arguments[1]})})
			.then(found => done(found.status));"""
		self.until(lambda: self.browser.execute_async_script(answer, user, PASSWORD) == 200)
		self.browser.get(self.address + path)
		self.until(lambda: self.js("return !!document.querySelector('.kin-tabs .kin-tab')"))

	def customer_writes(self, body: str, phone: str = "+201001234567", key: str = "in-1") -> None:
		self.assertEqual(self.deliver(message_item(phone, body, key, now_ms(), "Samy")).status, 200)
		with self.quiet():
			intake.run(DEVICE)

	# -- a day

	def test_a_message_comes_while_the_page_is_open_and_is_answered_and_handed_on(self) -> None:
		self.online(self.mona)
		self.online(self.ali)
		frappe.db.set_value("Khalifa Agent", self.ali, "presence", "Away")
		frappe.db.commit()
		self.enter(MONA)
		self.customer_writes("عايز أعرف السعر")
		ticket = self.until(lambda: self.texts(".kin-line .kin-name") and self.only(r.Ticket))
		self.click(".kin-line")
		self.until(lambda: "عايز أعرف السعر" in self.texts(MESSAGES))
		self.write("السعر 50 جنيه")
		self.click(".kin-send")
		self.until(lambda: "السعر 50 جنيه" in self.texts(MESSAGES))
		self.assertIn("Mona Adel", self.texts(".kin-author bdi"))
		with self.quiet():
			outbox.run(DEVICE)
		self.assertEqual([m.status for m in self.all(r.Message, direction="Outgoing")], [r.SENT])
		self.until(lambda: self.texts(".kin-bubble.out .kin-tick") == ["✓"])
		self.click(".kin-actions button", "Transfer")
		self.until(lambda: self.js("return !!(window.cur_dialog && document.querySelector('.modal.show select'))"))
		self.js(
			"const box = cur_dialog; box.set_value('to_agent', arguments[0]); box.set_value('reason', 'his branch');", self.ali
		)
		self.click(".modal.show .btn-primary", "Transfer")
		self.until(lambda: self.only(r.Ticket, name=ticket.name).agent == self.ali)

	def test_what_a_customer_writes_is_text_everywhere(self) -> None:
		self.online(self.mona)
		self.enter(MONA)
		self.customer_writes(NASTY)
		self.until(lambda: self.texts(".kin-line .kin-preview"))
		self.click(".kin-line")
		self.until(lambda: NASTY in self.texts(MESSAGES))
		self.assertIsNone(self.js("return window.hacked || null"))
		self.assertEqual(self.js("return document.querySelectorAll('.khalifa-inbox script, .kin-log img').length"), 0)

	def test_a_colleague_s_answer_in_between_is_shown_before_ones_own_goes(self) -> None:
		self.online(self.mona)
		self.customer_writes("hello")
		self.enter(MONA)
		self.click(".kin-line")
		self.until(lambda: "hello" in self.texts(MESSAGES))
		ticket = self.only(r.Ticket).name
		self.as_(HUDA).call("khalifa_whatsapp.api.conversation.reply", ticket=ticket, body="from the manager", client_key="h")
		self.write("mine")
		self.click(".kin-send")
		self.until(lambda: self.texts(".kin-above .kin-trouble"))
		self.assertEqual(self.js("return document.querySelector('.kin-input').value"), "mine", "nothing is lost")
		self.until(lambda: "from the manager" in self.texts(MESSAGES))
		self.click(".kin-above button", "Send Anyway")
		self.until(lambda: "mine" in self.texts(MESSAGES))

	def test_a_draft_is_kept_and_a_foreign_conversation_is_not_opened_by_its_address(self) -> None:
		self.online(self.mona)
		self.customer_writes("hello")
		ticket = self.only(r.Ticket).name
		self.enter(MONA, f"/app/khalifa-inbox/{ticket}")
		self.until(lambda: "hello" in self.texts(MESSAGES))
		self.write("half a sen")
		self.browser.refresh()
		self.until(lambda: self.js("return document.querySelector('.kin-input')?.value === 'half a sen'"))
		self.browser.delete_all_cookies()
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
		self.write("yes, in a moment")
		self.click(".kin-send")
		self.until(lambda: "Huda, on behalf of Mona Adel" in self.texts(".kin-author bdi"))
		self.assertEqual(self.only(r.Message, direction="Outgoing").on_behalf_of, self.mona)
