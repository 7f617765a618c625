"""Deliveries and appointments are read as they were written, column by column."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from chassis.database import Database
from contracts.channels import Channel
from contracts.events import FailureCategory, FailureReason
from services.notification.deliveries import store
from services.notification.deliveries.appointments import KnownAppointment, merge
from services.notification.deliveries.delivery import Delivery, HistoryEntry, State, Transition
from services.notification.deliveries.events import Reply
from services.notification.letters.letter import LetterKind
from services.notification.letters.store import SealedLetter
from tests.support.deliveries import ACTIVE, NOW, minutes

# Many examples on one database: none of them can meet another, as each makes ids of its own.
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"))
MAYBE_TEXTS = st.none() | TEXTS
COUNTS = st.integers(0, 2**31 - 1)


@st.composite
def deliveries(draw: st.DrawFn, delivery_id: UUID | None = None) -> Delivery:
    """Any delivery that may be stored, its id aside."""
    state = draw(st.sampled_from([state for state in State if state is not State.NEW]))
    return Delivery(
        id=delivery_id or draw(st.builds(uuid7)),
        practice_id=draw(st.uuids()),
        appointment_id=draw(st.uuids()),
        invitation_id=draw(st.builds(uuid7)),
        attempt=draw(st.integers(1, 2**62)),
        channel=draw(st.sampled_from(Channel)),
        message_id=f"<{draw(st.builds(uuid7))}@praxis.example>",
        requested_at=draw(MOMENTS),
        requested_version=draw(st.integers(1, 2**62)),
        starts_at=draw(MOMENTS),
        named_start=draw(st.none() | MOMENTS),
        recipient=draw(st.binary(max_size=33)),
        kind=draw(st.sampled_from(LetterKind)),
        state=state,
        category=draw(st.none() | st.sampled_from(FailureCategory)),
        reason=draw(st.none() | st.sampled_from(FailureReason)),
        status_code=draw(MAYBE_TEXTS),
        late=draw(st.booleans()),
        sequence=draw(st.integers(0, 2**62)),
        tries=draw(COUNTS),
        due_at=draw(MOMENTS) if state in ACTIVE else None,
        lease=draw(st.uuids()) if state is State.SENDING else None,
        handed_over_at=draw(st.none() | MOMENTS),
        gateway=draw(MAYBE_TEXTS),
        gateway_id=draw(MAYBE_TEXTS),
        ask_at=draw(st.none() | MOMENTS),
        traceparent=draw(MAYBE_TEXTS),
        withdrawn=draw(st.booleans()),
    )


def happened(delivery: Delivery, **entry: Any) -> Transition:
    """A transition to this delivery, with a line of history and no outcome."""
    line = HistoryEntry(
        delivery_id=delivery.id,
        practice_id=delivery.practice_id,
        at=NOW,
        event="Requested",
        before=State.NEW,
        after=delivery.state,
    )
    return Transition(delivery, (), (replace(line, **entry),))


LETTER = SealedLetter(b"\x01sealed", "Praxis", "de")


def test_every_field_has_its_column() -> None:
    assert {field.name for field in fields(Delivery)} == store.DELIVERY.keys() - {"receipt_due_at"}
    assert {field.name for field in fields(KnownAppointment)} == store.APPOINTMENT.keys() | {
        "erased"
    }


@EXAMPLES
@given(st.lists(deliveries(), min_size=1, max_size=3))
async def test_a_new_delivery_is_read_as_it_was_written(
    notification_db: Database, new: list[Delivery]
) -> None:
    async with notification_db.system() as tx:
        await store.save(tx, [happened(each) for each in new], {each.id: LETTER for each in new})
        assert await store.lock_deliveries(tx, [each.id for each in new]) == {
            each.id: each for each in new
        }
        for each in new:
            row = await tx.fetchrow("SELECT * FROM deliveries WHERE id = $1", each.id)
            assert row is not None
            assert row["receipt_due_at"] == each.receipt_due_at
            stored = (row["letter"], row["sender_name"], row["locale"])
            waits = each.due_at is not None
            assert stored == ((b"\x01sealed", "Praxis", "de") if waits else (None, None, None))


@EXAMPLES
@given(deliveries(), st.data())
async def test_a_changed_delivery_is_read_as_it_was_written(
    notification_db: Database, before: Delivery, data: st.DataObject
) -> None:
    before = replace(before, state=State.QUEUED, due_at=NOW, lease=None)
    after = data.draw(deliveries(before.id))
    async with notification_db.system() as tx:
        await store.save(tx, [happened(before)], {before.id: LETTER})
        await store.save(tx, [happened(after)])
        assert await store.lock_deliveries(tx, [after.id]) == {after.id: after}
        row = await tx.fetchrow("SELECT * FROM deliveries WHERE id = $1", after.id)
    assert row is not None
    assert row["receipt_due_at"] == after.receipt_due_at
    # Erased as soon as nothing is to be sent any more.
    assert (row["letter"] is None) == (row["sender_name"] is None) == (after.due_at is None)


@EXAMPLES
@given(
    deliveries(),
    st.builds(
        Reply,
        st.none() | st.integers(-1, 999),
        MAYBE_TEXTS,
        st.none() | st.sampled_from(FailureReason),
    ),
    st.none() | st.uuids(),
    MOMENTS,
)
async def test_a_line_of_history_is_read_as_it_was_written(
    notification_db: Database,
    delivery: Delivery,
    reply: Reply,
    receipt_id: UUID | None,
    at: datetime,
) -> None:
    step = happened(
        delivery, reply=reply, receipt_id=receipt_id, at=at, event="Bounced", before=State.ACCEPTED
    )
    async with notification_db.system() as tx:
        await store.save(tx, [step], {delivery.id: LETTER})
        row = await tx.fetchrow(
            "SELECT * FROM delivery_history WHERE delivery_id = $1", delivery.id
        )
    assert row is not None
    assert {name: row[name] for name in store.HISTORY} == {
        "delivery_id": delivery.id,
        "practice_id": delivery.practice_id,
        "at": at,
        "event": "Bounced",
        "state_before": "accepted",
        "state_after": delivery.state,
        "smtp_code": reply.code,
        "status_code": reply.status,
        "reason": reply.reason,
        "receipt_id": receipt_id,
    }


def news(appointment_id: UUID, version: int, **changes: Any) -> KnownAppointment:
    known = KnownAppointment(
        appointment_id=appointment_id,
        practice_id=UUID(int=7),
        version=version,
        starts_at=NOW + minutes(version),
        duration_minutes=10 + version,
        time_zone=f"Etc/GMT+{version}",
    )
    return replace(known, **changes)


async def test_news_are_merged_with_what_is_stored_whatever_their_order(
    notification_db: Database,
) -> None:
    untimed = {"starts_at": None, "duration_minutes": None, "time_zone": None}
    for deleted in (False, True):
        for order in permutations(range(3)):
            appointment = uuid7()
            facts = [
                news(appointment, 1),
                news(appointment, 2),
                news(appointment, 3, deleted=True, **untimed) if deleted else news(appointment, 3),
            ]
            for at in (*order, order[0]):
                async with notification_db.system() as tx:
                    known = await store.merge_appointments(tx, [facts[at]])
            expected = reduce(merge, facts)
            got = known[appointment]
            assert got == (replace(expected, **_time(got)) if deleted else expected)
            assert (got.version, got.deleted) == (3, deleted)


def _time(appointment: KnownAppointment) -> dict[str, Any]:
    """Which of its times is known of a deleted appointment decides nothing."""
    return {
        name: getattr(appointment, name) for name in ("starts_at", "duration_minutes", "time_zone")
    }


async def test_several_news_of_several_appointments_in_one_batch(
    notification_db: Database,
) -> None:
    one, other = sorted((uuid7(), uuid7()), reverse=True)
    batch = [news(one, 2), news(other, 5), news(one, 3), news(one, 1)]
    async with notification_db.system() as tx:
        known = await store.merge_appointments(tx, batch)
        assert known == {one: news(one, 3), other: news(other, 5)}
        assert await store.merge_appointments(tx, batch) == known


async def test_of_an_erased_appointment_nothing_new_is_taken_over(
    notification_db: Database,
) -> None:
    appointment = uuid7()
    async with notification_db.system() as tx:
        await store.merge_appointments(tx, [news(appointment, 1)])
        await tx.execute(
            """
            UPDATE appointments SET erased_at = now() - $2::interval, deleted = true,
                starts_at = NULL, duration_minutes = NULL, time_zone = NULL
            WHERE appointment_id = $1
            """,
            appointment,
            timedelta(days=1),
        )
        known = (await store.merge_appointments(tx, [news(appointment, 2)]))[appointment]
        row = await tx.fetchrow("SELECT * FROM appointments WHERE appointment_id = $1", appointment)
    assert (known.version, known.starts_at, known.deleted, known.erased) == (2, None, True, True)
    assert row is not None
    assert (row["starts_at"], row["duration_minutes"], row["time_zone"]) == (None, None, None)
