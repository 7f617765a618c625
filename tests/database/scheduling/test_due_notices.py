"""Notices that are due are requested once, each with what is then known of its appointment."""

from datetime import timedelta
from uuid import UUID

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import NoticeKind, NoticeRequested
from services.scheduling.due_notices import DueNotices
from services.scheduling.schemas import Change
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import CHANNELS, LINKS, Desk


async def request(db: Database, desk: Desk) -> None:
    due = DueNotices(LINKS, CHANNELS, desk.booking.sealer, "/test", desk.now)
    async with db.system() as tx:
        assert not await due.request(tx)


async def requested(desk: Desk) -> list[tuple[UUID, NoticeKind]]:
    notices = [each for each in await desk.published() if isinstance(each, NoticeRequested)]
    return [(each.appointment_id, each.kind) for each in notices]


async def test_the_last_of_several_reminders_once(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desks = [Desk(scheduling_db, sealer, await new_practice(reminders=[180, 60])) for _ in "ab"]
    booked = [await desk.create() for desk in desks]
    for desk, appointment_id in zip(desks, booked, strict=True):
        found = await desk.booking.get(desk.caller, appointment_id)
        desk.moment = found.appointment.starts_at - timedelta(minutes=1)
    for _ in range(2):
        await request(scheduling_db, desks[0])
    for desk, appointment_id in zip(desks, booked, strict=True):
        assert await requested(desk) == [(appointment_id, NoticeKind.REMINDER)]


async def test_a_move_is_told_as_the_version_that_it_made(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(reminders=[]))
    appointment_id = await desk.create()
    await desk.booking.change(desk.caller, appointment_id, Change(time="11:00"), None)
    await request(scheduling_db, desk)
    notice = (await desk.published())[-1]
    assert isinstance(notice, NoticeRequested)
    assert notice.kind is NoticeKind.MOVED
    assert notice.appointment_version == await desk.version(appointment_id) == 2
    assert notice.previous_start == notice.start - timedelta(hours=1)


async def test_one_that_can_not_be_opened_keeps_no_other_waiting(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(reminders=[180]))
    good, damaged = await desk.create(), await desk.create()
    start = (await desk.booking.get(desk.caller, good)).appointment.starts_at
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE appointments SET contact = '\\x01' WHERE id = $1", damaged)
    desk.moment = start - timedelta(minutes=1)
    await request(scheduling_db, desk)
    assert await requested(desk) == [(good, NoticeKind.REMINDER)]
    async with owner_of("scheduling") as owner:
        assert await owner.fetchval("SELECT count(*) FROM notices WHERE done_at IS NULL") == 0


async def test_nothing_is_requested_once_the_appointment_has_begun(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(reminders=[180]))
    appointment_id = await desk.create()
    desk.moment = (await desk.booking.get(desk.caller, appointment_id)).appointment.starts_at
    await request(scheduling_db, desk)
    assert await requested(desk) == []
