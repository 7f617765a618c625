"""Who asks for what changed misses nothing, in whatever order transactions begin and commit."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
import pytest_asyncio

from chassis.clock import utc_now
from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from contracts.terms import TOMBSTONE_TERM, UNTOLD_RETENTION
from services.scheduling import erasure, forms, housekeeping, store
from services.scheduling.appointments import Gone
from services.scheduling.booking import SOURCE
from services.scheduling.lookups import Changes, Lookups
from services.scheduling.places import ListPlace
from services.scheduling.schemas import Change, Resend
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import AUDIT_LOG, Desk
from tests.support import berlin_day, eventually

EVER = datetime(1970, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


class Copy:
    """Another system's copy of a practice's appointments: version and whether gone, by id."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.lookups = Lookups(desk.booking.db, desk.booking.sealer, AUDIT_LOG, desk.now)
        self.since = EVER
        self.known: dict[UUID, tuple[int, bool]] = {}

    async def page(self, after: ListPlace | None = None, limit: int = 100) -> Changes:
        return await self.lookups.changes(
            self.desk.caller, self.since, None, None, after=after, limit=limit
        )

    async def follow(self, limit: int = 100) -> list[UUID]:
        """As docs/synchronising.md says; which were new, or newer than known."""
        new: list[UUID] = []
        after: ListPlace | None = None
        newest = self.since
        while True:
            page = await self.page(after, limit)
            for each in page.changed:
                state = (each.version, isinstance(each, Gone))
                if self.known.get(each.id) != state:
                    assert self.known.get(each.id, (0, False))[0] < each.version
                    self.known[each.id] = state
                    new.append(each.id)
                newest = max(newest, each.updated_at)
            after = page.following
            if after is None:
                self.since = newest
                return new


async def test_each_change_is_told_once_in_the_order_in_which_it_happened(desk: Desk) -> None:
    copy = Copy(desk)
    first, second, third = [await desk.create() for _ in range(3)]
    assert await copy.follow() == [first, second, third]
    assert await copy.follow() == []
    await desk.booking.change(desk.caller, second, Change(duration_minutes=45, notify=False), None)
    await desk.booking.resend(desk.caller, first, Resend(), None)
    assert await copy.follow(limit=1) == [second, first]
    page = await copy.page()
    assert [each.id for each in page.changed] == [first]  # at this very moment
    assert page.following is None


async def test_what_is_deleted_or_erased_is_told_as_gone(desk: Desk) -> None:
    copy = Copy(desk)
    deleted, erased, both = [await desk.create() for _ in range(3)]
    await copy.follow()
    await desk.booking.delete(desk.caller, deleted, None, notify=True)
    await desk.booking.erase(desk.caller, erased)
    await desk.booking.delete(desk.caller, both, None, notify=False)
    await desk.booking.erase(desk.caller, both)
    since = copy.since
    assert await copy.follow(limit=1) == [deleted, erased, both]
    copy.since = since
    told = [each for each in (await copy.page()).changed if isinstance(each, Gone)]
    assert [(each.id, each.version, each.erased) for each in told] == [
        (deleted, 2, False),
        (erased, 3, True),
        (both, 3, True),
    ]


async def test_what_changes_later_and_commits_first_hides_nothing(
    desk: Desk, owner_of: OwnerOf
) -> None:
    """The writer of an earlier moment is not overtaken: the later one waits for its commit."""
    copy = Copy(desk)
    first, second = await desk.create(), await desk.create()
    await copy.follow()
    async with owner_of("scheduling") as owner, owner.transaction():
        await owner.execute("UPDATE appointments SET version = version + 1 WHERE id = $1", first)
        later = asyncio.create_task(
            desk.booking.change(desk.caller, second, Change(duration_minutes=45), None)
        )

        async def waits() -> bool:
            return bool(
                await owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            )

        await eventually(waits, "the later writer waits")
        assert await copy.follow() == []
    await later
    assert await copy.follow() == [first, second]


async def test_while_many_write_a_copy_ends_up_as_the_table_is(desk: Desk) -> None:
    copy = Copy(desk)
    made = [await desk.create(email=f"p{number}@example.org") for number in range(6)]
    writing = True

    async def write(number: int, appointment_id: UUID) -> None:
        random = Random(number)
        for _ in range(5):
            minutes = random.choice(range(10, 60))
            await desk.booking.change(
                desk.caller, appointment_id, Change(duration_minutes=minutes), None
            )
        if number % 2:
            await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
        if number % 3 == 2:
            await desk.booking.erase(desk.caller, appointment_id)

    async def read() -> int:
        pages = 0
        while writing:
            pages += len(await copy.follow(limit=2))
        return pages

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(*each) for each in enumerate(made)))
    writing = False
    assert await reading > len(made)
    await copy.follow()
    whole = Copy(desk)
    await whole.follow()
    assert copy.known == whole.known
    assert len(copy.known) == len(made)
    assert {gone for _, gone in copy.known.values()} == {True, False}


