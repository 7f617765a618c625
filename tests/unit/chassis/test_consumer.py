"""When a consumer is stuck, and when it merely waits for what is down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError

from chassis.backoff import Backoff
from chassis.consumer import STALLED_AFTER, BatchFailed, Consumer, of_types
from chassis.database import Database
from chassis.dead_letters import DeadLetters
from chassis.kafka import Cluster
from contracts.events import AppointmentDeleted, AppointmentErased
from contracts.signatures import EventVerifier, public_keys
from contracts.topics import APPOINTMENTS, REQUESTED
from tests.support.records import signed_record
from tests.support.watch import Watch

SEED = bytes(32)


class Unread:
    """A group's member that has something still to read."""

    has_died = False

    async def unread(self) -> dict[TopicPartition, int]:
        return {TopicPartition(APPOINTMENTS.name, 0): 4}


class Empty:
    """A database to which every event is new."""

    @asynccontextmanager
    async def system(self) -> AsyncIterator["Empty"]:
        yield self

    async def fetch(self, _query: str, ids: list[UUID], *_: object) -> list[dict[str, UUID]]:
        return [{"id": each, "event_id": each} for each in ids]


class Away:
    """A database of which every transaction fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @asynccontextmanager
    async def system(self) -> AsyncIterator[None]:
        raise self.error
        yield


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """By which the consumer goes; between two tries ten seconds pass."""
    watch = Watch()

    async def wait(_: Backoff) -> None:
        watch.time += 10

    monkeypatch.setattr(Backoff, "wait", wait)
    return watch


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For what reasons messages are parked."""
    reasons: list[str] = []

    async def park(_: DeadLetters, refused: list[tuple[Any, str]]) -> None:
        reasons.extend(reason for _, reason in refused)

    monkeypatch.setattr(DeadLetters, "park", park)
    return reasons


def consumer(error: Exception, watch: Watch) -> Consumer:
    made = Consumer(
        topics=[APPOINTMENTS],
        group="test",
        handle=fail,
        db=cast(Database, Away(error)),
        cluster=Cluster("nowhere:9092"),
        verifier=EventVerifier({"scheduling": public_keys({1: SEED})}),
        now=watch,
    )
    made._reader = cast(Any, Unread())
    return made


async def fail(_tx: Any, _events: Any) -> None:
    raise AssertionError


def record() -> "ConsumerRecord[bytes, bytes]":
    event = AppointmentDeleted(appointment_id=UUID(int=1), practice_id=UUID(int=2), version=1)
    return signed_record(event, {1: SEED}, offset=3)


async def tried(made: Consumer) -> bool:
    """Whether it is stalled after one more try."""
    with pytest.raises(BatchFailed):
        await made.consume([record()])
    return await made.stalled()


@pytest.mark.parametrize(
    "outage",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        KafkaConnectionError(),
        asyncpg.ReadOnlySQLTransactionError("its disk is full, or it is a standby"),
        asyncpg.InvalidPasswordError("another one by now"),
        asyncpg.InvalidCatalogNameError("being restored"),
        asyncpg.InsufficientPrivilegeError("taken away"),
        asyncpg.UndefinedTableError("not migrated yet, or a fault of ours"),
        asyncpg.IdleInTransactionSessionTimeoutError("ended"),
        asyncpg.PostgresIOError("a disk"),
        asyncpg.UnknownPostgresError("of an extension"),
    ],
)
async def test_an_outage_that_is_met_again_and_again_asks_for_no_restart(
    watch: Watch, outage: Exception, parked: list[str]
) -> None:
    made, until = consumer(outage, watch), watch.time + 2 * STALLED_AFTER
    while watch.time < until:
        assert not await tried(made)
    assert parked == []  # it is not for what the event says


async def test_what_is_not_tried_any_more_is_stuck(watch: Watch) -> None:
    made = consumer(ConnectionRefusedError(), watch)
    assert not await tried(made)
    watch.time += STALLED_AFTER
    assert await made.stalled()


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.DataError("value out of int32 range"),
        asyncpg.CharacterNotInRepertoireError("no character"),
        asyncpg.CheckViolationError("forbidden"),
        asyncpg.CardinalityViolationError("one row twice"),
        asyncpg.ProgramLimitExceededError("too long for an index"),
        KeyError("a fault of ours"),
    ],
)
async def test_an_event_that_fails_for_what_it_says_is_parked(
    parked: list[str], fault: Exception
) -> None:
    async def refuse(_tx: Any, _events: Any) -> None:
        raise fault

    made = Consumer(
        topics=[APPOINTMENTS],
        group="test",
        handle=refuse,
        db=cast(Database, Empty()),
        cluster=Cluster("nowhere:9092"),
        verifier=EventVerifier({"scheduling": public_keys({1: SEED})}),
    )
    await made.consume([record()])
    assert parked == [f"handler failed: {type(fault).__qualname__}"]


async def test_what_is_of_no_concern_is_not_opened_and_what_tells_nothing_is(
    parked: list[str],
) -> None:
    made = Consumer(
        topics=[APPOINTMENTS],
        group="test",
        handle=fail,
        db=cast(Database, Away(AssertionError("nothing is asked"))),
        cluster=Cluster("nowhere:9092"),
        verifier=EventVerifier({}),  # refuses all that is opened
        concerning=of_types(AppointmentErased),
    )
    forged, unlabelled = record(), record()
    unlabelled.headers = [each for each in unlabelled.headers if each[0] != "ce_type"]
    misplaced = record()
    misplaced.topic = REQUESTED.name
    await made.consume([forged, unlabelled, misplaced])
    unsigned = "ce_signature is by a key that its producer does not have"
    assert parked == ["ce_type is missing or unknown", unsigned]
