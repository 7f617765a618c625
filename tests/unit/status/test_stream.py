"""A stream beats while it is quiet, and ends rather than beat without knowing whether it is."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import pytest

from chassis.clock import utc_now
from chassis.database import Database
from services.status import feeds, open_store, store
from services.status.feeds import MOST_KEPT, Feeds, Watch, poller
from services.status.store import Moved, News
from services.status.stream import follow

BEAT = 0.01  # seconds
PRACTICE = uuid4()


class Quiet:
    """A database in which nothing changes."""

    @asynccontextmanager
    async def practice(self, _practice_id: UUID) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def system(self) -> AsyncIterator[None]:
        yield


async def nothing(*_args: object, **_options: object) -> list[store.Shown]:
    return []


async def three(*_args: object) -> int:
    return 3


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "changes", nothing)
    monkeypatch.setattr(open_store, "count", three)


def followed(watch: Watch, resume: int | None = None) -> AsyncIterator[bytes]:
    return follow(
        cast(Database, Quiet()),
        watch,
        resume=resume,
        current=7,
        until=utc_now() + timedelta(hours=1),
        heartbeat=BEAT,
    )


@pytest.mark.parametrize("resume", [None, 7])
async def test_it_says_at_once_how_often_it_beats(resume: int | None) -> None:
    with Feeds(limit=1, limit_per_practice=1).watch(PRACTICE) as watch:
        messages = followed(watch, resume)
        told = [await anext(messages) for _ in range(5)]
    assert told.count(b'event: open_count\ndata: {"open_count":3}\n\n') == 1
    beats = [message for message in told if message.startswith(b"event: beat\n")]
    assert beats[0] == b'event: beat\ndata: {"interval_seconds":0.01}\n\n'
    assert len(beats) == (2 if resume is None else 3)


async def test_it_ends_when_nobody_can_look_for_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Feeds(limit=1, limit_per_practice=1)
    monkeypatch.setattr(here, "_compared_at", time.monotonic() - feeds.BLIND_AFTER)
    with here.watch(PRACTICE) as watch:
        told = [message async for message in followed(watch)]
    assert sum(message.startswith(b"event: beat\n") for message in told) == 1


async def test_looking_again_makes_it_known(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Feeds(limit=1, limit_per_practice=1)
    monkeypatch.setattr(here, "_compared_at", time.monotonic() - feeds.BLIND_AFTER)
    assert here.blind
    await poller(cast(Database, Quiet()), here, every=1)._turn()
    assert not here.blind


def news(after: int, count: int = 1, *, opens: bool = False) -> News:
    """Moves, told right behind a version."""
    versions = range(after + 1, after + 1 + count)
    return News(after, [Moved(uuid4(), version) for version in versions], opens)


def moves(messages: bytes) -> list[int]:
    return [
        int(line.removeprefix(b"id: "))
        for line in messages.splitlines()
        if line.startswith(b"id: ")
    ]


async def test_what_is_handed_over_is_sent_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Feeds(limit=1, limit_per_practice=1)
    with here.watch(PRACTICE) as watch:
        messages = followed(watch, resume=7)
        while not (await anext(messages)).startswith(b"event: open_count"):
            pass
        monkeypatch.delattr(store, "changes")  # whoever looks fails
        monkeypatch.delattr(open_store, "count")
        here.tell(PRACTICE, news(7, 2))
        here.tell(PRACTICE, news(9))
        here.wake(PRACTICE, 10)  # its own notification comes later
        assert moves(await anext(messages)) == [8, 9, 10]


async def test_a_gap_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    async def changes(*_: object, after: int, **__: object) -> list[Moved]:
        looked.append(after)
        return [Moved(uuid4(), version) for version in (8, 9, 10) if version > after]

    here = Feeds(limit=1, limit_per_practice=1)
    with here.watch(PRACTICE) as watch:
        messages = followed(watch, resume=7)
        while not (await anext(messages)).startswith(b"event: open_count"):
            pass
        monkeypatch.setattr(store, "changes", changes)
        here.tell(PRACTICE, news(8, 2))  # another replica told of 8
        assert moves(await anext(messages)) == [8, 9, 10]
        here.tell(PRACTICE, news(9))  # read by now
        here.tell(PRACTICE, news(10, opens=True))  # how much is open has to be counted
        while not looked[1:]:
            await anext(messages)
    assert looked == [7, 10]


def test_who_has_what_a_notification_tells_of_need_not_look() -> None:
    watch = Watch(Feeds(limit=1, limit_per_practice=1), PRACTICE)
    assert watch.take(0) is None
    watch.seen(4)
    watch.wake(4)
    assert watch.take(4) == []
    watch.wake(5)
    assert watch.take(4) is None
    watch.wake()
    assert watch.take(4) is None


def test_who_takes_nothing_is_kept_no_more_than_so_much_for() -> None:
    watch = Watch(Feeds(limit=1, limit_per_practice=1), PRACTICE)
    watch.take(0)
    for number in range(MOST_KEPT):
        watch.tell(news(number))
    taken = watch.take(0)
    assert taken is not None
    assert len(taken) == MOST_KEPT
    for number in range(MOST_KEPT + 1):
        watch.tell(news(number))
    assert watch.take(0) is None


def test_what_is_kept_is_counted_in_changes() -> None:
    watch = Watch(Feeds(limit=1, limit_per_practice=1), PRACTICE)
    watch.take(0)
    watch.tell(news(0, MOST_KEPT))
    watch.tell(news(MOST_KEPT, MOST_KEPT))
    watch.tell(news(2 * MOST_KEPT))
    assert watch.take(0) is None
    watch.seen(2 * MOST_KEPT + 1)
    watch.tell(news(2 * MOST_KEPT + 1))
    told = watch.take(2 * MOST_KEPT + 1)
    assert told is not None
    assert len(told) == 1
