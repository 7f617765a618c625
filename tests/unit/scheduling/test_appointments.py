"""What becomes of an appointment, and what the events tell of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentFollowedUp,
    AppointmentRescheduled,
    AppointmentScheduled,
    InvitationIssued,
    InvitationRequested,
    References,
    WithdrawalRequested,
)
from contracts.tariffs import Tariff
from services.scheduling import appointments
from services.scheduling.appointments import Appointment
from services.scheduling.practice import Practice

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PRACTICE = Practice(UUID(int=1), "Hausarztpraxis", "Europe/Berlin", Tariff.STANDARD)
PRESENT = Appointment(
    id=UUID(int=2),
    practice_id=UUID(int=1),
    version=3,
    starts_at=NOW,
    duration_minutes=20,
    patient_name="Erika Mustermann",
    email="erika@example.org",
    phone="+491713920001",
    channels=(Channel.EMAIL, Channel.SMS),
    locale="de",
    consented_at=NOW,
    invitation_id=UUID(int=3),
    attempt=2,
    link_version=5,
    created_at=NOW,
    created_by="somebody",
    updated_at=NOW,
)


CORRECTABLE = ("patient_name", "email", "phone", "locale", "references")


def invite_again(appointment: Appointment) -> Appointment:
    """To the addresses that there are."""
    return appointments.invite_again(
        appointment,
        patient_name=appointment.patient_name,
        email=appointment.email,
        phone=appointment.phone,
        channels=appointment.channels,
        locale=appointment.locale,
    )


def test_it_is_over_after_its_duration() -> None:
    assert PRESENT.ends_at == NOW + timedelta(minutes=20)


def test_each_channel_has_its_address() -> None:
    assert PRESENT.address(Channel.EMAIL) == "erika@example.org"
    assert PRESENT.address(Channel.SMS) == "+491713920001"


def test_a_move_changes_the_slot_alone() -> None:
    later = NOW + timedelta(hours=1)
    moved = appointments.reschedule(PRESENT, starts_at=later, duration_minutes=45)
    assert (moved.starts_at, moved.duration_minutes) == (later, 45)
    assert replace(moved, starts_at=NOW, duration_minutes=20) == PRESENT


@pytest.mark.parametrize(
    ("email", "phone", "link_version"),
    [
        ("erika@example.org", "+491713920001", 5),
        ("e@example.org", "+491713920001", 6),
        ("erika@example.org", "+491713920002", 6),
        ("e@example.org", None, 6),
    ],
)
def test_a_new_attempt_has_a_new_link_where_an_address_changed(
    email: str, phone: str | None, link_version: int
) -> None:
    again = appointments.invite_again(
        PRESENT,
        patient_name=PRESENT.patient_name,
        email=email,
        phone=phone,
        channels=[Channel.SMS],
        locale=PRESENT.locale,
    )
    assert (again.email, again.phone, again.channels) == (email, phone, (Channel.SMS,))
    assert (again.attempt, again.link_version) == (3, link_version)
    same = {"email": PRESENT.email, "phone": PRESENT.phone, "channels": PRESENT.channels}
    assert replace(again, attempt=2, link_version=5, **same) == PRESENT  # type: ignore[arg-type]


def test_an_address_that_was_missing_leaves_the_link_and_the_language_is_the_new_one() -> None:
    by_mail = replace(PRESENT, phone=None, channels=(Channel.EMAIL,))
    again = appointments.invite_again(
        by_mail,
        patient_name="Erika Muster",
        email=by_mail.email,
        phone="+491713920001",
        channels=[Channel.SMS],
        locale="en",
    )
    assert (again.phone, again.link_version) == ("+491713920001", 5)
    assert (again.patient_name, again.locale) == ("Erika Muster", "en")


def test_an_appointment_takes_place_and_can_be_read_unless_it_is_said_otherwise() -> None:
    assert (PRESENT.cancelled, PRESENT.damaged) == (False, False)


def corrected(appointment: Appointment = PRESENT, **changes: Any) -> Appointment:
    there = {name: getattr(appointment, name) for name in CORRECTABLE}
    return appointments.correct(appointment, **there | changes)


@pytest.mark.parametrize(
    ("changes", "outdated"),
    [
        ({}, False),
        ({"patient_name": "Erika Muster", "locale": "en"}, False),
        ({"references": References(external_reference="a")}, False),
        ({"email": "e@example.org"}, True),
        ({"phone": None}, True),
    ],
)
def test_a_correction_keeps_the_link_until_it_is_sent_again(
    changes: dict[str, Any], outdated: bool
) -> None:
    after = corrected(**changes)
    assert after == replace(PRESENT, **changes, link_outdated=outdated)
    again = invite_again(replace(after, unsent=(Channel.EMAIL,)))
    assert again.link_version == PRESENT.link_version + outdated
    assert (again.unsent, again.link_outdated) == ((), False)
    assert invite_again(again).link_version == again.link_version


def test_an_outdated_link_stays_so_whatever_is_corrected_next() -> None:
    there = corrected(email="e@example.org")
    assert corrected(there, email=PRESENT.email).link_outdated
    assert corrected(there, patient_name="x").link_outdated
    assert not corrected(replace(PRESENT, phone=None), phone="+491713920002").link_outdated


def test_what_is_told_of_a_correction() -> None:
    references = References(external_reference="kis:1", patient_reference="p")
    after = corrected(email="e@example.org", references=references)
    after = replace(after, unsent=(Channel.EMAIL,))
    assert appointments.corrected(after, NOW) == AppointmentCorrected(
        appointment_id=PRESENT.id,
        practice_id=PRACTICE.id,
        version=3,
        attempt=2,
        unsent=[Channel.EMAIL],
        occurred_at=NOW,
        external_reference="kis:1",
        patient_reference="p",
    )
    assert appointments.withdrawal(PRESENT, after, NOW) == WithdrawalRequested(
        appointment_id=PRESENT.id,
        practice_id=PRACTICE.id,
        appointment_version=3,
        attempt=2,
        channels=[Channel.EMAIL],
        occurred_at=NOW,
    )


def test_nothing_is_withdrawn_of_an_address_that_stays_or_that_nothing_went_to() -> None:
    assert appointments.withdrawal(PRESENT, corrected(patient_name="x"), NOW) is None
    assert appointments.withdrawal(PRESENT, corrected(email="Erika@example.org"), NOW) is None
    by_mail = replace(PRESENT, channels=(Channel.EMAIL,))
    assert appointments.withdrawal(by_mail, corrected(by_mail, phone=None), NOW) is None
    assert appointments.withdrawal(PRESENT, invite_again(PRESENT), NOW) is None
    assert appointments.withdrawal(by_mail, invite_again(PRESENT), NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": "+491713920002"},
        {"phone": "+491713920002", "channels": (Channel.EMAIL,)},
        {"phone": None, "channels": (Channel.EMAIL,)},
        {"channels": (Channel.EMAIL,)},
    ],
)
def test_sent_again_elsewhere_nothing_that_was_asked_before_goes_where_it_went(
    changes: dict[str, Any],
) -> None:
    withdrawal = appointments.withdrawal(PRESENT, invite_again(replace(PRESENT, **changes)), NOW)
    assert withdrawal is not None
    assert (withdrawal.appointment_version, withdrawal.channels) == (3, [Channel.SMS])


def test_references_are_told_of_the_appointment_and_its_attempts_and_to_nobody_who_sends() -> None:
    references = References(
        external_reference="a",
        patient_reference="b",
        practitioner_reference="c",
        location_reference="d",
    )
    present = replace(PRESENT, references=references)
    issued, requested = appointments.invitation(present, PRACTICE, "https://x/y")
    for event in (
        appointments.scheduled(present, PRACTICE),
        appointments.rescheduled(present, PRACTICE),
        appointments.deleted(PRACTICE.id, present.id, 4, references),
        issued,
    ):
        assert references.model_dump().items() <= event.model_dump().items()
    assert not {*References.model_fields} & {*requested.model_dump()}


def test_what_somebody_has_dealt_with_is_told_once_each() -> None:
    causes = [UUID(int=9), UUID(int=8), UUID(int=9)]
    assert appointments.followed_up(PRACTICE.id, PRESENT.id, causes, NOW) == AppointmentFollowedUp(
        appointment_id=PRESENT.id,
        practice_id=PRACTICE.id,
        causes=[UUID(int=8), UUID(int=9)],
        occurred_at=NOW,
    )


def test_what_is_told_of_the_appointment() -> None:
    for event, kind in (
        (appointments.scheduled(PRESENT, PRACTICE), AppointmentScheduled),
        (appointments.rescheduled(PRESENT, PRACTICE), AppointmentRescheduled),
    ):
        assert event == kind(
            appointment_id=PRESENT.id,
            practice_id=PRACTICE.id,
            version=3,
            start=NOW,
            duration_minutes=20,
            time_zone="Europe/Berlin",
        )
    assert appointments.deleted(PRACTICE.id, PRESENT.id, 4) == AppointmentDeleted(
        appointment_id=PRESENT.id, practice_id=PRACTICE.id, version=4
    )


def test_an_attempt_is_told_to_everybody_and_its_addresses_to_whom_sends() -> None:
    issued, requested = appointments.invitation(PRESENT, PRACTICE, "https://x/y")
    assert issued == InvitationIssued(
        appointment_id=PRESENT.id,
        practice_id=PRACTICE.id,
        version=3,
        invitation_id=PRESENT.invitation_id,
        attempt=2,
        channels=[Channel.EMAIL, Channel.SMS],
    )
    assert isinstance(requested, InvitationRequested)
    told = requested.model_dump(exclude={"channels"}, exclude_defaults=True)
    assert (
        told
        | {
            "appointment_id": PRESENT.id,
            "practice_id": PRACTICE.id,
            "appointment_version": 3,
            "invitation_id": PRESENT.invitation_id,
            "attempt": 2,
            "sender_name": "Hausarztpraxis",
            "start": NOW,
            "duration_minutes": 20,
            "time_zone": "Europe/Berlin",
            "locale": "de",
            "patient_name": "Erika Mustermann",
            "link": "https://x/y",
            "not_after": NOW,
        }
        == told
    )
    assert requested.tariff is Tariff.STANDARD
    assert (requested.channels.email, requested.channels.sms) == (
        "erika@example.org",
        "+491713920001",
    )
    by_mail = replace(PRESENT, channels=(Channel.EMAIL,))
    _, requested = appointments.invitation(by_mail, PRACTICE, "https://x/y")
    assert isinstance(requested, InvitationRequested)
    assert requested.channels.sms is None
