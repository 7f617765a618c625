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
    Evidence,
    FailureCategory,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    Outcome,
)
from services.scheduling import events
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import Desk

ADDRESS = "erika@example.org"


async def take_in(db: Database, *outcomes: Outcome) -> None:
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


async def test_an_outcome_of_an_attempt_that_is_not_known_says_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    await take_in(scheduling_db, outcome(desk, uuid7(), dead=True, minutes=1))
    assert not await is_refused(desk)
