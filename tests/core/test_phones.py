"""Phone numbers: what a gateway sends is kept, what a person types is understood or refused."""

from __future__ import annotations

import pickle

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.phones import Phone, PhoneError, from_gateway, from_person, other_form

MOBILE = "+201001234567"

# Numbers that people type


@pytest.mark.parametrize(
	"text",
	[
		"01001234567",
		"1001234567",
		"201001234567",
		"00201001234567",
		"+20 0100 123 4567",
		"٠١٠٠١٢٣٤٥٦٧",
		"۰۱۰۰۱۲۳۴۵۶۷",
		"０１００１２３４５６７",
		"\u200e+20 100 123 4567\u200f",
		"\u202a0100-123-4567\u202c",
		"(0100) 123.4567",
		"010/01234567",
		"0100–123–4567",
		" 0100\u00a0123 4567\n",
		"+20 (0)100 1234567",
	],
)
def test_every_way_to_write_a_cairo_mobile_is_the_same_number(text: str) -> None:
	phone = from_person(text)
	assert phone == Phone(MOBILE, True, text, False)
	assert phone.display() == "+20 10 01234567"


@pytest.mark.parametrize(
	("text", "e164", "is_ambiguous"),
	[
		("0502345678", "+20502345678", True),  # Mansoura, or a mobile typed by a Saudi
		("0501234567", "+20501234567", True),
		("2015550123", "+2015550123", True),  # 10th of Ramadan, or New Jersey
		("468873132", "+20468873132", True),  # Marsa Matrouh's area, or Sweden with its code and no +
		("0932345678", "+20932345678", True),  # Sohag's area, or a Libyan mobile
		("0223456789", "+20223456789", False),
		("966501234567", "+966501234567", False),
		("971501234567", "+971501234567", False),
		("00966501234567", "+966501234567", False),
		("+966 50 123 4567", "+966501234567", False),
		("12015550123", "+12015550123", False),
		("+20502345678", "+20502345678", False),
	],
)
def test_numbers_are_read_at_home_first_and_doubts_are_shown(
	text: str, e164: str, is_ambiguous: bool
) -> None:
	phone = from_person(text)
	assert (phone.e164, phone.is_valid, phone.is_ambiguous) == (e164, True, is_ambiguous)


def test_landlines_and_mobiles_of_the_same_prefix_are_distinguished() -> None:
	assert from_person("0155012345").e164 == "+20155012345"
	assert from_person("01550123456").e164 == "+201550123456"


def test_the_customers_country_decides() -> None:
	phone = from_person("0501234567", "SA")
	assert (phone.e164, phone.is_ambiguous) == ("+966501234567", False)
	assert from_person("01001234567", "EG").e164 == MOBILE


def test_00_means_international_even_where_people_dial_something_else() -> None:
	assert from_person("00201001234567", "US").e164 == MOBILE


@pytest.mark.parametrize(
	("text", "code"),
	[
		("", "empty"),
		(" - ", "empty"),
		("+", "empty"),
		("\u200f", "empty"),
		("16123", "short_number"),
		("19xxx", "letters"),
		("122", "short_number"),
		("01001234567 واتساب", "letters"),
		("tel:01001234567", "letters"),
		("++201001234567", "letters"),
		("01001234567 / 01112345678", "two_numbers"),
		("01001234567 01112345678", "two_numbers"),
		("01001234567-01112345678", "two_numbers"),
		("٠١٠٠١٢٣٤٥٦٧ أو ٠١١١٢٣٤٥٦٧٨", "two_numbers"),
		("+201001234567+201112345678", "two_numbers"),
		("01301234567", "not_valid"),  # 013 is no mobile
		("0100123456", "not_valid"),
		("+01001234567", "not_valid"),
		("20201001234567", "not_valid"),  # 20 prefixed to a number that had it
		("2000966501234567", "not_valid"),
		("+2015550", "not_valid"),
		("001001234567890", "not_valid"),
	],
)
def test_what_is_not_one_number_is_refused_with_a_reason(text: str, code: str) -> None:
	with pytest.raises(PhoneError) as caught:
		from_person(text)
	assert caught.value.code == code
	assert str(caught.value)
	assert caught.value.values.get("text", text) == text


@pytest.mark.parametrize("region", ["", "EGY", "eg", "XX"])
def test_an_unknown_region_is_refused(region: str) -> None:
	with pytest.raises(PhoneError, match="not a country code"):
		from_person("01001234567", region)


def test_a_long_text_is_not_repeated_in_the_error() -> None:
	with pytest.raises(PhoneError) as caught:
		from_person("x" * 5000)
	assert len(str(caught.value)) < 200


