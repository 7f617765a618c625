"""The form: each fault is named with its field, all of them at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.problems import InvalidInput
from contracts.events import Channel, Tariff
from services.scheduling import forms
from services.scheduling.practice import Practice

PRACTICE = Practice(UUID(int=1), "Hausarztpraxis", "Europe/Berlin", Tariff.BASIC)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def codes(faults: forms.Faults) -> set[tuple[str, str]]:
    try:
        faults.raise_if_any()
    except InvalidInput as invalid:
        return {(error["field"], error["code"]) for error in invalid.extras["errors"]}
    return set()


def slot_codes(
    day: str, at: str, minutes: int | None = 20, offset: str | None = None
) -> set[tuple[str, str]]:
    faults = forms.Faults()
    forms.slot(day, at, offset, minutes, practice=PRACTICE, now=NOW, faults=faults)
    return codes(faults)


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
def test_slots(day: str, at: str, minutes: int | None, expected: set[tuple[str, str]]) -> None:
    assert slot_codes(day, at, minutes) == expected


def contact_codes(
    channels: Sequence[str], email: str | None, phone: str | None = None
) -> set[tuple[str, str]]:
    faults = forms.Faults()
    forms.contact(channels, email, phone, [Channel.EMAIL], Tariff.STANDARD, faults)
    return codes(faults)


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
def test_contacts(channels: list[str], email: str, expected: set[tuple[str, str]]) -> None:
    assert contact_codes(channels, email) == expected


def test_phone_numbers_are_kept_in_e164() -> None:
    faults = forms.Faults()
    contact = forms.contact(
        ["sms"], None, "0171 / 234 56 78", list(Channel), Tariff.STANDARD, faults
    )
    assert (contact.phone, codes(faults)) == ("+491712345678", set())


def test_sms_needs_a_tariff_that_has_it() -> None:
    faults = forms.Faults()
    forms.contact(["sms"], None, "0171 2345678", list(Channel), Tariff.BASIC, faults)
    assert codes(faults) == {("channels", "not_in_tariff")}


@pytest.mark.parametrize("name", ["", "  ", "A\0B", "A\u202eB", "x" * 201])
def test_names_that_are_refused(name: str) -> None:
    faults = forms.Faults()
    forms.patient_name(name, faults)
    assert {field for field, _ in codes(faults)} == {"patient_name"}


@given(st.text(max_size=30), st.text(max_size=30), st.integers() | st.none(), st.text(max_size=9))
def test_no_input_raises_anything_but_a_named_fault(
    day: str, at: str, minutes: int | None, offset: str
) -> None:
    for _, code in slot_codes(day, at, minutes, offset):
        assert code
    contact_codes([day], at, offset)
    forms.patient_name(day, forms.Faults())
