"""A site with people, devices and traffic.

Use cases commit, so nothing is rolled back here: rows are deleted.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import frappe
import redis
from frappe.tests.utils import FrappeTestCase
from frappe.utils import background_jobs
from frappe.utils.password import update_password

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.doctypes import DOCTYPES
from khalifa_whatsapp.drivers.cloud_api.verify import sign
from khalifa_whatsapp.drivers.loopback import SIGNATURE_HEADER, LoopbackDriver, message_item
from khalifa_whatsapp.guards import forget_actors
from khalifa_whatsapp.jobs import intake, wake
from khalifa_whatsapp.services.tickets import assignment, presence
from khalifa_whatsapp.setup.install import fill_settings
from khalifa_whatsapp.site_devices import forget_devices, get_device
from khalifa_whatsapp.tests.records import make_agent, make_branch, make_user
from khalifa_whatsapp.tests.web import Answer, Caller

HOST = "desk.example"  # logins end so; no answer may hold it
MONA, ALI, HUDA, VISITOR = (f"{name}@{HOST}" for name in ("m0na", "a1i", "hud4", "visit0r"))
PASSWORD = "correct horse battery 7"
DEVICE, SECRET = "Loop", "s3cret-of-the-loop"
RECEIVE = "khalifa_whatsapp.api.webhook.loopback"
CONVERSATION = "khalifa_whatsapp.api.conversation."
MINUTE = 60_000
# Templates come from the gateway as well as from people
TEMPLATES = ("Khalifa Provider Template", "Khalifa Template Button", "Khalifa Template Variable")
TRAFFIC = (*(doctype.name for doctype in DOCTYPES if not doctype.is_made_by_people), *TEMPLATES)
OURS = tuple(doctype.name for doctype in DOCTYPES if not doctype.is_single)


class SiteCase(FrappeTestCase):
	"""Mona (North) and Ali (South) are agents, Huda is a manager, the visitor has an account and no role."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.addClassCleanup(leave_clean)
		leave_clean()
		stop_scheduler()
		cls.north, cls.south = make_branch("North"), make_branch("South")
		cls.mona = make_agent(MONA, "Mona Adel", cls.north)
		cls.ali = make_agent(ALI, "Ali Hassan", cls.south)
		make_user(HUDA, "Huda", "WhatsApp Manager")
		make_user(VISITOR, "Visitor")
		frappe.db.set_value("User", VISITOR, "user_type", "Website User")
		make_loop()
		for user in (MONA, ALI, HUDA, VISITOR):
			update_password(user, PASSWORD)
			frappe.db.set_value("User", user, "language", "en")
		frappe.db.commit()
		empty_cache()
		cls.callers: dict[str, Caller] = {}

	def setUp(self) -> None:
		clear(*TRAFFIC)
		frappe.db.sql(
			"UPDATE `tabKhalifa Agent` SET presence = 'Offline', heartbeat_ms = 0, enabled = 1, capacity = 6"
		)
		frappe.db.commit()
		forget_devices()
		forget_actors()
		for kind in ("intake", "outbox"):
			wake.allow_next_wake(kind, DEVICE)
		# The bench's own queues are older than a test
		self.replace("khalifa_whatsapp.jobs.alert_look.queue_ages", dict)
		self.enqueued: list[tuple[str, dict[str, Any]]] = []
		self.replace("frappe.enqueue", lambda method, **given: self.enqueued.append((method, given)))
		self.keys = 0

	def replace(self, target: str, value: Any) -> Any:
		patcher = patch(target, value)
		self.addCleanup(patcher.stop)
		return patcher.start()

	# -- people
	def as_(self, user: str) -> Caller:
		"""The user's browser, signed in."""
		if user not in self.callers:
			self.callers[user] = Caller().sign_in(user, PASSWORD)
		return self.callers[user]

	def online(self, *agents: str) -> None:
		for agent in agents:
			presence.set_presence(on_site(), Actor(), agent, records.ONLINE, now_ms())
		assignment.assign_queue(on_site(), now_ms())

	# -- traffic
	def write(self, phone: str = "+201001234567", body: str = "hello", sent_ms: int | None = None) -> str:
		"""A customer writes, the worker takes it in; the ticket's name comes back."""
		self.keys += 1
		item = message_item(phone, body, f"written-{self.keys}", sent_ms or now_ms(), "Samy")
		self.assertEqual(self.deliver(item).status, 200)
		with self.quiet():
			intake.run(DEVICE)
		customer = self.only(records.Customer, phone=phone).name
		return self.only(records.Ticket, customer=customer).name

	def deliver(self, *items: dict[str, Any]) -> Answer:
		return post_signed(json.dumps({"device": DEVICE, "events": items}, ensure_ascii=False).encode())

	def ticket_of(self, agent: str, phone: str = "+201001234567") -> str:
		"""A ticket that waits on the agent."""
		ticket = self.write(phone)
		self.online(agent)
		self.assertEqual(self.ticket(ticket).agent, agent)
		return ticket

	def driver(self) -> LoopbackDriver:
		site_device = get_device(DEVICE)
		assert site_device is not None and isinstance(site_device.driver, LoopbackDriver)
		return site_device.driver

	@contextlib.contextmanager
	def quiet(self) -> Iterator[None]:
		"""What is enqueued meanwhile is not of interest."""
		before = len(self.enqueued)
		yield
		del self.enqueued[before:]

	# -- looking
	def all(self, record: type, /, **filters: Any) -> list[Any]:
		frappe.db.rollback()  # what others have committed
		rows = on_site()._read(record, "1 = 1", (), "ORDER BY name")
		return [row for row in rows if all(getattr(row, field) == value for field, value in filters.items())]

	def only(self, record: type, /, **filters: Any) -> Any:
		rows = self.all(record, **filters)
		self.assertEqual(len(rows), 1, (record.__name__, filters, rows))
		return rows[0]

	def ticket(self, name: str) -> records.Ticket:
		return self.only(records.Ticket, name=name)

	def events(self) -> list[Any]:
		frappe.db.rollback()
		return frappe.get_all("Khalifa Webhook Event", fields=["*"], order_by="name")

	def counts(self) -> dict[str, int]:
		frappe.db.rollback()
		return {doctype: frappe.db.count(doctype) for doctype in TRAFFIC}


