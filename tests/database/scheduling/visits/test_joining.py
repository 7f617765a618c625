"""That somebody was let into the room is told, once a minute, and never in the way."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import VisitJoined, VisitRole
from services.scheduling.settings import Settings
from services.scheduling.visits.hosting import Hosting
from services.scheduling.visits.joining import ONCE_IN, SOONEST, Joining, tell
from services.scheduling.visits.settings import make_rooms
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import AUDIT_LOG, Desk
from tests.support.settings import SCHEDULING

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ROOMS = {
    "rooms": "template",
    "room_key": "a" * 43,
    "room_url": "https://video.example.org/r/{room}?lang={language}",
    "room_host_url": "https://video.example.org/r/{room}?key={host_key}",
}


@pytest.fixture
async def desk(scheduling_db: Database, new_practice: NewPractice, sealer: Sealer) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


async def joined(desk: Desk) -> list[tuple[UUID, VisitRole]]:
    return [
        (each.appointment_id, each.role)
        for each in await desk.published()
        if isinstance(each, VisitJoined)
    ]


async def test_however_often_somebody_presses_it_is_told_once_a_minute(
    scheduling_db: Database, desk: Desk
) -> None:
    woken: list[None] = []
    joining = Joining(scheduling_db, lambda: woken.append(None))
    here, other = await desk.create(), await desk.create()
    now = utc_now()
    await asyncio.gather(*(joining.patient(desk.practice_id, here, now) for _ in range(100)))
    await joining.patient(desk.practice_id, here, now + ONCE_IN - timedelta(seconds=1))
    assert (await joined(desk), len(woken)) == ([(here, VisitRole.PATIENT)], 1)
    await joining.patient(desk.practice_id, other, now)
    await joining.patient(desk.practice_id, here, now + ONCE_IN)
    assert [each for each, _ in await joined(desk)] == [here, other, here]


COMINGS = st.lists(
    st.tuples(st.sampled_from(VisitRole), st.integers(min_value=1, max_value=90)), max_size=30
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example([(VisitRole.HOST, 1), (VisitRole.PATIENT, 20), (VisitRole.HOST, 20)])
@example([(VisitRole.PATIENT, 1), (VisitRole.HOST, 20), (VisitRole.PATIENT, 20)])
@example([(role, 1) for _ in range(15) for role in VisitRole])
@given(COMINGS)
async def test_nobody_is_waited_for_who_has_come(
    scheduling_db: Database, desk: Desk, comings: list[tuple[VisitRole, int]]
) -> None:
    """`comings`: who comes, and how many seconds after the one before."""
    appointment_id, at = await desk.create(), utc_now()
    last: dict[VisitRole, datetime] = {}  # that they came
    known: dict[VisitRole, datetime] = {}  # that it was told
    often = Counter[VisitRole]()
    for role, seconds in comings:
        at += timedelta(seconds=seconds)
        async with scheduling_db.practice(desk.practice_id) as tx:
            told = await tell(tx, desk.practice_id, appointment_id, role, at)
        last[role] = at
        if told:
            known[role] = at
            often[role] += 1
        if role is VisitRole.HOST:
            assert last[role] == known[role] or known[role] > known.get(VisitRole.PATIENT, NEVER)
        else:
            host = known.get(VisitRole.HOST, NEVER)
            assert known[role] > host or at - known[role] < SOONEST
    minutes = sum(seconds for _, seconds in comings) / 60
    assert often[VisitRole.PATIENT] <= 1 + 6 * minutes
    assert often[VisitRole.HOST] <= 2 + minutes + often[VisitRole.PATIENT]


async def test_who_leads_the_visit_is_told_apart(
    scheduling_db: Database, desk: Desk, sealer: Sealer
) -> None:
    rooms = make_rooms(Settings(**dict[str, Any](SCHEDULING | ROOMS)))
    hosting = Hosting(scheduling_db, rooms, sealer, AUDIT_LOG, desk.booking.wake_relay)
    appointment_id, woken = await desk.create(), desk.woken
    for _ in range(3):
        await hosting.enter(desk.caller, appointment_id)
    await Joining(scheduling_db, lambda: None).patient(desk.practice_id, appointment_id, utc_now())
    assert await joined(desk) == [
        (appointment_id, VisitRole.HOST),
        (appointment_id, VisitRole.PATIENT),
    ]
    assert desk.woken == woken + 1


async def test_nobody_is_kept_at_the_door_where_it_can_not_be_told(
    scheduling_db: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    appointment_id = await desk.create()
    joining = Joining(scheduling_db, lambda: None)
    monkeypatch.setattr("services.scheduling.visits.joining.PATIENCE", 0.05)
    async with scheduling_db.practice(desk.practice_id) as tx:
        await tx.execute("SELECT FROM appointments WHERE id = $1 FOR UPDATE", appointment_id)
        await joining.patient(desk.practice_id, appointment_id, utc_now())
    await scheduling_db.close()
    await joining.patient(desk.practice_id, appointment_id, utc_now())


async def test_nobody_joins_what_was_deleted_meanwhile(scheduling_db: Database, desk: Desk) -> None:
    appointment_id = await desk.create()
    await desk.booking.delete(desk.caller, appointment_id, None, notify=False)
    await Joining(scheduling_db, lambda: None).patient(desk.practice_id, appointment_id, utc_now())
    assert await joined(desk) == []
