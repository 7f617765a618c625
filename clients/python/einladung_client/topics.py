"""The topics of Kafka as events: `async for told in topics`. Needs `einladung-client[kafka]`.

    async with Topics(Broker.from_environment(), group="reader-ours") as topics:
        async for told in topics:
            ...  # keep it, once under told.id: an event may come again

An event counts as handled once the next one is asked for. How far this has come Kafka is told now
and then, and in the end; what it was not told, as by a process that was killed, comes again.
"""

import os
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError
from pydantic import ValidationError

from einladung_client.events import EVENTS, TOPICS, Event

MOST = 500  # messages fetched at once, after which Kafka is told
WAIT_MS = 1000  # for the first of them


@dataclass(frozen=True, slots=True)
class Broker:
    """Where Kafka is, and the account of another system. With `ssl_context` None the system's."""

    bootstrap: str
    username: str
    password: str = field(repr=False)
    security: str = "SASL_SSL"  # or SASL_PLAINTEXT, for a demo on this machine
    ssl_context: ssl.SSLContext | None = None

    @classmethod
    def from_environment(cls) -> "Broker":
        """As `make key` prints it. Raises KeyError with the name of what is missing."""
        return cls(
            bootstrap=os.environ["KAFKA_BOOTSTRAP"],
            username=os.environ["KAFKA_USERNAME"],
            password=os.environ["KAFKA_PASSWORD"],
            security=os.environ.get("KAFKA_SECURITY", "SASL_SSL").upper(),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it came. `id` is the same when it comes again."""

    id: UUID
    time: datetime
    event: Event
    topic: str


class Unreadable(Exception):
    """A message that is no event of ours, or not as the contracts have it. Names no values."""


class Topics:
    """What the topics tell, from where `group` stopped; at first from the beginning.

    `group` has to begin with „reader"; of several processes with the same, each gets a part.
    Iterating raises Unreadable, behind which nothing is read until it is dealt with.
    """

    def __init__(self, broker: Broker, *, group: str, topics: Iterable[str] = TOPICS) -> None:
        self._handled: dict[Any, int] = {}  # by partition, where to go on
        encrypted = broker.security == "SASL_SSL"
        self._consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=broker.bootstrap,
            security_protocol=broker.security,
            ssl_context=broker.ssl_context or ssl.create_default_context() if encrypted else None,
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=broker.username,
            sasl_plain_password=broker.password,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._consumer.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Let go; what is being handled comes again."""
        try:
            await self._tell()
        finally:
            await self._consumer.stop()

    async def __aiter__(self) -> AsyncIterator[Told]:
        """All events, those of one appointment in order within a topic; for ever."""
        while True:
            fetched = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=MOST)
            for partition, records in fetched.items():
                for record in records:
                    told = read(record.topic, record.headers, record.value)
                    if told is not None:
                        yield told
                    self._handled[partition] = record.offset + 1
                await self._tell()

    async def _tell(self) -> None:
        handled, self._handled = self._handled, {}
        for partition, goes_on_at in handled.items():
            # Another process has it by now, and begins where this one had last told.
            with suppress(CommitFailedError, IllegalStateError):
                await self._consumer.commit({partition: goes_on_at})


def read(
    topic: str, headers: Iterable[tuple[str, bytes | None]], value: bytes | None
) -> Told | None:
    """A message as an event; None of a kind that is newer than this package. Raises Unreadable."""
    try:
        told = {name: text.decode() for name, text in headers if text is not None}
        kind = EVENTS.get(told["ce_type"])
        if kind is None:
            return None
        time = datetime.fromisoformat(told["ce_time"]).astimezone(UTC)
        return Told(UUID(told["ce_id"]), time, kind.model_validate_json(value or b""), topic)
    except ValidationError as invalid:
        faults = (f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in invalid.errors())
        raise Unreadable("; ".join(faults)) from None
    except (KeyError, ValueError):
        raise Unreadable("ce_type, ce_id or ce_time is missing or none") from None
