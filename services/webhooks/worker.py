"""Sends what is due: claims the first of each lane under a lease, calls, records.

A process may die at any point: then the lease runs out and the call is made again, under the same
`webhook-id`. Endpoints have few calls at once and those with fewest come first, so that one that is
slow leaves the others their places.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import structlog
from opentelemetry.trace import SpanKind

from chassis import standard_webhooks, tracing
from chassis.clock import Clock, utc_now
from chassis.database import Database
from chassis.loop import LONGEST_PAUSE, Loop
from chassis.sealing import NotOpened, Sealer
from services.webhooks import measures, store
from services.webhooks.bodies import CONTENT_TYPE
from services.webhooks.endpoints import associated_data, signing_keys
from services.webhooks.schedule import Answer
from services.webhooks.store import Claim

log = structlog.get_logger(__name__)

RECORDING = 30.0  # seconds on top of a call that a lease lasts, for its end to be recorded


class Call(Protocol):
    """As `calling.Receivers.call`."""

    async def __call__(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer, int]:
        """What one POST came to, and the milliseconds it took."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPolicy:
    """How much at a time, and for how long. Times in seconds."""

    concurrency: int = 50
    share: int = 4  # of these, that one endpoint may have
    longest_call: float = 15.0
    poll: float = 1.0
    drain: float = 10.0
    disable_after: timedelta = timedelta(hours=72)


class Worker:
    """One per process; any number of processes may work on the same rows."""

    name = "worker"

    def __init__(
        self,
        db: Database,
        call: Call,
        *,
        sealer: Sealer,
        policy: WorkerPolicy,
        now: Clock = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._call = call
        self._sealer = sealer
        self._policy = policy
        self._now = now
        self._jitter = jitter
        self._under_way: dict[asyncio.Task[None], Claim] = {}
        self._stopping = False
        self._loop = Loop(self.name, self._turn, poll=policy.poll, longest_pause=LONGEST_PAUSE)
        self.wake = self._loop.wake
        self.stalled = self._loop.stalled

    async def run(self) -> None:
        """Work until cancelled; then finish what is under way, or give it back."""
        try:
            await self._loop.run()
        finally:
            self._stopping = True
            await self._drain()

    async def _turn(self) -> bool:
        free = self._policy.concurrency - len(self._under_way)
        if free <= 0:
            return False  # the end of a call wakes
        now = self._now()
        async with self._db.system() as tx:
            claims = await store.claim(
                tx,
                now=now,
                until=now + timedelta(seconds=self._policy.longest_call + RECORDING),
                lease=uuid4(),
                most=free,
                share=self._policy.share,
                under_way=Counter(each.endpoint_id for each in self._under_way.values()),
            )
        for claim in claims:
            task = asyncio.create_task(self._deliver(claim), name="webhook")
            self._under_way[task] = claim
            task.add_done_callback(self._ended)
        return False

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not self._stopping:
            self._under_way.pop(task)
            self.wake()

    async def _deliver(self, claim: Claim) -> None:
        span = tracing.begin("call webhook", claim.traceparent, kind=SpanKind.CLIENT)
        try:
            answer, milliseconds = await self._send(claim)
            span.set_attribute("einladung.verdict", answer.result.value)
            async with self._db.system() as tx:
                disabled = await store.record(
                    tx,
                    claim,
                    answer,
                    milliseconds,
                    now=self._now(),
                    jitter=self._jitter(),
                    limit=self._policy.disable_after,
                )
        except NotOpened:  # its key is missing here: left to its lease, and to whoever has the key
            log.error("webhook secret can't be opened", endpoint=str(claim.endpoint_id))
            return
        except Exception as error:  # as of the database: tried again once the lease has run out
            log.warning(
                "webhook call not recorded",
                endpoint=str(claim.endpoint_id),
                error=type(error).__qualname__,
            )
            return
        finally:
            span.end()
        measures.count(answer, milliseconds)
        log.info(
            "webhook called",
            practice=str(claim.practice_id),
            endpoint=str(claim.endpoint_id),
            outcome=answer.result.value,
            status=answer.status,
            milliseconds=milliseconds,
            trace_id=tracing.trace_id(span),
        )
        if disabled is not None:
            log.warning(
                "webhook disabled",
                practice=str(claim.practice_id),
                endpoint=str(claim.endpoint_id),
                reason=str(disabled),
            )

    async def _send(self, claim: Claim) -> tuple[Answer, int]:
        now = self._now()
        keys = signing_keys(
            self._sealer,
            associated_data(claim.practice_id, claim.endpoint_id),
            claim.secret,
            claim.old_secret,
            claim.old_secret_until,
            now,
        )
        body = claim.body.encode()
        headers = {
            **standard_webhooks.sign(keys, str(claim.event_id), body, now),
            "content-type": CONTENT_TYPE,
        }
        return await self._call(claim.url, headers, body)

    async def _drain(self) -> None:
        if not self._under_way:
            return
        _, broken_off = await asyncio.wait(self._under_way, timeout=self._policy.drain)
        for task in broken_off:
            task.cancel()
        if broken_off:
            await asyncio.wait(broken_off)
            async with self._db.system() as tx:
                await store.give_back(
                    tx, [self._under_way[task] for task in broken_off], self._now()
                )
