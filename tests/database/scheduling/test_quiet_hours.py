"""What a practice that lets patients sleep asks to send, and when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from contracts.events import InvitationRequested, NoticeRequested, SendNowRequested
from services.scheduling.problems import NotFound
from services.scheduling.schemas import Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import Desk

NIGHT = datetime(2026, 12, 1, 21, 30, tzinfo=UTC)  # half past ten in Berlin, on a Tuesday
MORNING = datetime(2026, 12, 2, 7, tzinfo=UTC)
SMS: dict[str, Any] = {
    "channels": ["sms"],
    "phone": "0171 3920001",
    "date": "2026-12-10",
    "time": "10:00",
}


async def at_night(db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    desk = Desk(db, sealer, await new_practice(quiet_hours=True))
    desk.moment = NIGHT
    return desk


async def requested(desk: Desk) -> InvitationRequested | NoticeRequested:
    found = [
        each
        for each in await desk.published()
        if isinstance(each, InvitationRequested | NoticeRequested)
    ]
    return found[-1]


async def test_an_sms_that_invites_at_night_waits_unless_somebody_says_not_to(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = await at_night(scheduling_db, sealer, new_practice)
    appointment_id = await desk.create(**SMS)
    assert (await requested(desk)).sms_not_before == MORNING
    await desk.booking.resend(desk.caller, appointment_id, Resend(send_now=True), None)
    assert (await requested(desk)).sms_not_before is None
    await desk.booking.resend(desk.caller, appointment_id, Resend(), None)
    assert (await requested(desk)).sms_not_before == MORNING
    await desk.create(**SMS, send_now=True)
    assert (await requested(desk)).sms_not_before is None
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    assert (await requested(desk)).sms_not_before == MORNING


async def test_a_mail_never_waits_and_no_practice_that_does_not_want_it(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = await at_night(scheduling_db, sealer, new_practice)
    await desk.create(date="2026-12-10", time="10:00")
    assert (await requested(desk)).sms_not_before is None
    loud = Desk(scheduling_db, sealer, await new_practice(quiet_hours=False))
    loud.moment = NIGHT
    await loud.create(**SMS)
    assert (await requested(loud)).sms_not_before is None


async def test_the_form_hears_when_the_sms_would_go(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = await at_night(scheduling_db, sealer, new_practice)
    ask = desk.booking.sms_time
    assert await ask(desk.caller, "2026-12-02", "11:00", None) == MORNING
    assert await ask(desk.caller, "2026-12-02", "10:59", None) is None
    assert await ask(desk.caller, "2026-10-25", "02:30", "+01:00") is None  # past
    for day, at in (("2026-12-32", "10:00"), ("2026-12-02", ""), ("2027-03-28", "02:30")):
        with pytest.raises(InvalidInput):
            await ask(desk.caller, day, at, None)


async def test_send_now_is_asked_for_and_in_the_log_and_changes_no_version(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = await at_night(scheduling_db, sealer, new_practice)
    appointment_id = await desk.create(**SMS)
    await desk.booking.send_now(desk.caller, appointment_id)
    wanted = SendNowRequested(
        appointment_id=appointment_id,
        practice_id=desk.practice_id,
        appointment_version=1,
        occurred_at=NIGHT,
    )
    assert (await desk.published())[-1] == wanted
    assert await desk.version(appointment_id) == 1
    async with scheduling_db.practice(desk.practice_id) as tx:
        actions = await tx.fetch("SELECT action FROM audit_entries ORDER BY number")
    assert [row["action"] for row in actions] == ["appointment_created", "sms_sent_now"]
    # What cancels it may wait as well.
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    await desk.booking.send_now(desk.caller, appointment_id)
    assert isinstance((await desk.published())[-1], SendNowRequested)
    await desk.booking.erase(desk.caller, appointment_id)
    with pytest.raises(NotFound):
        await desk.booking.send_now(desk.caller, appointment_id)
