"""Taking data out of Kafka: what is only resting is not stuck."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest

from chassis import kafka_deletion
from chassis.database import Database
from chassis.kafka import Cluster
from services.notification.erasure import store
from services.notification.erasure.kafka import MAX_TURN, KafkaErasure
from services.notification.settings import Settings

POLL = "kafka_erasure_poll_seconds"
LONGEST_PAUSE = max(
    limit.le for limit in Settings.model_fields[POLL].metadata if hasattr(limit, "le")
)


class NoDatabase:
    @asynccontextmanager
    async def system(self) -> AsyncIterator[None]:
        yield None


@pytest.mark.parametrize(
    ("hangs", "waited", "stalled"),
    [
        (False, LONGEST_PAUSE, False),
        (False, LONGEST_PAUSE + MAX_TURN + 60, False),
        (True, MAX_TURN - 60, False),
        (True, MAX_TURN + 60, True),
    ],
)
async def test_a_turn_can_be_stuck_and_a_pause_can_not(
    monkeypatch: pytest.MonkeyPatch, hangs: bool, waited: float, stalled: bool
) -> None:
    began = asyncio.Event()

    async def below_committed(*_: object) -> dict[int, int]:
        if hangs:
            began.set()
            await asyncio.Event().wait()
        return {}

    async def in_dead_letters(_: object) -> list[Any]:
        began.set()
        return []

    monkeypatch.setattr(kafka_deletion, "below_committed", below_committed)
    monkeypatch.setattr(store, "in_dead_letters", in_dead_letters)
    erasure = KafkaErasure(
        cast(Database, NoDatabase()),
        cluster=Cluster("nowhere:9092"),
        group="nobody",
        poll=LONGEST_PAUSE,
    )
    task = asyncio.create_task(erasure.run())
    await began.wait()
    await asyncio.sleep(0)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + waited)
    assert await erasure.stalled() is stalled
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
