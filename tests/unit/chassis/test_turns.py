"""Places that practices share: who asks most does not get most."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.turns import Busy, Turns

LONG = 30.0  # seconds; longer than any test


async def waits(turns: Turns, whose: str, order: list[str]) -> None:
    async with turns.place(whose):
        order.append(whose)


async def settle() -> None:
    """Let whoever can go on do so."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_practices_take_turns_however_much_one_of_them_asks() -> None:
    turns, order = Turns(1, patience=LONG), list[str]()
    async with turns.place("other"):
        asked = [*["loud"] * 5, "quiet", "calm"]
        tasks = [asyncio.create_task(waits(turns, each, order)) for each in asked]
        await settle()
        assert not order
    await asyncio.gather(*tasks)
    assert order == ["loud", "quiet", "calm", "loud", "loud", "loud", "loud"]


async def test_one_practice_leaves_places_for_others() -> None:
    turns, order = Turns(4, patience=LONG), list[str]()
    async with AsyncExitStack() as held:
        for _ in range(3):
            await held.enter_async_context(turns.place("loud"))
        fourth = asyncio.create_task(waits(turns, "loud", order))
        await settle()
        assert not order
        await waits(turns, "quiet", order)
    await fourth
    assert order == ["quiet", "loud"]


async def test_who_comes_when_enough_wait_is_refused_at_once_and_others_are_not() -> None:
    turns, order = Turns(1, patience=LONG, waiting_of_one=2), list[str]()
    async with turns.place("other"):
        tasks = [asyncio.create_task(waits(turns, "loud", order)) for _ in range(2)]
        await settle()
        with pytest.raises(Busy):
            await waits(turns, "loud", order)
        tasks.append(asyncio.create_task(waits(turns, "quiet", order)))
        await settle()
    await asyncio.gather(*tasks)
    assert sorted(order) == ["loud", "loud", "quiet"]


async def test_nobody_waits_for_longer_than_is_told() -> None:
    turns = Turns(1, patience=0.01)
    async with turns.place("one"):
        with pytest.raises(Busy):
            await waits(turns, "other", [])
    await waits(turns, "other", [])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_places_are_neither_lost_nor_made_whoever_gives_up(asked: list[tuple[str, bool]]) -> None:
    async def history() -> None:
        turns, order = Turns(2, patience=LONG), list[str]()
        async with AsyncExitStack() as held:
            for whose in "ab":
                await held.enter_async_context(turns.place(whose))
            tasks = [asyncio.create_task(waits(turns, whose, order)) for whose, _ in asked]
            await settle()
            for task, (_, gives_up) in zip(tasks, asked, strict=True):
                if gives_up:
                    task.cancel()
            await settle()
        await asyncio.gather(*tasks, return_exceptions=True)
        staying = sorted(whose for whose, gives_up in asked if not gives_up)
        assert sorted(order) == staying
        async with turns.place("c"), turns.place("b"):
            third = asyncio.create_task(waits(turns, "a", order))
            await settle()
            assert sorted(order) == staying
        await third

    asyncio.run(history())


async def test_a_place_that_comes_free_in_the_moment_in_which_one_gives_up_goes_to_another() -> (
    None
):
    turns, order = Turns(1, patience=LONG), list[str]()
    async with turns.place("other"):
        gone = [asyncio.create_task(waits(turns, each, order)) for each in ("loud", "quiet")]
        stays = asyncio.create_task(waits(turns, "loud", order))
        await settle()
        for each in gone:
            each.cancel()  # and before they hear of it the place is given back
    await asyncio.gather(*gone, return_exceptions=True)
    assert [each.cancelled() for each in gone] == [True, True]
    await stays
    await waits(turns, "new", order)
    assert order == ["loud", "new"]
