"""What scheduling knows of an appointment, as FHIR's Appointment, and the way back."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.problems import InvalidInput
from contracts.channels import Channel
from contracts.languages import LANGUAGES
from services.fhir.appointment import (
    AppointmentInput,
    cancelled,
    is_cancellation,
    new_appointment,
    references,
    resource_of,
)
from services.scheduling.practice import Practice
from services.scheduling.schemas import AppointmentView, BookedView, NewAppointment
from tests.support import Json, fhir
from tests.support.forms import PRESENT, STANDARD

BERLIN = ZoneInfo("Europe/Berlin")
EXTERNAL = {"system": "urn:einladung:external-reference", "value": "visit-4711"}
PATIENT = {"actor": {"reference": "#p1"}}
BY_REFERENCE = {
    "actor": {"identifier": {"system": "urn:einladung:practitioner-reference", "value": "dr-7"}}
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def view(kind: type[BookedView] = AppointmentView, **changes: Any) -> Json:
    """As the scheduling API answers, by its own models."""
    shown = kind.of(PRESENT, STANDARD).model_copy(update=changes)
    found: Json = json.loads(shown.model_dump_json())
    return found


def asked(resource: Json, zone: ZoneInfo = BERLIN, *, lenient: bool = False) -> Json:
    extra: Any = "ignore" if lenient else "forbid"
    sent = AppointmentInput.model_validate_json(json.dumps(resource), extra=extra)
    return new_appointment(sent, zone, lenient=lenient)


def faults(resource: Json) -> set[str]:
    with pytest.raises(InvalidInput) as refused:
        asked(resource)
    return {each["field"].removeprefix("Appointment.") for each in refused.value.extras["errors"]}


views = st.builds(
    view,
    channels=st.sampled_from([[Channel.EMAIL], [Channel.SMS], [*Channel]]),
    email=st.sampled_from([None, "erika@example.org"]),
    phone=st.sampled_from([None, "+491713920001"]),
    locale=st.sampled_from(sorted(LANGUAGES)),
    cancelled=st.booleans(),
    damaged=st.booleans(),
    start=st.integers(0, 200 * 10**6).map(lambda minutes: EPOCH + timedelta(minutes=minutes)),
    version=st.integers(1, 10**6),
    external_reference=st.sampled_from([None, "visit-4711"]),
    patient_reference=st.sampled_from([None, "p-1"]),
    practitioner_reference=st.sampled_from([None, "dr-7"]),
    location_reference=st.sampled_from([None, "room-2"]),
)


@given(views)
def test_whatever_scheduling_has_is_fhir_and_nothing_of_it_is_lost(shown: Json) -> None:
    resource = fhir.valid(resource_of(shown))
    assert resource["meta"]["versionId"] == str(shown["version"])
    assert resource["status"] == ("cancelled" if shown["cancelled"] else "booked")
    start, end = (datetime.fromisoformat(resource[name]) for name in ("start", "end"))
    assert start == datetime.fromisoformat(shown["start"])
    assert end - start == timedelta(minutes=shown["duration_minutes"])
    [patient] = resource["contained"]
    assert ("text" in patient["name"][0]) is not shown["damaged"]
    told = {each["value"] for each in patient.get("telecom", [])}
    assert told == {each for each in (shown["email"], shown["phone"]) if each}
    assert [each["valueCode"] for each in resource["extension"]] == shown["channels"]


def test_who_may_not_read_sees_no_patient() -> None:
    resource = fhir.valid(resource_of(view(BookedView)))
    assert "contained" not in resource
    assert "Erika" not in json.dumps(resource)
    assert resource["start"]


def test_of_one_whose_patient_is_forgotten_its_id_is_left() -> None:
    resource = fhir.valid(cancelled("a"))
    assert resource["status"] == "cancelled"
    assert not resource.keys() & {"start", "contained", "meta"}


def test_a_resource_that_was_read_can_be_created_as_one_like_it() -> None:
    shown = view(channels=[Channel.EMAIL], email="erika@example.org", phone="+491713920001")
    resource = resource_of(shown)
    sent = {name: each for name, each in resource.items() if name not in {"_start", "identifier"}}
    sent["extension"] = [*resource["extension"], fhir.CONSENT]
    wanted = asked(sent)
    assert NewAppointment(**wanted)
    local = datetime.fromisoformat(shown["start"]).astimezone(BERLIN)
    assert wanted == {
        "patient_name": shown["patient_name"],
        "channels": ["email"],
        "email": shown["email"],
        "phone": shown["phone"],
        "date": local.date().isoformat(),
        "time": f"{local:%H:%M}",
        "utc_offset": "+01:00",
        "duration_minutes": shown["duration_minutes"],
        "consent": True,
        "locale": shown["locale"],
    }


def test_no_parser_keeps_what_a_resource_says_of_a_patient() -> None:
    """Of a text that is kept the same object would come again."""
    sent = json.dumps(resource_of(view()))
    one, other = (AppointmentInput.model_validate_json(sent).contained[0] for _ in range(2))
    assert one == other
    assert one.name[0].text is not other.name[0].text


@given(views)
def test_references_come_back_as_they_went_out(shown: Json) -> None:
    resource = resource_of(shown)
    ours, *others = resource["identifier"]
    sent = json.dumps(resource | {"identifier": others})
    read = AppointmentInput.model_validate_json(sent, extra="ignore")
    assert ours["value"] == shown["id"]
    assert references(read) == {name: shown[name] for name in references(read)}
    assert len(references(read)) == 4


def test_what_a_clinic_s_system_sends_becomes_what_the_api_takes() -> None:
    assert asked(fhir.valid(fhir.new_appointment())) == {
        "patient_name": "Erika Mustermann",
        "channels": ["email"],
        "email": "erika@example.org",
        "date": "2026-12-01",
        "time": "14:30",
        "utc_offset": "+01:00",
        "duration_minutes": 20,
        "consent": True,
    }


@pytest.mark.parametrize(
    ("start", "date", "time", "offset"),
    [
        ("2026-10-25T00:30:00Z", "2026-10-25", "02:30", "+02:00"),  # the hour that comes twice
        ("2026-10-25T01:30:00Z", "2026-10-25", "02:30", "+01:00"),
        ("2026-07-01T22:30:00Z", "2026-07-02", "00:30", "+02:00"),
        ("2026-12-01T14:30:00.000+05:30", "2026-12-01", "10:00", "+01:00"),
    ],
)
def test_an_instant_is_put_on_the_practice_s_clock(
    start: str, date: str, time: str, offset: str
) -> None:
    wanted = asked(fhir.new_appointment(start=start))
    assert (wanted["date"], wanted["time"], wanted["utc_offset"]) == (date, time, offset)


def test_an_offset_west_of_greenwich_is_written_as_the_api_reads_it() -> None:
    wanted = asked(fhir.new_appointment(), ZoneInfo("America/St_Johns"))
    assert (wanted["time"], wanted["utc_offset"]) == ("10:00", "-03:30")


def test_the_end_may_stand_for_the_duration() -> None:
    end = fhir.new_appointment(minutesDuration=None, end="2026-12-01T13:55:00Z")
    assert asked(end)["duration_minutes"] == 25
    assert asked(fhir.new_appointment(end=None))["duration_minutes"] == 20


@pytest.mark.parametrize("locale", sorted(LANGUAGES))
def test_each_language_comes_back_as_it_went_out(locale: str) -> None:
    resource = resource_of(view(locale=locale))
    language = resource["contained"][0]["communication"]
    sent = fhir.new_appointment(contained=[fhir.patient(communication=language)])
    assert asked(sent)["locale"] == locale
    [code] = language[0]["language"]["coding"]
    assert code == {"system": "urn:ietf:bcp:47", "code": locale[:2]}


def test_without_the_extension_consent_is_not_made_up() -> None:
    assert asked(fhir.new_appointment(extension=None))["consent"] is False
    denied = [fhir.CONSENT | {"valueBoolean": False}]
    assert asked(fhir.new_appointment(extension=denied))["consent"] is False


def test_channels_are_those_that_are_named_or_one_for_each_address() -> None:
    both = [{"system": "email", "value": "e@example.org"}, {"system": "phone", "value": "0171"}]
    resource = fhir.new_appointment(contained=[fhir.patient(telecom=both)])
    assert asked(resource)["channels"] == ["email", "sms"]
    chosen = {"url": "urn:einladung:fhir:channel", "valueCode": "sms"}
    assert asked(resource | {"extension": [fhir.CONSENT, chosen]})["channels"] == ["sms"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"status": "proposed"}, {"status"}),
        ({"start": None}, {"start"}),
        ({"start": "2026-12-01T14:30:30Z"}, {"start"}),
        ({"start": "0001-01-01T00:00:00+14:00", "end": None}, {"start"}),
        ({"start": "9999-12-31T23:59:00-14:00", "end": None}, {"start"}),
        ({"minutesDuration": None, "end": None}, {"minutesDuration"}),
        ({"end": "2026-12-01T15:00:00+01:00"}, {"end"}),
        ({"minutesDuration": None, "end": "2026-12-01T15:00:30+01:00"}, {"end"}),
        ({"contained": None}, {"contained"}),
        ({"participant": None}, {"participant"}),
        (
            {"participant": [{"actor": {"reference": "#x"}}]},
            {"participant", "participant.0.actor"},
        ),
        ({"extension": [{"url": "urn:other", "valueCode": "a"}]}, {"extension.0"}),
        ({"identifier": [{"system": "urn:other", "value": "a"}]}, {"identifier.0"}),
        ({"identifier": [{"system": "urn:einladung:appointment"}]}, {"identifier.0"}),
        ({"identifier": [EXTERNAL, EXTERNAL]}, {"identifier"}),
        (
            {"contained": [fhir.patient(identifier=[EXTERNAL])]},
            {"contained.0.identifier.0"},
        ),
        ({"participant": [BY_REFERENCE]}, {"participant"}),
        ({"participant": [PATIENT, BY_REFERENCE, BY_REFERENCE]}, {"participant"}),
        ({"participant": [PATIENT, PATIENT]}, {"participant"}),
        ({"participant": [PATIENT, {"actor": {"display": "Dr. Weiß"}}]}, {"participant.1.actor"}),
        (
            {"contained": [fhir.patient(telecom=[{"system": "email", "value": a} for a in "ab"])]},
            {"contained.0.telecom"},
        ),
        ({"status": "arrived", "start": None}, {"status", "start"}),
    ],
)
def test_what_can_t_be_is_told_by_its_place_and_all_at_once(changes: Json, where: set[str]) -> None:
    assert faults(fhir.new_appointment(**changes)) == where


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": [EXTERNAL | {"assigner": {"display": "KIS"}}]},
        {"comment": "Rollstuhl"},
        {"reasonCode": [{"text": "Husten"}]},
        {"contained": [fhir.patient(birthDate="1970-01-01")]},
        {"modifierExtension": [{"url": "urn:not", "valueBoolean": True}]},
        {"contained": [fhir.patient(modifierExtension=[{"url": "urn:a"}])]},
        {"implicitRules": "urn:a"},
        {"status": None},
        {"start": "2026-12-01"},
        {"start": "2026-12-01T14:30:00"},
        {"minutesDuration": "20"},
        {"contained": [fhir.patient(), fhir.patient()]},
    ],
)
def test_what_is_not_kept_is_refused_unless_the_caller_is_lenient(changes: Json) -> None:
    """But never what would change the meaning of the rest, or is of the wrong kind."""
    resource = fhir.new_appointment(**changes)
    with pytest.raises(ValueError, match="AppointmentInput"):
        asked(resource)
    if changes.keys() & {"comment", "reasonCode"} or "birthDate" in repr(changes):
        assert asked(resource, lenient=True) == asked(fhir.new_appointment())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(fhir.new_appointment())), json_values), st.booleans())
def test_whatever_comes_is_taken_or_refused(changes: Json, lenient: bool) -> None:
    resource = fhir.new_appointment() | changes
    with suppress(InvalidInput, ValueError):
        NewAppointment(**asked(resource, lenient=lenient))


def test_a_patch_that_cancels_does_nothing_else() -> None:
    patch = {"op": "replace", "path": "/status", "value": "cancelled"}
    assert is_cancellation([patch])
    for other in (
        *([patch, patch], [], patch, None, ["replace"], [patch | {"value": "booked"}]),
        *([patch | {"path": "/start"}], [patch | {"op": "remove"}]),
    ):
        assert not is_cancellation(other)


def test_the_practice_s_zone_is_told_beside_the_start() -> None:
    practice = Practice(STANDARD.id, "Praxis", "Atlantic/Azores", STANDARD.tariff)
    shown = json.loads(AppointmentView.of(PRESENT, practice).model_dump_json())
    [zone] = resource_of(shown)["_start"]["extension"]
    assert zone["valueCode"] == "Atlantic/Azores"


def test_it_is_told_in_the_words_of_fhir() -> None:
    changed_at = "2026-11-25T10:00:00.5+01:00"
    shown = view(locale="de-simple") | {"external_reference": "v", "updated_at": changed_at}
    resource = resource_of(shown)
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert resource["meta"] == {"versionId": "1", "lastUpdated": "2026-11-25T09:00:00.500Z"}
    assert resource["serviceType"] == [
        {
            "coding": [{"system": act, "code": "VR", "display": "virtual"}],
            "text": "Videosprechstunde",
        }
    ]
    assert resource["identifier"] == [
        {"use": "official", "system": "urn:einladung:appointment", "value": shown["id"]},
        {"system": "urn:einladung:external-reference", "value": "v"},
    ]
    assert resource["participant"] == [
        {"actor": {"reference": "#patient"}, "required": "required", "status": "needs-action"}
    ]
    hidden = resource_of(view(BookedView))["participant"][0]["actor"]
    assert hidden == {"type": "Patient", "display": "Patient"}


def test_a_lenient_caller_is_still_told_what_is_wrong() -> None:
    extension = [fhir.CONSENT, {"url": "urn:other", "valueCode": "a"}]
    wrong = {"start": "2026-12-01T14:30:00.5Z", "minutesDuration": None, "end": None}
    with pytest.raises(InvalidInput) as refused:
        asked(fhir.new_appointment(extension=extension, **wrong), lenient=True)
    told = {each["field"]: each["code"] for each in refused.value.extras["errors"]}
    assert told == {"Appointment.start": "invalid", "Appointment.minutesDuration": "missing"}


def test_a_patch_may_add_the_status_which_is_the_same() -> None:
    assert is_cancellation([{"op": "add", "path": "/status", "value": "cancelled"}])
