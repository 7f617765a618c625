"""Messages of an appointment as FHIR's Communications, from the status API's own timelines."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Evidence, FailureCategory, NoticeKind, Withheld
from services.fhir.communication import STATUSES, appointment_of, communications
from services.status.facts import Fact, State
from services.status.indicators import Indicator, fold
from services.status.timeline import timeline
from services.status.views import TimelineEntryView, TimelineView
from tests.support import Json, fhir
from tests.unit.status.stories import (
    at,
    corrected,
    corrections,
    invitations,
    issued,
    notice,
    others,
    outcome,
)

ID = UUID(int=7)
SMS = Channel.SMS
AGREES = {
    State.PENDING: {"preparation", "in-progress"},
    State.DELIVERED: {"completed"},
    State.FAILED: {"stopped", "not-done"},
    State.UNCONFIRMED: {"unknown"},
}


def told(*facts: Fact) -> Sequence[Json]:
    """By what the status API answers."""
    entries = [TimelineEntryView.of(each) for each in timeline(facts)]
    view = TimelineView(appointment_id=ID, starts=[], timeline=entries)
    return communications(json.loads(view.model_dump_json()))


def only(*facts: Fact) -> Json:
    [message] = told(*facts)
    return fhir.valid(message)


@given(st.lists(invitations | others | corrections, max_size=12))
def test_whatever_is_known_each_message_is_fhir_and_says_what_the_dashboard_shows(
    known: list[Fact],
) -> None:
    messages = {each["id"]: fhir.valid(each) for each in told(*known)}
    assert messages.keys() == {each["id"] for each in told(*reversed(known))}
    assert {each["status"] for each in messages.values()} <= set(STATUSES)
    assert {appointment_of(each) for each in messages} <= {ID}
    shown = fold(known)
    if isinstance(shown, Indicator):
        for channel, view in shown.channels.items():
            message = messages.get(f"{ID}.{shown.attempt}.{channel}")
            if message is None:  # of a channel of which nothing but the correction is known
                assert view.address_changed
                continue
            assert message["status"] in AGREES[view.state]
            assert ("received" in message) is (
                view.state is State.DELIVERED and view.evidence is Evidence.CONFIRMED
            )


def test_the_way_of_an_invitation() -> None:
    facts: list[Fact] = [issued()]
    seen = [only(*facts)["status"]]
    for state in (State.PENDING, State.PENDING, State.DELIVERED):
        facts.append(outcome(state, len(facts)))
        seen.append(only(*facts)["status"])
    assert seen == ["preparation", "preparation", "in-progress", "completed"]
    taken = only(*facts)
    assert taken["sent"]
    assert "received" not in taken
    facts.append(outcome(State.DELIVERED, 4, evidence=Evidence.CONFIRMED))
    arrived = only(*facts)
    assert arrived["sent"] == taken["sent"] < arrived["received"]
    facts.append(
        outcome(State.FAILED, 5, category=FailureCategory.PERMANENT, late=True),
    )
    bounced = only(*facts)
    assert (bounced["id"], bounced["status"]) == (arrived["id"], "stopped")
    assert bounced["sent"] == arrived["sent"]
    assert "received" not in bounced
    versions = [each["meta"]["versionId"] for each in (taken, arrived, bounced)]
    assert len(set(versions)) == len(versions)
    assert only(*facts) == bounced


def test_nothing_is_completed_whose_address_was_corrected_since() -> None:
    facts: list[Fact] = [issued(), outcome(State.DELIVERED, 1, evidence=Evidence.CONFIRMED)]
    arrived = only(*facts)
    facts.append(corrected(Channel.EMAIL, version=2))
    unknown = only(*facts)
    assert (arrived["status"], unknown["status"]) == ("completed", "unknown")
    assert "received" in arrived
    assert "received" not in unknown
    assert unknown["statusReason"]["coding"][0] == {
        "system": "urn:einladung:address",
        "code": "changed",
    }
    assert arrived["meta"]["versionId"] != unknown["meta"]["versionId"]
    assert only(*facts, corrected(SMS, version=3))["status"] == "completed"  # and back
    again = told(*facts, issued(2), outcome(State.DELIVERED, 1, attempt=2))
    assert [each["status"] for each in again] == ["unknown", "completed"]
    failed = outcome(State.FAILED, 2, category=FailureCategory.PERMANENT)
    assert only(*facts, failed)["status"] == "stopped"


def test_what_waits_for_the_morning_was_not_tried() -> None:
    waits = replace(outcome(State.PENDING, 2), waits_until=at(600))
    assert only(issued(), outcome(State.PENDING, 1), waits)["status"] == "preparation"


@pytest.mark.parametrize(
    ("state", "category", "status"),
    [
        (State.FAILED, FailureCategory.PERMANENT, "stopped"),
        (State.FAILED, FailureCategory.TEMPORARY, "stopped"),
        (State.FAILED, FailureCategory.TECHNICAL, "stopped"),
        (State.FAILED, FailureCategory.CANCELLED, "not-done"),
        (State.UNCONFIRMED, None, "unknown"),
    ],
)
def test_what_did_not_arrive(state: State, category: FailureCategory | None, status: str) -> None:
    message = only(issued(), outcome(state, 1, category=category))
    assert message["status"] == status
    assert ("statusReason" in message) is (category is not None)
    assert not message.keys() & {"sent", "received"}


def test_attempts_channels_and_notices_are_messages_of_their_own() -> None:
    messages = told(
        issued(1, Channel.EMAIL, SMS),
        issued(2),
        notice(NoticeKind.REMINDER, State.DELIVERED, number=1),
        notice(NoticeKind.MOVED, State.FAILED, number=2, category=FailureCategory.PERMANENT),
        notice(NoticeKind.MOVED, State.DELIVERED, number=3, channel=SMS),
    )
    kinds = Counter(
        tuple(coding["code"] for coding in each["category"][0]["coding"]) for each in messages
    )
    assert kinds == {
        ("notification", "invitation"): 3,
        ("reminder", "reminder"): 1,
        ("notification", "moved"): 2,
    }
    assert len({each["id"] for each in messages}) == 6
    assert len({each["identifier"][0]["value"] for each in messages}) == 6
    assert all(len(each["id"]) <= 64 for each in messages)  # FHIR's longest
    about = [{"reference": f"Appointment/{ID}"}]
    assert all(each["about"] == each["basedOn"] == about for each in messages)


def test_why_nothing_was_sent_is_told() -> None:
    withheld = replace(
        notice(NoticeKind.REMINDER, State.FAILED, category=FailureCategory.CANCELLED),
        withheld=Withheld.NOT_INVITED,
    )
    message = only(withheld)
    assert message["status"] == "not-done"
    assert {each["code"] for each in message["statusReason"]["coding"]} == {
        "cancelled",
        "not_invited",
    }


def test_it_is_told_in_the_words_of_fhir() -> None:
    mail, text = told(issued(1, Channel.EMAIL, SMS))
    assert [mail["medium"], text["medium"]] == [
        [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
                        "code": "EMAILWRIT",
                    }
                ],
                "text": "E-Mail",
            }
        ],
        [{"text": "SMS"}],
    ]
    assert mail["identifier"] == [{"system": "urn:einladung:delivery", "value": f"{ID}/1/email"}]
    assert (
        *("preparation", "in-progress", "completed", "stopped", "not-done", "unknown"),
    ) == STATUSES


def test_what_is_no_message_is_none() -> None:
    assert told() == []
    line = {"type": "opened", "channel": "email", "attempt": 1, "notice_id": None}
    assert communications({"appointment_id": str(ID), "timeline": [line]}) == []
    assert appointment_of("a.1.email") is None