def post_signed(raw: bytes, secret: str = SECRET, device: str = DEVICE, **request: Any) -> Answer:
	headers = {
		"Content-Type": "application/json",
		SIGNATURE_HEADER: sign(secret, raw),
		**request.pop("headers", {}),
	}
	path = f"/api/method/{RECEIVE}"
	return Caller().send("POST", path, query_string={"device": device}, data=raw, headers=headers, **request)


def make_loop(name: str = DEVICE, secret: str = SECRET, **fields: Any) -> str:
	row = {"doctype": "WhatsApp Device", "device_name": name, "provider": "loopback", "app_secret": secret}
	return frappe.get_doc({**row, "verify_token": "v-token", **fields}).insert().name


def clear(*doctypes: str) -> None:
	for doctype in doctypes:
		frappe.db.sql(f"DELETE FROM `tab{doctype}`")


def leave_clean() -> None:
	"""As the app was installed: no rows, default settings."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	clear(*OURS)
	frappe.db.delete("Version", {"ref_doctype": ("in", OURS)})  # of rows whose names are given again
	dismiss()
	frappe.db.sql("DELETE FROM `__Auth` WHERE doctype = 'WhatsApp Device'")
	frappe.db.sql("DELETE FROM `tabSingles` WHERE doctype = 'Khalifa Settings'")
	frappe.clear_document_cache("Khalifa Settings")
	fill_settings()
	frappe.db.commit()
	forget_devices()
	forget_actors()


def empty_cache() -> None:
	"""As `frappe.clear_cache`, but for the metas of DocTypes: making them takes longer than most tests."""
	with metas_kept():
		frappe.clear_cache()


@contextlib.contextmanager
def metas_kept() -> Iterator[None]:
	"""Metas outlast what empties the whole cache meanwhile; no place to change DocTypes or permissions."""
	key = frappe.cache.make_key("doctype_meta")
	aside = b"aside:" + key  # the whole cache is what begins with the site's own prefix
	with contextlib.suppress(redis.ResponseError):  # there are none
		frappe.cache.rename(key, aside)
	try:
		yield
	finally:
		with contextlib.suppress(redis.ResponseError):
			frappe.cache.rename(aside, key)


def dismiss() -> None:
	"""No test's people keep a role: they would be told what others' tests count.

	`setUpClass` gives theirs anew.
	"""
	ours = {"parent": ("like", "%example%"), "role": ("like", "WhatsApp%")}
	for user in set(frappe.get_all("Has Role", ours, pluck="parent")):
		frappe.db.delete("Has Role", {**ours, "parent": user})
		frappe.clear_cache(user=user)


def settings(**values: Any) -> None:
	for field, value in values.items():
		frappe.db.set_single_value("Khalifa Settings", field, value)
	frappe.db.commit()


def stop_scheduler() -> None:
	"""A scheduler that runs beside the tests would do the jobs before they do."""
	frappe.db.set_single_value("System Settings", "enable_scheduler", 0)
	frappe.db.commit()


@contextlib.contextmanager
def nobody_answers(*, cache: bool = True, queue: bool = True) -> Iterator[None]:
	"""As when Redis is down: every connection is refused."""
	away = redis.ConnectionPool(host="127.0.0.1", port=1, socket_connect_timeout=1)
	with contextlib.ExitStack() as stack:
		if cache:
			stack.enter_context(patch.object(frappe.cache, "connection_pool", away))
		if queue:
			conn = redis.Redis(connection_pool=away)
			stack.enter_context(patch.object(background_jobs, "_redis_queue_conn", conn))
		yield


@contextlib.contextmanager
def another_connection() -> Iterator[Any]:
	"""A second connection to the site's database, beside the one in use."""
	ours = frappe.local.db
	frappe.connect(set_admin_as_user=False)
	theirs = frappe.local.db
	frappe.local.db = ours
	try:
		yield theirs
	finally:
		theirs.close()


