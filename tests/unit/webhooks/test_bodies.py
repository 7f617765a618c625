"""What is sent: public events as CloudEvents, and no other."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.envelope import Received
from contracts.events import (
    AppointmentCorrected,
    Evidence,
    InvitationDelivered,
    SendNowRequested,
)
from contracts.topics import TOPICS
from services.webhooks import bodies

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRACTICE, APPOINTMENT, EVENT = UUID(int=1), UUID(int=2), UUID(int=3)

PERSONAL = {"patient_name", "email", "sms", "link", "recipient", "locale", "sender_name"}


def names(schema: Any) -> Iterator[str]:
    """Of every field, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from names(each)


def test_no_event_of_a_topic_with_patient_data_is_public() -> None:
    private = {event.type for topic in TOPICS if topic.patient_data for event in topic.events}
    assert "einladung.v1.InvitationRequested" in private
    assert not private & bodies.PUBLIC.keys()
    for event in bodies.PUBLIC.values():
        assert not PERSONAL & set(names(event.model_json_schema())), event.type


def test_what_is_not_public_has_no_body() -> None:
    event = SendNowRequested(
        practice_id=PRACTICE, appointment_id=APPOINTMENT, appointment_version=1, occurred_at=AT
    )
    with pytest.raises(KeyError):
        bodies.of_event(Received(EVENT, AT, event, None))


def test_an_event_is_a_cloud_event_in_structured_mode() -> None:
    event = InvitationDelivered(
        practice_id=PRACTICE,
        appointment_id=APPOINTMENT,
        invitation_id=UUID(int=4),
        attempt=1,
        channel=Channel.EMAIL,
        sequence=2,
        occurred_at=AT,
        evidence=Evidence.ACCEPTED,
    )
    told = json.loads(bodies.of_event(Received(EVENT, AT, event, None)))
    assert InvitationDelivered.model_validate(told.pop("data")) == event
    assert told == {
        "specversion": "1.0",
        "id": str(EVENT),
        "type": "einladung.v1.InvitationDelivered",
        "source": "/einladung/notification",
        "time": "2026-03-01T12:00:00Z",
        "subject": str(APPOINTMENT),
        "datacontenttype": "application/json",
        "dataschema": "urn:einladung:v1:InvitationDelivered",
        "practiceid": str(PRACTICE),
    }


def test_a_correction_is_sent_with_the_references_byte_by_byte() -> None:
    event = AppointmentCorrected(
        practice_id=PRACTICE,
        appointment_id=APPOINTMENT,
        version=3,
        attempt=1,
        unsent=[Channel.SMS],
        occurred_at=AT,
        external_reference="F-2026/17",
        patient_reference="4711",
    )
    assert bodies.of_event(Received(EVENT, AT, event, None)) == (
        '{"specversion":"1.0","id":"00000000-0000-0000-0000-000000000003",'
        '"type":"einladung.v1.AppointmentCorrected","source":"/einladung/scheduling",'
        '"time":"2026-03-01T12:00:00Z","subject":"00000000-0000-0000-0000-000000000002",'
        '"datacontenttype":"application/json",'
        '"dataschema":"urn:einladung:v1:AppointmentCorrected",'
        '"practiceid":"00000000-0000-0000-0000-000000000001",'
        '"data":{"external_reference":"F-2026/17","patient_reference":"4711",'
        '"practitioner_reference":null,"location_reference":null,'
        '"practice_id":"00000000-0000-0000-0000-000000000001",'
        '"appointment_id":"00000000-0000-0000-0000-000000000002",'
        '"version":3,"attempt":1,"unsent":["sms"],"occurred_at":"2026-03-01T12:00:00Z"}}'
    )


def test_a_test_says_whose_it_is_and_has_no_schema() -> None:
    told = json.loads(bodies.of_test(EVENT, PRACTICE, UUID(int=5), AT))
    assert told["type"] not in bodies.PUBLIC
    assert (told["practiceid"], told["source"]) == (str(PRACTICE), "/einladung/webhooks")
    assert "dataschema" not in told


def test_every_event_of_the_public_topics_is_public() -> None:
    assert {each.removeprefix("einladung.v1.") for each in bodies.PUBLIC} == {
        "AppointmentScheduled",
        "AppointmentRescheduled",
        "AppointmentCorrected",
        "AppointmentDeleted",
        "AppointmentErased",
        "AppointmentFollowedUp",
        "InvitationIssued",
        "VisitJoined",
        "InvitationPending",
        "InvitationDelivered",
        "InvitationFailed",
        "InvitationUnconfirmed",
        "InvitationAnswered",
        "NoticePending",
        "NoticeDelivered",
        "NoticeFailed",
        "NoticeUnconfirmed",
    }
