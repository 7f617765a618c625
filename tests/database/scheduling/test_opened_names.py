"""A search that has names in memory finds what one that opens them all does."""

from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import AssociatedData, Sealer
from local.servers import DatabaseServer
from services.scheduling import forms, lookups
from services.scheduling.lookups import Lookups
from services.scheduling.name_search import NameSearch
from services.scheduling.opened_names import OpenedNames
from services.scheduling.places import ListPlace
from services.scheduling.schemas import Change, Resend
from services.scheduling.store import NEVER
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import AUDIT_LOG, Desk
from tests.support import berlin_day

TOMORROW = berlin_day(1)
WEEK = timedelta(days=7)
NAMES = ("Erika Müller", "Hans Mueller", "Anna Maier", "Zoë Müller-Maier")


class Counting(Sealer):
    """How many values were opened."""

    opened = 0

    def open(self, sealed: bytes, associated_data: AssociatedData) -> bytes:
        self.opened += 1
        return super().open(sealed, associated_data)


class Searching:
    """Searches of one process; each is compared with one of a process that has no names."""

    def __init__(self, desk: Desk, names: OpenedNames | None = None) -> None:
        self.desk = desk
        self.sealer = Counting({1: bytes(32)})
        self.warm = Lookups(
            desk.booking.db, self.sealer, AUDIT_LOG, desk.now, names or OpenedNames()
        )

    async def found(self, query: str, first: date | None = None, limit: int = 50) -> list[UUID]:
        """All pages, and what they cost is in `opened`."""
        cold = Lookups(self.desk.booking.db, self.desk.booking.sealer, AUDIT_LOG, self.desk.now)
        expected = await self._pages(cold, query, first, limit)
        self.sealer.opened = 0
        found = await self._pages(self.warm, query, first, limit)
        assert found == expected
        return found

    @property
    def opened(self) -> int:
        """By the last search, those that it shows included."""
        return self.sealer.opened

    async def _pages(
        self, searches: Lookups, query: str, first: date | None, limit: int
    ) -> list[UUID]:
        found: list[UUID] = []
        after: ListPlace | None = None
        while True:
            page = await searches.of_name(
                self.desk.caller, forms.name_search(query), first, None, after=after, limit=limit
            )
            found += [each.id for each in page.appointments]
            after = page.following
            if after is None:
                return found


@pytest_asyncio.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


async def create(desk: Desk, *numbers: int, **changes: Any) -> list[UUID]:
    return [
        await desk.create(
            patient_name=NAMES[each % len(NAMES)],
            date=(TOMORROW + timedelta(days=each)).isoformat(),
            **changes,
        )
        for each in numbers
    ]


async def test_names_are_opened_once_and_then_those_that_changed(desk: Desk) -> None:
    first, second, third, last = await create(desk, 0, 1, 2, 3)
    search = Searching(desk)
    assert await search.found("nobody") == []
    assert search.opened == 4
    assert await search.found("nobody") == []
    assert search.opened == 0
    assert await search.found("mü") == [last, second, first]
    assert search.opened == 3  # to be shown
    await desk.booking.resend(desk.caller, third, Resend(patient_name="Eva Müller"), None, None)
    await desk.booking.delete(desk.caller, second, None, notify=True)
    await desk.booking.erase(desk.caller, first)
    [new] = await create(desk, 4)
    assert await search.found("mü") == [new, last, third]
    assert search.opened == 2 + 3


async def test_what_is_gone_leaves_the_memory_soon_and_all_does_if_nobody_knows_what_is(
    desk: Desk, postgres: DatabaseServer
) -> None:
    erased, deleted, there = await create(desk, 0, 1, 2)
    db = await Database.connect(postgres.dsn("scheduling"))
    searches = Lookups(db, desk.booking.sealer, AUDIT_LOG, desk.now)
    await searches.of_name(
        desk.caller, forms.name_search("nobody"), None, None, after=None, limit=1
    )
    await desk.booking.erase(desk.caller, erased)
    await desk.booking.delete(desk.caller, deleted, None, notify=True)
    assert not await searches.keep_up(db)
    everybody = NameSearch(())
    for _, names in searches.names.all():
        assert [each[2] for each in names.found(everybody, NEVER, utc_now() + WEEK, None)] == [
            there
        ]
    await db.close()
    with pytest.raises(asyncpg.InterfaceError):
        await searches.keep_up(db)
    assert searches.names.all() == []


