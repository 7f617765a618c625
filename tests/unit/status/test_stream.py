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
from services.status.feeds import Feeds, Watch, poller
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
