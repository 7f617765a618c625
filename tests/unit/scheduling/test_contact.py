"""Of the form: over which channels and to whom, in what language, and never without consent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.problems import InvalidInput
from contracts.channels import Channel
from contracts.events import References
from contracts.rights import Right
from services.scheduling import forms
from services.scheduling.forms import Contact, Slot
from services.scheduling.practice import Practice
from services.scheduling.schemas import Change, NewAppointment, Resend
from tests.support.forms import NOW, PRESENT, STANDARD, changed, codes, is_dead, read

BOTH = tuple(Channel)
MOBILE, FOREIGN = "+491713920001", "+436641234567"


def test_each_channel_has_its_own_address() -> None:
    contact = Contact(BOTH, "erika@example.org", MOBILE)
    assert contact.address(Channel.EMAIL) == "erika@example.org"
    assert contact.address(Channel.SMS) == MOBILE


async def test_nothing_is_sent_without_consent() -> None:
    assert await codes(consent=False) == {("consent", "consent_required")}
    assert await codes(consent=True) == set()


async def test_the_practice_has_a_language_and_a_patient_may_have_another() -> None:
    practice = replace(STANDARD, language="en")
    assert (await read(practice)).locale == "en"
    assert (await read(practice, locale="de")).locale == "de"
    assert await codes(locale="tlh") == {("locale", "invalid")}


async def test_everything_that_was_typed_is_there() -> None:
    valid = await read(
        STANDARD,
        BOTH,
        patient_name="  Erika\tMustermann ",
        channels=["sms", "email", "sms"],
        email=" Erika@EXAMPLE.org ",
        phone="0171 3920001",
        duration_minutes=45,
    )
    assert valid == forms.ValidAppointment(
        "Erika Mustermann",
        Contact((Channel.SMS, Channel.EMAIL), "Erika@example.org", MOBILE),
        Slot(datetime(2026, 12, 1, 13, 30, tzinfo=UTC), 45),
        "de",
        References(),
    )


@pytest.mark.parametrize("name", ["x" * 200, "A\u0308nne", "O’Neill-Ünal", "Ng"])
async def test_names_that_are_taken(name: str) -> None:
    assert await codes(patient_name=name) == set()


async def test_a_name_is_written_in_one_way() -> None:
    assert (await read(patient_name="A\u0308nne")).patient_name == "Änne"
    assert (await read(patient_name="A\u200bnne")).patient_name == "Anne"


@pytest.mark.parametrize("name", ["A\u0007B", "A\ud800B", "x" * 201])
async def test_names_that_hold_what_nobody_sees_are_refused(name: str) -> None:
    assert await codes(patient_name=name) == {("patient_name", "invalid")}


@pytest.mark.parametrize("name", ["Konto gesperrt! https://evil.example/x", "evil.example", "a@b"])
async def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    """The mail is the practice's, and signed."""
    assert await codes(patient_name=name) == {("patient_name", "name_with_address")}


async def test_an_empty_name_is_missing() -> None:
    assert await codes(patient_name=" \t") == {("patient_name", "missing")}


async def test_an_address_is_needed_for_the_channels_that_are_chosen_alone() -> None:
    assert await codes(practice=STANDARD, available=BOTH, email="") == {("email", "missing")}
    by_text: dict[str, Any] = {
        "practice": STANDARD,
        "available": BOTH,
        "channels": ["sms"],
        "email": None,
    }
    assert await codes(**by_text) == {("phone", "missing")}
    assert await codes(**by_text, phone="  ") == {("phone", "missing")}
    assert await codes(**by_text, phone=MOBILE) == set()
    assert await codes(phone="") == set()
    assert await codes(phone="030 23125001") == {("phone", "landline")}
    assert await codes(**(by_text | {"email": "nobody"}), phone=MOBILE) == {("email", "invalid")}