async def test_a_rush_of_callers_forgets_no_names_and_a_search_that_does_not_end_does(
    desk: Desk, postgres: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(postgres.dsn("scheduling"), connections=3) as db:
        callers = db.for_callers()
        searches = Lookups(callers, desk.booking.sealer, AUDIT_LOG, desk.now)
        nobody = forms.name_search("nobody")
        await searches.of_name(desk.caller, nobody, None, None, after=None, limit=1)
        async with callers.practice(desk.caller.practice_id):  # the only place
            assert not await searches.keep_up(db)
        [(_, names)] = searches.names.all()
        monkeypatch.setattr(lookups, "KEPT_UP_WITHIN", 0.01)
        async with names.turn:
            with pytest.raises(TimeoutError):
                await searches.keep_up(db)
        assert searches.names.all() == []


async def test_pages_go_on_where_the_names_in_memory_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "BATCH", 2)
    monkeypatch.setattr(lookups, "MOST_OPENED", 4)
    made = await create(desk, *range(0, 44, 4))  # all Erika Müller
    search = Searching(desk)
    assert await search.found("mü", limit=3) == [*reversed(made)]
    assert await search.found("nobody") == []
    assert search.opened == 0


@pytest.mark.parametrize("most", [0, 3])
async def test_names_that_are_too_many_are_opened_each_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(lookups, "BATCH", 2)
    await create(desk, *range(5))
    search = Searching(desk, OpenedNames(most=most))
    for _ in range(2):
        assert await search.found("nobody") == []
        before = search.opened
    assert before == 5 - most // 2 * 2


async def test_after_a_restore_and_after_much_has_changed_names_are_opened_anew(
    desk: Desk, owner_of: OwnerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(desk, 1, 2, 3)
    search = Searching(desk)
    await search.found("nobody")
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE change_clocks SET at = at - interval '1 hour'")
    await search.found("nobody")
    assert search.opened == 3
    monkeypatch.setattr(lookups, "MOST_CHANGED", 1)
    await create(desk, 4, 5)
    await search.found("nobody")
    assert search.opened == 2 + 5


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_changes_in_between_the_same_is_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(lookups, "BATCH", 3)
    monkeypatch.setattr(lookups, "MOST_OPENED", 6)
    monkeypatch.setattr(lookups, "MOST_CHANGED", 4)
    by_chance = Random(seed)
    there = await create(desk, *(by_chance.randrange(20) for _ in range(9)))
    search = Searching(desk, OpenedNames(most=by_chance.choice([8, 100])))
    for _ in range(12):
        for _ in range(by_chance.choice([0, 1, 1, 2, 6])):
            await change(desk, by_chance, there)
        await search.found(
            by_chance.choice(["mü", "maier", "erika", "nobody"]),
            first=by_chance.choice([None, None, TOMORROW + timedelta(by_chance.randrange(20))]),
            limit=by_chance.choice([1, 2, 50]),
        )


async def change(desk: Desk, by_chance: Random, there: list[UUID]) -> None:
    one = by_chance.choice(there)
    day = (TOMORROW + timedelta(days=by_chance.randrange(20))).isoformat()
    match by_chance.choice(["create", "move", "move", "correct", "delete", "erase"]):
        case "move":
            moved = Change(date=day, time="10:00", notify=False)
            await desk.booking.change(desk.caller, one, moved, None)
        case "correct":
            name = by_chance.choice(NAMES)
            await desk.booking.change(desk.caller, one, Change(patient_name=name), None)
        case "delete" if len(there) > 1:
            await desk.booking.delete(desk.caller, one, None, notify=False)
            there.remove(one)
        case "erase" if len(there) > 1:
            await desk.booking.erase(desk.caller, one)
            there.remove(one)
        case _:
            there += await create(desk, by_chance.randrange(20))
