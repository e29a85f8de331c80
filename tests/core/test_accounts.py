"""Accounts of a customer: nothing that was given up is answered,
whatever is known and in whatever order it became known.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.accounts import account_of, is_left, main_phone, new_holder, profile_name, route
from khalifa_whatsapp.core.records import CustomerIdentity

names = [f"i{number}" for number in range(5)]
moments = st.one_of(st.none(), st.integers(1, 9))


def row(name: str, kind: str = "phone", value: str = "", **more) -> CustomerIdentity:
	return CustomerIdentity(name, f"key of {name}", kind, value or f"value of {name}", "c1", **more)


rows = st.builds(
	row,
	st.sampled_from(names),
	st.sampled_from(["phone", "bsuid", "lid"]),
	account=st.sampled_from(["", "i0", "i1"]),
	since_ms=moments,
	seen_ms=moments,
	left_ms=moments,
	taken_ms=moments,
	successor=st.one_of(st.none(), st.sampled_from([*names, "elsewhere"])),
)
customers = st.lists(rows, max_size=5, unique_by=lambda one: one.name)


@given(customers, st.one_of(st.none(), st.sampled_from(names)))
def test_an_answer_goes_to_one_live_account_or_nowhere(
	identities: list[CustomerIdentity], wrote_as: str | None
) -> None:
	way = route(identities, wrote_as)
	live = {one.value for one in identities if not is_left(one)}
	assert {one.value for one in way.recipient} <= live
	if way.chosen is not None:
		assert way.recipient[0].value == way.chosen.value
		accounts = {account_of(one) for one in identities if one.value in {to.value for to in way.recipient}}
		assert accounts == {account_of(way.chosen)}
	else:
		assert way.recipient == ()


@given(customers, st.one_of(st.none(), st.sampled_from(names)))
def test_the_order_of_rows_says_nothing(identities: list[CustomerIdentity], wrote_as: str | None) -> None:
	def facts(order: list[CustomerIdentity]) -> object:
		holder = new_holder(order)
		held = (holder.since_ms, {one.name for one in holder.rows}) if holder else None
		return route(order, wrote_as), main_phone(order), profile_name(order), held

	orders = itertools.islice(itertools.permutations(identities), 12)
	assert all(facts(list(order)) == facts(identities) for order in orders)


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_numbers_that_came_back_the_one_given_up_last_is_asked_about(turn: int) -> None:
	identities = [row("p", account="a", left_ms=1, seen_ms=4), row("q", account="a", left_ms=2, seen_ms=4)]
	holder = new_holder(identities[::turn])
	assert holder is not None
	assert ([one.name for one in holder.rows], holder.since_ms) == (["q"], 3)


def test_who_wrote_under_an_id_alone_is_answered_at_the_phone_of_the_same_account() -> None:
	phone, user = row("p", account="a"), row("u", "bsuid", account="a", seen_ms=5)
	other = row("q", account="b", seen_ms=9)
	assert [one.value for one in route([phone, user, other], "u").recipient] == [phone.value, user.value]


def test_where_the_phone_may_be_a_stranger_s_only_what_wrote_is_answered() -> None:
	identities = [
		row("p", account="a"),
		row("u", "bsuid", "EG.1", account="a", since_ms=1),
		row("v", "bsuid", "EG.2", account="a", since_ms=5),
	]
	assert [one.value for one in route(identities, "u").recipient] == ["EG.1"]
	holder = new_holder(identities)
	assert holder is not None
	assert ([one.name for one in holder.rows], holder.since_ms) == (["p", "v"], 5)


def test_the_id_of_a_group_of_companies_is_no_second_person() -> None:
	identities = [
		row("p", account="a"),
		row("u", "bsuid", "EG.1", account="a"),
		row("e", "bsuid", "EG.ENT.1", account="a"),
	]
	assert new_holder(identities) is None


def test_an_id_follows_its_number_when_it_was_not_used_since() -> None:
	phone = row("p", account="a", left_ms=7, successor="n")
	new = row("n", account="b")
	assert route([phone, new, row("u", "bsuid", account="a", seen_ms=5)], "u").chosen == new
	used = row("u", "bsuid", account="a", seen_ms=8)
	assert route([phone, new, used], "u").chosen == used


def test_moves_in_a_circle_lead_nowhere() -> None:
	identities = [row("p", left_ms=5, successor="q"), row("q", left_ms=6, successor="p")]
	way = route(identities, "p")
	assert (way.chosen, way.is_moved) == (None, True)
