"""The store contract on the ledger and on what is counted from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import digest, kpi_key
from khalifa_whatsapp.core.metrics import COUNTS, SAMPLES
from khalifa_whatsapp.tests.contracts.store_scene import DAY, NOW, StoreScene


class MeasuresContract(StoreScene):
	"""Turns, segments, facts, rows of measures, days to roll up."""

	# -- ledger and measures

	def test_turns_are_found_by_their_answer_and_by_the_closing_that_ended_them(self) -> None:
		store = self.make_store()
		ticket = self.ticket(status=records.CLOSED, closed_ms=NOW + 9)
		self.save(
			store,
			ticket,
			self.turn("u1", ended_ms=NOW + 1, outcome=records.ANSWERED, answer=self.n("m1")),
			self.turn("u2", ended_ms=NOW + 9, outcome=records.CLOSED_UNANSWERED),
			self.turn("u3", ended_ms=NOW + 9, outcome="joined"),
		)
		assert self.read(lambda: store.turns_answered_by([self.n("m1"), "x"]), store)[
			self.n("m1")
		].name == self.n("u1")
		assert self.read(lambda: store.turns_closed_with([ticket]), store)[ticket.name].name == self.n("u2")
		ticket.closed_ms = NOW + 10
		assert self.read(lambda: store.turns_closed_with([ticket]), store) == {}

	def test_segments_come_in_the_order_of_the_clock(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.segment("s1", from_ms=NOW + 5),
			self.segment("s2", "a1", from_ms=NOW),
			self.segment("s3", from_ms=NOW),
		)
		assert [s.name[8:] for s in self.read(lambda: store.segments_of([self.n("u1")]), store)] == [
			"s2",
			"s3",
			"s1",
		]

	def _history(self, start: int) -> list[Any]:
		"""A little of everything that counts, in the first second after `start`, and just outside of it."""
		at = start + 500
		a1, a2 = self.n("a1"), self.n("a2")
		ended = {"to_ms": at, "counted_ms": at}
		return [
			self.agent("a1"),
			self.agent("a2"),
			self.segment("s1", "a1", **ended, biz_time=60, end_reason="answered", is_first=1),
			self.segment("s2", "a1", **ended, biz_time=60, end_reason="answered"),
			self.segment("s3", "a1", **ended, biz_time=0, end_reason="answered"),
			self.segment("s4", "a1", **ended, biz_time=5, end_reason="answered_by_admin"),
			self.segment("s5", "a2", **ended, biz_time=9, end_reason="transferred", is_late_transfer=1),
			self.segment("s6", None, **ended, biz_time=9, end_reason="assigned"),
			self.segment(
				"s7", "a1", to_ms=start - 1, counted_ms=start - 1, biz_time=7, end_reason="answered"
			),
			self.segment(
				"s8",
				"a1",
				to_ms=start + 1000,
				counted_ms=start + 1000,
				biz_time=7,
				is_first=1,
				end_reason="answered",
			),
			self.segment("s9", "a1", to_ms=start, counted_ms=start, biz_time=1, end_reason="answered"),
			records.PresenceLog(self.n("p1"), a1, records.ONLINE, start - 5_000, start + 400),
			records.PresenceLog(self.n("p2"), a1, records.AWAY, start + 400, start + 600),
			records.PresenceLog(self.n("p3"), a2, records.ONLINE, start - 9_000),
			*self._history_of_delays(at),
		]

	def _history_of_delays(self, at: int) -> list[Any]:
		a1 = self.n("a1")
		return [
			records.DelayEvent(
				self.n("d1"), digest(self.tag, "1"), "Agent", self.n("t1"), self.n("u1"), at, agent=a1
			),
			records.DelayEvent(
				self.n("d2"),
				digest(self.tag, "2"),
				"Agent",
				self.n("t1"),
				self.n("u1"),
				at,
				agent=a1,
				objection_status="Accepted",
			),
			records.DelayEvent(
				self.n("d3"), digest(self.tag, "3"), "Customer", self.n("t1"), self.n("u1"), at
			),
			*self._history_of_closings(at),
			*self._history_of_events(at),
		]

	def _history_of_closings(self, at: int) -> list[Any]:
		a1, a2 = self.n("a1"), self.n("a2")
		return [
			self.ticket(
				"t1",
				"c1",
				status=records.CLOSED,
				closed_ms=at,
				agent=a1,
				resolved_for=a1,
				waited_time=90,
				close_reason="resolved",
			),
			self.ticket(
				"t2",
				"c2",
				status=records.CLOSED,
				closed_ms=at,
				agent=a1,
				resolved_for=a2,
				waited_time=0,
				close_reason="resolved",
			),
			self.ticket(
				"t3",
				"c3",
				status=records.CLOSED,
				closed_ms=at,
				agent=a1,
				close_reason="end",
				close_batch="b",
				is_missed=1,
			),
			self.ticket(
				"t4",
				"c4",
				status=records.CLOSED,
				closed_ms=at,
				agent=a1,
				close_reason="resolved",
				is_missed=1,
				missed_for=a1,
			),
			self.ticket(
				"t5",
				"c5",
				status=records.CLOSED,
				closed_ms=at,
				agent=a2,
				resolved_for=a2,
				close_reason="inactive",
			),
			self.ticket("t6", "c6", status=records.CLOSED, closed_ms=at, agent=a2, close_reason="spam"),
		]

	def _history_of_events(self, at: int) -> list[Any]:
		a1, a2 = self.n("a1"), self.n("a2")
		event = [self.n("t1"), "transferred", at]
		return [
			records.TicketEvent(self.n("e1"), *event, from_agent=a1, to_agent=a2),
			records.TicketEvent(self.n("e2"), self.n("t1"), "assigned", at, to_agent=a1),
			records.TicketEvent(self.n("e3"), self.n("t1"), "reopened", at, from_agent=a1),
			self.queued("m1", origin=records.AGENT, status=records.SENT, sent_ms=at, agent=a1),
			self.queued("m2", origin=records.AGENT, status=records.FAILED, sent_ms=at, agent=a1),
			self.queued("m3", origin=records.NOTE, status=records.SENT, sent_ms=at, agent=a1),
		]

	def test_facts_of_a_little_history_are_counted_once_and_nothing_beside_it(self) -> None:
		store = self.make_store()
		start = NOW - NOW % 1000
		self.save(store, *self._history(start))
		facts = self.read(lambda: store.facts(start, start + 1000), store)
		mine = [f for f in facts if f.agent.startswith(self.tag) and f.count]
		counts: dict[tuple[str, str, int], int] = {}
		for fact in mine:
			key = (fact.agent[8:], fact.metric, fact.value if fact.metric in SAMPLES else 0)
			counts[key] = counts.get(key, 0) + fact.count
		assert {type(value) for f in mine for value in (f.count, f.value)} == {int}
		assert counts == {
			("a1", "response", 60): 2,
			("a1", "response", 0): 1,
			("a1", "response", 1): 1,
			("a1", "first_response", 60): 1,
			("a1", "turns_answered", 0): 4,
			("a1", "rescues", 0): 1,
			("a1", "segments_counted", 0): 5,
			("a2", "segments_counted", 0): 1,
			("a2", "late_transfers", 0): 1,
			("a1", "delays", 0): 1,
			("a1", "tickets_handled", 0): 4,
			("a2", "tickets_handled", 0): 3,
			("a1", "tickets_resolved", 0): 1,
			("a2", "tickets_resolved", 0): 2,
			("a1", "resolution", 90): 1,
			("a2", "resolution", 0): 1,
			("a1", "tickets_excluded", 0): 1,
			("a2", "tickets_excluded", 0): 1,
			("a1", "missed", 0): 1,
			("a2", "tickets_received", 0): 1,
			("a1", "tickets_received", 0): 1,
			("a2", "transfers_in", 0): 1,
			("a1", "transfers_out", 0): 1,
			("a1", "tickets_reopened", 0): 1,
			("a1", "messages_sent", 0): 1,
			("a2", "online_time", 0): 1,
		}
		assert {f.metric for f in facts} <= COUNTS | set(SAMPLES)

	def test_facts_of_two_periods_add_up_to_those_of_both(self) -> None:
		store = self.make_store()
		start = NOW - NOW % 1000
		self.save(store, *self._history(start))

		def total(*bounds: tuple[int, int]) -> dict[tuple[str, str, int], int]:
			counts: dict[tuple[str, str, int], int] = {}
			for low, high in bounds:
				for fact in self.read(lambda low=low, high=high: store.facts(low, high), store):
					if fact.agent.startswith(self.tag) and fact.count:
						key = (fact.agent, fact.metric, fact.value)
						counts[key] = counts.get(key, 0) + fact.count
			return counts

		first, middle, last = start - DAY, start + 1000, start + DAY
		assert total((first, last)) == total((first, middle), (middle, last))

	def _kpi(self, agent: str, start: str, **fields: Any) -> records.AgentKpi:
		key = kpi_key(self.n(agent), "Daily", start)
		return records.AgentKpi(
			key[:20], key, self.n(agent), f"Agent {agent}", None, "Daily", start, **fields
		)

	def test_rows_of_measures_are_replaced_whole_and_twice_is_once(self) -> None:
		store = self.make_store()
		day = self._free_day()
		rows = [
			self._kpi("a1", day.isoformat(), delays=3, score=81.6),
			self._kpi("a2", day.isoformat(), score=None),
		]
		for _ in range(2):
			with store.transaction():
				store.replace_kpi("Daily", day, rows)
			assert self._kpi_rows(store, day) == [("a1", 3), ("a2", 0)]
		with store.transaction():
			store.replace_kpi("Daily", day, rows[1:])
		assert self._kpi_rows(store, day) == [("a2", 0)]
		with store.transaction():
			store.replace_kpi("Monthly", day, [])
		assert self._kpi_rows(store, day) == [("a2", 0)]
		with store.transaction():
			store.replace_kpi("Daily", day, [])

	def _kpi_rows(self, store: Any, day: date) -> list[tuple[str, int]]:
		sql = (
			"SELECT agent, delays FROM `tabKhalifa Agent KPI` WHERE period = "
			"'Daily' AND start_date = ? ORDER BY agent"
		)
		return [
			(agent[8:], delays)
			for agent, delays in self.read(lambda: store.rows(sql, (day.isoformat(),)), store)
		]

	def _free_day(self) -> date:
		"""A day in a far future that no other test uses."""
		return date(2100, 1, 1) + timedelta(days=int(self.tag, 16) % 1_000_000)

	def test_a_day_is_dirty_until_it_is_cleaned_and_dirty_again_when_marked_again(self) -> None:
		store = self.make_store()
		day = self._free_day()
		other = day + timedelta(days=1)

		def dirty() -> list[date]:
			return [
				marked
				for marked in self.read(lambda: store.dirty_days(100_000), store)
				if marked in (day, other)
			]

		assert dirty() == []
		self.save(store, dirty_days={other, day})
		self.save(store, dirty_days={day})
		assert dirty() == [day, other]
		with store.transaction():
			store.clean_days([day], NOW)
		assert dirty() == [other]
		self.save(store, dirty_days={day})
		assert dirty() == [day, other]
		with store.transaction():
			store.clean_days([day, other], NOW)
		assert dirty() == []
