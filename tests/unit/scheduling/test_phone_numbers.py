"""Numbers as people type them. All belong to ranges that are kept free for films."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.phone_numbers import (
    BadNumber,
    NumberFault,
    country_of,
    parse_mobile,
    parse_telephone,
)


@pytest.mark.parametrize(
    "text",
    [
        "0171 39 200 01",
        "(0171)3920001",
        "0171/3920001",
        "0171-392 00 01",
        "0171\u20133920001",
        "0171.39.200.01",
        "+49 (0)171 3920001",
        "+49 (0) 171 / 392-0001",
        "+49 0171 3920001",
        "+49171 3920001",
        "0049 171 3920001",
        "0049 (0)171 3920001",
        "49 171 3920001",
        "171 3920001",
        " 0171\u00a03920001\n",
        "O171 39200O1",
        "+49 o171 392 oo 01",
        "(+49) 171 3920001",
        "(+49)(0)171 3920001",
        "(0049) 171/3920001",
        "0171\u22123920001",  # a mathematical minus
        "\uff0b49 171 3920001",
        "\uff0b\uff14\uff19\uff08\uff10\uff09\uff11\uff17\uff11\uff0d\uff13\uff19\uff12\uff10\uff10\uff10\uff11",
        "\u202a+49\u202c 171\u202f392\u2009\u200b0001\ufeff",
        "\u200e0171\u00ad3920001\u200d",
    ],
)
def test_usual_ways_to_write_a_number(text: str) -> None:
    assert parse_mobile(text) == "+491713920001"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0176 04069001", "+4917604069001"),
        ("0152 28817386", "+4915228817386"),
        ("+44 7700 900123", None),
        ("+43 664 1234567", "+436641234567"),
        ("+39 (0)347 1234567", "+393471234567"),  # where a zero would not be dialled away
        ("0171" + "-" * 39 + "3920001", "+491713920001"),  # 50 characters
        ("0041 79 123 45 67", "+41791234567"),
        ("+1 201 555 0123", "+12015550123"),  # North America does not tell mobiles apart
    ],
)
def test_other_networks_and_countries(text: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(BadNumber):
            parse_mobile(text)
    else:
        assert parse_mobile(text) == number


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", NumberFault.EMPTY),
        (" \t", NumberFault.EMPTY),
        ("keine", NumberFault.NOT_A_NUMBER),
        ("0171 RUF MICH AN", NumberFault.NOT_A_NUMBER),
        ("erika@example.org", NumberFault.NOT_A_NUMBER),
        ("+", NumberFault.NOT_A_NUMBER),
        ("0171 12", NumberFault.TOO_SHORT),
        ("0171 3920001 234567", NumberFault.TOO_LONG),
        ("1" * 51, NumberFault.TOO_LONG),
        ("0171" + "-" * 40 + "3920001", NumberFault.TOO_LONG),
        ("+999 123456", NumberFault.UNKNOWN_COUNTRY),
        ("030 23125001", NumberFault.LANDLINE),
        ("+49 (0)89 99998 001", NumberFault.LANDLINE),
        ("49 30 23125001", NumberFault.LANDLINE),
        ("0900 1234567", NumberFault.NOT_MOBILE),
        ("0700 12345678", NumberFault.NOT_MOBILE),
        ("+4", NumberFault.NOT_A_NUMBER),
        ("1", NumberFault.NOT_A_NUMBER),
        ("00", NumberFault.TOO_SHORT),
        ("+49 1", NumberFault.TOO_SHORT),
        ("0" + "1" * 49, NumberFault.TOO_LONG),
        ("0171 3920001" + " " * 60 + "x", NumberFault.NOT_A_NUMBER),
        ("+49 171 39200012345678", NumberFault.TOO_LONG),
        ("+44 7700 900", NumberFault.TOO_SHORT),
        ("oO", NumberFault.NOT_A_NUMBER),
        ("+49 1999 999999", NumberFault.INVALID),
        ("49000000111111", NumberFault.TOO_LONG),
    ],
)
def test_each_fault_by_its_code(text: str, fault: NumberFault) -> None:
    with pytest.raises(BadNumber) as bad:
        parse_mobile(text)
    assert bad.value.fault is fault
    assert bad.value.args == (fault.value,)


@given(st.text(max_size=60) | st.text("0123456789+() -/oO", max_size=30))
def test_whatever_is_typed(text: str) -> None:
    try:
        number = parse_mobile(text)
    except BadNumber:
        return
    assert number.startswith("+")
    assert number[1:].isdigit()
    assert number.isascii()
    assert parse_mobile(number) == number


@pytest.mark.parametrize(
    ("number", "country"),
    [("+491713920001", "DE"), ("+436641234567", "AT"), ("+12015550123", "US")],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country


@pytest.mark.parametrize("text", ["030 23125001", "+49 (0)30 / 231 250 01"])
def test_of_a_telephone_a_landline_will_do(text: str) -> None:
    assert parse_telephone(text) == "+493023125001"


def test_a_telephone_has_a_number_that_there_is() -> None:
    with pytest.raises(BadNumber) as bad:
        parse_telephone("+49 1999 999999")
    assert bad.value.fault is NumberFault.INVALID


def test_faults_are_told_under_these_names() -> None:
    assert [fault.value for fault in NumberFault] == [
        *("missing", "not_a_number", "too_short", "too_long", "unknown_country"),
        *("landline", "not_mobile", "invalid"),
    ]