async def test_a_clock_that_is_set_back_changes_no_order(desk: Desk, owner_of: OwnerOf) -> None:
    copy = Copy(desk)
    await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE change_clocks SET at = at + interval '1 hour'")
    second, third = await desk.create(), await desk.create()
    assert (await copy.follow())[1:] == [second, third]
    assert copy.since > utc_now() + timedelta(minutes=50)


async def test_only_days_that_are_asked_for_and_no_other_practice(
    desk: Desk, sealer: Sealer, new_practice: NewPractice
) -> None:
    other = Desk(desk.booking.db, sealer, await new_practice())
    await other.create()
    tomorrow = berlin_day(1)
    near = await desk.create(date=tomorrow.isoformat())
    await desk.create(date=(tomorrow + timedelta(days=9)).isoformat())
    erased = await desk.create()
    await desk.booking.erase(desk.caller, erased)
    page = await Copy(desk).lookups.changes(
        desk.caller, EVER, tomorrow, tomorrow, after=None, limit=9
    )
    assert [each.id for each in page.changed] == [near, erased]


async def test_reading_changes_is_noted_of_those_with_a_patient(desk: Desk) -> None:
    known, gone = await desk.create(), await desk.create()
    await desk.booking.delete(desk.caller, gone, None, notify=False)
    await Copy(desk).follow()
    async with desk.booking.db.practice(desk.practice_id) as tx:
        noted = await tx.fetchval(
            "SELECT appointment_ids FROM audit_entries WHERE action = 'contact_data_read' "
            "AND practice_id = $1",
            desk.practice_id,
        )
    assert noted == [known]


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (lambda: TOMBSTONE_TERM - timedelta(minutes=1), True),
        (lambda: TOMBSTONE_TERM + timedelta(minutes=1), False),
    ],
)
async def test_a_tombstone_has_its_time(
    desk: Desk, owner_of: OwnerOf, age: Callable[[], timedelta], told: bool
) -> None:
    erased = await desk.create()
    await desk.booking.erase(desk.caller, erased)
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE tombstones SET told_until = told_until - $1::interval", age())
    async with desk.booking.db.system() as tx:
        await housekeeping.purge(tx)
    assert await Copy(desk).follow() == ([erased] if told else [])


async def test_after_the_term_it_is_told_while_the_link_leads_on_and_then_not_for_long(
    desk: Desk, owner_of: OwnerOf
) -> None:
    """At the latest the longest term after its end nothing tells of a deleted appointment."""
    copy = Copy(desk)
    kept, deleted = await desk.create(), await desk.create()
    await desk.booking.delete(desk.caller, deleted, None, notify=False)
    await copy.follow()
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE appointments SET starts_at = now() - interval '89 days'")
    async with desk.booking.db.system() as tx:
        await erasure.by_term(tx, SOURCE, utc_now())
    assert sorted(await copy.follow()) == [kept, deleted]
    assert {gone for _, gone in copy.known.values()} == {True}
    async with owner_of("scheduling") as owner:
        told_for = await owner.fetchval(
            "SELECT told_until - (starts_at + make_interval(mins => duration_minutes)) "
            "FROM appointments, tombstones"
        )
    assert told_for == UNTOLD_RETENTION


async def test_since_when_has_to_be_a_moment_that_can_be_reckoned_with() -> None:
    forms.check_since(EVER)
    for year in (1, 1969, 9999):
        with pytest.raises(InvalidInput):
            forms.check_since(datetime(year, 6, 1, tzinfo=UTC))
    for other in ({"day": True}, {"ids": True}, {"referred": True}):
        with pytest.raises(InvalidInput):
            forms.check_choice(
                **(
                    {"day": False, "ids": False, "days": False, "referred": False, "since": True}
                    | other
                )
            )
    forms.check_choice(day=False, ids=False, days=True, referred=False, since=True)


async def test_an_answer_says_when_it_became_this_version(desk: Desk) -> None:
    made = await desk.create()
    seen = (await desk.booking.get(desk.caller, made)).appointment
    moved = await desk.booking.change(
        desk.caller, made, Change(duration_minutes=45), [seen.version]
    )
    assert moved.appointment.updated_at > seen.updated_at
    async with desk.booking.db.practice(desk.practice_id) as tx:
        [found] = await store.named(tx, desk.booking.sealer, desk.practice_id, [made], utc_now())
    assert found == moved.appointment
