"""A person's own inbox: whatever is kept is read back, and whatever can't be read is left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import inbox_settings as rules
from khalifa_whatsapp.core.errors import UserError

NAMES = st.text(min_size=1, max_size=60)
FILTERS = st.dictionaries(st.sampled_from(rules.FILTERS), st.text(min_size=1, max_size=20))


@given(NAMES, st.sampled_from(rules.VIEWS), FILTERS, st.sampled_from(rules.SORTS), st.booleans())
def test_what_is_kept_is_read_back(name, view, filters, sort, opens_next):
	try:
		wanted = rules.saved_view(name, view, filters, sort)
	except UserError:
		return
	settings = rules.InboxSettings(("KT-1", "KT-2"), (wanted,), opens_next)
	assert rules.read(settings.written()) == settings


JSON = st.recursive(
	st.none() | st.booleans() | st.integers() | st.text(max_size=5),
	lambda inner: (
		st.lists(inner, max_size=4)
		| st.dictionaries(st.sampled_from(["pins", "views", "name", "view", "filters", "opens_next"]), inner)
	),
	max_leaves=20,
)


@given(JSON.map(json.dumps) | st.text(max_size=20) | st.none())
def test_whatever_is_kept_there_are_settings(stored):
	settings = rules.read(stored)
	assert rules.read(settings.written()) == settings
	assert len(settings.pins) <= rules.MAX_PINS


def test_pins_of_conversations_that_are_over_make_room():
	full = rules.InboxSettings(tuple(f"KT-{number}" for number in range(rules.MAX_PINS)))
	with pytest.raises(UserError):
		full.with_pin("KT-new", True, set(full.pins))
	kept = full.with_pin("KT-new", True, {"KT-3", "KT-new"})
	assert kept.pins == ("KT-new", "KT-3")
	assert kept.with_pin("KT-new", False, {"KT-3"}).pins == ("KT-3",)


def test_a_list_of_the_same_name_is_replaced_and_there_are_not_too_many():
	settings = rules.InboxSettings()
	for number in range(rules.MAX_VIEWS):
		settings = settings.with_view(rules.saved_view(f"list {number}", "mine", {}, ""))
	changed = settings.with_view(rules.saved_view("list 3", "closed", {"tag": "VIP"}, "due"))
	assert [view.name for view in changed.views] == [view.name for view in settings.views]
	assert changed.views[3].shown() == {
		"name": "list 3",
		"view": "closed",
		"filters": {"tag": "VIP"},
		"sort": "due",
	}
	with pytest.raises(UserError):
		settings.with_view(rules.saved_view("one more", "mine", {}, ""))
	assert len(settings.without_view("list 3").views) == rules.MAX_VIEWS - 1


def test_a_list_needs_a_name_a_view_and_an_order_that_there_are():
	for given_ in ((" ", "mine", ""), ("x", "everything", ""), ("x", "mine", "by name")):
		with pytest.raises(UserError):
			rules.saved_view(given_[0], given_[1], {}, given_[2])
