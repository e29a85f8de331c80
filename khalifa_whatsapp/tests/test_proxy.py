"""The location that docs/gateways.md gives for nginx, in a real nginx before a real gunicorn."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import frappe
import requests

from khalifa_whatsapp.tests.case import SiteCase
from khalifa_whatsapp.tests.pages import answers, wait_for
from khalifa_whatsapp.tests.test_real_workers import free_port
from khalifa_whatsapp.tests.webhook_case import make_device

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
DOCS = Path(frappe.get_app_path("khalifa_whatsapp")).parent / "docs" / "gateways.md"
WORKERS = 3
BODY_SECONDS = 2  # in place of the document's ten
WEBHOOK = "/api/method/khalifa_whatsapp.api.webhook.wppconnect"
MAIN = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
	access_log {folder}/access.log; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
	server {{
		listen 127.0.0.1:{port};
		{location}
		location / {{ proxy_set_header Host $host; proxy_pass http://127.0.0.1:{web}; }}
	}}
}}
"""


@unittest.skipUnless(
	NGINX and find_spec("gunicorn") and DOCS.exists(), "needs nginx, gunicorn and the documents"
)
class TestBehindNginx(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		shop = make_device("Shop", "wppconnect", base_url="http://127.0.0.1:9", session_name="shop1")
		cls.k = shop.new_webhook_secret()["url"].rpartition("k=")[2]
		frappe.db.commit()
		cls.folder = Path(tempfile.mkdtemp())
		cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
		cls.web, cls.port = free_port(), free_port()
		sites = Path(frappe.local.sites_path).absolute()
		gunicorn = [
			sys.executable,
			"-m",
			"gunicorn",
			"-b",
			f"127.0.0.1:{cls.web}",
			"-w",
			str(WORKERS),
			"-t",
			"120",
		]
		cls.run_server([*gunicorn, "frappe.app:application"], cls.web, cwd=sites)
		for _ in range(4 * WORKERS):  # each worker reads the whole app first
			cls.ping(cls.web, 60)
		block = re.search(r"```nginx\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
		assert block
		location = (
			block[1].replace("127.0.0.1:8000", f"127.0.0.1:{cls.web}").replace("10s", f"{BODY_SECONDS}s")
		)
		config = cls.folder / "nginx.conf"
		config.write_text(MAIN.format(folder=cls.folder, port=cls.port, web=cls.web, location=location))
		cls.run_server([NGINX or "", "-c", str(config), "-p", str(cls.folder)], cls.port)

	@classmethod
	def run_server(cls, command: list[str], port: int, **more: Any) -> None:
		with (cls.folder / f"{port}.log").open("wb") as log:
			server = subprocess.Popen(command, stdout=log, stderr=log, **more)
		cls.addClassCleanup(server.wait, 30)
		cls.addClassCleanup(os.kill, server.pid, signal.SIGTERM)
		assert wait_for(lambda: answers(port), 60), (cls.folder / f"{port}.log").read_text()

	@contextmanager
	def endless(self, port: int, count: int) -> Iterator[list[socket.socket]]:
		"""Bodies that begin and then say nothing any more."""
		head = (
			f"POST {WEBHOOK}?device=Shop&k={self.k} HTTP/1.1\r\nHost: {frappe.local.site}\r\n"
			"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
		)
		with ExitStack() as stack:
			connections = [
				stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)
			]
			for one in connections:
				one.sendall(head.encode())
			yield connections

	@staticmethod
	def ping(port: int, seconds: float = 8) -> int:
		headers = {"Host": frappe.local.site}
		return requests.get(
			f"http://127.0.0.1:{port}/api/method/ping", headers=headers, timeout=seconds
		).status_code

	def post(self, body: bytes, port: int, **query: str) -> requests.Response:
		headers = {"Host": frappe.local.site, "Content-Type": "application/json"}
		query = {"device": "Shop", **query}
		return requests.post(
			f"http://127.0.0.1:{port}{WEBHOOK}", body, params=query, headers=headers, timeout=20
		)

	def test_endless_bodies_stop_a_bare_gunicorn(self) -> None:
		"""What the proxy is for: without it this would be a test of nothing."""
		self.assertEqual(self.ping(self.web), 200)
		with self.endless(self.web, WORKERS):
			time.sleep(0.5)
			self.assertRaises(requests.Timeout, self.ping, self.web)
		wait_for(lambda: self.ping(self.web) == 200, 20)

	def test_behind_the_proxy_nobody_notices_them_and_they_are_ended(self) -> None:
		with self.endless(self.port, 4 * WORKERS) as bodies:
			began = time.monotonic()
			for _ in range(5):
				self.assertEqual(self.ping(self.port), 200)
			self.assertEqual(self.post(b"{}", self.port, k=self.k).status_code, 200)
			self.assertLess(time.monotonic() - began, BODY_SECONDS + 3)
			for body in bodies:
				body.settimeout(BODY_SECONDS + 5)
				self.assertIn(body.recv(100)[:12], (b"", b"HTTP/1.1 408"))

	def test_the_key_goes_on_as_a_header_and_into_no_log(self) -> None:
		self.assertEqual(self.post(b"{not json", self.port, k=self.k).status_code, 200)
		self.assertEqual(self.post(b"{}", self.port, k="wrong").status_code, 401)
		self.assertEqual(self.post(b"{}", self.port).status_code, 401)
		self.assertIn(b"{not json", [event.body.encode() for event in self.events()])
		for log in self.folder.glob("*.log"):
			self.assertNotIn(self.k, log.read_text(), log)

	def test_a_web_server_that_is_away_is_reported_with_a_time_to_come_again(self) -> None:
		config = (self.folder / "nginx.conf").read_text()
		nobody, port = free_port(), free_port()
		away = self.folder / "away.conf"
		away.write_text(
			config.replace(str(self.web), str(nobody))
			.replace(f":{self.port};", f":{port};")
			.replace("nginx.pid", "2")
		)
		self.run_server([NGINX or "", "-c", str(away), "-p", str(self.folder)], port)
		answer = self.post(b"{}", port, k=self.k)
		self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (503, "5"))
		for log in self.folder.glob("*.log"):
			self.assertNotIn(self.k, log.read_text(), log)
