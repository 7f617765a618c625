"""The form: each fault is named with its field, all of them at once."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.problems import InvalidInput
from contracts.channels import Channel
from contracts.mailboxes import parse_mailbox
from services.scheduling import forms
from services.scheduling.bounds import COUNTRIES
from services.scheduling.phone_numbers import NumberFault
from services.scheduling.schemas import Change, NewAppointment, Resend
from tests.support.forms import (
    BASIC,
    DEAD,
    NOW,
    PRESENT,
    STANDARD,
    changed,
    check,
    codes,
    faults,
    is_dead,
    read,
)


@pytest.mark.parametrize(
    ("day", "at", "minutes", "expected"),
    [
        ("2026-12-01", "14:30", 20, set()),
        ("2026-12-01", "14:30", 5, set()),
        ("2026-12-01", "14:30", 480, set()),
        ("2026-12-01", "14:30", 4, {("duration_minutes", "out_of_range")}),
        ("2026-12-01", "14:30", 481, {("duration_minutes", "out_of_range")}),
        ("2026-12-01", "14:30", None, {("duration_minutes", "missing")}),
        ("", "", 20, {("date", "missing"), ("time", "missing")}),
        ("2026-02-30", "25:00", 20, {("date", "invalid"), ("time", "invalid")}),
        ("2026-11-23", "14:30", 20, {("date", "past")}),
        ("2026-11-24", "13:00", 20, {("time", "past")}),
        ("2026-11-24", "13:01", 20, set()),
        ("2027-03-28", "02:30", 20, {("time", "nonexistent_time")}),
        ("2027-10-31", "02:30", 20, {("time", "ambiguous_time")}),
        ("9999-12-31", "23:59", 20, {("date", "out_of_range")}),
        ("2206-12-01", "14:30", 20, {("date", "out_of_range")}),
        ("2026-12-01", "14:30+01:00", 20, {("time", "invalid")}),
    ],
)
async def test_slots(
    day: str, at: str, minutes: int | None, expected: set[tuple[str, str]]
) -> None:
    assert await codes(date=day, time=at, duration_minutes=minutes) == expected


@pytest.mark.parametrize(
    ("channels", "email", "expected"),
    [
        (["email"], "patientin@example.org", set()),
        ([], "patientin@example.org", {("channels", "no_channel")}),
        (["email"], "", {("email", "missing")}),
        (["email"], "   ", {("email", "missing")}),
        (["email"], "patientin@", {("email", "invalid")}),
        (["email"], "a@example.org\r\nBcc: b@example.org", {("email", "invalid")}),
        (["fax"], None, {("channels", "invalid")}),
        (["sms"], None, {("channels", "channel_unavailable")}),
    ],
)
async def test_contacts(
    channels: list[str], email: str | None, expected: set[tuple[str, str]]
) -> None:
    assert await codes(practice=STANDARD, channels=channels, email=email) == expected


@pytest.mark.parametrize(
    ("email", "code", "options"),
    [
        ("o\u2019brien@example.org", "typographic_apostrophe", ["o'brien@example.org"]),
        ("o\u00b4b@example.org", "typographic_apostrophe", ["o'b@example.org"]),
        ("x" * 65 + "@example.org", "local_part_too_long", []),
        ("ü" * 33 + "@example.org", "local_part_too_long", []),
        ("x" * 64 + "@example.org", None, []),
    ],
)
async def test_what_can_not_be_sent_to_is_refused_with_what_may_be_meant(
    email: str, code: str | None, options: list[str]
) -> None:
    if code is None:
        assert (await read(email=email)).contact.email == email
        return
    with pytest.raises(InvalidInput) as refused:
        await read(email=email)
    [error] = refused.value.extras["errors"]
    assert (error["field"], error["code"]) == ("email", code)
    assert list(error.get("options") or []) == options


async def test_addresses_are_taken_as_they_are_pasted() -> None:
    pasted = "\ufeff\u00a0\u202aerika\u200b@exam\u00adple.org\u202c\u3000"
    assert (await read(email=pasted)).contact.email == "erika@example.org"


@given(st.emails() | st.text(max_size=40).map(lambda text: f"{text}@example.org"))
async def test_what_the_form_takes_can_be_sent_to(email: str) -> None:
    try:
        valid = await read(email=email)
    except InvalidInput:
        return
    assert parse_mailbox(valid.contact.email or "") is not None


async def test_phone_numbers_are_stored_in_e164() -> None:
    valid = await read(
        STANDARD, tuple(Channel), channels=["sms"], email=None, phone="0171 / 234 56 78"
    )
    assert valid.contact.phone == "+491712345678"


async def test_sms_needs_a_tariff_that_has_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        await read(BASIC, tuple(Channel), channels=["sms"], email=None, phone="0171 2345678")
    [error] = refused.value.extras["errors"]
    assert (error["field"], error["code"]) == ("channels", "not_in_tariff")
    assert error["message"] == "SMS gibt es in den Tarifen Standard und Premium."


@pytest.mark.parametrize(
    "name", ["", "  ", "\ufeff\u200b", "A\0B", "A\u0600B", "A\U000e0041", "x" * 201]
)
async def test_names_that_are_refused(name: str) -> None:
    assert {field for field, _ in await codes(patient_name=name)} == {"patient_name"}


async def test_all_faults_are_told_at_once_dead_addresses_too() -> None:
    found = await faults(
        lambda: read(
            STANDARD,
            tuple(Channel),
            patient_name="",
            channels=["fax", "email", "sms"],
            email=DEAD[0],
            phone=DEAD[1],
            date="",
            duration_minutes=1,
            locale="tlh",
            consent=False,
        )
    )
    assert found == [
        ("patient_name", "missing"),
        ("channels", "invalid"),
        ("duration_minutes", "out_of_range"),
        ("date", "missing"),
        ("locale", "invalid"),
        ("consent", "consent_required"),
        ("email", "dead_address"),
        ("phone", "dead_address"),
    ]
    assert await codes(email=DEAD[0], send_anyway=True) == set()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("0171 2345678", set()),
        ("", set()),
        ("030 1234567", {("phone", "landline")}),
        ("+371 21 234 567", set()),  # asked once somebody sends to it
    ],
)
async def test_a_number_that_is_not_asked_for_is_checked_and_kept(
    typed: str, expected: set[tuple[str, str]]
) -> None:
    assert await codes(practice=STANDARD, available=tuple(Channel), phone=typed) == expected


async def test_an_address_that_is_not_asked_for_is_checked_and_kept() -> None:
    asked = {"available": tuple(Channel), "channels": ["sms"], "phone": "0171 2345678"}
    assert await codes(practice=STANDARD, **asked, email="erika@") == {("email", "invalid")}
    valid = await read(STANDARD, **asked, email="Erika@Example.org ")  # type: ignore[arg-type]
    assert (valid.contact.channels, valid.contact.email) == ((Channel.SMS,), "Erika@example.org")
    # Nothing is sent there now, so nothing is asked about it.
    assert await codes(practice=STANDARD, **asked, email=DEAD[0]) == set()


async def test_what_a_resending_leaves_out_stays() -> None:
    async def resend(**changes: Any) -> forms.ValidResend:
        return await forms.resend(
            Resend(**changes),
            PRESENT,
            STANDARD,
            available=tuple(Channel),
            countries=COUNTRIES,
            is_dead=is_dead,
        )

    contact = forms.Contact((Channel.EMAIL,), "erika@example.org", None)
    assert await resend() == forms.ValidResend("Erika Mustermann", contact, "de")
    assert (await resend(email="e@example.org")).contact.email == "e@example.org"
    renamed = await resend(patient_name=" Erika  Muster ", locale="en")
    assert renamed == forms.ValidResend("Erika Muster", contact, "en")
    assert await faults(lambda: resend(patient_name=" ", locale="tlh")) == [
        ("patient_name", "missing"),
        ("locale", "invalid"),
    ]
    assert await faults(lambda: resend(channels=["sms"], email=DEAD[0])) == [("phone", "missing")]
    assert await faults(lambda: resend(email=DEAD[0])) == [("email", "dead_address")]


def test_what_a_change_leaves_out_stays_a_start_that_has_passed_too() -> None:
    longer = changed(Change(duration_minutes=30)).slot
    assert longer == forms.Slot(PRESENT.starts_at, 30)
    with pytest.raises(InvalidInput):
        changed(Change(time="12:30"))


def test_each_fault_of_a_number_has_words_of_its_own() -> None:
    assert set(forms.NUMBER_FAULTS) == set(NumberFault)
    assert len(set(forms.NUMBER_FAULTS.values())) == len(NumberFault)


@pytest.mark.parametrize("name", ["علی\u200cرضا", "ශ්\u200dරී"])
async def test_a_name_keeps_the_joiners_that_its_script_needs(name: str) -> None:
    assert (await read(patient_name=name)).patient_name == name


def test_days_of_a_query_are_named_by_their_parameter() -> None:
    forms.check_days({"from": NOW.date(), "to": None})
    with pytest.raises(InvalidInput) as refused:
        forms.check_days({"from": NOW.date(), "to": date.max})
    assert [error["field"] for error in refused.value.extras["errors"]] == ["to"]


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        ("2026-01-01", "2026-01-01", None),
        ("2027-01-01", "2028-01-01", None),  # 366 days
        ("2026-01-01", "2027-01-02", ("to", "too_long")),
        ("2026-01-02", "2026-01-01", ("to", "before_from")),
        ("1999-12-31", "2026-01-01", ("from", "out_of_range")),
        ("2026-01-01", "9999-12-31", ("to", "out_of_range")),
    ],
)
def test_an_export_is_of_a_year_at_most(
    first: str, last: str, fault: tuple[str, str] | None
) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)
    if fault is None:
        forms.check_range(*days)
        return
    with pytest.raises(InvalidInput) as refused:
        forms.check_range(*days)
    [error] = refused.value.extras["errors"]
    assert (error["field"], error["code"]) == fault


@given(st.text(max_size=30), st.text(max_size=30), st.integers() | st.none(), st.text(max_size=9))
async def test_no_input_raises_anything_but_a_named_fault(
    day: str, at: str, minutes: int | None, offset: str
) -> None:
    for _, code in await codes(date=day, time=at, duration_minutes=minutes, utc_offset=offset):
        assert code
    await codes(channels=[day], email=at, phone=offset, patient_name=day)


async def test_what_can_not_be_read_hides_nothing_of_the_rest() -> None:
    """Unknown, missing and of the wrong kind, with all that is wrong with what can be read."""
    given = {
        "external_id": "4711",
        "patient_name": " ",
        "channels": ["fax", "email"],
        "email": "patientin@",
        "phone": 5,
        "date": "2026-02-30",
        "time": "14:30",
        "duration_minutes": "many",
        "locale": "tlh",
    }
    with pytest.raises(InvalidInput) as refused:
        await check(NewAppointment.model_validate(given))
    assert {(each["field"], each["code"]) for each in refused.value.extras["errors"]} == {
        ("external_id", "unknown"),
        ("patient_name", "missing"),
        ("channels", "invalid"),
        ("email", "invalid"),
        ("phone", "invalid"),
        ("date", "invalid"),
        ("duration_minutes", "invalid"),
        ("consent", "missing"),
        ("locale", "invalid"),
    }


@pytest.mark.parametrize("given", [{}, {"external_id": 1}, {"channels": [1]}, {"date": None}])
async def test_of_what_can_not_be_read_each_field_is_told_once(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        await check(NewAppointment.model_validate(given))
    named = [each["field"].partition(".")[0] for each in refused.value.extras["errors"]]
    required = {"patient_name", "channels", "date", "time", "duration_minutes", "consent"}
    assert set(named) == required | set(given)
    assert len(named) == len(set(named))


def test_a_move_and_a_resend_tell_of_unknown_fields_too() -> None:
    with pytest.raises(InvalidInput) as refused:
        changed(Change.model_validate({"tme": "9:00", "date": "x"}))
    assert {each["field"] for each in refused.value.extras["errors"]} == {"tme", "date"}
    assert [each.field for each in Resend.model_validate({"mail": "x"}).unread] == ["mail"]


@pytest.mark.parametrize("given", [[], "x", None, 5])
def test_what_is_no_object_at_all_is_no_form(given: object) -> None:
    with pytest.raises(ValidationError):
        NewAppointment.model_validate(given)


WAYS = ("day", "ids", "days", "referred", "since")


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (set(), ("date", "missing")),
        *(({way}, None) for way in WAYS),
        ({"days", "referred"}, None),
        ({"days", "since"}, None),
        ({"day", "ids"}, ("id", "not_with_date")),
        ({"ids", "days"}, ("id", "not_with_date")),
        ({"day", "days"}, ("from", "not_with_date")),
        ({"day", "referred"}, ("from", "not_with_date")),
        *(({way, "since"}, ("updated_since", "not_with_date")) for way in ("day", "ids")),
        ({"referred", "since"}, ("updated_since", "not_with_date")),
    ],
)
async def test_a_list_is_asked_for_in_one_way(
    asked: set[str], fault: tuple[str, str] | None
) -> None:
    async def ask() -> None:
        forms.check_choice(**{way: way in asked for way in WAYS})

    assert await faults(ask) == ([] if fault is None else [fault])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Mu", None),
        ("M", "too_short"),
        (" ".join("abcdefghijkl"), "too_long"),
        ("M" * 300, "too_long"),
    ],
)
async def test_a_name_is_looked_for_by_its_letters(text: str, fault: str | None) -> None:
    async def ask() -> None:
        forms.name_search(text)

    assert await faults(ask) == ([] if fault is None else [("query", fault)])


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        (date(2026, 12, 1), date(2026, 12, 1), []),
        (date(2026, 12, 2), date(2026, 12, 1), [("to", "before_from")]),
        (date(2026, 12, 2), None, []),
        (None, date(2026, 12, 1), []),
        (None, None, []),
    ],
)
async def test_a_range_ends_after_it_begins(
    first: date | None, last: date | None, fault: list[tuple[str, str]]
) -> None:
    async def ask() -> None:
        forms.check_order(first, last)

    assert await faults(ask) == fault
