"""Endpoints of practices, events as Kafka brings them, and a receiver that answers as told."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import compress
from typing import Any
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from chassis import standard_webhooks
from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.envelope import Label, Received
from contracts.events import (
    AppointmentErased,
    AppointmentEvent,
    AppointmentScheduled,
    ErasureReason,
)
from services.webhooks import endpoint_store, events, store
from services.webhooks.endpoints import Endpoint, associated_data
from services.webhooks.schedule import Answer
from services.webhooks.worker import Worker, WorkerPolicy
from tests.support import eventually

OK = Answer.of_status(200)
BROKEN = Answer.of_status(500)
GONE = Answer.of_status(410)
LIMIT = timedelta(hours=72)


@dataclass
class Post:
    """What came to a receiver."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> UUID:
        return UUID(self.headers["webhook-id"])

    @property
    def version(self) -> int:
        version: int = json.loads(self.body)["data"]["version"]
        return version


@dataclass
class Receivers:
    """Answers by URL; of one that is `held` only when it is let go."""

    posts: list[Post] = field(default_factory=list)
    answers: dict[str, Callable[[Post], Answer]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)

    async def call(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, int]:
        post = Post(url, headers, body)
        self.posts.append(post)
        self.at_once[url] += 1
        self.most_at_once[url] = max(self.most_at_once[url], self.at_once[url])
        try:
            if url in self.held:
                await self.held[url].wait()
        finally:
            self.at_once[url] -= 1
        answer = self.answers.get(url)
        return (OK if answer is None else answer(post)), 7

    def to(self, url: str) -> list[Post]:
        return [each for each in self.posts if each.url == url]


@dataclass
class Webhooks:
    """The service over an empty database, at a time that the test sets."""

    db: Database
    sealer: Sealer
    receivers: Receivers = field(default_factory=Receivers)
    practice_id: UUID = field(default_factory=uuid4)
    now: datetime = field(default_factory=utc_now)

    async def endpoint(
        self, url: str = "https://a.example", *types: str, practice_id: UUID | None = None
    ) -> Endpoint:
        practice_id = practice_id or self.practice_id
        endpoint_id = uuid7()
        secret = standard_webhooks.new_secret().encode()
        endpoint = Endpoint(
            id=endpoint_id,
            practice_id=practice_id,
            url=url,
            description="",
            event_types=list(types),
            secret=self.sealer.seal(secret, associated_data(practice_id, endpoint_id)),
            old_secret=None,
            old_secret_until=None,
            created_at=self.now,
            enabled=True,
            disabled_at=None,
            disabled_reason=None,
            failing_since=None,
        )
        async with self.db.practice(practice_id) as tx:
            await endpoint_store.add(tx, endpoint)
        return endpoint

    async def get(self, endpoint: Endpoint) -> Endpoint:
        async with self.db.practice(endpoint.practice_id) as tx:
            found = await endpoint_store.get(tx, endpoint.practice_id, endpoint.id)
        assert found is not None
        return found

    def secret(self, endpoint: Endpoint) -> str:
        bound_to = associated_data(endpoint.practice_id, endpoint.id)
        return self.sealer.open(endpoint.secret, bound_to).decode()

    async def hear(self, *told: AppointmentEvent) -> list[UUID]:
        """One batch, as the consumer hands it over; the events' ids."""
        received = [Received(uuid7(), self.now, each, None) for each in told]
        labels = [Label(type(each), each.practice_id) for each in told]
        opened = compress(received, await events.concerning(self.db)(labels))
        async with self.db.system() as tx:
            await events.handle(tx, [*opened], lambda: self.now)
        return [each.id for each in received]

    def scheduled(
        self, version: int = 1, *, of: UUID | None = None, practice_id: UUID | None = None
    ) -> AppointmentScheduled:
        return AppointmentScheduled(
            practice_id=practice_id or self.practice_id,
            appointment_id=of or uuid4(),
            version=version,
            start=self.now,
            duration_minutes=20,
            time_zone="Europe/Berlin",
        )

    def erased(self, of: UUID) -> AppointmentErased:
        return AppointmentErased(
            practice_id=self.practice_id,
            appointment_id=of,
            version=99,
            reason=ErasureReason.REQUEST,
        )

    def worker(self, **policy: Any) -> Worker:
        return Worker(
            self.db,
            self.receivers.call,
            sealer=self.sealer,
            policy=WorkerPolicy(**{"poll": 0.05, "drain": 0.0} | policy),
            now=lambda: self.now,
            jitter=lambda: 0.0,
        )

    async def send_due(self, **policy: Any) -> None:
        """Work until nothing is due any more at this time."""
        worker = self.worker(**policy)
        running = asyncio.create_task(worker.run())
        try:
            await eventually(self._nothing_due, "nothing is due any more")
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what receivers see."""

        async def ask() -> bool:
            return condition()

        await eventually(ask, "what the test waits for")

    async def _nothing_due(self) -> bool:
        async with self.db.system() as tx:
            return not (
                await tx.fetchval(
                    """
                    SELECT count(*) FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id
                    WHERE e.enabled AND d.state = 'open'
                      AND (d.next_try_at <= $1 OR d.lease IS NOT NULL)
                    """,
                    self.now,
                )
            )

    async def states(self, endpoint: Endpoint) -> list[str]:
        """Of its deliveries, in the order in which they were queued."""
        async with self.db.system() as tx:
            rows = await tx.fetch(
                "SELECT state FROM deliveries WHERE endpoint_id = $1 ORDER BY position",
                endpoint.id,
            )
        return [row["state"] for row in rows]

    async def attempts(self, endpoint: Endpoint) -> list[store.Attempt]:
        async with self.db.practice(endpoint.practice_id) as tx:
            return await store.attempts(
                tx, endpoint.practice_id, endpoint.id, before=None, limit=100
            )
