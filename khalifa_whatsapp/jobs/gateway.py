"""The process that owns the browsers of a site: `bench --site … khalifa-gateway`.

Its main thread asks the database, renews leases and obeys commands; it never waits for a browser. What one
device does wrong stays with that device. While the site is in maintenance everything is let go, and taken up
again afterwards.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import NamedTuple

import frappe
import pymysql
import redis

from khalifa_whatsapp.bootstrap import leases, now_ms, on_site
from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.core.lease import Lease
from khalifa_whatsapp.drivers.abilities import MediaSource
from khalifa_whatsapp.drivers.base import MessageDriver, SessionState
from khalifa_whatsapp.drivers.sessions.owner import is_gone
from khalifa_whatsapp.drivers.sessions.registry import SessionRegistry
from khalifa_whatsapp.drivers.sessions.session import Session
from khalifa_whatsapp.jobs import gateway_calls as calls
from khalifa_whatsapp.jobs import watch
from khalifa_whatsapp.jobs.browsers import profiles_folder
from khalifa_whatsapp.jobs.gateway_work import DeviceWork, Site
from khalifa_whatsapp.services.sessions import NOT_BACK
from khalifa_whatsapp.site_devices import SiteDevice, get_device
from khalifa_whatsapp.stores.base import StoreUnavailable

TURN_SECONDS = 1.0
LOOK_SECONDS = 5.0
AWAY = (StoreUnavailable, pymysql.err.OperationalError, pymysql.err.InterfaceError)
log = logging.getLogger(__name__)


def serve(site: str) -> None:
	"""Run until SIGTERM or SIGINT; then end every browser and let every lease go."""
	logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
	frappe.init(site=site)
	frappe.connect()
	registry = SessionRegistry(leases(on_site()), profiles_folder(), now_ms)
	stop = threading.Event()
	registry.close_at_exit(stop.set)
	gateway = Gateway(registry, stop)
	log.info("owns the browsers of %s", site)
	try:
		gateway.run()
	finally:
		gateway.let_go()
		frappe.destroy()
	log.info("ended")


class Due(NamedTuple):
	"""What waits to be done for a device."""

	has_messages: bool
	has_files: bool


class Gateway:
	"""The main loop. Everything here runs in the main thread, whose connection is the site's."""

	def __init__(self, registry: SessionRegistry, stop: threading.Event) -> None:
		self.registry, self.stop = registry, stop
		self.owner_key = registry.owner.key
		self.site = Site(frappe.local.site, str(Path(frappe.local.sites_path).absolute()))
		self.leases = leases(on_site())
		self._works: dict[str, DeviceWork] = {}
		self._looked_at: dict[str, float] = {}
		self._not_before: dict[str, float] = {}  # when sending is tried again after it failed
		self._is_away = self._is_paused = False

	def run(self) -> None:
		"""Turn after turn, until told to stop."""
		while not self.stop.is_set():
			try:
				self.turn()
				self._is_away = False
			except AWAY as error:
				self._database_away(error)
			except Exception as error:  # the owner of all browsers must not die of one bad turn: it is logged
				log.error("a turn failed: %s", describe(error))
				frappe.db.rollback()
			self._wait()

	def turn(self) -> None:
		"""Renew, obey, open and close, hand out work."""
		if self._in_maintenance():
			return
		for session in self.registry.keep():
			self._isolated(session.device, partial(self._ended, session))
		calls.mark_running()
		rows = {lease.device: lease for lease in self.leases.all()}
		devices = self._devices()
		for session in self.registry.sessions():
			if session.device not in devices:
				self._isolated(session.device, partial(self.registry.close, session.device))
		due, files = (
			set(on_site().devices_with_due_messages(now_ms())),
			on_site().devices_without_files(now_ms()),
		)
		for name, device in devices.items():
			device_due = Due(name in due, name in files)
			self._isolated(name, partial(self._sync_device, name, device, rows.get(name), device_due))

	def let_go(self) -> None:
		"""End all browsers and leases. The database may be away: then the leases run out."""
		sessions = self.registry.sessions()
		try:
			self.registry.close_all()
			for session in sessions:
				self._publish_state(session.device, SessionState("disconnected"))
		except AWAY as error:
			log.warning("leases are left to run out: %s", type(error).__name__)
		calls.mark_stopped()
		self._works.clear()

	# -- devices

	def _devices(self) -> dict[str, SiteDevice]:
		"""Enabled devices that live in a browser."""
		with on_site().transaction():
			names = frappe.get_all("WhatsApp Device", {"enabled": 1}, pluck="name")
			devices = {name: get_device(name) for name in names}
		return {n: d for n, d in devices.items() if d is not None and d.driver.capabilities.has_browser}

	def _isolated(self, name: str, act: Callable[[], object]) -> None:
		try:
			act()
		except AWAY:
			raise
		except Exception as error:  # what one device does wrong must not stop the others: it is logged
			log.error("device %s: %s", name, describe(error))
			frappe.db.rollback()

	def _sync_device(self, name: str, device: SiteDevice, lease: Lease | None, due: Due) -> None:
		if lease is not None and lease.command:
			self._run_command(name, device.driver)
			lease = self.leases.get(name)
		session = self.registry.get(name)
		if session is None:
			if rules.is_wanted(lease, now_ms()):
				self._open(device.driver)
		elif self._works[name].driver.config != device.driver.config:
			log.info("device %s was changed: its browser begins anew", name)
			self.registry.close(name)
		elif session.state == rules.RUNNING and not session.is_busy and not session.is_ending:
			self._hand_out(session, due)

	def _open(self, driver: MessageDriver) -> Session | None:
		name = driver.config.name
		work = DeviceWork(self.site, driver)
		session = self.registry.open(driver.config, work.attach)
		if session is not None:
			self._works[name] = work
			self._looked_at.pop(name, None)
			self._publish_state(name, SessionState("connecting"))
		return session

	def _hand_out(self, session: Session, due: Due) -> None:
		"""One piece of work at a time; looking comes first when its time has come."""
		work = self._works[session.device]
		if time.monotonic() - self._looked_at.get(session.device, float("-inf")) >= LOOK_SECONDS:
			self._looked_at[session.device] = time.monotonic()
			self._report(session, session.submit(work.look, is_use=False))
		elif time.monotonic() < self._not_before.get(session.device, 0):
			return
		elif due.has_messages:
			self._report(session, session.submit(work.send))
		elif due.has_files and isinstance(work.driver, MediaSource):
			self._report(session, session.submit(work.fetch_files))

	def _report(self, session: Session, done: Future[None]) -> None:
		"""What goes wrong in a browser's thread is logged, without anybody's words."""

		def record_state(finished: Future[None]) -> None:
			error = None if finished.cancelled() else finished.exception()
			if error is not None:
				log.warning("device %s: %s", session.device, describe(error))
				self._not_before[session.device] = time.monotonic() + LOOK_SECONDS

		done.add_done_callback(record_state)

	def _ended(self, session: Session) -> None:
		has_failed = session.state == rules.FAILED
		state = SessionState("disconnected", session.error if has_failed else "")
		self._publish_state(session.device, state, NOT_BACK if has_failed else "")
		self._works.pop(session.device, None)

	def _publish_state(self, name: str, state: SessionState, given_up: str = "") -> None:
		work = self._works.get(name)
		if work is not None:
			work.record_state(on_site(), state, given_up)

	# -- what people ask

	def _run_command(self, name: str, driver: MessageDriver) -> None:
		command = self.leases.take_command(name, self.owner_key, now_ms(), is_gone)
		if command is None:
			return
		log.info("device %s: %s", name, command)
		watch.remember(name, None)  # what follows is what somebody wanted: nobody is called for it
		session = self.registry.get(name)
		if command == rules.DISCONNECT:
			self.registry.close(name, rules.OFF)
			if session is None:
				self.leases.set_state(name, self.owner_key, now_ms(), rules.OFF)
			return
		if session is None:
			self.leases.set_state(name, self.owner_key, now_ms(), "")
			session = self._open(driver)
		if session is not None and command == rules.LOG_OUT:
			self._report(session, session.submit(self._works[name].log_out))
		elif session is not None:
			session.submit(self._works[name].look)

	def _answer(self, call: calls.Call) -> None:
		session, work = self.registry.get(call.device), self._works.get(call.device)
		redis_ = calls.connection()
		if session is None or work is None or session.is_ending:
			calls.answer(redis_, call, {"state": "disconnected"})
		elif session.state != rules.RUNNING:
			calls.answer(redis_, call, {"state": "connecting"})
		else:
			done = session.submit(work.qr)
			done.add_done_callback(lambda finished: calls.answer(redis_, call, _answer_of(finished)))

	# -- waiting, and bad times

	def _wait(self) -> None:
		try:
			call = calls.wait(self.owner_key, TURN_SECONDS)
		except redis.exceptions.RedisError:
			self.stop.wait(TURN_SECONDS)
			return
		if call is not None and call.what == "qr":
			self._answer(call)

	def _in_maintenance(self) -> bool:
		"""Whether the site is closed for a migration or a restore: then nothing of it is used."""
		conf = frappe.get_site_config(self.site.sites_path, frappe.get_site_path())
		is_paused = bool(conf.get("maintenance_mode"))
		if is_paused != self._is_paused:
			log.info("the site is in maintenance: pausing" if is_paused else "the site is back")
			if is_paused:
				self.let_go()
		self._is_paused = is_paused
		return is_paused

	def _database_away(self, error: BaseException) -> None:
		if not self._is_away:
			log.warning("the database is away: %s", type(error).__name__)
		self._is_away = True
		try:
			frappe.db.close()
			frappe.connect(set_admin_as_user=False)
		except AWAY:
			return


def _answer_of(done: Future[dict[str, object]]) -> dict[str, object]:
	if done.cancelled() or done.exception() is not None:
		return {"state": "disconnected"}
	return done.result()
