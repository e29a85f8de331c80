"""Leases on a site keep the lease contract, on MariaDB;
processes that fight for one device leave one owner.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import leases, on_site
from khalifa_whatsapp.tests.case import SiteCase, make_loop
from khalifa_whatsapp.tests.contracts.lease_contract import LeaseContract

ROUNDS = 1000
FIGHT = """
import sys
import frappe
frappe.init(site=sys.argv[1], sites_path=sys.argv[2])
frappe.connect()
from khalifa_whatsapp.bootstrap import leases, on_site
from khalifa_whatsapp.tests.contracts.lease_contract import Somebody

site_leases, owner = leases(on_site()), Somebody("host", int(sys.argv[3]))
for turn in sys.stdin:
	lease = site_leases.acquire("fight", owner, "/p", int(turn) * 20_000, lambda key: False)
	print(lease.generation if lease is not None else "held", flush=True)
"""


class TestSiteLeases(LeaseContract, SiteCase):
	def setUp(self) -> None:
		super().setUp()
		frappe.db.sql("DELETE FROM `tabKhalifa Browser Session`")
		frappe.db.commit()

	def make_leases(self) -> Any:
		return leases(on_site())

	def make_device(self, name: str) -> str:
		made = make_loop(name)
		frappe.db.commit()
		return made

	def in_process(self, act: Callable[[Any], Any]) -> Callable[[], None]:
		site, sites_path = frappe.local.site, frappe.local.sites_path

		def run() -> None:
			frappe.init(site=site, sites_path=sites_path)
			frappe.connect()
			try:
				act(leases(on_site()))
			finally:
				frappe.destroy()

		return run

	def test_two_processes_that_fight_for_a_device_leave_one_owner_each_time(self) -> None:
		"""Each round the lease has just run out: a thousand takeovers,
		one winner and one new generation each.
		"""
		where = [frappe.local.site, frappe.local.sites_path]
		pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
		fighters = [
			subprocess.Popen([sys.executable, "-c", FIGHT, *where, str(number)], **pipes) for number in (1, 2)
		]
		site_leases = self.make_leases()
		for turn in range(ROUNDS):
			for fighter in fighters:
				fighter.stdin.write(f"{turn + 1}\n")
				fighter.stdin.flush()
			said = [fighter.stdout.readline().strip() for fighter in fighters]
			self.assertEqual(sorted(said), sorted([str(turn + 1), "held"]))
			self.assertEqual(site_leases.get("fight").owner_pid, said.index(str(turn + 1)) + 1)
		for fighter in fighters:
			fighter.communicate(timeout=30)
			self.assertEqual(fighter.returncode, 0)
