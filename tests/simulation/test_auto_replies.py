"""Two machines write to each other through a simulated gateway and a real endpoint: ours falls silent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khalifa_whatsapp.core.auto_replies import ALL_OFFLINE, Rule, RuleBook
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import dispatch
from simulation import run as runs
from simulation.customers import make_customers
from simulation.engine import Day
from simulation.run import Options

ROUNDS = 25


class Machine:
	"""Another company's automatic replies: whatever reaches it is answered, in words that vary."""

	def __init__(self, day: Day, device: str) -> None:
		self.day = day
		(self.customer,) = make_customers(day.rng, device, 1, 900)
		self.sim: Any = day.webhook_sender.gateways.sims[device]
		self.answered = 0
		self.sim.customer_text(self.customer.person, "we open at nine")

	def answer(self) -> None:
		received = len(self.sim.sent_log.rows())
		for number in range(self.answered, received):
			self.sim.customer_text(self.customer.person, f"thank you for writing, number {number}")
		self.answered = received


@pytest.mark.parametrize("device", ["cloud", "wpp"])
@pytest.mark.parametrize("most", [2, 5])
def test_two_machines_fall_silent_and_a_person_is_told_once(device, most):
	with runs.staged(Options(messages=1, agents=1, seed=4)) as day:
		store, rules = day.host.store, day.world.rules
		notified: list[Any] = []
		store.on_notices = notified.extend
		eager = RuleBook([Rule("away", ALL_OFFLINE, "Nobody is here.")])
		store.set_rules(
			replace(rules, settings=replace(rules.settings, max_auto_replies=most), auto_replies=eager)
		)
		machine = Machine(day, device)
		for _ in range(ROUNDS):
			day.clock.now_ms += MINUTE_MS
			day.webhook_sender.deliver()
			drain.drain(store, day.host.drivers[device], day.clock)
			dispatch.drain(store, day.host.drivers[device], day.clock)
			machine.answer()
		assert [sent.body for sent in machine.sim.sent_log.rows()] == ["Nobody is here."] * most
		events = [row[0] for row in store.rows("SELECT event FROM `tabKhalifa Ticket Event`")]
		assert events.count("auto_stopped") == 1
		stopped = [notice for notice in notified if notice.data.get("event") == "auto_stopped"]
		assert [notice.role for notice in stopped] == ["WhatsApp Manager"]
