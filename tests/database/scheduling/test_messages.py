"""Patients are not written to without end, whoever asks and by which process."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from services.scheduling.bounds import PER_TARIFF, Bound, Bounds
from services.scheduling.due_notices import DueNotices
from services.scheduling.problems import TooManyMessages
from services.scheduling.schemas import Change, Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import CHANNELS, LINKS, Desk
from tests.support import berlin_day

LOW = Bounds(per_appointment=3, per_address=5)
NUMBER = "+491713920001"


@pytest.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice(reminders=[]), bounds=LOW)


async def resend(desk: Desk, appointment_id: UUID, **changes: Any) -> None:
    await desk.booking.resend(desk.caller, appointment_id, Resend(**changes), None)


async def refused(desk: Desk, appointment_id: UUID) -> TooManyMessages:
    before = await desk.version(appointment_id), len(await desk.published())
    with pytest.raises(TooManyMessages) as problem:
        await resend(desk, appointment_id)
    assert (await desk.version(appointment_id), len(await desk.published())) == before
    return problem.value


async def test_an_address_is_corrected_three_times_in_a_row_by_default(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create(channels=["email", "sms"], phone=NUMBER)
    for number in range(3):
        await resend(desk, appointment_id, email=f"erika{number}@example.org")


async def test_one_appointment_is_written_to_only_so_often(desk: Desk) -> None:
    appointment_id = await desk.create()
    for number in range(2):  # a further address makes no room
        await resend(desk, appointment_id, email=f"erika{number}@example.org")
    begun, desk.moment = desk.moment, desk.moment + timedelta(hours=1)
    problem = await refused(desk, appointment_id)
    assert problem.status == 429
    assert problem.headers == {"Retry-After": str(23 * 3600)}
    assert problem.bound is Bound.APPOINTMENT
    assert problem.detail is not None
    assert problem.detail.startswith("Zu diesem Termin wurden in den letzten 24 Stunden schon 3 ")
    await desk.create()  # others are
    desk.moment = begun + timedelta(days=1, seconds=1)
    await desk.booking.change(desk.caller, appointment_id, Change(date=f"{berlin_day(3)}"), None)
    await resend(desk, appointment_id)


async def test_one_address_is_written_to_only_so_often_by_all_appointments_at_once(
    desk: Desk,
) -> None:
    async def ask() -> bool:
        try:
            await desk.create(email="erika@example.org")
        except TooManyMessages as problem:
            return problem.bound is not Bound.ADDRESS
        return True

    made = await asyncio.gather(*(ask() for _ in range(9)))
    assert sum(made) == LOW.per_address
    assert not await ask()
    await desk.create(email="otto@example.org")


async def test_what_follows_a_plus_makes_no_room(desk: Desk) -> None:
    for number in range(LOW.per_address):
        await desk.create(email=f"Erika+{number}@example.org")
    with pytest.raises(TooManyMessages) as problem:
        await desk.create(email="erika+another@example.org")
    assert problem.value.bound is Bound.ADDRESS


async def test_erasing_makes_no_room_for_the_practice_and_names_nobody(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    two = Bounds(per_tariff=dict.fromkeys(PER_TARIFF, 2))
    desk = Desk(scheduling_db, sealer, await new_practice(), bounds=two)
    for _ in range(2):
        await desk.booking.erase(desk.caller, await desk.create())
    with pytest.raises(TooManyMessages) as problem:
        await desk.create()
    assert problem.value.bound is Bound.PRACTICE
    async with scheduling_db.practice(desk.practice_id) as tx:
        rows = await tx.fetch("SELECT DISTINCT appointment_id FROM messages")
    assert [tuple(row) for row in rows] == [(None,)]


async def test_creating_and_erasing_in_turn_makes_no_room_for_an_address(desk: Desk) -> None:
    for _ in range(LOW.per_address):
        await desk.booking.erase(desk.caller, await desk.create(email="erika@example.org"))
    with pytest.raises(TooManyMessages) as problem:
        await desk.create(email="erika@example.org")
    assert problem.value.bound is Bound.ADDRESS


async def test_a_practice_can_have_bounds_of_its_own(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    few = Bounds(per_tariff=dict.fromkeys(PER_TARIFF, 1), sms_per_country=1)
    sms: dict[str, Any] = {"channels": ["sms"], "email": None}
    raised = Desk(
        scheduling_db,
        sealer,
        await new_practice(daily_messages=9, daily_sms_per_country=2, sms_countries=["LV"]),
        bounds=few,
    )
    for _ in range(2):
        await raised.create(**sms, phone="+371 21 234 567")
    with pytest.raises(TooManyMessages) as problem:
        await raised.create(**sms, phone="+371 21 234 568")
    assert problem.value.bound is Bound.COUNTRY
    await raised.create()


async def test_sms_go_to_some_countries_alone(desk: Desk) -> None:
    for number in ("+371 21 234 567", "+252 61 2345678", "+880 1712 345678"):
        with pytest.raises(InvalidInput) as problem:
            await desk.create(channels=["sms"], email=None, phone=number)
        (error,) = problem.value.extras["errors"]
        assert (error["field"], error["code"]) == ("phone", "country_not_allowed")
        assert error["message"].endswith("Deutschland, Österreich, Schweiz.")
    await desk.create(channels=["sms"], email=None, phone="+43 664 1234567")
    await desk.create(phone="+371 21 234 567")  # noted, and not written to


async def test_notices_are_counted_and_moves_past_the_bound_refused_aloud(
    scheduling_db: Database, sealer: Sealer, desk: Desk
) -> None:
    appointment_id = await desk.create()
    due = DueNotices(LINKS, CHANNELS, sealer, "/test", desk.now)
    for hour in ("11:00", "12:00"):
        await desk.booking.change(desk.caller, appointment_id, Change(time=hour), None)
        async with scheduling_db.system() as tx:
            await due.request(tx)
    await refused(desk, appointment_id)
    again = Change(time="13:00")
    with pytest.raises(TooManyMessages):
        await desk.booking.change(desk.caller, appointment_id, again, None)
    quietly = Change(time="13:00", notify=False)
    await desk.booking.change(desk.caller, appointment_id, quietly, None)
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    async with scheduling_db.practice(desk.practice_id) as tx:
        assert await tx.fetchval("SELECT count(*) FROM messages") == 4  # the cancellation too
