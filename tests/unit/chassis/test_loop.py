"""A loop goes on through outages, is heard while it waits, and ends where only a restart helps."""

import asyncio
import time

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.backoff import Backoff
from chassis.loop import LONGEST_PAUSE, PAUSES, Loop, pause_after
from tests.support import PATIENCE


async def run_until(loop: Loop, done: asyncio.Event) -> None:
    task = asyncio.create_task(loop.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await done.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def at_once() -> Backoff:
    return Backoff(first=0.001, most=0.001)


async def test_an_outage_is_logged_waited_out_and_followed_by_the_next_turn() -> None:
    turns: list[float] = []
    done = asyncio.Event()

    async def turn() -> bool:
        turns.append(time.monotonic())
        if len(turns) == 1:
            raise TimeoutError
        done.set()
        return False

    with capture_logs() as logs:
        await run_until(Loop("some work", turn, poll=60, backoff=at_once()), done)
    assert [(each["loop"], each["error"]) for each in logs] == [("some work", "TimeoutError")]
    told = REGISTRY.get_sample_value("loop_last_success_timestamp_seconds", {"loop": "some work"})
    assert told is not None
    assert time.time() - told < 60


async def test_more_work_follows_at_once_and_a_wake_ends_the_pause() -> None:
    left = [True, True, False, False]
    paused, done = asyncio.Event(), asyncio.Event()

    async def turn() -> bool:
        more = left.pop(0)
        if len(left) == 1:
            paused.set()
        if not left:
            done.set()
        return more

    loop = Loop("some work", turn, poll=3600)

    async def wake() -> None:
        await paused.wait()
        loop.wake()

    waking = asyncio.create_task(wake())
    await run_until(loop, done)
    await waking


async def test_who_may_wait_a_moment_shares_a_turn_with_who_comes_meanwhile() -> None:
    seen: list[int] = []
    asked = 0
    begun, done = asyncio.Event(), asyncio.Event()

    async def turn() -> bool:
        seen.append(asked)
        begun.set()
        if asked == 3:
            done.set()
        return False

    loop = Loop("some work", turn, poll=3600)

    async def ask() -> None:
        nonlocal asked
        await begun.wait()
        for _ in range(2):
            asked += 1
            loop.wake_within(60)
            await asyncio.sleep(0.01)
        asked += 1
        loop.wake()

    asking = asyncio.create_task(ask())
    await run_until(loop, done)
    await asking
    assert seen == [0, 3]


async def test_who_may_wait_a_moment_waits_no_longer() -> None:
    turns: list[float] = []
    done = asyncio.Event()
    clock = asyncio.get_running_loop().time  # which it is woken by; uvloop's is a turn of it old

    async def turn() -> bool:
        turns.append(clock())
        if len(turns) == 1:
            loop.wake_within(3600)
            loop.wake_within(0.05)
            loop.wake_within(3600)
        else:
            done.set()
        return False

    loop = Loop("some work", turn, poll=3600)
    await run_until(loop, done)
    assert round(turns[1] - turns[0], 3) >= 0.05  # its milliseconds, as floating point


async def test_what_no_waiting_mends_ends_the_loop() -> None:
    async def turn() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Loop("some work", turn, poll=60).run()


async def test_a_turn_that_hangs_is_a_stall_and_a_pause_is_none() -> None:
    begun, released, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def turn() -> bool:
        begun.set()
        await released.wait()
        ended.set()
        return False

    loop = Loop("some work", turn, poll=3600, max_turn=0)
    assert not await loop.stalled()
    task = asyncio.create_task(loop.run())
    await begun.wait()
    assert await loop.stalled()
    released.set()
    await ended.wait()
    await asyncio.sleep(0)
    assert not await loop.stalled()
    task.cancel()


async def test_turns_that_are_woken_pause_by_how_long_they_took_and_more_work_does_not_wait() -> (
    None
):
    left = [True, False]
    turns: list[float] = []
    done = asyncio.Event()

    async def turn() -> bool:
        turns.append(time.monotonic())
        loop.wake()
        await asyncio.sleep(took)
        if not left:
            done.set()
        return left.pop(0) if left else False

    took = 0.25
    loop = Loop("some work", turn, poll=3600, longest_pause=60)
    await run_until(loop, done)
    first, second, third, *_ = turns
    assert second - first < PAUSES * took
    assert third - second >= (1 + PAUSES) * took


def test_a_pause_is_no_longer_than_it_may_be() -> None:
    assert pause_after(0.001) == pytest.approx(PAUSES * 0.001)
    assert pause_after(30) == LONGEST_PAUSE
    assert pause_after(30, longest=0) == 0
