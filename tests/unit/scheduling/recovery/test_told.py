"""Whatever the order in which the topic is read, the same was told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentEvent,
    AppointmentRescheduled,
    AppointmentScheduled,
    ErasureReason,
    InvitationIssued,
    VisitJoined,
    VisitRole,
)
from services.scheduling.recovery.told import Told, fold

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
PRACTICE, ONE, OTHER = (UUID(int=number) for number in range(3))


def story(appointment_id: UUID) -> list[AppointmentEvent]:
    """Made, moved, sent again, moved once more; each version once."""
    of = {"practice_id": PRACTICE, "appointment_id": appointment_id}
    time = {"duration_minutes": 20, "time_zone": "Europe/Berlin"}
    sent = {"invitation_id": PRACTICE, "channels": [Channel.EMAIL]}
    return [
        AppointmentScheduled(**of, **time, version=1, start=START),
        InvitationIssued(**of, **sent, version=1, attempt=1),
        AppointmentRescheduled(**of, **time, version=2, start=START + timedelta(days=1)),
        InvitationIssued(**of, **sent, version=3, attempt=2),
        AppointmentRescheduled(**of, **time, version=4, start=START + timedelta(days=2)),
        AppointmentCorrected(**of, version=5, attempt=2, unsent=[], occurred_at=START),
        VisitJoined(**of, role=VisitRole.HOST, occurred_at=START),
    ]


@given(st.permutations([*story(ONE), *story(OTHER), *story(ONE)]))
def test_the_highest_version_counts_whatever_the_order(events: list[AppointmentEvent]) -> None:
    told = fold(events)
    assert told.keys() == {ONE, OTHER}
    for each in told.values():
        assert (each.version, each.attempt, each.scheduled, each.corrected) == (5, 2, 4, 5)
        assert each.starts_at == START + timedelta(days=2)
        assert (each.deleted, each.erased) == (False, None)


@given(st.permutations(range(3)))
def test_an_erasure_on_request_is_one_whatever_else_is_told(order: list[int]) -> None:
    of = {"practice_id": PRACTICE, "appointment_id": ONE}
    ends: list[AppointmentEvent] = [
        AppointmentDeleted(**of, version=5),
        AppointmentErased(**of, version=6, reason=ErasureReason.REQUEST),
        AppointmentErased(**of, version=7, reason=ErasureReason.RETENTION),
    ]
    told = fold([ends[number] for number in order])[ONE]
    assert (told.version, told.deleted, told.erased) == (7, True, ErasureReason.REQUEST)


def test_each_event_says_what_it_says_and_no_more() -> None:
    of = {"practice_id": PRACTICE, "appointment_id": ONE}
    nothing = Told(ONE, PRACTICE, 0, 0, 0, 0, None, None, deleted=False, erased=None)
    made = story(ONE)
    joined, again, corrected = made[-1], made[3], made[-2]
    retention = AppointmentErased(**of, version=9, reason=ErasureReason.RETENTION)
    later = AppointmentRescheduled(
        **of, version=4, start=START, duration_minutes=45, time_zone="Europe/Berlin"
    )
    assert fold([joined]) == {ONE: nothing}
    assert fold([corrected]) == {ONE: replace(nothing, version=5, corrected=5)}
    assert fold([again]) == {ONE: replace(nothing, version=3, attempt=2)}
    assert fold([AppointmentDeleted(**of, version=5)]) == {
        ONE: replace(nothing, version=5, deleted=True)
    }
    assert fold([retention]) == {ONE: replace(nothing, version=9, erased=ErasureReason.RETENTION)}
    assert fold([later]) == {
        ONE: replace(nothing, version=4, scheduled=4, starts_at=START, duration_minutes=45)
    }
