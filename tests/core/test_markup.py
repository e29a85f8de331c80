"""Texts that lose their markup keep all else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.markup import without_tags


@given(st.text())
def test_nothing_is_markup_and_nothing_else_changes(text: str) -> None:
	plain = without_tags(text)
	assert not {"<", ">"} & set(plain)
	assert len(plain) == len(text)
	assert without_tags(plain) == plain
	assert [now for now, before in zip(plain, text, strict=True) if before not in "<>"] == [
		c for c in text if c not in "<>"
	]
