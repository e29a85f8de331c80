"""What the store knows of the people in a list: opted out, moved on, two numbers of one customer."""

from __future__ import annotations

from typing import Any

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.audience import Audience, Columns, Line
from khalifa_whatsapp.core.identity import BSUID, PHONE, Identity
from khalifa_whatsapp.services.campaigns.audience import with_people
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import Desk

MONA, ALI, STRANGER = "+201001234567", "+201112345678", "+201223456789"


@pytest.fixture
def desk() -> Desk:
	made = Desk(agents=1)
	made.online()
	return made


def lines_of(desk: Desk, *phones: str, **more: Any) -> list[Line]:
	made = Audience(Columns(0, ("",), False))
	lines = [made.line(number, [phone]) for number, phone in enumerate(phones, 1)]
	with working(desk.store, desk.now):
		return with_people(desk.store, made, lines, **more)


def customer_of(desk: Desk, phone: str) -> str:
	return desk.ticket(desk.write(phone)).customer


def change(desk: Desk, phone: str, **facts: Any) -> None:
	"""Facts of the identity of a phone."""
	with working(desk.store, desk.now) as work:
		key = Identity(PHONE, phone).key
		row = work.store.identities([key])[key]
		for name, value in facts.items():
			setattr(row, name, value)
		work.touch(row)


def opt_out(desk: Desk, customer: str) -> None:
	with working(desk.store, desk.now) as work:
		row = work.read_customers([customer])[customer]
		row.is_opted_out = 1
		work.touch(row)


def test_known_people_are_recognised_and_strangers_stay_strangers(desk):
	mona = customer_of(desk, MONA)
	lines = lines_of(desk, "0100 123 4567", STRANGER)
	assert [(line.customer, line.why) for line in lines] == [(mona, ""), ("", "")]
	assert lines[0].values == {"customer": "Customer"}


def test_who_has_stopped_promotions_gets_what_is_none(desk):
	opt_out(desk, customer_of(desk, MONA))
	assert [line.why for line in lines_of(desk, MONA, ALI)] == ["opted_out", ""]
	assert [line.why for line in lines_of(desk, MONA, ALI, is_promotion=False)] == ["", ""]


def test_a_number_that_was_given_up_is_not_written_to_unless_the_new_one_is_known(desk):
	mona = customer_of(desk, MONA)
	change(desk, MONA, left_ms=desk.now + 1)
	assert [line.why for line in lines_of(desk, MONA)] == ["unreachable"]
	with working(desk.store, desk.now) as work:
		new = Identity(PHONE, STRANGER)
		row = records.CustomerIdentity(
			work.new_name(), new.key, PHONE, new.value, mona, taken_ms=desk.now + 1
		)
		work.add(row)
	change(desk, MONA, successor=row.name)
	assert [(line.customer, line.why) for line in lines_of(desk, MONA, STRANGER)] == [
		(mona, ""),
		(mona, "duplicate"),
	]


def test_a_customer_without_a_number_is_reached_by_the_users_id(desk):
	mona = customer_of(desk, MONA)
	with working(desk.store, desk.now) as work:
		work.add(records.Customer("nobody", "Without any identity"))
		work.add(records.Customer("hala", "Hala"))
		user = Identity(BSUID, "EG.9000")
		work.add(records.CustomerIdentity(work.new_name(), user.key, BSUID, user.value, "hala"))
	made = Audience(Columns(0, (), False))
	lines = [Line(i, customer=name) for i, name in enumerate([mona, "hala", "nobody", mona, "unheard of"], 1)]
	with working(desk.store, desk.now):
		resolved = with_people(desk.store, made, lines)
	assert [line.why for line in resolved] == ["", "", "unreachable", "duplicate", "no_customer"]


def test_the_number_of_reads_does_not_grow_with_the_list(desk):
	counts = []
	for size in (10, 200):
		statements: list[str] = []
		original = desk.store.rows

		def rows(sql: str, *args: Any, kept: list[str] = statements, ask: Any = original) -> Any:
			kept.append(sql)
			return ask(sql, *args)

		desk.store.rows = rows
		lines_of(desk, *[f"010{number:08d}" for number in range(size)])
		desk.store.rows = original
		counts.append(len(statements))
	assert 0 < counts[0] == counts[1]
