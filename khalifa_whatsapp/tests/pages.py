"""Pages in a real Chromium against the site's own web server: what every such test needs.

The bundle is built and the server started once in a test run, however many classes ask; each class has one
browser.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import frappe
from frappe.installer import update_site_config

from khalifa_whatsapp.tests.case import PASSWORD, metas_kept
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.test_real_workers import free_port

APP = "khalifa_whatsapp"
CHROME = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
HAS_ALL = (
	CHROME
	and shutil.which("chromedriver")
	and shutil.which("node")
	and find_spec("selenium")
	and find_spec("gunicorn")
)
SWITCHES = (
	"--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
)
SWITCHES += " --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"  # a microphone that beeps
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
LOGIN = """const [user, password, done] = arguments; localStorage.clear(); sessionStorage.clear();
	const form = {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'},
		body: new URLSearchParams({usr: user, pwd: password})};
	fetch('/api/method/login', form).then(() => fetch('/api/method/frappe.auth.get_logged_user'))
		.then(answer => answer.json()).then(told => done(told.message), () => done(''));"""


SERVERS: dict[int, subprocess.Popen[bytes]] = {}  # of this run, by port


@cache
def serve() -> int:
	"""Build the app's bundle, unless it was built for this run, and start the site's web and socket servers.

	Returns the web server's port.
	"""
	sites = Path(frappe.local.sites_path).absolute()
	if not os.environ.get("KHALIFA_PAGES_ARE_BUILT"):  # tools/site_tests.py
		build = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "build", "--app", APP]
		subprocess.run(build, cwd=sites, check=True, timeout=300, **QUIET)
	port, live = free_port(), start_socket_server()
	update_site_config("socketio_port", live)
	web = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--threads", "8", "-t", "120"]
	# As on a developer's machine: the page goes to the socket server's own port, there is no nginx between
	# them
	start(
		[*web, "frappe.app:application_with_statics()"],
		port,
		cwd=sites,
		env={**os.environ, "DEV_SERVER": "1"},
	)
	return port


def start_socket_server() -> int:
	"""Frappe's own, which asks the web server who somebody is. Returns its port."""
	port = free_port()
	names = Path(__file__).with_name("loopback_names.cjs")
	script = Path(frappe.get_app_path("frappe")).parent / "socketio.js"
	env = {**os.environ, "FRAPPE_SOCKETIO_PORT": str(port)}
	start(["node", "--require", str(names), str(script)], port, cwd=script.parents[2], env=env)
	return port


def start(command: list[str], port: int, **more: Any) -> None:
	"""Start a server of this run; it stops with this process."""
	server = SERVERS[port] = subprocess.Popen(command, start_new_session=True, **QUIET, **more)
	atexit.register(server.wait)
	atexit.register(os.kill, server.pid, signal.SIGTERM)
	wait_for(lambda: answers(port), 60)


@contextmanager
def hanging(port: int) -> Iterator[None]:
	"""The server takes connections and answers none; what was asked meanwhile it does afterwards."""
	group = os.getpgid(SERVERS[port].pid)
	os.killpg(group, signal.SIGSTOP)
	try:
		yield
	finally:
		os.killpg(group, signal.SIGCONT)


def answers(port: int) -> bool:
	with socket.socket() as client:
		return client.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
	"""What the condition gives when it gives something, or what it gave last."""
	stop = time.monotonic() + seconds
	while not (answer := condition()) and time.monotonic() < stop:
		time.sleep(0.1)
	return answer


def finish_setup(is_complete: int) -> None:
	"""Desk shows its wizard, and nothing else, on a site that was never set up."""
	frappe.db.set_single_value("System Settings", "setup_complete", is_complete)
	# where Frappe reads it from 15.56 on
	if frappe.db.has_column("Installed Application", "is_setup_complete"):
		frappe.db.set_value(
			"Installed Application", {"parent": "Installed Applications"}, "is_setup_complete", is_complete
		)
	with metas_kept():
		frappe.db.set_default("desktop:home_page", "workspace" if is_complete else "setup-wizard")
		frappe.db.commit()
		frappe.clear_cache()


