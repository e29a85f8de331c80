"""Surveys and opt-outs of a played day: customers are asked after a closing, many answer, a few say stop.

What happens here is drawn by chances of its own, so that the rest of a day is what it was without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Protocol

from khalifa_whatsapp.bootstrap import EmbeddedHost
from khalifa_whatsapp.core import satisfaction
from khalifa_whatsapp.core.consent import AMBIGUOUS_OPT_OUT_WORDS, OPT_IN_WORDS, STOPPED, state_of
from khalifa_whatsapp.core.records import ConsentEvent
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.demo.care import COMMENTS, SCORES, SPELLED, WEIGHTS
from khalifa_whatsapp.demo.care import STOPS as STOPS_TEXTS
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.demo.staff import OpenStore
from khalifa_whatsapp.services.care import surveys
from simulation.customers import Customer, Pen
from simulation.world import World

ANSWER_RATE, COMMENT_RATE = 0.5, 0.7
STOP_RATE, RESUME_RATE = 0.01, 0.2
STOPS = (*STOPS_TEXTS, AMBIGUOUS_OPT_OUT_WORDS[1])
ASKED = "SELECT name, customer, device FROM `tabKhalifa Satisfaction` WHERE sent_ms = ?"
NAMES = "SELECT value, customer FROM `tabKhalifa Customer Identity`"


class Playing(Protocol):
	"""What is needed of a day that is being played."""

	host: EmbeddedHost
	world: World
	pen: Pen
	clock: Clock
	agenda: Agenda
	written: set[tuple[str, str]]


class CareOfDay:
	"""The part of a day in which the system writes and customers answer it."""

	def __init__(self, day: Playing) -> None:
		self.day = day
		self.rng = Random(day.world.start_ms)

	# -- every minute
	def ask(self, now_ms: int) -> None:
		"""Ask what is due; who was asked may answer in a while."""
		store, drivers = self.day.host.store, self.day.host.drivers
		surveys.expire(store, now_ms)
		surveys.ask_due(store, now_ms, lambda device: drivers[device].capabilities)
		asked = store.rows(ASKED, (now_ms,))
		people = self._people() if asked else {}
		for survey, customer, device in asked:
			if customer in people and self.rng.random() < ANSWER_RATE:
				score = self.rng.choices(SCORES, WEIGHTS)[0]
				answer = partial(self._rate, people[customer], device, survey, score)
				self._later(answer)

	def _people(self) -> dict[str, Customer]:
		"""Customers of the day by their name in the database."""
		by_value = {}
		for one in self.day.world.customers:
			person = one.person
			by_value |= {value: one for value in (f"+{person.digits}", person.user_id, person.lid) if value}
		rows = self.day.host.store.rows(NAMES)
		return {customer: by_value[value] for value, customer in rows if value in by_value}

	def _later(self, act: Callable[[], None]) -> None:
		self.day.agenda.add(self.day.clock.now_ms + self.rng.randrange(1, 15) * MINUTE_MS, act)

	def _rate(self, customer: Customer, device: str, survey: str, score: int) -> None:
		"""Where a list was shown most tap on it; everywhere else people write a number."""
		pen = self.day.pen
		if device == "cloud" and self.rng.random() < 0.8:
			row = {"id": satisfaction.payload(survey, score), "title": "⭐" * score, "description": ""}
			content = {"type": "list_reply", "list_reply": row}
			self._wrote(customer, pen.cloud.customer_message(customer.person, "interactive", content))
		else:
			self._write(customer, self.rng.choice(SPELLED[score]))
		if score <= satisfaction.LOW and self.rng.random() < COMMENT_RATE:
			self._later(partial(self._write, customer, self.rng.choice(COMMENTS)))

	# -- opt-outs
	def maybe_stop(self, customer: Customer) -> None:
		"""Somebody who has just written may want no promotions; a few of those want them again."""
		if self.rng.random() < STOP_RATE:
			self._later(partial(self._write, customer, self.rng.choice(STOPS)))
			if self.rng.random() < RESUME_RATE:
				resume = partial(self._write, customer, OPT_IN_WORDS[0])
				self.day.agenda.add(self.day.clock.now_ms + 60 * MINUTE_MS, resume)

	def _write(self, customer: Customer, text: str) -> None:
		self._wrote(customer, self.day.pen.write(customer, text))

	def _wrote(self, customer: Customer, gateway_id: str) -> None:
		customer.last_id = gateway_id
		self.day.written.add((customer.device, gateway_id))


# -- afterwards


def one_survey_per_cycle(store: OpenStore) -> Iterator[str]:
	"""Nobody is asked twice about a cycle, nor without a message that asked."""
	sql = (
		"SELECT ticket, cycle, COUNT(*) FROM `tabKhalifa Satisfaction` GROUP BY ticket, cycle "
		"HAVING COUNT(*) > 1"
	)
	for ticket, cycle, count in store.rows(sql):
		yield f"{ticket}: {count} surveys about its cycle {cycle}"
	sql = (
		"SELECT s.name, COUNT(m.name) FROM `tabKhalifa Satisfaction` s "
		"LEFT JOIN `tabKhalifa Message` m ON m.name = s.message AND m.origin = 'Survey' "
		"WHERE s.state NOT IN ('Planned', 'Skipped') GROUP BY s.name HAVING COUNT(m.name) <> 1"
	)
	for survey, count in store.rows(sql):
		yield f"survey {survey} was asked by {count} messages"


def consent_is_its_log(store: OpenStore) -> Iterator[str]:
	"""Whether a customer wants promotions is what the log of his or her wishes amounts to."""
	log: dict[str, list[ConsentEvent]] = {}
	for customer, wish, at_ms in store.rows("SELECT customer, wish, at_ms FROM `tabKhalifa Consent Event`"):
		log.setdefault(customer, []).append(ConsentEvent("", "", customer, wish, "", at_ms, at_ms))
	sql = "SELECT name, is_opted_out, opted_out_ms FROM `tabKhalifa Customer` WHERE merged_into IS NULL"
	for name, is_opted_out, at_ms in store.rows(sql):
		if (is_opted_out, at_ms or None) != state_of(log.get(name, ())):
			yield f"customer {name}: opted out {is_opted_out}, the log of wishes says otherwise"


def figures(store: OpenStore) -> dict[str, float]:
	"""How many were asked, answered, said stop."""
	asked = "SELECT COUNT(*), SUM(score > 0) FROM `tabKhalifa Satisfaction` WHERE message IS NOT NULL"
	count, ratings = store.rows(asked)[0]
	stops = store.rows("SELECT COUNT(*) FROM `tabKhalifa Consent Event` WHERE wish = ?", (STOPPED,))[0][0]
	return {"surveys": count, "ratings": ratings or 0, "opt_outs": stops}
