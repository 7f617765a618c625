"""A database that takes no writes, as when its disk is full: nothing is lost, nor parked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis.consumer import BatchFailed, Consumer
from chassis.database import Database
from chassis.dead_letters import DeadLetters
from chassis.kafka import Cluster
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.signatures import EventVerifier, public_keys
from services.notification import requests
from services.notification.deliveries import store
from services.notification.deliveries.delivery import State
from services.notification.deliveries.events import Accepted, Reply
from services.notification.requests import Events
from services.notification.sending.recorder import Recorder, Result
from tests.database.conftest import OwnerOf
from tests.database.notification.support import (
    claimed,
    deliveries_of,
    delivery_of,
    invitation,
    now,
    running,
)
from tests.support import eventually
from tests.support.records import signed_record

SEEDS = {1: bytes(32)}


@asynccontextmanager
async def _read_only(db: Database, owner_of: OwnerOf) -> AsyncIterator[None]:
    async with owner_of("notification") as owner:
        await owner.execute("SET default_transaction_read_only = off")
        name = await owner.fetchval("SELECT current_database()")
        await owner.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        try:
            await db.pool.expire_connections()
            yield
        finally:
            await owner.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await db.pool.expire_connections()


@pytest.fixture
def read_only(notification_db: Database, owner_of: OwnerOf) -> AbstractAsyncContextManager[None]:
    return _read_only(notification_db, owner_of)


async def test_requests_wait_and_are_taken_over_once_it_takes_writes_again(
    notification_db: Database,
    sealer: Sealer,
    read_only: AbstractAsyncContextManager[None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parked: list[str] = []

    async def park(_: DeadLetters, refused: Sequence[tuple[Any, str]]) -> None:
        parked.extend(reason for _, reason in refused)

    monkeypatch.setattr(DeadLetters, "park", park)
    handler = Events(
        channels=tuple(Channel), message_id_domain="praxis.example", sealer=sealer, now=now
    )
    consumer = Consumer(
        topics=requests.TOPICS,
        group="notification",
        handle=handler.handle,
        db=notification_db,
        cluster=Cluster("nowhere:9092"),
        verifier=EventVerifier({"scheduling": public_keys(SEEDS)}),
        concerning=requests.concerning,
    )
    asked = [invitation() for _ in range(3)]
    records = [signed_record(event, SEEDS, offset=offset) for offset, event in enumerate(asked)]
    async with read_only:
        with pytest.raises(BatchFailed):
            await consumer.consume(records)
    await consumer.consume(records)
    assert parked == []
    for each in asked:
        assert [one.state for one in await deliveries_of(notification_db, each)] == [State.QUEUED]


async def test_how_tries_ended_is_recorded_once_it_takes_writes_again(
    notification_db: Database, sealer: Sealer, read_only: AbstractAsyncContextManager[None]
) -> None:
    """Dropped, each mail would go out twice, and of each SMS nobody would know."""
    tried = [(await claimed(notification_db, sealer))[0] for _ in range(2)]
    ids = [(await delivery_of(notification_db, each)).id for each in tried]
    recorder = Recorder(
        notification_db, batch=100, now=now, committed=lambda _: None, wake_relay=lambda: None
    )

    async def waits() -> bool:
        return any(line["event"] == "loop waits" for line in lines)

    async def recorded() -> bool:
        async with notification_db.system() as tx:
            found = await store.lock_deliveries(tx, ids)
        return {each.state for each in found.values()} == {State.ACCEPTED}

    with capture_logs() as lines:
        async with running(recorder.run()):
            async with read_only:
                for each in ids:
                    recorder.add(Result(each, Accepted(Reply(250, "2.0.0"))))
                await eventually(waits, "the recorder waits")
            await eventually(recorded, "what it held is recorded")
    assert not [line for line in lines if line["log_level"] == "error"]
