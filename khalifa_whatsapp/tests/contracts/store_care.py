"""The store contract on consent and surveys."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import digest, survey_key
from khalifa_whatsapp.tests.contracts.store_scene import HOUR, NOW, StoreScene


class CareContract(StoreScene):
	"""What customers wish and say of us."""

	def survey(self, name: object = "v1", cycle: int = 1, **fields: Any) -> records.Satisfaction:
		given = {"customer": self.n("c1"), "state": "Planned", "due_ms": NOW, **fields}
		key, ticket = survey_key(self.n("t1"), cycle), self.n("t1")
		return records.Satisfaction(self.n(name), key, ticket, device=self.n("dev"), cycle=cycle, **given)

	def asked(self, name: object, cycle: int, **fields: Any) -> records.Satisfaction:
		given = {"message": self.n(f"m{cycle}"), "sent_ms": NOW, "expires_ms": NOW + HOUR, "due_ms": None}
		return self.survey(name, cycle, **{**given, **fields})

	def test_a_logged_wish_is_known_by_its_key(self) -> None:
		store = self.make_store()
		key = digest(self.tag, "wish")
		self.save(
			store, records.ConsentEvent(self.n("e1"), key, self.n("c1"), "Stopped", "Message", NOW, NOW)
		)
		assert store.known_consent_events([key, digest(self.tag, "other")]) == {key}
		assert store.known_consent_events([]) == set()

	def test_a_survey_keeps_all_that_is_known_of_it(self) -> None:
		store = self.make_store()
		planned, asked = self.survey("v1", 1), self.asked("v2", 2, score=5, comment="كويس 😀")
		self.save(store, planned, asked)
		stored = self.read(lambda: store.surveys([planned.name, asked.name]), store)
		assert stored == {planned.name: planned, asked.name: asked}
		assert self.read(lambda: store.survey_of_cycle(asked.survey_key), store) == asked
		assert self.read(lambda: store.survey_of_cycle(digest(self.tag)), store) is None
		assert self.read(lambda: store.survey_of_message(self.n("m2")), store) == asked
		assert self.read(lambda: store.survey_of_message(self.n("m1")), store) is None

	def test_surveys_are_due_once_and_expire_when_nobody_answers(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.survey("v1", 1, due_ms=NOW + 5),
			self.survey("v2", 2, due_ms=NOW),
			self.survey("v3", 3, due_ms=NOW + HOUR),
			self.survey("v4", 4, state="Skipped", due_ms=NOW),
			self.asked("v5", 5),
			self.asked("v6", 6, state="Delivered", expires_ms=NOW + 5),
			self.asked("v7", 7, state="Answered", expires_ms=NOW + 5),
		)
		due = [row for row in store.due_surveys(NOW + 9, 9_999) if row.name.startswith(self.tag)]
		assert [row.name for row in due] == [self.n("v2"), self.n("v1")]
		late = self.read(lambda: store.expired_surveys(NOW + 9, 9_999), store)
		assert [row.name for row in late if row.name.startswith(self.tag)] == [self.n("v6")]

	def test_surveys_await_a_score_or_a_comment(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.survey("v1", 1),
			self.asked("v2", 2, sent_ms=NOW + 2),
			self.asked("v3", 3, state="Sent", sent_ms=NOW + 1),
			self.asked("v4", 4, state="Answered", comment_until_ms=NOW + 9, sent_ms=NOW),
			self.asked("v5", 5, state="Answered", comment_until_ms=NOW),
			self.asked("v6", 6, state="Expired"),
			self.asked("v7", 7, customer=self.n("c2")),
		)
		awaiting = self.read(
			lambda: store.surveys_awaiting([self.n("c1"), "x"], self.n("dev"), NOW + 5), store
		)
		assert [row.name for row in awaiting] == [self.n("v4"), self.n("v3"), self.n("v2")]
		assert self.read(lambda: store.surveys_awaiting([self.n("c1")], "other", NOW), store) == []

	def test_they_follow_a_customer_who_becomes_part_of_another(self) -> None:
		store = self.make_store()
		key = digest(self.tag, "wish")
		wish = records.ConsentEvent(self.n("e1"), key, self.n("c1"), "Stopped", "Message", NOW, NOW)
		self.save(store, self.customer("c1"), self.customer("c2"), wish, self.asked("v1", 1))
		self.read(lambda: store.move_customer(self.n("c1"), self.n("c2")), store)
		moved = self.read(lambda: store.surveys([self.n("v1")]), store)
		assert moved[self.n("v1")].customer == self.n("c2")

	def test_a_template_is_found_by_its_name(self) -> None:
		store = self.make_store()
		template = records.ProviderTemplate(
			self.n("p1"), digest(self.tag, "t"), self.n("dev"), "1", "rate_us", "ar", "APPROVED"
		)
		self.save(store, template)
		assert store.provider_template(self.n("p1")) == template
		assert store.provider_template(self.n("p2")) is None
