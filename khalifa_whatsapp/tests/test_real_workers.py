"""A worker of Frappe's own, with a queue of its own:
from the gateway's post to the ticket and back to the gateway.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import unittest
from typing import Any
from unittest.mock import patch

import frappe
import redis
from frappe.utils import background_jobs

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import minute, wake
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.tests.case import CONVERSATION, DEVICE, HUDA, MONA, SiteCase

SERVER = shutil.which("redis-server")


class RealWorkerCase(SiteCase):
	"""A queue of its own, and workers that come and go."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.port = free_port()
		quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
		cls.server = subprocess.Popen(
			[SERVER or "", "--port", str(cls.port), "--save", "", "--bind", "127.0.0.1"], **quiet
		)
		cls.addClassCleanup(cls.server.wait)
		cls.addClassCleanup(cls.server.terminate)
		cls.queue = redis.Redis(port=cls.port)
		until = time.monotonic() + 20
		while time.monotonic() < until:
			try:
				cls.queue.ping()
				break
			except redis.ConnectionError:
				time.sleep(0.05)

	def setUp(self) -> None:
		super().setUp()
		self.queue.flushall()
		self.replace("frappe.enqueue", _really_enqueue)
		conn = patch.object(background_jobs, "_redis_queue_conn", self.queue)
		conn.start()
		self.addCleanup(conn.stop)

	def work(self) -> None:
		"""A worker comes, does what is queued, and goes."""
		command = [
			sys.executable,
			"-m",
			"frappe.utils.bench_helper",
			"frappe",
			"worker",
			"--queue",
			"short,default,long",
		]
		env = {**os.environ, "FRAPPE_REDIS_QUEUE": f"redis://127.0.0.1:{self.port}"}
		done: Any = subprocess.run(
			[*command, "--burst", "--quiet"],
			env=env,
			capture_output=True,
			timeout=120,
			text=True,
			check=False,
		)
		self.assertEqual(done.returncode, 0, done.stderr)
		frappe.db.rollback()


@unittest.skipUnless(SERVER, "needs the program redis-server")
class TestRealWorkers(RealWorkerCase):
	def post(self) -> None:
		self.deliver(message_item("+201001234567", "عايز أعرف السعر", "in-1", now_ms(), "Samy"))

	def test_a_post_becomes_a_ticket(self) -> None:
		self.online(self.mona)
		self.post()
		self.work()
		self.assertEqual(self.only(records.Message).body, "عايز أعرف السعر")
		self.assertEqual(self.only(records.Ticket).agent, self.mona)
		row = frappe.db.get_value("Khalifa Ticket", {}, ["owner", "modified_by"])
		self.assertEqual(set(row), {"Administrator"})

	def test_a_queue_that_was_emptied_loses_nothing(self) -> None:
		self.post()
		self.queue.flushall()
		self.work()
		self.assertEqual(self.all(records.Message), [])
		wake.allow_next_wake("intake", DEVICE)
		minute.run()
		self.work()
		self.only(records.Message)

	def test_an_answer_leaves_by_the_worker(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.work()
		actor = Actor(MONA, "Mona Adel", self.mona)
		message = answers.reply(on_site(), actor, ticket, "answer", "key", now_ms())
		wake.wake_outbox(DEVICE)
		self.work()
		self.assertEqual(self.only(records.Message, name=message.name).status, records.SENT)

	def test_all_are_closed_by_the_worker(self) -> None:
		self.write()
		answer = self.as_(HUDA).call(f"{CONVERSATION}close_all_start", reason="the end")
		self.assertEqual(answer.status, 200, answer.text)
		self.work()
		self.assertEqual(self.only(records.CloseBatch).status, "Done")
		self.assertEqual(self.only(records.TicketEvent, event="closed").actor_name, "Huda")


def free_port() -> int:
	with socket.socket() as one:
		one.bind(("127.0.0.1", 0))
		return int(one.getsockname()[1])


_really_enqueue = frappe.enqueue
