"""What a practice does with its appointments: rows and events of one transaction."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from fastapi_problem.error import Problem

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import (
    AppointmentDeleted,
    AppointmentRescheduled,
    InvitationIssued,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
)
from services.scheduling.problems import Begun, Changed, KeyReused, NotFound
from services.scheduling.schemas import Change, Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import Desk, version_of

EVENTS = [
    "einladung.v1.AppointmentScheduled",
    "einladung.v1.InvitationIssued",
    "einladung.v1.InvitationRequested",
]


async def outbox(db: Database, practice_id: UUID) -> list[tuple[str, str]]:
    """Key and type of each event to be published, in order."""
    async with db.practice(practice_id) as tx:
        rows = await tx.fetch("SELECT key, headers FROM outbox ORDER BY id")
    return [(row["key"], row["headers"]["ce_type"]) for row in rows]


async def test_an_appointment_and_its_events_are_written_together(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    appointment_id = await desk.create(patient_name="Erika Mustermann")
    found = await desk.booking.get(desk.caller, appointment_id)
    assert (found.appointment.patient_name, found.appointment.version) == ("Erika Mustermann", 1)
    assert await outbox(scheduling_db, practice_id) == [
        (str(appointment_id), event) for event in EVENTS
    ]
    assert desk.woken == 1


async def test_appointments_are_named_within_the_practice_and_reading_them_is_noted(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    stranger = Desk(scheduling_db, sealer, await new_practice())
    known, others = await desk.create(), await stranger.create()
    _, found = await desk.booking.named(desk.caller, [others, known, uuid4()])
    assert [each.id for each in found] == [known]
    query = "SELECT appointment_ids FROM audit_entries WHERE action = 'contact_data_read'"
    async with scheduling_db.practice(desk.practice_id) as tx:
        assert [row["appointment_ids"] for row in await tx.fetch(query)] == [[known]]


async def test_what_is_refused_writes_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    with pytest.raises(Problem):
        await desk.create(consent=False)
    async with scheduling_db.practice(practice_id) as tx:
        assert await tx.fetchval("SELECT count(*) FROM appointments") == 0
    assert await outbox(scheduling_db, practice_id) == []
    assert desk.woken == 0


async def test_the_same_request_again_is_carried_out_once(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    key, email = uuid4().hex, "erika@example.org"
    first = await desk.create(key, email=email)
    assert await desk.create(key, email=email) == first
    assert len(await outbox(scheduling_db, practice_id)) == len(EVENTS)


async def test_another_practice_sees_nothing_of_it(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    appointment_id = await Desk(scheduling_db, sealer, await new_practice()).create()
    stranger = Desk(scheduling_db, sealer, await new_practice())
    with pytest.raises(Problem):
        await stranger.booking.get(stranger.caller, appointment_id)
    assert await outbox(scheduling_db, stranger.caller.practice_id) == []


async def test_a_key_is_good_for_one_request(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk, key = Desk(scheduling_db, sealer, await new_practice()), uuid4().hex
    appointment_id = await desk.create(key)
    with pytest.raises(KeyReused):
        await desk.create(key)  # to another address
    with pytest.raises(KeyReused):
        await desk.booking.resend(desk.caller, appointment_id, Resend(), key)
    await desk.booking.delete(desk.caller, appointment_id, None, notify=False)


async def test_events_and_row_are_of_one_version(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    seen = 0

    async def published_since(version: int, *events: type) -> None:
        """What has been published since, all of this version, which is the row's too."""
        nonlocal seen
        published = await desk.published()
        new, seen = published[seen:], len(published)
        assert tuple(type(event) for event in new) == events
        assert {version_of(event) for event in new} == {version}
        assert await desk.version(appointment_id) == version

    appointment_id = await desk.create()
    seen = 1
    await published_since(1, InvitationIssued, InvitationRequested)
    moved = await desk.booking.reschedule(desk.caller, appointment_id, Change(time="11:00"), 1)
    assert moved.appointment.version == 2
    await published_since(2, AppointmentRescheduled)
    again = await desk.booking.resend(
        desk.caller, appointment_id, Resend(email="neu@example.org"), None
    )
    assert (again.appointment.version, again.appointment.link_version) == (3, 2)
    await published_since(3, InvitationIssued, InvitationRequested)
    await desk.booking.delete(desk.caller, appointment_id, 3, notify=True)
    await published_since(4, AppointmentDeleted, NoticeRequested)
    cancelled = (await desk.published())[-1]
    assert isinstance(cancelled, NoticeRequested)
    assert cancelled.kind is NoticeKind.CANCELLED


async def test_who_saw_another_version_changes_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create()
    for change in (
        desk.booking.reschedule(desk.caller, appointment_id, Change(time="11:00"), 2),
        desk.booking.delete(desk.caller, appointment_id, 2, notify=True),
    ):
        with pytest.raises(Changed):
            await change
    same = await desk.booking.reschedule(desk.caller, appointment_id, Change(time="10:00"), 1)
    assert same.appointment.version == 1
    assert len(await desk.published()) == len(EVENTS)


async def test_what_has_begun_is_not_sent_again(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create()
    desk.moment += timedelta(days=3)
    with pytest.raises(Begun):
        await desk.booking.resend(desk.caller, appointment_id, Resend(), None)
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    assert not [each for each in await desk.published() if isinstance(each, NoticeRequested)]
    with pytest.raises(NotFound):
        await desk.booking.get(desk.caller, appointment_id)
