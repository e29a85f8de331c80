"""What customers say to the system, and not to a person: wishes about promotions, scores, comments.

It is read before a message opens a wait, for such a message opens none and reopens nothing. What the system
says to it is queued when all messages of the batch are in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from khalifa_whatsapp.core import records, satisfaction
from khalifa_whatsapp.core.consent import Wish, wish_of
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.care import consent
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets.notices import MANAGER_ROLE
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Meaning:
	"""What a message says to the system. `is_quiet`: nobody of ours has to answer it."""

	is_quiet: bool = False
	wish: Wish | None = None
	survey: records.Satisfaction | None = None
	score: int | None = None  # None with a survey: the comment that was asked for


NOTHING = Meaning()


class Responses:
	"""The surveys that the customers of one batch may answer, and what is said to them at its end."""

	def __init__(
		self, work: UnitOfWork, device: str, can: base.Capabilities | None, is_on: bool = True
	) -> None:
		self.work = work
		self.is_on = is_on
		self.device = device
		self.can = can
		self._surveys: dict[str, list[records.Satisfaction]] = {}  # by customer, the latest last
		self._said: list[tuple[str, Callable[[records.Ticket], None]]] = []  # by ticket

	def read(self, customers: Collection[str]) -> None:
		"""Read what these customers were asked; an earlier reading is forgotten."""
		self._surveys = {}
		store, now_ms = self.work.store, self.work.now_ms
		is_asked = self.is_on and customers
		for survey in store.surveys_awaiting(customers, self.device, now_ms) if is_asked else ():
			self._surveys.setdefault(survey.customer, []).append(survey)

	# -- what a message says
	def meaning(
		self,
		customer: records.Customer,
		ticket: records.Ticket | None,
		event: base.InboundMessage,
		sent_ms: int,
	) -> Meaning:
		"""What a message says to the system; `ticket` is the customer's latest on the device."""
		if event.is_missing or not self.is_on:
			return NOTHING
		tap = satisfaction.tapped(event.content_type, event.data)
		if tap is not None:
			return self._of_tap(customer, *tap)
		wish = wish_of(event.content_type, event.body, event.data)
		if wish is not None:
			return Meaning(is_quiet=not wish.is_ambiguous, wish=wish)
		if ticket is None or event.content_type not in ("text", "button_reply"):
			return NOTHING
		return self._of_text(customer, ticket, event.body, sent_ms)

	def _of_tap(self, customer: records.Customer, name: str, score: int) -> Meaning:
		"""A tap says which survey it answers. One that comes too late wants no answer either."""
		known = self._at_hand(customer)
		survey = next((one for one in known if one.name == name), None)
		survey = survey or self.work.store.surveys([name]).get(name)
		if survey is None or survey.customer != customer.name:
			return NOTHING
		return Meaning(is_quiet=True, survey=self._current(survey), score=score)

	def _of_text(
		self, customer: records.Customer, ticket: records.Ticket, body: str, sent_ms: int
	) -> Meaning:
		score = satisfaction.score_of(body)
		for survey in reversed(self._at_hand(customer)):
			if score is not None and satisfaction.takes_text(survey, ticket, sent_ms):
				return Meaning(is_quiet=True, survey=survey, score=score)
			if satisfaction.takes_comment(survey, ticket, sent_ms):
				return Meaning(is_quiet=not satisfaction.is_question(body), survey=survey)
		return NOTHING

	def _at_hand(self, customer: records.Customer) -> list[records.Satisfaction]:
		return [self._current(survey) for survey in self._surveys.get(customer.name, ())]

	def _current(self, survey: records.Satisfaction) -> records.Satisfaction:
		return self.work.current([survey])[0]

	# -- what follows
	def take(
		self,
		meaning: Meaning,
		customer: records.Customer,
		ticket: records.Ticket,
		message: records.Message,
	) -> None:
		"""Write down what the message says; it is stored by now, in this ticket."""
		if meaning.wish is not None:
			event = consent.take(
				self.work, customer, meaning.wish, message.sent_ms, message.name, ticket, message.name
			)
			if event is not None:
				self._say(ticket, lambda row: consent.confirm(self.work, row, event, self.can))
		elif meaning.survey is not None and meaning.score is not None:
			self._rate(meaning.survey, meaning.score, ticket, message)
		elif meaning.survey is not None:
			self._comment(meaning.survey, ticket, message)

	def _rate(
		self, survey: records.Satisfaction, score: int, ticket: records.Ticket, message: records.Message
	) -> None:
		before, settings = survey.answered_ms, self.work.rules.settings
		if survey.state == satisfaction.EXPIRED:
			return
		if not satisfaction.answer(survey, score, message.name, message.sent_ms, settings):
			return
		self._surveys.setdefault(survey.customer, [])
		if survey not in self._surveys[survey.customer]:
			self._surveys[survey.customer].append(survey)
		self.work.touch(survey)
		self.work.mark_day(before, survey.answered_ms)
		self.work.log(ticket, "rated", to_agent=survey.agent, reason=str(score))
		is_low = score <= satisfaction.LOW
		if is_low:
			self._publish(ticket, score)
		text = (settings.survey_comment_text if survey.comment_until_ms else "") if is_low else ""
		text = text or ("" if is_low else settings.survey_thanks_text)
		if text.strip():
			cause = automatic.Cause(records.SURVEY, f"rated:{survey.name}")
			self._say(ticket, lambda row: self._thank(row, text, cause))

	def _comment(
		self, survey: records.Satisfaction, ticket: records.Ticket, message: records.Message
	) -> None:
		"""Managers hear of it like of the score: it may say what to mend."""
		survey.comment = without_tags(message.body)[: satisfaction.MAX_COMMENT]
		survey.comment_message, survey.notified_ms = message.name, None
		self.work.touch(survey)
		self._publish(ticket, survey.score or 0)

	def _publish(self, ticket: records.Ticket, score: int) -> None:
		data = {"ticket": ticket.name, "score": score}
		self.work.publish("khalifa_whatsapp:rating", data, role=MANAGER_ROLE)

	def _thank(self, ticket: records.Ticket, text: str, cause: automatic.Cause) -> None:
		try:
			automatic.queue(self.work, ticket, Draft(text), cause, self.can)
		except UserError:  # the window has closed meanwhile, or the number was given up
			return

	# -- what the system says
	def _say(self, ticket: records.Ticket, say: Callable[[records.Ticket], None]) -> None:
		self._said.append((ticket.name, say))

	def finish(self) -> None:
		"""Queue what is to be said, now that all customers and identities of the batch are written."""
		if not self._said:
			return
		self.work.finish()
		tickets = self.work.store.tickets({name for name, _ in self._said})
		for name, say in self._said:
			if name in tickets:
				say(tickets[name])
