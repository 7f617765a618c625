"""Forgetting patients: at the end of the practice's term to the second, and on request."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import AppointmentDeleted, AppointmentErased, ErasureReason
from contracts.terms import LINK_DEAD_AFTER, MAX_RETENTION_DAYS
from services.scheduling import erasure
from services.scheduling.problems import NotFound
from services.scheduling.schemas import Resend
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import Desk, version_of

erase_due = partial(erasure.by_term, source="/test")


async def ended(desk: Desk, owner_of: OwnerOf, **ago: float) -> UUID:
    """An appointment that ended so long before the desk's moment."""
    appointment_id = await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute(
            """
            UPDATE appointments
            SET starts_at = $2::timestamptz - make_interval(mins => duration_minutes) WHERE id = $1
            """,
            appointment_id,
            desk.moment - timedelta(**ago),
        )
    return appointment_id


@pytest.mark.parametrize("days", [0, 1, 30, 87, MAX_RETENTION_DAYS])
async def test_the_term_is_as_many_days_as_the_practice_says(
    scheduling_db: Database,
    new_practice: NewPractice,
    owner_of: OwnerOf,
    sealer: Sealer,
    days: int,
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(retention_days=days))
    due = await ended(desk, owner_of, days=days)
    early = await ended(desk, owner_of, days=days, seconds=-1)
    async with scheduling_db.system() as tx:
        await erase_due(tx, now=desk.moment)
    last = (await desk.published())[-1]
    assert isinstance(last, AppointmentErased)
    assert (last.appointment_id, last.reason) == (due, ErasureReason.RETENTION)
    assert version_of(last) == await desk.version(due) == 2
    with pytest.raises(NotFound):
        await desk.booking.get(desk.caller, due)
    assert await desk.version(early) == 1


async def test_no_practice_may_have_a_longer_term(
    new_practice: NewPractice,
) -> None:
    with pytest.raises(Exception, match="practices_retention_days_check"):
        await new_practice(retention_days=MAX_RETENTION_DAYS + 1)


async def test_a_bare_row_goes_once_its_link_is_dead(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(retention_days=0))
    appointment_id = await ended(desk, owner_of, seconds=1)
    for moment, version in (
        (desk.moment, 2),
        (desk.moment + LINK_DEAD_AFTER - timedelta(minutes=1), 2),
        (desk.moment + LINK_DEAD_AFTER, None),
    ):
        async with scheduling_db.system() as tx:
            await erase_due(tx, now=moment)
        assert await desk.version(appointment_id) == version


async def test_on_request_a_deletion_and_an_erasure_are_two_versions(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create()
    await desk.booking.resend(desk.caller, appointment_id, Resend(), None)
    await desk.booking.erase(desk.caller, appointment_id)
    told = await desk.published()  # the requests that were still on their way are gone
    last = told[-2:]
    assert [(type(event), version_of(event)) for event in last] == [
        (AppointmentDeleted, 3),
        (AppointmentErased, 4),
    ]
    assert "InvitationRequested" not in {type(event).__name__ for event in told}
    assert await desk.version(appointment_id) is None
    with pytest.raises(NotFound):
        await desk.booking.erase(desk.caller, appointment_id)


async def test_of_a_deleted_appointment_the_erasure_is_the_next_version(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create()
    await desk.booking.delete(desk.caller, appointment_id, None, notify=False)
    deleted = await desk.version(appointment_id)
    await desk.booking.erase(desk.caller, appointment_id)
    last = [(type(event), version_of(event)) for event in (await desk.published())[-2:]]
    assert last == [(AppointmentDeleted, deleted), (AppointmentErased, 3)]