async def test_texts_go_to_the_countries_of_the_installation_alone() -> None:
    request = NewAppointment.model_construct(
        patient_name="Erika",
        date="2026-12-01",
        time="14:30",
        utc_offset=None,
        duration_minutes=20,
        consent=True,
        locale=None,
        send_anyway=False,
        channels=["sms"],
        email=None,
        phone=FOREIGN,
    )

    async def refused(countries: list[str]) -> list[tuple[str, str]]:
        with pytest.raises(InvalidInput) as invalid:
            await forms.new_appointment(
                request,
                STANDARD,
                available=BOTH,
                countries=countries,
                now=NOW,
                is_dead=is_dead,
            )
        return [(error["code"], error["message"]) for error in invalid.value.extras["errors"]]

    [(code, message)] = await refused(["DE", "CH"])
    assert code == "country_not_allowed"
    assert message == "SMS gehen von hier nur an Nummern aus: Deutschland, Schweiz."
    # where no text goes there a number may be of any country
    assert await codes(phone=FOREIGN) == set()


async def resent(
    available: tuple[Channel, ...] = BOTH, practice: Practice = STANDARD, **changes: object
) -> Contact:
    valid = await forms.resend(
        Resend.model_validate(changes),
        replace(PRESENT, phone=MOBILE),
        practice,
        available=available,
        countries=["DE"],
        is_dead=is_dead,
    )
    return valid.contact


async def test_each_part_of_a_resending_may_be_changed_by_itself() -> None:
    assert await resent() == Contact((Channel.EMAIL,), "erika@example.org", MOBILE)
    assert (await resent(channels=["sms"])).channels == (Channel.SMS,)
    assert (await resent(phone="0176 04069001")).phone == "+4917604069001"
    assert (await resent(email="tot@example.org", send_anyway=True)).email == "tot@example.org"
    with pytest.raises(InvalidInput):
        await resent(channels=[])


@pytest.mark.parametrize(
    ("changes", "slot"),
    [
        ({}, Slot(PRESENT.starts_at, 20)),
        ({"duration_minutes": 30}, Slot(PRESENT.starts_at, 30)),
        ({"time": "15:00"}, Slot(datetime(2026, 11, 24, 14, tzinfo=UTC), 20)),
        ({"date": "2026-11-25"}, Slot(datetime(2026, 11, 25, 11, tzinfo=UTC), 20)),
        ({"date": "2026-11-24", "time": "12:00"}, Slot(PRESENT.starts_at, 20)),
    ],
)
def test_each_part_of_a_slot_may_be_changed_by_itself(
    changes: dict[str, object], slot: Slot
) -> None:
    assert changed(Change.model_validate(changes)).slot == slot


def test_in_a_doubled_hour_a_slot_stays_the_one_that_it_is() -> None:
    for utc in (0, 1):
        start = datetime(2027, 10, 31, utc, 30, tzinfo=UTC)
        there = replace(PRESENT, starts_at=start)
        longer = changed(Change(duration_minutes=30), there).slot
        assert longer == Slot(start, 30)
    with pytest.raises(InvalidInput) as asked:
        changed(Change(time="02:45"), there)
    [error] = asked.value.extras["errors"]
    assert (error["code"], [*error["options"]]) == ("ambiguous_time", ["+02:00", "+01:00"])
    chosen = changed(Change(time="02:45", utc_offset="+02:00"), there).slot
    assert chosen.starts_at == datetime(2027, 10, 31, 0, 45, tzinfo=UTC)


async def test_how_far_ahead_an_appointment_may_be() -> None:
    last = NOW + timedelta(days=5 * 366)
    assert await codes(date=f"{last:%Y-%m-%d}", time="13:00") == set()
    too_far = {("date", "out_of_range")}
    assert await codes(date=f"{last:%Y-%m-%d}", time="13:01") == too_far
    assert await codes(date=f"{last + timedelta(days=1):%Y-%m-%d}") == too_far
    for year in (1999, 9001, 9999):
        assert await codes(date=f"{year}-12-01") == too_far
    assert await codes(date="2000-12-01") == {("date", "past")}


