"""What other systems call appointments: found again, and forgotten with the patient."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from contracts.events import AppointmentCorrected, AppointmentDeleted, AppointmentErased, References
from services.scheduling.erasure import by_term
from services.scheduling.lookups import Lookups, Page
from services.scheduling.places import ListPlace
from services.scheduling.problems import ReferenceTaken
from services.scheduling.schemas import AppointmentView, BookedView, Change, Resend
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import AUDIT_LOG, Desk

ALL: dict[str, Any] = {
    "external_reference": "kis:4711",
    "patient_reference": "P-1",
    "practitioner_reference": "dr/7",
    "location_reference": "room-2",
}


@pytest_asyncio.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice(retention_days=0))


async def page(desk: Desk, after: ListPlace | None = None, limit: int = 9, **given: Any) -> Page:
    lookups = Lookups(desk.booking.db, desk.booking.sealer, AUDIT_LOG, desk.now)
    return await lookups.referred(
        desk.caller, References(**given), None, None, after=after, limit=limit
    )


async def found(desk: Desk, **given: Any) -> list[UUID]:
    return [each.id for each in (await page(desk, **given)).appointments]


async def kept(owner_of: OwnerOf, appointment_id: UUID) -> set[str]:
    async with owner_of("scheduling") as owner:
        row = await owner.fetchrow("SELECT * FROM appointments WHERE id = $1", appointment_id)
    return {value for name in ALL if row and (value := row[name]) is not None}


async def change(desk: Desk, appointment_id: UUID, **changes: str) -> None:
    await desk.booking.change(desk.caller, appointment_id, Change.model_validate(changes), None)


async def test_they_are_shown_and_the_patients_to_readers_alone(desk: Desk) -> None:
    booked = await desk.booking.get(desk.caller, await desk.create(**ALL))
    shown = AppointmentView.of(booked.appointment, booked.practice)
    assert ALL.items() <= shown.model_dump().items()
    known = BookedView.of(booked.appointment, booked.practice).model_dump()
    assert {*ALL} - {*known} == {"patient_reference"}


async def test_that_the_next_attempt_renews_the_link_is_said_before(desk: Desk) -> None:
    appointment_id = await desk.create(email="a@example.org")
    change = Change(email="b@example.org")
    for booked, renews, unsent in (
        (await desk.booking.get(desk.caller, appointment_id), False, []),
        (await desk.booking.change(desk.caller, appointment_id, change, None), True, ["email"]),
        (await desk.booking.resend(desk.caller, appointment_id, Resend(), None), False, []),
    ):
        shown = BookedView.of(booked.appointment, booked.practice).invitation
        assert (shown.renews_link, shown.unsent) == (renews, unsent)


async def test_an_appointment_is_found_by_all_that_is_given(
    desk: Desk, sealer: Sealer, new_practice: NewPractice
) -> None:
    first = await desk.create(**ALL)
    second = await desk.create(time="11:00", **ALL | {"external_reference": "kis:4712"})
    stranger = Desk(desk.booking.db, sealer, await new_practice())
    await stranger.create(**ALL)
    assert await found(desk, external_reference="kis:4711") == [first]
    assert await found(desk, patient_reference="P-1", location_reference="room-2") == [
        first,
        second,
    ]
    assert await found(desk, external_reference="kis:4711", patient_reference="P-2") == []
    assert await found(desk, external_reference="KIS:4711") == []
    one = await page(desk, practitioner_reference="dr/7", limit=1)
    rest = await page(desk, one.following, practitioner_reference="dr/7", limit=1)
    assert [each.id for each in (*one.appointments, *rest.appointments)] == [first, second]
    assert (one.following is None, rest.following) == (False, None)


async def test_of_one_external_reference_there_is_one_appointment(desk: Desk) -> None:
    first = await desk.create(**ALL)
    with pytest.raises(ReferenceTaken) as refused:
        await desk.create(**ALL)
    assert refused.value.extras["appointment_id"] == str(first)
    other = await desk.create(patient_reference="P-1")
    with pytest.raises(ReferenceTaken):
        await change(desk, other, external_reference="kis:4711")
    await change(desk, first, external_reference="kis:4711", time="11:00")  # its own
    await change(desk, first, external_reference="")
    await change(desk, other, external_reference="kis:4711")
    await desk.booking.delete(desk.caller, other, None, notify=True)
    assert await desk.create(**ALL)


async def test_of_two_requests_at_once_one_is_refused(desk: Desk) -> None:
    made = await asyncio.gather(*(desk.create(**ALL) for _ in range(5)), return_exceptions=True)
    [first] = [each for each in made if isinstance(each, UUID)]
    refused = [each for each in made if isinstance(each, ReferenceTaken)]
    assert [each.extras["appointment_id"] for each in refused] == [str(first)] * 4


async def test_the_same_request_again_finds_its_own(desk: Desk) -> None:
    form = ALL | {"email": "erika@example.org"}
    assert await desk.create("key", **form) == await desk.create("key", **form)


async def test_changing_them_is_told_and_named_and_sends_nothing(desk: Desk) -> None:
    appointment_id = await desk.create()
    before = len(await desk.published())
    await change(desk, appointment_id, patient_reference="P-9")
    [told] = (await desk.published())[before:]
    assert isinstance(told, AppointmentCorrected)
    assert (told.version, told.patient_reference, told.unsent) == (2, "P-9", [])
    await change(desk, appointment_id, patient_reference="P-9")
    assert len(await desk.published()) == before + 1
    async with desk.booking.db.practice(desk.practice_id) as tx:
        entry = await tx.fetchrow("SELECT action, changed FROM audit_entries ORDER BY id DESC")
    assert entry is not None
    rows = [entry["action"], entry["changed"]]
    assert rows in (["appointment_corrected", ["patient_reference"]], ["contact_data_read", []])


async def test_what_is_no_reference_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        await desk.create(external_reference="Erika Mustermann")


async def test_a_deletion_names_them_and_forgets_them_with_the_patient(
    desk: Desk, owner_of: OwnerOf
) -> None:
    told, silent = await desk.create(**ALL), await desk.create(patient_reference="P-2")
    await desk.booking.delete(desk.caller, told, None, notify=True)
    assert await kept(owner_of, told) == {*ALL.values()}  # somebody may have to call
    await desk.booking.delete(desk.caller, silent, None, notify=False)
    assert await kept(owner_of, silent) == set()
    deleted = [each for each in await desk.published() if isinstance(each, AppointmentDeleted)]
    assert [each.external_reference for each in deleted] == ["kis:4711", None]
    assert deleted[1].patient_reference == "P-2"
    assert await found(desk, patient_reference="P-2") == []
    async with desk.booking.db.system() as tx:
        await by_term(tx, "/test", desk.moment + timedelta(days=400))
    assert await kept(owner_of, told) == set()


async def test_with_the_term_they_are_gone_and_the_link_still_leads_on(
    desk: Desk, owner_of: OwnerOf
) -> None:
    appointment_id = await desk.create(**ALL)
    ends_at = (await desk.booking.get(desk.caller, appointment_id)).appointment.ends_at
    async with desk.booking.db.system() as tx:
        await by_term(tx, "/test", ends_at + timedelta(seconds=1))
    assert await desk.version(appointment_id) == 2
    assert await kept(owner_of, appointment_id) == set()
    assert await found(desk, **ALL) == []


async def test_an_erasure_on_request_names_none(desk: Desk) -> None:
    appointment_id = await desk.create(**ALL)
    await desk.booking.erase(desk.caller, appointment_id)
    deleted, erased = (await desk.published())[-2:]
    assert isinstance(deleted, AppointmentDeleted)
    assert isinstance(erased, AppointmentErased)
    assert {getattr(deleted, name) for name in ALL} == {None}
    assert await desk.create(**ALL)