def kill_own_connection() -> None:
	"""As a database administrator, or a restart, does it: from outside."""
	own = frappe.db.sql("SELECT CONNECTION_ID()")[0][0]
	with another_connection() as theirs:
		theirs.sql(f"KILL {int(own)}")
		wait_until_gone(theirs, own)


def wait_until_gone(db: Any, connection: int) -> None:
	"""Until the server has let go of what a closed connection held."""
	until = time.monotonic() + 10
	while db.sql("SELECT 1 FROM information_schema.processlist WHERE id = %s", (connection,)):
		assert time.monotonic() < until, "the connection does not end"
		time.sleep(0.01)


class held_elsewhere:  # noqa: N801, used as a context manager
	"""Another process holds the lock: its connection, at least."""

	def __init__(self, name: str) -> None:
		self.name = name

	def __enter__(self) -> None:
		self.other = another_connection()
		theirs = self.other.__enter__()
		self.connection = theirs.sql("SELECT CONNECTION_ID()")[0][0]
		ours, frappe.local.db = frappe.local.db, theirs
		try:
			self.lock = on_site().lock(self.name)
			assert self.lock.__enter__()
		finally:
			frappe.local.db = ours

	def __exit__(self, *error: Any) -> None:
		self.other.__exit__(*error)  # the connection closes: the lock dies with it
		wait_until_gone(frappe.db, self.connection)
		self.lock.gen.close()
