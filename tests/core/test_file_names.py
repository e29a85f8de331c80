"""Names of files: what a customer calls a file is shown as it is, and can't act as anything else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khalifa_whatsapp.core import file_names

any_text = st.text(st.characters(exclude_categories=[]), max_size=400)


@pytest.mark.parametrize(
	("given_name", "safe"),
	[
		("عقد.pdf", "عقد.pdf"),
		("فاتورة رقم ١٢.xlsx", "فاتورة رقم ١٢.xlsx"),
		("😀 صورة.jpg", "😀 صورة.jpg"),
		("re\u0301sume\u0301.pdf", "résumé.pdf"),
		("../../etc/passwd", "passwd"),
		("C:\\Users\\me\\bill.pdf", "bill.pdf"),
		("%2e%2e%2fx.txt", "_2e_2e_2fx.txt"),
		("vic%tim9.txt", "vic_tim9.txt"),
		("a?b#c:d*e|f<g>h.txt", "a_b_c_d_e_fgh.txt"),
		(".htaccess", "htaccess"),
		("...", "file"),
		("/", "file"),
		("", "file"),
		("bad\0name.pdf", "badname.pdf"),
		("two\r\nlines.pdf", "two lines.pdf"),
		("cod\u202efdp.exe", "codfdp.exe"),
		("x.exe. .", "x.exe"),
		("CON.pdf", "_CON.pdf"),
		("nul", "_nul"),
		('say "hi".pdf', "say ”hi”.pdf"),
		("\udc80.pdf", "pdf"),
	],
)
def test_a_name_loses_only_what_could_be_taken_for_something_else(given_name, safe):
	assert file_names.safe_file_name(given_name) == safe


@given(any_text)
@example("\u202e" * 300 + ".exe")
@example("ع" * 300 + ".pdf")
@example("a" * 119 + ". .pdf")
@example("con")
@example(" .con")
def test_whatever_it_was_the_name_is_safe(text):
	name = file_names.safe_file_name(text)
	assert name
	assert file_names.safe_file_name(name) == name
	assert len(name) <= file_names.MAX_CHARACTERS
	assert len(name.encode()) <= file_names.MAX_BYTES
	assert not set('/\\%?#:*"<>|') & set(name)
	assert name[0] not in " ." and name[-1] not in " ."
	assert not [c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
	assert unicodedata.is_normalized("NFC", name)
	assert name.partition(".")[0].strip().lower() not in ("con", "nul", "aux", "prn", "com1")


@given(st.text("عabc .😀", min_size=1, max_size=400), st.sampled_from([".pdf", ".JPG", ".xlsx"]))
def test_a_long_name_keeps_its_ending(stem, ending):
	name = file_names.safe_file_name(f"x{stem}{ending}")
	assert name.endswith(ending)


@pytest.mark.parametrize(
	("name", "mime_type", "shown"),
	[
		(None, "audio/ogg; codecs=opus", "m1.ogg"),
		("", "image/jpeg", "m1.jpg"),
		("عقد", "application/pdf", "عقد.pdf"),
		("عقد.pdf", "application/octet-stream", "عقد.pdf"),
		("v1.2 notes", "text/plain", "v1.2 notes.txt"),
		("raw", "application/octet-stream", "raw"),
		("page", "text/html", "page"),
		("page", "junk\r\nX: y", "page"),
	],
)
def test_what_has_no_ending_gets_that_of_its_kind(name, mime_type, shown):
	assert file_names.named(name, mime_type, "m1") == shown


@pytest.mark.parametrize(
	("name", "mime_type", "runs"),
	[
		("setup.exe", "application/octet-stream", True),
		("bill.pdf.EXE", "application/pdf", True),
		("page.html", "text/plain", True),
		("x.svg", "image/png", True),
		("bill.pdf", "application/x-msdownload", True),
		("bill.pdf", "text/html; charset=utf-8", True),
		("bill.pdf", "application/pdf", False),
		("sums.xlsm", "application/zip", False),
		("htaccess", "text/plain", False),
	],
)
def test_what_a_computer_would_run_is_known_by_name_or_by_kind(name, mime_type, runs):
	assert file_names.can_run(name, mime_type) is runs


@given(any_text)
def test_on_the_disk_nothing_has_an_ending_that_runs_or_holds_markup(text):
	ending = file_names.disk_ending(text)
	assert ending not in file_names.RISKY and ending.isascii() and ending.startswith(".")


@given(any_text)
@example("text/plain\r\nSet-Cookie: a=b")
@example("نص/عادي")
def test_a_mime_type_from_outside_is_fit_for_a_header(text):
	mime_type = file_names.plain_mime_type(text)
	assert (
		mime_type.isascii() and mime_type.isprintable() and " " not in mime_type and mime_type.count("/") == 1
	)
