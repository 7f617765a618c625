"""Outcomes tell which addresses are dead, and bring them back to life."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Received
from contracts.events import (
    DeliveryOutcome,
    Evidence,
    FailureCategory,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    NoticeFailed,
    NoticeRequested,
    Outcome,
)
from services.scheduling import events
from services.scheduling.due_notices import DueNotices
from services.scheduling.schemas import Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import CHANNELS, LINKS, Desk

ADDRESS = "erika@example.org"


async def take_in(db: Database, *outcomes: DeliveryOutcome) -> None:
    async with db.system() as tx:
        await events.handle(tx, [Received(uuid7(), utc_now(), each, None) for each in outcomes])


def outcome(desk: Desk, appointment_id: UUID, *, dead: bool, minutes: int) -> Outcome:
    known: dict[str, Any] = {
        "appointment_id": appointment_id,
        "practice_id": desk.practice_id,
        "invitation_id": uuid7(),
        "attempt": 1,
        "channel": Channel.EMAIL,
        "sequence": 1,
        "occurred_at": desk.moment + timedelta(minutes=minutes),
    }
    if dead:
        return InvitationFailed(
            **known, category=FailureCategory.PERMANENT, reason=FailureReason.UNKNOWN_USER
        )
    return InvitationDelivered(**known, evidence=Evidence.CONFIRMED)


async def is_refused(desk: Desk, **changes: Any) -> bool:
    try:
        await desk.create(email=ADDRESS.upper(), **changes)
    except InvalidInput as refused:
        return [each["code"] for each in refused.extras["errors"]] == ["dead_address"]
    return False


@pytest.mark.parametrize("together", [True, False])
async def test_the_newest_outcome_decides_in_whatever_order_they_come(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, together: bool
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    booked = await desk.create(email=ADDRESS)
    stranger = Desk(scheduling_db, sealer, await new_practice())
    bounced = outcome(desk, booked, dead=True, minutes=2)
    older = outcome(desk, booked, dead=False, minutes=1)
    if together:
        await take_in(scheduling_db, bounced, older)
    else:
        await take_in(scheduling_db, bounced)
        await take_in(scheduling_db, older)
    assert await is_refused(desk)
    assert not await is_refused(desk, send_anyway=True)
    assert not await is_refused(stranger)
    await take_in(scheduling_db, outcome(desk, booked, dead=False, minutes=3))
    assert not await is_refused(desk)


async def test_a_reminder_that_bounces_tells_of_the_address_that_it_went_to(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(reminders=[180]))
    booked = await desk.create(email=ADDRESS)
    start = (await desk.booking.get(desk.caller, booked)).appointment.starts_at
    desk.moment = start - timedelta(hours=2)
    async with scheduling_db.system() as tx:
        await DueNotices(LINKS, CHANNELS, sealer, "/test", desk.now).request(tx)
    reminder = (await desk.published())[-1]
    assert isinstance(reminder, NoticeRequested)
    other = Resend(email="erika@example.net")
    await desk.booking.resend(desk.caller, booked, other, None)
    bounced = NoticeFailed(
        appointment_id=booked,
        practice_id=desk.practice_id,
        notice_id=reminder.notice_id,
        kind=reminder.kind,
        appointment_version=reminder.appointment_version,
        channel=Channel.EMAIL,
        sequence=3,
        occurred_at=desk.moment,
        category=FailureCategory.PERMANENT,
        reason=FailureReason.UNKNOWN_USER,
        late=True,
    )
    desk.moment = utc_now()
    stranger = bounced.model_copy(update={"notice_id": uuid7()})
    await take_in(scheduling_db, stranger)
    assert not await is_refused(desk)
    await take_in(scheduling_db, bounced)
    assert await is_refused(desk)
    await desk.create(email="erika@example.net")


async def test_an_outcome_of_an_attempt_that_is_not_known_says_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    await take_in(scheduling_db, outcome(desk, uuid7(), dead=True, minutes=1))
    assert not await is_refused(desk)
