"""The site's store keeps the store contract, on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.stores.base import Notice, Store
from khalifa_whatsapp.tests.case import SiteCase
from khalifa_whatsapp.tests.contracts.store_contract import StoreContract


class Elsewhere:
	"""The store as another process has it: for use in a thread, with a connection of its own."""

	def __init__(self, site: str, sites_path: str) -> None:
		self.site, self.sites_path = site, sites_path

	@contextmanager
	def lock(self, name: str, wait_seconds: float = 0) -> Iterator[bool]:
		frappe.init(site=self.site, sites_path=self.sites_path)
		frappe.connect()
		try:
			with on_site().lock(name, wait_seconds) as is_ours:
				yield is_ours
		finally:
			frappe.destroy()


class TestSiteStore(StoreContract, SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.elsewhere = Elsewhere(frappe.local.site, frappe.local.sites_path)
		self.sent: list[Notice] = []
		self.replace("frappe.realtime.emit_via_redis", self.receive)

	def receive(self, event: str, data: dict[str, Any], room: str) -> None:
		self.sent.append(Notice(event, data, user=room.removeprefix("user:")))

	def make_store(self) -> Store:
		return on_site()

	def other_store(self, store: Store) -> Any:
		return self.elsewhere

	def notices_of(self, store: Store) -> list[Notice]:
		return self.sent
