"""What the audit list says of a change: both values, cut, and nothing of a secret."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.audit import MAX_VALUE, SECRET, change_of, details_of, secret_changed, summary_of
from khalifa_whatsapp.stores.schema import doctype

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())


def options(fieldname: str) -> list[str]:
	fields = doctype("Khalifa Audit Entry")["fields"]
	return next(df["options"] for df in fields if df["fieldname"] == fieldname).split("\n")


def test_the_form_offers_every_kind_and_action_as_a_filter():
	assert tuple(options("kind")) == audit.KINDS
	assert tuple(options("action")) == audit.ACTIONS
	assert len(set(audit.ACTIONS)) == len(audit.ACTIONS)
	assert set(audit.WATCHED.values()) <= set(audit.KINDS)


def test_equal_values_are_no_change_however_they_are_stored():
	for old, new in ((None, ""), (15, 15.0), (0, False), (" a", "a")):
		assert change_of("f", "F", old, new) is None
	assert change_of("f", "F", 0, "") is not None


@given(old=VALUES, new=VALUES)
def test_a_change_shows_both_values_cut_and_can_be_stored(old, new):
	change = change_of("f", "Field", old, new)
	if change is None:
		assert audit.shown(old) == audit.shown(new)
		return
	assert len(change.old) <= MAX_VALUE and len(change.new) <= MAX_VALUE
	assert audit.shown(new).startswith(change.new)
	assert "Field: " in summary_of([change], {})
	assert details_of([change], {}) == json.loads(json.dumps(details_of([change], {})))


def test_of_a_secret_only_whether_there_is_one():
	change = secret_changed("token", "Token", False, True)
	assert (change.old, change.new, change.is_secret) == ("", SECRET, True)


def test_what_was_not_said_is_left_out():
	assert details_of([], {"reason": "", "recipients": 250}) == {"values": {"recipients": "250"}}
	assert summary_of([], {"reason": None, "recipients": 250}) == "recipients: 250"
