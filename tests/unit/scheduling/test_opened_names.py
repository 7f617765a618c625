"""Names stay for a while and never too many, of each practice as far down as they were read."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.scheduling import opened_names
from services.scheduling.name_search import Named, NameSearch, folded
from services.scheduling.opened_names import MOST, SECONDS, Names, OpenedNames
from services.scheduling.places import ListPlace
from tests.support import eventually

AT = datetime(2026, 11, 28, 9, tzinfo=UTC)
ALL = (AT - timedelta(days=900), AT + timedelta(days=900))
HOUR = timedelta(hours=1)
ANYBODY = NameSearch.of("patientin")
ONE, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


def named(number: int, hours: float | None = None, name: str = "Patientin") -> Named:
    return folded(name), AT + HOUR * (number if hours is None else hours), UUID(int=number)


def place(number: int, hours: float | None = None) -> ListPlace:
    return ListPlace.of_named(named(number, hours))


def found(
    names: Names,
    begin: datetime = ALL[0],
    until: datetime = ALL[1],
    after: ListPlace | None = None,
) -> Sequence[int]:
    return [each[2].int for each in names.found(ANYBODY, begin, until, after)]


def read(*numbers: int, last: bool = False) -> Names:
    names = Names()
    names.read_on([named(each) for each in numbers], last=last)
    return names


def test_what_was_read_is_found_by_days_and_behind_a_place() -> None:
    names = read(9, 8, 7)
    names.read_on([named(6), named(5, name="Maier"), named(4)], last=False)
    assert found(names) == [9, 8, 7, 6, 4]
    assert found(names, begin=AT + HOUR * 6, until=AT + HOUR * 8) == [7, 6]
    assert found(names, after=place(7)) == [6, 4]
    assert found(names, until=AT + HOUR * 7, after=place(9)) == [6, 4]
    assert found(names, begin=AT + HOUR * 7, after=place(4)) == []


def test_of_the_same_start_the_id_decides() -> None:
    names = Names()
    names.read_on([named(3, 0), named(2, 0), named(1, 0)], last=False)
    assert found(names, after=place(3, 0)) == [2, 1]
    names.change([UUID(int=2)], [named(2, 0)])
    assert found(names) == [3, 2, 1]


def test_what_changed_is_taken_as_far_down_as_names_are_known() -> None:
    names = read(9, 8, 5)
    moved_up, moved_away, new, too_far = named(8, 10), named(9, 4), named(6), named(4)
    names.change({each[2] for each in (moved_up, moved_away)}, [moved_up, moved_away, new, too_far])
    assert found(names) == [8, 6, 5]
    names.read_on([moved_away, named(1)], last=True)
    names.change({UUID(int=5), UUID(int=6)}, [named(6, -9)])
    assert found(names) == [8, 9, 1, 6]


def test_days_are_covered_once_an_earlier_one_was_read() -> None:
    names = Names()
    assert not names.covers(AT)
    names.read_on([named(9), named(0)], last=False)
    assert (names.covers(AT + HOUR), names.covers(AT)) == (True, False)
    names.read_on([], last=True)
    assert names.covers(ALL[0])
    names.clear()
    assert not names.covers(AT + HOUR)
    assert (names.size, found(names)) == (0, [])


async def test_a_practice_finds_its_names_and_no_other_does() -> None:
    opened = OpenedNames()
    await remember(opened, ONE, 3)
    await remember(opened, OTHER, 2)
    assert await known(opened, ONE, OTHER, THIRD) == [3, 2, 0]


async def test_who_looked_longest_ago_goes_first() -> None:
    opened = OpenedNames(most=10)
    await remember(opened, ONE, 4)
    await remember(opened, OTHER, 6)
    assert await known(opened, OTHER, ONE) == [6, 4]
    await remember(opened, THIRD, 5)
    assert await known(opened, THIRD, ONE, OTHER) == [5, 4, 0]
    await remember(opened, OTHER, 11)
    assert await known(opened, OTHER) == [0]


async def test_a_name_that_takes_the_memory_of_many_counts_for_as_many() -> None:
    """Of this letter eighteen are made."""
    long = named(1, name="\ufdfa" * 200)
    names = Names()
    names.read_on([long, named(0)], last=True)
    assert names.size == 2 + 36
    names.change({long[2]}, [])
    assert names.size == 1
    opened = OpenedNames(most=10)
    await remember(opened, ONE, 4)
    async with opened.of(OTHER) as others:
        others.read_on([long], last=True)
    assert opened.all() == []


async def test_names_go_when_nobody_has_looked_for_a_while() -> None:
    opened = OpenedNames(seconds=0)

    async def forgotten() -> bool:
        return not opened._of

    for _ in range(2):
        async with opened.of(ONE):
            for _ in range(3):
                await asyncio.sleep(0)
            assert not await forgotten()
    await eventually(forgotten, "forgotten")


async def test_who_brings_names_up_to_date_keeps_them_no_longer() -> None:
    opened = OpenedNames()
    await remember(opened, ONE, 2)
    await remember(opened, OTHER, 1)
    ends = dict(opened._ends)
    assert [(each, names.size) for each, names in opened.all()] == [(ONE, 2), (OTHER, 1)]
    assert opened._ends == ends
    opened.forget_all()
    assert all(end.cancelled() for end in ends.values())
    assert await known(opened, ONE, OTHER) == [0, 0]


def test_how_long_and_how_many_is_what_the_record_says() -> None:
    assert (SECONDS, MOST, opened_names.PATIENCE) == (600, 100_000, 2)


async def test_one_search_of_a_practice_goes_after_the_other() -> None:
    opened = OpenedNames()
    steps = []

    async def search(number: int) -> None:
        async with opened.of(ONE):
            steps.append(number)
            await asyncio.sleep(0)
            steps.append(number)

    async with opened.of(OTHER):
        await asyncio.gather(*map(search, range(3)))
    assert steps == [0, 0, 1, 1, 2, 2]


async def test_who_has_waited_long_for_another_search_goes_without_its_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = OpenedNames()
    await remember(opened, ONE, 3)
    monkeypatch.setattr(opened_names, "PATIENCE", 0)
    async with opened.of(ONE):
        async with asyncio.timeout(5):
            assert await known(opened, ONE, ONE) == [0, 0]
    assert await known(opened, ONE) == [3]


async def remember(opened: OpenedNames, practice: UUID, count: int) -> None:
    async with opened.of(practice) as names:
        names.clear()
        names.read_on([named(each) for each in reversed(range(count))], last=True)


async def known(opened: OpenedNames, *practices: UUID) -> list[int]:
    counts = []
    for each in practices:
        async with opened.of(each) as names:
            counts.append(names.size)
    return counts
