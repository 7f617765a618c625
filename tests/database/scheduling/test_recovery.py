"""A restored database learns from the topic, and everything is told and requested again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    ErasureReason,
    Event,
    InvitationIssued,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
    Recipients,
    VisitJoined,
    VisitRole,
    WithdrawalRequested,
)
from services.scheduling.booking import SOURCE
from services.scheduling.recovery import store
from services.scheduling.recovery.learning import Learnt, learn
from services.scheduling.recovery.telling import FIRST, Telling
from services.scheduling.recovery.told import Told
from services.scheduling.schemas import Change, Resend
from services.scheduling.visits import joining
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import CHANNELS, LINKS, Desk

DAY = timedelta(days=1)


async def tell(desk: Desk, sealer: Sealer, *, repeated: bool = True) -> list[Event]:
    """What is told again of the last day; nothing else is in the outbox."""
    db = desk.booking.db
    telling = Telling(
        LINKS,
        CHANNELS,
        sealer,
        SOURCE,
        since=desk.moment - DAY,
        now=desk.moment,
        repeated=repeated,
    )
    async with db.system() as tx:
        await tx.execute("DELETE FROM outbox")
    async with db.system() as tx:
        assert (await telling.page(tx, FIRST))[0] is None
        await telling.erased(tx)
    return await desk.published()


async def learnt(desk: Desk, sealer: Sealer, *told: Told) -> Learnt:
    """What comes of this."""
    found = Learnt()
    async with desk.booking.db.system() as tx:
        for each in told:
            await learn(tx, sealer, each, found, source=SOURCE, now=desk.moment)
    return found


async def test_what_stands_is_told_and_what_may_not_have_been_heard_is_requested_again(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    kept = await desk.create()
    await desk.booking.resend(desk.caller, kept, Resend(), None)
    told_of_its_end, erased = await desk.create(), await desk.create()
    await desk.booking.delete(desk.caller, told_of_its_end, None, notify=True)
    await desk.booking.erase(desk.caller, erased)
    async with scheduling_db.system() as tx:
        await store.raise_numbers(tx)
    for _ in range(2):  # as often as somebody likes
        events = await tell(desk, sealer)
        of_kept = [each for each in events if each.subject == kept]
        assert [type(each) for each in of_kept] == [
            AppointmentRescheduled,
            InvitationIssued,
            InvitationRequested,
        ]
        issued, requested = of_kept[1:]
        assert isinstance(issued, InvitationIssued)
        assert isinstance(requested, InvitationRequested)
        assert (issued.attempt, requested.attempt, requested.repeated) == (2, 2, True)
        deleted, notice = [each for each in events if each.subject == told_of_its_end]
        assert isinstance(deleted, AppointmentDeleted)
        assert isinstance(notice, NoticeRequested)
        assert (notice.kind, notice.repeated) == (NoticeKind.CANCELLED, True)
        [gone] = [each for each in events if each.subject == erased]
        assert isinstance(gone, AppointmentErased)


async def test_a_restored_database_learns_what_was_told_since(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    moved, deleted, erased, again, corrected = [await desk.create() for _ in range(5)]
    start = desk.moment.replace(microsecond=0) + 5 * DAY

    def told(appointment_id: UUID) -> Told:
        return Told(appointment_id, desk.practice_id, version=3)

    lost = replace(told(uuid7()), starts_at=start, scheduled=1)
    over = replace(lost, appointment_id=uuid7(), deleted=True)
    found = await learnt(
        desk,
        sealer,
        replace(told(moved), starts_at=start, duration_minutes=45, scheduled=3),
        replace(told(deleted), deleted=True),
        replace(told(erased), deleted=True, erased=ErasureReason.REQUEST),
        replace(told(again), attempt=2),
        replace(told(corrected), corrected=3),
        lost,
        over,
    )
    assert (found.made_good, found.lost) == (3, [lost])
    assert [each.appointment_id for each in found.outdated] == [again, corrected]
    assert [line.partition(":")[0] for line in found.lines()] == [
        *("scheduling", "LOST", "CHECK", "CHECK"),
    ]
    _, present = await desk.booking.named(desk.caller, [moved, deleted, erased, again, corrected])
    assert {each.id: (each.attempt, each.version) for each in present} == {
        moved: (1, 3),
        again: (2, 3),
        corrected: (1, 3),
    }
    [there] = [each for each in present if each.id == moved]
    assert (there.starts_at, there.duration_minutes) == (start, 45)
    assert await desk.version(erased) is None
    async with scheduling_db.system() as tx:
        reminded = await tx.fetchval(
            "SELECT bool_and(starts_at = $2) FROM notices WHERE appointment_id = $1", moved, start
        )
    assert reminded


async def test_what_notification_has_not_lost_is_requested_as_if_for_the_first_time(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    invited, cancelled = await desk.create(), await desk.create()
    await desk.booking.delete(desk.caller, cancelled, None, notify=True)
    for repeated in False, True:
        told = await tell(desk, sealer, repeated=repeated)
        requests = [
            each for each in told if isinstance(each, InvitationRequested | NoticeRequested)
        ]
        assert {each.subject: each.repeated for each in requests} == {
            invited: repeated,
            cancelled: repeated,
        }


async def test_who_was_let_in_last_is_told_again(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    visited, early = await desk.create(), desk.moment - 2 * DAY
    async with scheduling_db.practice(desk.practice_id) as tx:
        for role, at in (VisitRole.PATIENT, desk.moment), (VisitRole.HOST, early):
            assert await joining.tell(tx, desk.practice_id, visited, role, at)
    [joined] = [each for each in await tell(desk, sealer) if isinstance(each, VisitJoined)]
    assert (joined.subject, joined.role, joined.occurred_at) == (
        *(visited, VisitRole.PATIENT, desk.moment),
    )


async def test_at_night_a_text_message_waits_for_the_morning_again(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(quiet_hours=True))
    desk.moment = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # a Tuesday
    day = "2026-11-27"
    await desk.create(channels=["sms"], email=None, phone="+491713920001", date=day, send_now=True)
    [requested] = [
        each for each in await tell(desk, sealer) if isinstance(each, InvitationRequested)
    ]
    assert requested.sms_not_before == datetime(2026, 11, 25, 7, 0, tzinfo=UTC)


async def test_a_correction_is_told_again_and_nothing_goes_to_either_address(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    both: dict[str, Any] = {
        "channels": ["email", "sms"],
        "email": "a@example.org",
        "phone": "+491713920001",
    }
    one, two, back = await desk.create(**both), await desk.create(), await desk.create(**both)

    async def correct(appointment_id: UUID, email: str) -> None:
        await desk.booking.change(desk.caller, appointment_id, Change(email=email), None)

    await correct(one, "b@example.org")
    await correct(two, "b@example.org")
    for email in "b@example.org", "a@example.org":
        await correct(back, email)
    async with scheduling_db.system() as tx:
        await store.raise_numbers(tx)
    told = await tell(desk, sealer)

    def of(appointment_id: UUID) -> list[Event]:
        return [each for each in told if each.subject == appointment_id]

    _, issued, corrected, withdrawal, requested = of(one)
    assert isinstance(issued, InvitationIssued)
    assert isinstance(corrected, AppointmentCorrected)
    assert (corrected.version, corrected.attempt) == (2 + store.RAISED, issued.attempt)
    assert (corrected.unsent, issued.channels) == ([Channel.EMAIL], list(CHANNELS))
    assert isinstance(withdrawal, WithdrawalRequested)
    assert withdrawal.channels == [Channel.EMAIL]
    assert isinstance(requested, InvitationRequested)
    assert requested.channels == Recipients(sms="+491713920001")
    assert [type(each) for each in of(two)][2:] == [AppointmentCorrected, WithdrawalRequested]
    _, _, corrected, requested = of(back)
    assert isinstance(corrected, AppointmentCorrected)
    assert (corrected.version, corrected.unsent) == (3 + store.RAISED, [])
    assert isinstance(requested, InvitationRequested)
    assert requested.channels == Recipients(email="a@example.org", sms="+491713920001")
