from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.snippets import LONGEST, snippet


def shown(text, *terms):
	return " ".join(f"[{term}]" if is_hit else term for term, is_hit in snippet(text, terms))


def test_the_words_are_shown_as_they_were_written():
	assert shown("عايز أعرف سِعر الدَّواء لو سمحت", "سعر", "دواء") == "عايز أعرف [سِعر] [الدَّواء] لو سمحت"


def test_what_is_left_out_is_marked():
	text = " ".join(str(number) for number in range(100, 200))
	assert shown(text, "150").startswith("… 146 147 148 149 [150] 151")
	assert shown(text, "150").endswith("161 …")
	assert shown("one two", "three") == "one two", "found by what no word alone holds"


@given(st.text(), st.text(min_size=1))
def test_a_snippet_is_words_of_the_text(text, term):
	terms = [one for one, _hit in snippet(text, [term])]
	written = text.split()
	assert len(terms) <= LONGEST + 2
	inner = terms[1:] if written[: len(terms)] != terms[: len(written)] and terms[:1] == ["…"] else terms
	inner = inner[:-1] if inner[-1:] == ["…"] and written[-1:] != ["…"] else inner
	assert any(written[place : place + len(inner)] == inner for place in range(len(written) + 1))
