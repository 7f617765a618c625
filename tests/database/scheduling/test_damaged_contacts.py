"""A contact that can't be opened costs the patient's name, not the list that it stands in."""

from uuid import UUID

import pytest

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import AppointmentDeleted
from services.scheduling.problems import Damaged
from services.scheduling.schemas import UNREADABLE, AppointmentView, Change, Resend
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import Desk
from tests.support import berlin_day


@pytest.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


@pytest.fixture
async def damaged(desk: Desk, owner_of: OwnerOf) -> UUID:
    appointment_id = await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute(
            "UPDATE appointments SET contact = contact || '\\x00' WHERE id = $1", appointment_id
        )
    return appointment_id


async def stored(desk: Desk, appointment_id: UUID) -> bytes | None:
    async with desk.booking.db.practice(desk.practice_id) as tx:
        found: bytes | None = await tx.fetchval(
            "SELECT contact FROM appointments WHERE id = $1", appointment_id
        )
    return found


async def test_the_day_shows_all_others_and_says_of_which_the_name_can_not_be_read(
    desk: Desk, damaged: UUID
) -> None:
    good = await desk.create()
    tomorrow = berlin_day(1)
    practice, found = await desk.booking.day(desk.caller, tomorrow)
    views = {view.id: view for view in (AppointmentView.of(each, practice) for each in found)}
    assert (views[good].patient_name, views[good].damaged) == ("Erika Mustermann", False)
    assert (views[damaged].patient_name, views[damaged].damaged) == (UNREADABLE, True)
    assert (views[damaged].email, views[damaged].time) == (None, "10:00")
    booked = await desk.booking.get(desk.caller, damaged)
    assert booked.appointment.damaged


async def test_nothing_is_written_over_it(desk: Desk, damaged: UUID) -> None:
    """With the right key it may yet be opened."""
    before = await stored(desk, damaged)
    with pytest.raises(Damaged):
        await desk.booking.change(desk.caller, damaged, Change(time="12:00"), None)
    with pytest.raises(Damaged):
        await desk.booking.resend(desk.caller, damaged, Resend(email="erika@example.org"), None)
    assert await stored(desk, damaged) == before


async def test_it_can_be_deleted(desk: Desk, damaged: UUID) -> None:
    await desk.booking.delete(desk.caller, damaged, None, notify=True)
    assert await stored(desk, damaged) is None
    assert isinstance((await desk.published())[-1], AppointmentDeleted)
