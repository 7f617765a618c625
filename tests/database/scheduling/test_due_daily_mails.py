"""Daily mails that are due: one a day however many processes look, later where nobody answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import DailyMailRequested
from services.scheduling import daily_mail_store
from services.scheduling.admin import registry
from services.scheduling.audit.entry import Actor
from services.scheduling.booking import SOURCE
from services.scheduling.due_daily_mails import ASK_AGAIN, BATCH, DueDailyMails, NobodyAnswers
from services.scheduling.open_counts import CountUnknown
from services.scheduling.practice import PracticeChange
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import Desk

ADDRESS = "leitung@praxis.example"
SEVEN = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)  # in Berlin
LINK = "https://termine.example/#/offen"
Count = Callable[[UUID], Awaitable[int]]


class Clock:
    def __init__(self) -> None:
        self.moment = SEVEN

    def __call__(self) -> datetime:
        return self.moment


async def three(_: UUID) -> int:
    return 3


async def none(_: UUID) -> int:
    return 0


async def away(_: UUID) -> int:
    raise CountUnknown("ConnectError")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def looking(db: Database, sealer: Sealer, clock: Clock, count: Count = three) -> DueDailyMails:
    return DueDailyMails(
        db,
        count,
        sealer=sealer,
        source=SOURCE,
        link=LINK,
        poll=1,
        wake_relay=lambda: None,
        now=clock,
    )


async def wanting(
    db: Database, new_practice: NewPractice, due_at: datetime = SEVEN, **columns: Any
) -> UUID:
    practice_id = await new_practice(daily_mail_address=ADDRESS, **columns)
    async with db.system() as tx:
        await daily_mail_store.schedule(tx, practice_id, due_at)
    return practice_id


async def requested(db: Database, sealer: Sealer, practice_id: UUID) -> list[DailyMailRequested]:
    published = await Desk(db, sealer, practice_id).published()
    assert all(isinstance(each, DailyMailRequested) for each in published)
    return [each for each in published if isinstance(each, DailyMailRequested)]


async def next_of(db: Database, practice_id: UUID) -> tuple[datetime, datetime] | None:
    async with db.practice(practice_id) as tx:
        row = await tx.fetchrow("SELECT due_at, ask_at FROM daily_mails")
    return None if row is None else (row["due_at"], row["ask_at"])


async def test_it_says_how_much_is_open_and_nothing_of_a_patient(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, clock: Clock
) -> None:
    practice_id = await wanting(scheduling_db, new_practice, name="Praxis am See")
    assert not await looking(scheduling_db, sealer, clock).turn()
    (event,) = await requested(scheduling_db, sealer, practice_id)
    assert event.model_dump() == {
        "practice_id": practice_id,
        "day": SEVEN.date(),
        "recipient": ADDRESS,
        "practice_name": "Praxis am See",
        "open_count": 3,
        "link": LINK,
        "not_after": SEVEN + timedelta(hours=12),
    }
    async with scheduling_db.system() as tx:
        row = await tx.fetchrow("SELECT key, sealed, value FROM outbox")
    assert row is not None
    assert (row["key"], row["sealed"]) == (str(practice_id), True)
    assert ADDRESS.encode() not in row["value"]
    assert await next_of(scheduling_db, practice_id) == (SEVEN + timedelta(days=1),) * 2


async def test_two_replicas_and_a_restart_send_one(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, clock: Clock
) -> None:
    practices = [await wanting(scheduling_db, new_practice) for _ in range(BATCH + 2)]
    replicas = [looking(scheduling_db, sealer, clock) for _ in "ab"]
    await asyncio.gather(*(each.turn() for each in replicas))
    await looking(scheduling_db, sealer, clock).turn()
    for practice_id in practices:
        assert len(await requested(scheduling_db, sealer, practice_id)) == 1


async def test_one_that_was_asked_about_twice_is_sent_once(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, clock: Clock
) -> None:
    practice_id = await wanting(scheduling_db, new_practice)
    first_asks, second_has_asked = asyncio.Event(), asyncio.Event()

    async def slow(_: UUID) -> int:
        first_asks.set()
        await second_has_asked.wait()
        return 3

    first = asyncio.create_task(looking(scheduling_db, sealer, clock, slow).turn())
    await first_asks.wait()
    clock.moment += ASK_AGAIN  # its claim has run out
    await looking(scheduling_db, sealer, clock).turn()
    second_has_asked.set()
    await first
    assert len(await requested(scheduling_db, sealer, practice_id)) == 1


async def test_where_nothing_is_open_none_is_sent_that_day(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, clock: Clock
) -> None:
    practice_id = await wanting(scheduling_db, new_practice)
    await looking(scheduling_db, sealer, clock, none).turn()
    await looking(scheduling_db, sealer, clock).turn()  # something is open by now
    assert await requested(scheduling_db, sealer, practice_id) == []
    clock.moment += timedelta(days=1)
    await looking(scheduling_db, sealer, clock).turn()
    assert len(await requested(scheduling_db, sealer, practice_id)) == 1


async def test_where_nobody_answers_it_goes_out_later(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, clock: Clock
) -> None:
    practice_id = await wanting(scheduling_db, new_practice)
    with pytest.raises(NobodyAnswers):
        await looking(scheduling_db, sealer, clock, away).turn()
    assert await next_of(scheduling_db, practice_id) == (SEVEN, SEVEN + ASK_AGAIN)
    assert not await looking(scheduling_db, sealer, clock).turn()  # not asked without a pause
    assert await requested(scheduling_db, sealer, practice_id) == []
    clock.moment = SEVEN + timedelta(hours=20)  # the next day in Berlin
    await looking(scheduling_db, sealer, clock).turn()
    (event,) = await requested(scheduling_db, sealer, practice_id)
    assert event.day == SEVEN.date()
    assert event.not_after == clock.moment + timedelta(hours=12)
    assert await next_of(scheduling_db, practice_id) == (SEVEN + timedelta(days=1),) * 2


async def test_one_practice_without_an_answer_holds_up_no_other(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer, clock: Clock
) -> None:
    dark = await wanting(scheduling_db, new_practice, SEVEN - timedelta(hours=1))
    other = await wanting(scheduling_db, new_practice)

    async def answer(practice_id: UUID) -> int:
        return await (away if practice_id == dark else three)(practice_id)

    await looking(scheduling_db, sealer, clock, answer).turn()
    assert await requested(scheduling_db, sealer, dark) == []
    assert len(await requested(scheduling_db, sealer, other)) == 1


async def test_switched_off_while_it_is_asked_about_none_is_sent(
    scheduling_db: Database,
    new_practice: NewPractice,
    operator: Actor,
    sealer: Sealer,
    clock: Clock,
) -> None:
    practice_id = await wanting(scheduling_db, new_practice)

    async def switched_off(_: UUID) -> int:
        async with scheduling_db.operator() as tx:
            off = PracticeChange(daily_mail_address="")
            await registry.change(tx, operator, practice_id, off)
        return 3

    await looking(scheduling_db, sealer, clock, switched_off).turn()
    assert await requested(scheduling_db, sealer, practice_id) == []
    assert await next_of(scheduling_db, practice_id) is None


async def test_it_is_off_until_an_operator_sets_an_address(
    scheduling_db: Database, operator: Actor
) -> None:
    practice_id = uuid7()

    async def change(**settings: Any) -> tuple[datetime, datetime] | None:
        async with scheduling_db.operator() as tx:
            await registry.change(tx, operator, practice_id, PracticeChange(**settings))
        return await next_of(scheduling_db, practice_id)

    async with scheduling_db.operator() as tx:
        await registry.create(tx, operator, practice_id, PracticeChange(name="Praxis"))
    assert await next_of(scheduling_db, practice_id) is None
    assert await change(daily_mail_hour=9) is None
    first = await change(daily_mail_address=ADDRESS)
    assert first is not None
    async with scheduling_db.system() as tx:  # due, and not answered yet
        due = daily_mail_store.DueMail(practice_id, first[0])
        assert await daily_mail_store.advance(tx, due, SEVEN)
    # Another address is where it goes then; it is due as it was.
    assert await change(daily_mail_address="andere@praxis.example") == (SEVEN, SEVEN)
    later = await change(daily_mail_hour=10)
    assert later is not None
    assert later[0] > SEVEN
    assert await change(daily_mail_address="") is None


async def test_a_practice_sees_and_writes_its_own_row_alone(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    mine = await wanting(scheduling_db, new_practice)
    other = await wanting(scheduling_db, new_practice)
    async with scheduling_db.practice(mine) as tx:
        rows = await tx.fetch("SELECT practice_id FROM daily_mails")
        await daily_mail_store.schedule(tx, other, None)
    assert [row["practice_id"] for row in rows] == [mine]
    assert await next_of(scheduling_db, other) is not None
