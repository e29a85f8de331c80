"""What somebody hears through Frappe's own socket server who asks for every room that there is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path
from threading import Thread
from typing import Any

import frappe
from frappe.realtime import get_doctype_room
from frappe.utils.password import update_password

from khalifa_whatsapp.access.attached_rows import OURS
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import MANAGER_ROLE
from khalifa_whatsapp.core.doctypes import BY_NAME
from khalifa_whatsapp.tests.case import ALI, HOST, HUDA, PASSWORD
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.pages import free_port, start, start_socket_server, wait_for
from khalifa_whatsapp.tests.records import make_manager

BOSS = "kw-boss@example.com"
CONTROL = "Note"  # of Frappe: everybody who is signed in may read it
# Child tables, and what only an administrator reads
NOT_MANAGERS = {name for name in OURS if "read" not in BY_NAME[name].rights.get(MANAGER_ROLE, ())}
SETTLED = 3.0  # seconds after the last answer that can be waited for: refusals say nothing


class Listener:
	"""A client that is signed in as somebody, and writes down what it hears."""

	def __init__(self, web: int, live: int, sid: str, asked: list[list[str]]) -> None:
		script = Path(__file__).with_name("socket_listener.cjs")
		modules = Path(frappe.get_app_path("frappe")).parent / "node_modules"
		names = script.with_name("loopback_names.cjs")
		command = [
			"node",
			"--require",
			str(names),
			str(script),
			f"http://127.0.0.1:{live}?web={web}",
			frappe.local.site,
			sid,
		]
		env = {**os.environ, "NODE_PATH": str(modules)}
		self.process = subprocess.Popen(
			[*command, json.dumps(asked)], stdout=subprocess.PIPE, text=True, env=env
		)
		self.received: list[list[Any]] = []
		self.reader = Thread(target=self.read, daemon=True)
		self.reader.start()

	def read(self) -> None:
		assert self.process.stdout
		for line in self.process.stdout:
			self.received.append(json.loads(line))

	def has_received(self, event: str) -> bool:
		return any(what[0] == event for what in list(self.received))

	def close(self) -> None:
		self.process.terminate()
		self.process.wait()
		self.reader.join()
		assert self.process.stdout
		self.process.stdout.close()


@unittest.skipUnless(shutil.which("node"), "needs node")
class TestRooms(DeskCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.live, cls.web = start_socket_server(), free_port()
		server = [
			sys.executable,
			"-m",
			"gunicorn",
			"-b",
			f"127.0.0.1:{cls.web}",
			"--threads",
			"4",
			"frappe.app:application",
		]
		start(server, cls.web, cwd=Path(frappe.local.sites_path).absolute())

	def listen(self, user: str, ticket: str) -> Listener:
		"""To all lists of ours, to the ticket's form, and to a list of Frappe's."""
		rooms = [["doctype_subscribe", name] for name in (*sorted(OURS), "Comment", CONTROL)]
		of_form = [[event, "Khalifa Ticket", ticket] for event in ("doc_subscribe", "doc_open")]
		cookie = self.as_(user).client.get_cookie("sid", domain="localhost")
		assert cookie
		listener = Listener(self.web, self.live, cookie.value, [*rooms, *of_form])
		self.addCleanup(listener.close)
		self.assertTrue(wait_for(lambda: self.probe(listener, CONTROL), 60), (user, listener.received))
		return listener

	def probe(self, listener: Listener, doctype: str) -> bool:
		frappe.publish_realtime(f"probe {doctype}", {}, room=get_doctype_room(doctype))
		time.sleep(0.1)
		return listener.has_received(f"probe {doctype}")

	def test_agents_receive_what_concerns_them_and_no_name_and_no_login_by_the_rooms_of_lists_and_forms(
		self,
	) -> None:
		ticket = self.ticket_of(self.ali)
		other = self.only(records.Ticket, name=self.write("+201001234568")).customer
		ali, huda = self.listen(ALI, ticket), self.listen(HUDA, ticket)
		for name in sorted(OURS - NOT_MANAGERS):
			self.assertTrue(
				wait_for(lambda name=name: self.probe(huda, name), 30), f"managers hear of {name}"
			)
		time.sleep(SETTLED)
		given = {"doctype": "Khalifa Customer", "name": other, "fieldname": "notes", "value": "x"}
		self.assertEqual(self.as_(HUDA).call("frappe.client.set_value", **given).status, 200)
		comment = {"content": "x", "comment_email": HUDA, "comment_by": "Huda"}
		comment |= {"reference_doctype": "Khalifa Ticket", "reference_name": ticket}
		self.assertEqual(self.as_(HUDA).call("frappe.desk.form.utils.add_comment", **comment).status, 200)
		self.write("+201001234569")
		for listener, event in (
			(ali, "khalifa_whatsapp:queue"),
			(huda, "khalifa_whatsapp:queue"),
			(huda, "docinfo_update"),
			(huda, "list_update"),
		):
			self.assertTrue(
				wait_for(lambda listener=listener, event=event: listener.has_received(event), 30),
				(event, listener.received),
			)
		time.sleep(SETTLED)
		said = json.dumps(ali.received)
		for term in (
			HOST,
			other,
			"doc_viewers",
			"docinfo_update",
			"doc_update",
			*(f"probe {name}" for name in OURS),
		):
			self.assertNotIn(term, said)
		self.assertIn(other, json.dumps(huda.received))

	def test_two_managers_still_see_each_other_at_a_form(self) -> None:
		ticket = self.ticket_of(self.ali)
		make_manager(BOSS)
		update_password(BOSS, PASSWORD)
		frappe.db.commit()
		self.addCleanup(frappe.delete_doc, "User", BOSS, force=True)
		one, _other = self.listen(HUDA, ticket), self.listen(BOSS, ticket)
		self.assertTrue(wait_for(lambda: one.has_received("doc_viewers"), 30), one.received)