def test_an_error_survives_the_way_between_processes() -> None:
	copy = pickle.loads(pickle.dumps(PhoneError("not_valid", {"text": "1"})))
	assert (copy.code, copy.values) == ("not_valid", {"text": "1"})


# Numbers that gateways send


@pytest.mark.parametrize(
	("digits", "e164", "is_valid"),
	[
		("201001234567", MOBILE, True),
		("+201001234567", MOBILE, True),
		("+20 100 123 4567", MOBILE, True),
		("966501234567", "+966501234567", True),
		("5512987654321", "+5512987654321", True),
		("01001234567", "+01001234567", False),  # never read as Egyptian
		("1001234567", "+1001234567", False),
		("98765432109876", "+98765432109876", False),
		("999", "+999", False),
		("20999999999999999999", "+20999999999999999999", False),
	],
)
def test_a_gateways_number_is_complete_and_kept(digits: str, e164: str, is_valid: bool) -> None:
	phone = from_gateway(digits)
	assert (phone.e164, phone.is_valid, phone.raw, phone.is_ambiguous) == (e164, is_valid, digits, False)
	assert phone.digits == e164[1:]


@pytest.mark.parametrize("digits", ["", "+", "abc", "2010x", "EG.9000", "201001234567@c.us", "1" * 33])
def test_what_no_gateway_sends_is_refused(digits: str) -> None:
	with pytest.raises(PhoneError) as caught:
		from_gateway(digits)
	assert caught.value.code == "not_digits"


# How they are shown


def test_an_unknown_number_is_shown_as_it_is() -> None:
	assert from_gateway("98765432109876").display() == "+98765432109876"


# Laws

digit_strings = st.text("0123456789", min_size=1, max_size=20)
typed = st.text("0123456789٠١٢٣٤٥٦٧٨٩+-() ./\u200f", max_size=24) | st.from_regex(
	r"(\+20|0020|20|0)?1[0125][0-9]{8}", fullmatch=True
)


@given(digit_strings)
def test_a_gateways_number_read_again_is_the_same(digits: str) -> None:
	phone = from_gateway(digits)
	assert from_gateway(phone.digits).e164 == from_gateway(phone.e164).e164 == phone.e164
	assert phone.is_valid or phone.digits == digits


@given(typed | st.text(max_size=30))
def test_a_person_is_understood_or_refused_and_the_result_is_stable(text: str) -> None:
	try:
		phone = from_person(text)
	except PhoneError:
		return
	assert phone.is_valid
	assert phonenumbers.is_valid_number(phonenumbers.parse(phone.e164))
	assert phone.raw == text
	again = from_person(phone.e164)
	assert (again.e164, again.is_ambiguous) == (phone.e164, False)
	assert from_person(phone.display()).e164 == phone.e164
	assert from_gateway(phone.digits).e164 == phone.e164


@given(st.from_regex(r"1[0125][0-9]{8}", fullmatch=True))
def test_every_egyptian_mobile_is_understood_in_all_forms_without_doubt(national: str) -> None:
	forms = [f"{prefix}{national}" for prefix in ("", "0", "20", "0020", "+20", "+20 0")]
	phones = [
		from_person(form)
		for form in forms
		if phonenumbers.is_valid_number(phonenumbers.parse("+20" + national))
	]
	assert {phone.e164 for phone in phones} <= {f"+20{national}"}
	assert not any(phone.is_ambiguous for phone in phones)


@given(st.sampled_from("0125"), st.integers(0, 10**8 - 1))
def test_the_short_cut_for_home_mobiles_says_what_the_library_says(operator: str, number: int) -> None:
	digits = f"201{operator}{number:08d}"
	parsed = phonenumbers.parse(f"+{digits}", None)
	assert phonenumbers.is_valid_number(parsed)
	assert from_gateway(digits).e164 == phonenumbers.format_number(
		parsed, phonenumbers.PhoneNumberFormat.E164
	)


@pytest.mark.parametrize(
	("one", "other"),
	[
		("+5531988887777", "+553188887777"),
		("+5215512345678", "+525512345678"),
		("+5491123456789", "+541123456789"),
	],
)
def test_both_forms_of_a_number_know_each_other(one: str, other: str) -> None:
	assert (other_form(one), other_form(other)) == (other, one)


@pytest.mark.parametrize(
	"number", ["+201001234567", "+553138887777", "+5531938887777", "+15551234567", "+5255123", "+54"]
)
def test_other_numbers_have_one_form(number: str) -> None:
	assert other_form(number) == ""


@given(st.text("0123456789", min_size=1, max_size=32))
def test_a_gateway_s_digits_stay_as_they_are(digits: str) -> None:
	assert from_gateway(digits).e164 == f"+{digits}"
	assert other_form(other_form(f"+{digits}")) in ("", f"+{digits}")
