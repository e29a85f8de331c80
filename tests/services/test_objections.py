"""An objection is one use case: who may, once, in words; and a crash in it leaves nothing half written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.services.tickets import objections
from tests.services.harness import MANAGER, Desk

PHONE = "+201001234567"
TEXT = (
	"objection_status",
	"objection",
	"objected_by",
	"objected_ms",
	"decision",
	"decided_by",
	"decided_ms",
)


class Crash(RuntimeError):
	"""The process dies here."""


def late_desk() -> tuple[Desk, records.DelayEvent]:
	desk = Desk()
	desk.online("A0")
	desk.write(PHONE)
	desk.wait(16)
	(charged,) = [event for event in desk.all(records.DelayEvent) if event.kind == "Agent"]
	return desk, charged


def said(desk: Desk, delay: records.DelayEvent) -> dict[str, Any]:
	(stored,) = [event for event in desk.all(records.DelayEvent) if event.name == delay.name]
	return {name: getattr(stored, name) for name in TEXT if getattr(stored, name) is not None}


def test_an_objection_and_its_decision_are_written_whole() -> None:
	desk, delay = late_desk()
	objections.object_to_delay(desk.store, desk.actor("A0"), delay.name, "اتصلت به", desk.now)
	objected = {
		"objection_status": "Open",
		"objection": "اتصلت به",
		"objected_by": "A0@example.com",
		"objected_ms": desk.now,
	}
	assert said(desk, delay) == objected
	objections.decide_on_objection(desk.store, MANAGER, delay.name, False, "no call", desk.now + 1)
	decided = {"decision": "no call", "decided_by": "manager@example.com", "decided_ms": desk.now + 1}
	assert said(desk, delay) == {**objected, **decided, "objection_status": "Rejected"}


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_objection_without_words_is_none(text: str) -> None:
	desk, delay = late_desk()
	with pytest.raises(UserError) as refusal:
		objections.object_to_delay(desk.store, desk.actor("A0"), delay.name, text, desk.now)
	assert (refusal.value.code, said(desk, delay)) == ("no_objection", {})


def test_who_is_not_charged_and_what_is_not_there_are_refused_in_the_same_words() -> None:
	desk, delay = late_desk()
	for actor in (desk.actor("A1"), MANAGER):
		for name in (delay.name, "nothing"):
			with pytest.raises(NotFound, match=r"^There is no such delay\.$"):
				objections.object_to_delay(desk.store, actor, name, "not mine", desk.now)
	with pytest.raises(NotAllowed):
		objections.decide_on_objection(desk.store, desk.actor("A0"), delay.name, True, "", desk.now)
	assert said(desk, delay) == {}


def object_to(desk: Desk, delay: records.DelayEvent) -> None:
	objections.object_to_delay(desk.store, desk.actor("A0"), delay.name, "a call", desk.now)


def decide(desk: Desk, delay: records.DelayEvent) -> None:
	objections.decide_on_objection(desk.store, MANAGER, delay.name, True, "yes", desk.now)


@pytest.mark.parametrize("use_case", [object_to, decide])
def test_a_crash_at_any_statement_leaves_all_of_it_or_nothing(
	use_case: Callable[[Desk, records.DelayEvent], None],
) -> None:
	desk, delay = late_desk()
	before, tried = (said(desk, delay), desk.store.dirty_days(9)), 0
	while True:
		if not _dies(desk, lambda: use_case(desk, delay), tried):
			break
		assert (said(desk, delay), desk.store.dirty_days(9)) == before, f"after {tried} statements"
		tried += 1
	assert tried >= 3, "at least a read, a write, and the commit"
	assert len(said(desk, delay)) == 4


class DyingDatabase:
	"""The store's connection, until so many statements are done;
	then every statement is the process's death.
	"""

	def __init__(self, connection: Any, statements: int) -> None:
		self.connection, self.left, self.is_dead = connection, statements, False

	def __getattr__(self, name: str) -> Any:
		return getattr(self.connection, name)

	def execute(self, sql: str, *values: Any) -> Any:
		return self._do(sql, self.connection.execute, values)

	def executemany(self, sql: str, *values: Any) -> Any:
		return self._do(sql, self.connection.executemany, values)

	def _do(self, sql: str, do: Callable[..., Any], values: Any) -> Any:
		if sql == "ROLLBACK":  # the database's own, when a process is gone
			return do(sql)
		if not self.left:
			self.is_dead = True
			raise Crash
		self.left -= 1
		return do(sql, *values)


def _dies(desk: Desk, act: Callable[[], None], statements: int) -> bool:
	"""Do it, dying after so many statements; whether it came to that."""
	dying = DyingDatabase(desk.store._db, statements)
	with patch.object(desk.store, "_db", dying), contextlib.suppress(Crash):
		act()
	return dying.is_dead
