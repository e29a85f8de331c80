"""Real workers of Frappe's own, killed by signal 9 while a gateway misbehaves: nothing twice,
nothing lost, nothing false.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import unittest

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import intake, outbox, wake
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.site_devices import forget_devices, get_device
from khalifa_whatsapp.tests.case import HUDA
from khalifa_whatsapp.tests.records import make_cloud_device
from khalifa_whatsapp.tests.test_real_workers import SERVER, RealWorkerCase
from simulation.simulators.cloud_api import CloudApiSimulator
from simulation.simulators.wire import Person

GATEWAY = "Faulty Gateway"
RATES = {
	"429": 0.03,
	"131016": 0.03,
	"131026": 0.02,
	"read_timeout": 0.03,
	"reset": 0.05,
	"reset_lost": 0.05,
	"502": 0.04,
	"html_200": 0.04,
	"no_id": 0.02,
}
MESSAGES, KILLS = 60, 5
ARRIVED = (records.SENT, records.DELIVERED, records.READ)


@unittest.skipUnless(SERVER, "needs the program redis-server")
class TestOutboxFaults(RealWorkerCase):
	def setUp(self) -> None:
		super().setUp()
		self.gateway = CloudApiSimulator(now_ms, stall_seconds=0.8, seed=3)
		self.gateway.start()
		self.addCleanup(self.gateway.stop)
		make_cloud_device(GATEWAY, self.gateway.config(), read_timeout=0.5, connect_timeout=1)
		self.addCleanup(self.remove)

	def remove(self) -> None:
		frappe.db.rollback()
		for table in ("Khalifa Message", "Khalifa Ticket"):
			frappe.db.delete(table, {"device": GATEWAY})
		frappe.db.delete("Notification Log", {"document_name": GATEWAY})
		frappe.delete_doc("WhatsApp Device", GATEWAY, force=True)
		frappe.db.commit()
		forget_devices()

	def test_kills_and_a_bad_gateway_cost_no_message_its_truth(self) -> None:
		self.ask(MESSAGES)
		self.gateway.failures.rates = dict(RATES)
		kills = sum(self.killed_worker() for _ in range(KILLS))
		self.gateway.failures.rates = {}
		self.settle()
		self.assertGreaterEqual(kills, KILLS - 1)
		rows = self.gateway.sent_log.rows()
		self.assertEqual(self.gateway.sent_log.duplicates(), [])
		taken = {row.callback for row in rows}
		answers = self.all(records.Message, direction="Outgoing", device=GATEWAY)
		self.assertEqual(len(answers), MESSAGES)
		for message in answers:
			self.assertIn(
				message.status, (*ARRIVED, records.FAILED, records.UNKNOWN), "nothing waits for ever"
			)
			self.assertTrue(
				message.status not in ARRIVED or message.name in taken, "said to be sent, and was not"
			)
			self.assertTrue(message.status != records.FAILED or message.error_text)
		doubtful = [message for message in answers if message.status == records.UNKNOWN]
		self.assertTrue(
			all(message.name not in taken for message in doubtful), "the gateway's statuses settle the rest"
		)

	def ask(self, count: int) -> None:
		for number in range(count):
			self.gateway.customer_text(Person(f"2010{number:08}", f"Customer {number}"), "hello")
		self.receive()
		with self.quiet():
			intake.run(GATEWAY)
		actor = Actor(HUDA, "Huda", None, is_manager=True)
		for number, ticket in enumerate(frappe.get_all("Khalifa Ticket", {"device": GATEWAY}, pluck="name")):
			answers.reply(on_site(), actor, ticket, f"answer {number}", f"fault-{number}", now_ms())

	def receive(self) -> None:
		"""What the gateway posts, through the endpoint's own check."""
		device = get_device(GATEWAY)
		assert device is not None
		for post in self.gateway.take(everything=True):
			self.assertEqual(
				webhook.accept(on_site(), device.driver, post.call(), now_ms(), 10**7).status, 200
			)

	def killed_worker(self) -> bool:
		"""A worker begins to send, and dies by signal 9 with all that it forked. Whether it had begun."""
		self.make_due()
		before = len(self.gateway.sent_log)
		env = {**os.environ, "FRAPPE_REDIS_QUEUE": f"redis://127.0.0.1:{self.port}"}
		worker = subprocess.Popen(
			[
				sys.executable,
				"-m",
				"frappe.utils.bench_helper",
				"frappe",
				"worker",
				"--queue",
				"default",
				"--quiet",
			],
			env=env,
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
			start_new_session=True,
		)
		until = time.monotonic() + 30
		while len(self.gateway.sent_log) < before + 3 and time.monotonic() < until and self.waiting():
			time.sleep(0.01)
		has_begun = len(self.gateway.sent_log) > before
		for pid in family(worker.pid):
			os.kill(pid, signal.SIGKILL)
		worker.wait()
		return has_begun

	def make_due(self) -> None:
		"""Retries and the breaker are over; the queue forgets jobs of workers that died."""
		frappe.db.rollback()
		frappe.db.sql(
			"UPDATE `tabKhalifa Message` SET next_retry_ms = 0 WHERE device = %s AND status = 'Queued'",
			GATEWAY,
		)
		frappe.db.set_value("WhatsApp Device", GATEWAY, {"breaker_state": "Closed", "breaker_until_ms": 0})
		frappe.db.commit()
		self.queue.flushall()
		wake.allow_next_wake("outbox", GATEWAY)
		wake.wake_outbox(GATEWAY)

	def waiting(self) -> int:
		frappe.db.rollback()
		return frappe.db.count(
			"Khalifa Message", {"device": GATEWAY, "status": ("in", ("Queued", "Sending"))}
		)

	def settle(self) -> None:
		for _ in range(40):
			self.make_due()
			with self.quiet():
				outbox.run(GATEWAY)
				self.receive()
				intake.run(GATEWAY)
			if not self.waiting():
				return


def family(pid: int) -> list[int]:
	"""A process and all that it forked, the youngest first."""
	listing = subprocess.run(
		["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
	)
	children = [child for line in listing.stdout.split() for child in family(int(line))]
	return [*children, pid]
