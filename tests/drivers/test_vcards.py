"""Contact cards as real phones write them, and as no phone should."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.drivers.vcards import contacts_in


def card(*lines: str, version: str = "3.0", ending: str = "\n") -> str:
	return ending.join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD"])


def name_of(text: str) -> str:
	(contact,) = contacts_in(text)
	return contact.get("name", {}).get("formatted_name", "")


@pytest.mark.parametrize(
	("line", "name"),
	[
		("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D8=A3=D8=AD=D9=85=D8=AF", "أحمد"),
		("FN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=D8=A3=D8=AD=\n=D9=85=D8=AF", "أحمد"),
		("FN;encoding=quoted-printable;charset=utf-8:=D8=A3=D8=AD=D9=85=D8=AF", "أحمد"),
		("FN;QUOTED-PRINTABLE;CHARSET=UTF-8:=D8=A3=D8=AD=D9=85=D8=AF", "أحمد"),
		("FN;ENCODING=QUOTED-PRINTABLE:=D8=A3=D8=AD=D9=85=D8=AF", "أحمد"),
		("FN;CHARSET=windows-1256;ENCODING=QUOTED-PRINTABLE:=C3=CD=E3=CF", "أحمد"),
		("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D8=A3=D8=AD=D9", "أح\ufffd"),
		("FN;CHARSET=nonsense;ENCODING=QUOTED-PRINTABLE:=D8=A3=D8=AD", "أح"),
		("FN:Mona\\, the pharmacist\\; Nile", "Mona, the pharmacist; Nile"),
		("FN:A very long na\n me in two lines", "A very long name in two lines"),
		("item1.FN:In a group", "In a group"),
		("N:Adel;Mona;;Dr;", "Dr Mona Adel"),
		("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=D9=85=D9=86=D9=89;;;", "منى"),
		("NICKNAME:Mimi", "Mimi"),
		("X-WA-BIZ-NAME:صيدلية النيل", "صيدلية النيل"),
		("FN:\nN:;منى;;;", "منى"),
	],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_name_is_read_whatever_its_writing(line: str, name: str, ending: str) -> None:
	text = card(*line.split("\n"), "TEL:1", version="2.1", ending=ending)
	assert name_of(text) == name


def test_numbers_keep_their_kind_and_their_whatsapp() -> None:
	text = card(
		"FN:x",
		"item1.TEL;waid=201223456789;type=CELL:+20 12 23456789",
		"TEL;HOME;VOICE:02 1",
		"TEL;type=WORK,pref:02 2",
		'TEL;VALUE=uri;TYPE="voice,home":tel:+20-50-1;ext=5',
		"TEL;waid=2012:",
		"TEL:",
	)
	assert contacts_in(text)[0]["phones"] == [
		{"phone": "+20 12 23456789", "wa_id": "201223456789", "type": "CELL"},
		{"phone": "02 1", "type": "HOME"},
		{"phone": "02 2", "type": "WORK"},
		{"phone": "+20-50-1", "type": "HOME"},
		{"phone": "+2012", "wa_id": "2012"},
	]


def test_a_company_alone_and_a_number_alone_are_contacts() -> None:
	assert contacts_in(card("N:;;;;", "ORG:Nile Co;Sales;")) == [{"org": {"company": "Nile Co, Sales"}}]
	assert contacts_in(card("TEL:1")) == [{"phones": [{"phone": "1"}]}]


def test_a_photo_is_left_out_and_what_follows_it_is_read() -> None:
	photo = ["PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", *[" " + "A" * 74] * 200]
	assert contacts_in(card("FN:x", *photo, "TEL:1"))[0]["phones"] == [{"phone": "1"}]


@pytest.mark.parametrize(
	"text",
	[
		"BEGIN:VCARD\nVERSION:3.0\nFN:Mona\nTEL:1",
		"BEGIN:VCARD\nVERSION:3.0\nthis is no line\nFN:Mona\nTEL:1\nEND:VCARD",
		"FN:Mona\nTEL:1",
		"begin:vcard\nversion:3.0\nfn:Mona\ntel:1\nend:vcard",
		"BEGIN:VCARD\nVERSION:3.0\nFN:Mona\nTEL:1\nEND:VCALENDAR",
	],
)
def test_a_broken_card_still_has_its_name_and_number(text: str) -> None:
	assert contacts_in(text) == [{"name": {"formatted_name": "Mona"}, "phones": [{"phone": "1"}]}]


def test_several_cards_in_one_text_are_several_contacts() -> None:
	assert [name_of(text) for text in (card("FN:A"), card("FN:B"))] == ["A", "B"]
	assert len(contacts_in(f"{card('FN:A')}\n{card('FN:B')}")) == 2


def test_words_that_are_no_card_are_none_and_go_into_no_log(caplog: pytest.LogCaptureFixture) -> None:
	assert contacts_in("my number is 0100, call me\nnothing: here") == []
	assert contacts_in("") == []
	assert caplog.text == ""


@given(
	st.text()
	| st.lists(
		st.sampled_from(
			[
				"BEGIN:VCARD",
				"END:VCARD",
				"FN:",
				"N:;",
				"TEL;",
				":",
				"=",
				"=D8",
				"\n",
				" ",
				";ENCODING=QUOTED-PRINTABLE:",
				"\\",
				";CHARSET=x:",
				"ORG:a;b",
				"PHOTO;ENCODING=b:",
				".",
			]
		)
	).map("".join)
)
def test_no_text_raises(text: str) -> None:
	for contact in contacts_in(text):
		assert contact


@pytest.mark.parametrize(
	"text", ["FN:" + "\n a" * 100_000, "TEL" + ";" * 100_000, "X;QUOTED-PRINTABLE:=\n" + "=\n" * 100_000]
)
def test_a_huge_card_is_read_in_time(text: str) -> None:
	before = time.process_time()
	contacts_in(text)
	assert time.process_time() - before < 2