async def test_seconds_are_kept_and_less_is_not() -> None:
    valid = await read(time="14:30:15.5")
    assert valid.slot.starts_at == datetime(2026, 12, 1, 13, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize("day", ["20261201", "2026-W49-2", "2026-12-1"])
async def test_a_day_is_written_in_one_way(day: str) -> None:
    assert await codes(date=day) == {("date", "invalid")}


@pytest.mark.parametrize("at", ["14", "1430", "T14:30", "9:05", "14:30Z", "14:30+01:00", "24:00"])
async def test_a_time_is_written_in_one_way(at: str) -> None:
    assert await codes(time=at) == {("time", "invalid")}


@pytest.mark.parametrize(
    ("field", "value"),
    [("duration_minutes", "30"), ("duration_minutes", 30.5), ("consent", "true"), ("consent", 1)],
)
def test_what_looks_like_a_number_or_a_truth_is_none(field: str, value: object) -> None:
    told = {each.field: each.code for each in NewAppointment.model_validate({field: value}).unread}
    assert told[field] != "missing"


REFERENCES: dict[str, Any] = {
    "external_reference": "kis:4711/2",
    "patient_reference": "P-1",
    "practitioner_reference": "!",
    "location_reference": "~" * 64,
}


async def test_references_are_kept_as_they_are() -> None:
    assert (await read(**REFERENCES)).references == References(**REFERENCES)


@pytest.mark.parametrize("text", ["", "two words", "x" * 65, "Müller", "a\nb", "a\n", "\x7f"])
async def test_what_is_no_reference_is_named_by_its_field(text: str) -> None:
    for field in REFERENCES:
        assert await codes(**{field: text}) == {(field, "invalid")}
        with pytest.raises(InvalidInput) as asked:
            forms.wanted({field: text})
        assert [each["field"] for each in asked.value.extras["errors"]] == [field]


def test_a_change_of_references_leaves_the_others_and_an_empty_one_takes_away() -> None:
    present = replace(PRESENT, references=References(**REFERENCES))
    change = Change(external_reference="", patient_reference="P-2")
    assert changed(change, present).references == References(
        **REFERENCES | {"external_reference": None, "patient_reference": "P-2"}
    )
    assert changed(Change(time="15:00"), present).references == present.references
    with pytest.raises(InvalidInput):
        changed(Change(external_reference=" "), present)


def test_appointments_are_looked_for_by_references_that_are_given() -> None:
    assert forms.wanted({"external_reference": None, "patient_reference": None}) is None
    found = forms.wanted({"external_reference": None, "patient_reference": "P-1"})
    assert found == References(patient_reference="P-1")


def test_what_a_correction_leaves_out_stays() -> None:
    valid = changed(Change(email=" neu@example.org ", locale="en", patient_name="Erika  Muster"))
    assert (valid.patient_name, valid.email, valid.phone, valid.locale) == (
        *("Erika Muster", "neu@example.org", None, "en"),
    )
    assert valid.slot == Slot(PRESENT.starts_at, PRESENT.duration_minutes)
    assert changed(Change(phone="0171 3920001")).phone == MOBILE
    spared = replace(PRESENT, phone=MOBILE)
    assert changed(Change(phone=""), spared).phone is None
    # Nothing is sent, so nobody asks whether something came back from there.
    assert changed(Change(email="tot@example.org")).email == "tot@example.org"


def test_a_correction_is_checked_as_any_input_is() -> None:
    with pytest.raises(InvalidInput) as asked:
        changed(Change(patient_name=" ", email="", phone="030 123", locale="tlh"))
    assert [(each["field"], each["code"]) for each in asked.value.extras["errors"]] == [
        ("patient_name", "missing"),
        ("email", "missing"),  # over which an invitation went
        ("phone", "landline"),
        ("locale", "invalid"),
    ]


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({}, set()),
        ({"notify": False}, set()),
        ({"time": "15:00"}, {Right.WRITE_APPOINTMENTS}),
        ({"external_reference": ""}, {Right.WRITE_APPOINTMENTS}),
        ({"email": "", "notify": False}, {Right.CORRECT_APPOINTMENTS}),
        (
            {"patient_name": "x", "date": "2026-12-01"},
            {Right.WRITE_APPOINTMENTS, Right.CORRECT_APPOINTMENTS},
        ),
    ],
)
def test_what_a_change_takes(change: dict[str, Any], needed: set[Right]) -> None:
    assert Change(**change).needed == needed