@unittest.skipUnless(HAS_ALL, "needs Chromium, chromedriver, node, selenium and gunicorn")
class PageCase(DeskCase):
	"""A browser, and short words for what people do with it."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.address = f"http://{frappe.local.site}:{serve()}"
		finish_setup(1)
		cls.addClassCleanup(finish_setup, 0)
		cls.browser = cls.open_browser()
		cls.addClassCleanup(cls.browser.quit)

	@classmethod
	def open_browser(cls) -> Any:
		from selenium import webdriver
		from selenium.webdriver.chrome.service import Service

		options = webdriver.ChromeOptions()
		options.binary_location = CHROME
		options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
		# a dialog that opens is found, not closed
		options.set_capability("unhandledPromptBehavior", "ignore")
		for switch in [
			*SWITCHES.split(),
			"--window-size=1440,900",
			f"--host-resolver-rules=MAP {frappe.local.site} 127.0.0.1",
		]:
			options.add_argument(switch)
		browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
		# The missing icon is a page of its own that signs whoever has no session in as a guest, often after a
		# login
		browser.execute_cdp_cmd("Network.enable", {})
		browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/favicon.ico"]})
		return browser

	def until(self, condition: Callable[[], Any], what: str = "", seconds: float = 40) -> Any:
		"""Wait until the page or the database is so."""

		def fresh() -> Any:
			frappe.db.rollback()  # what others have committed
			return condition()

		answer = wait_for(fresh, seconds)
		if not answer:
			self.fail(
				f"not within {seconds} s: {what or condition} · the page says: {self.page_text()[:1500]} · "
				f"{self.complaints()}"
			)
		return answer

	def complaints(self) -> list[str]:
		"""What the browser wrote of errors since it was asked last."""
		return [row["message"] for row in self.browser.get_log("browser") if row["level"] == "SEVERE"][-5:]

	def js(self, script: str, *given: Any) -> Any:
		return self.browser.execute_script(script, *given)

	def page_text(self) -> str:
		return self.js("return document.body.innerText")

	def texts(self, selector: str) -> list[str]:
		texts = self.js(
			"return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector
		)
		return [text.replace("\u2068", "").replace("\u2069", "") for text in texts]  # marks around names

	def click(self, selector: str, text: str = "") -> None:
		script = """const elements = [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent
			&& e.textContent.includes(arguments[1]));
			if (elements.length) elements[elements.length - 1].click(); return elements.length > 0;"""
		self.until(lambda: self.js(script, selector, text), f"click {selector} {text}")

	def type_into(self, selector: str, text: str) -> None:
		from selenium.webdriver.common.by import By

		self.until(
			lambda: self.js("return !!document.querySelector(arguments[0])?.offsetParent", selector), selector
		)
		self.browser.find_element(By.CSS_SELECTOR, selector).send_keys(text)

	def sign_in(self, user: str) -> None:
		"""As on the login page, in a browser that remembers nothing,
		at a Desk that remembers no list's filters.
		"""
		frappe.db.delete("__UserSettings", {"user": user})
		frappe.db.commit()
		frappe.cache.delete_value("_user_settings")
		# A page that is left keeps its socket for a while, and takes the next one's room down with it
		# (socket.io 4.7)
		self.js("window.frappe?.realtime?.socket?.disconnect()")
		self.browser.get("about:blank")  # a late answer to the page before would bring its session back
		self.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
		self.browser.get(f"{self.address}/api/method/ping")
		self.until(
			lambda: self.browser.execute_async_script(LOGIN, user, PASSWORD) == user, f"{user} signs in"
		)

	def go(self, path: str, ready: str) -> None:
		"""Open an address, and wait for what the selector finds."""
		self.browser.get(self.address + path)
		self.until(
			lambda: self.js("return !!document.querySelector(arguments[0])?.offsetParent", ready),
			f"{path} with {ready}",
		)

	def route(self, *route: str) -> None:
		"""Go to another page of Desk without loading Desk again;
		wait until it asks the server nothing more.
		"""
		self.js(
			"window.khalifa_arrived = false; frappe.set_route(arguments[0]).then(() => "
			"(window.khalifa_arrived = true));",
			route,
		)
		self.until(lambda: self.js("return window.khalifa_arrived"), f"arrived at {route}")
		self.settle()

	def settle(self) -> None:
		"""Until Desk has asked and drawn all it wants."""
		idle = (
			"return window.frappe?.request?.ajax_count === 0 && "
			"!document.querySelector('.freeze-message-container, #freeze.in')"
		)
		self.until(lambda: self.js(idle) and self.js(idle), "Desk settles")
