"""The relay: what can't be published holds back its own appointment, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from chassis import outbox
from chassis.database import Database
from chassis.kafka import Cluster
from chassis.outbox import BATCH, HELD, Relay
from contracts.channels import Channel
from contracts.events import AppointmentDeleted, Event, InvitationIssued
from contracts.signatures import EventSigner
from tests.support import eventually
from tests.support.watch import Watch

PRACTICE = UUID(int=1)
POISON = BATCH + 100


class Broker:
    """Takes what is sent but for some keys, and nothing at all while it is away."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.tried = 0
        self.poisonous: set[str] = set()
        self.away = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[None]:
        self.tried += 1
        future = asyncio.get_running_loop().create_future()
        if self.away:
            future.set_exception(KafkaConnectionError())
        elif key.decode() in self.poisonous:
            raise MessageSizeTooLargeError
        else:
            self.taken.append((key.decode(), dict(headers)["ce_type"].decode().split(".")[-1]))
            future.set_result(None)
        return future


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(Cluster, "producer", lambda *_, **__: made)
    return made


@asynccontextmanager
async def relaying(db: Database, watch: Watch | None = None) -> AsyncIterator[Relay]:
    signer = EventSigner({1: bytes(32)})
    relay = Relay(db, Cluster("nowhere:9092"), signer, now=watch or Watch())
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        running.cancel()
        await asyncio.wait([running])


def issued(appointment_id: UUID) -> InvitationIssued:
    return InvitationIssued(
        appointment_id=appointment_id,
        practice_id=PRACTICE,
        version=1,
        invitation_id=uuid7(),
        attempt=1,
        channels=[Channel.EMAIL],
    )


def deleted(appointment_id: UUID) -> AppointmentDeleted:
    return AppointmentDeleted(appointment_id=appointment_id, practice_id=PRACTICE, version=2)


async def put(db: Database, *events: Event) -> None:
    async with db.system() as tx:
        await outbox.put(tx, events, source="/test")


async def left(db: Database) -> int:
    async with db.system() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM outbox"))


@pytest.fixture
async def poison(scheduling_db: Database, broker: Broker) -> list[UUID]:
    """Appointments with two events each at the outbox's front, the first of which is refused."""
    ids = [uuid7() for _ in range(POISON)]
    broker.poisonous = {str(each) for each in ids}
    await put(scheduling_db, *(issued(each) for each in ids))
    await put(scheduling_db, *(deleted(each) for each in ids))
    return ids


async def test_what_cannot_be_published_holds_up_no_other_appointment(
    scheduling_db: Database, broker: Broker, poison: list[UUID]
) -> None:
    good = uuid7()
    await put(scheduling_db, issued(good), deleted(good))
    async with relaying(scheduling_db) as relay:

        async def published() -> bool:
            return len(broker.taken) == 2 and await left(scheduling_db) == 2 * POISON

        await eventually(published, "the good ones are published")
        late = uuid7()
        await put(scheduling_db, issued(late))
        relay.wake()

        async def at_once() -> bool:
            return (str(late), "InvitationIssued") in broker.taken

        await eventually(at_once, "what comes later is published too")
    assert broker.taken[:2] == [(str(good), "InvitationIssued"), (str(good), "AppointmentDeleted")]


async def test_what_was_held_back_is_published_in_its_order_once_it_can_be(
    scheduling_db: Database, broker: Broker, poison: list[UUID]
) -> None:
    watch = Watch()
    async with relaying(scheduling_db, watch):

        async def all_tried() -> bool:
            return broker.tried >= POISON

        await eventually(all_tried, "each is tried")
        broker.poisonous.clear()

        async def empty() -> bool:
            watch.time += HELD  # again, if some were only being held back just now
            return await left(scheduling_db) == 0

        await eventually(empty, "all are published")
    order: dict[str, list[str]] = {}
    for key, name in broker.taken:
        order.setdefault(key, []).append(name)
    assert order == {str(each): ["InvitationIssued", "AppointmentDeleted"] for each in poison}


async def test_a_broker_that_is_away_holds_nothing_against_anybody(
    scheduling_db: Database, broker: Broker
) -> None:
    broker.away = True
    ids = [uuid7() for _ in range(3)]
    await put(scheduling_db, *(issued(each) for each in ids))
    async with relaying(scheduling_db) as relay:

        async def tried() -> bool:
            return broker.tried >= 3

        await eventually(tried, "it was tried")
        assert not await relay.stalled()
        broker.away = False

        async def empty() -> bool:
            return await left(scheduling_db) == 0

        await eventually(empty, "all are published")
    assert [key for key, _ in broker.taken] == [str(each) for each in ids]


async def test_what_another_process_has_put_is_found_at_rest(
    scheduling_db: Database, broker: Broker
) -> None:
    async def quiet() -> bool:
        return REGISTRY.get_sample_value("outbox_oldest_seconds") == 0

    async def published() -> bool:
        return len(broker.taken) == 1

    outbox.age.set(300)
    async with relaying(scheduling_db):
        await eventually(quiet, "no turn of the relay")  # the one that it begins with
        await put(scheduling_db, issued(uuid7()))
        await eventually(published, "not found")


async def test_whether_there_are_rows_is_seen_across_practices_and_leaves_no_scope(
    scheduling_db: Database,
) -> None:
    assert not await scheduling_db.has_rows("outbox")
    await put(scheduling_db, issued(uuid7()))
    assert await scheduling_db.has_rows("outbox")
    async with scheduling_db.pool.acquire() as bare:
        assert await bare.fetchval("SELECT count(*) FROM outbox") == 0


LOCK = 7


async def test_one_at_a_time_is_alone(scheduling_db: Database) -> None:
    async with scheduling_db.alone(LOCK) as first, scheduling_db.alone(LOCK) as second:
        assert first is not None
        assert second is None
    async with scheduling_db.alone(LOCK) as third:
        assert third is not None


async def test_only_what_may_be_repeated_is_not_awaited_on_disk(scheduling_db: Database) -> None:
    async with scheduling_db.alone(LOCK) as tx:
        assert tx is not None
        assert await tx.fetchval("SHOW synchronous_commit") == "off"
    async with scheduling_db.system() as tx:  # on the same connection
        assert (
            await tx.fetchval("SELECT source FROM pg_settings WHERE name='synchronous_commit'")
            != "session"
        )
