"""Sends what is due: claims rows under a lease, tries them at the same time, records the ends.

A process may die at any point. Killed before the end of a try is recorded, the lease runs out
and the message is sent again under the same Message-ID; killed after, nothing is left to do.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import structlog

from chassis.clock import Clock, utc_now
from chassis.database import Database
from chassis.loop import Loop
from chassis.sealing import NotOpened, Sealer
from contracts.events import Channel
from services.notification.deliveries import metrics, store
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import (
    Accepted,
    Claimed,
    DeliveryEvent,
    FailedForNow,
    LeaseExpired,
    Misconfigured,
    Refused,
    Released,
    ReplyLost,
)
from services.notification.deliveries.retries import RetryPolicy
from services.notification.deliveries.transitions import transition
from services.notification.refusals.statuses import reason_of
from services.notification.sending.due import DueDelivery, lock_due
from services.notification.sending.recorder import Recorder, Result
from services.notification.sending.sender import Sender, SendResult, Verdict

log = structlog.get_logger(__name__)

RECORD_AT_END = 5.0  # seconds for the last results


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPolicy:
    """How much at a time, and for how long. Times in seconds."""

    batch: int = 100  # rows held
    concurrency: int = 10  # tries at the same time
    lease: float = 300.0
    longest_send: float = 100.0  # after which a try has ended; shorter than the lease
    poll: float = 2.0
    drain: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class _Claim:
    due: DueDelivery
    delivery: Delivery
    lease: UUID
    expires: float  # on the monotonic clock


class Worker:
    """One per process; any number of processes may work on the same rows."""

    name = "worker"

    def __init__(
        self,
        db: Database,
        senders: Mapping[Channel, Sender],
        *,
        sealer: Sealer,
        policy: WorkerPolicy,
        wake_relay: Callable[[], None] = lambda: None,
        now: Clock = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._by_channel = senders
        self._sealer = sealer
        self._policy = policy
        self._wake_relay = wake_relay
        self._now = now
        self._jitter = jitter
        self._queue: asyncio.Queue[_Claim | None] = asyncio.Queue()
        self._held = 0  # claimed and not recorded
        self._claiming = asyncio.Lock()
        self._stopping = False
        self._claims = Loop(self.name, self._claim_some, poll=policy.poll)
        self.wake = self._claims.wake
        self.stalled = self._claims.stalled
        self._recorder = Recorder(
            db, batch=policy.batch, now=now, committed=self._settled, wake_relay=wake_relay
        )

    async def run(self) -> None:
        """Work until cancelled; then finish what is under way and give the rest back."""
        claimer = asyncio.create_task(self._claims.run(), name="claim")
        recorder = asyncio.create_task(self._recorder.run(), name="record")
        senders = [
            asyncio.create_task(self._send_forever(), name="send")
            for _ in range(self._policy.concurrency)
        ]
        try:
            ended, _ = await asyncio.wait(
                [claimer, recorder, *senders], return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                task.result()
        finally:
            await self._drain(claimer, recorder, senders)

    async def _claim_some(self) -> bool:
        """Claim where there is room; True if something was due."""
        async with self._claiming:
            free = self._policy.batch - self._held
            # Not row by row: half a batch at a time, while the other half is being sent.
            if self._stopping or free * 2 < self._policy.batch:
                return False
            return await self._claim(free) > 0

    async def _claim(self, most: int) -> int:
        """Claim due rows and queue them for the senders; returns how many were due."""
        now = self._now()
        lease, expires = uuid4(), time.monotonic() + self._policy.lease
        until = now + timedelta(seconds=self._policy.lease)
        claims: list[_Claim] = []
        steps: list[Transition] = []
        async with self._db.system() as tx:
            found = await lock_due(tx, now, most)
            for due in found:
                delivery = due.delivery
                if delivery.state is State.SENDING:
                    metrics.leases_expired.inc()
                    steps.append(transition(delivery, LeaseExpired(), now))
                    delivery = steps[-1].delivery
                steps.append(transition(delivery, Claimed(lease, until), now))
                delivery = steps[-1].delivery
                if delivery.lease == lease:
                    claims.append(_Claim(due, delivery, lease, expires))
            outcomes = await store.save(tx, steps)
        self._held += len(claims)
        for claim in claims:
            self._queue.put_nowait(claim)
        if outcomes:
            metrics.count(outcomes)
            self._wake_relay()
        return len(found)

    async def _send_forever(self) -> None:
        while (claim := await self._queue.get()) is not None:
            try:
                event = await self._try(claim)
            except asyncio.CancelledError:
                # Told to stop, and nobody heard whether it was taken. Said now, the next try need
                # not wait for the lease to run out.
                self._ended(claim, self._ending(claim, SendResult(Verdict.REPLY_LOST)))
                raise
            self._ended(claim, event)

    async def _try(self, claim: _Claim) -> DeliveryEvent:
        delivery = claim.delivery
        # Waited too long in the queue: whoever claims it next decides anew.
        too_late = time.monotonic() + self._policy.longest_send > claim.expires
        if too_late or self._now() >= delivery.deadline:
            return Released(claim.lease)
        try:
            sender = self._by_channel[delivery.channel]
            async with asyncio.timeout(self._policy.longest_send):
                result = await sender.send(claim.due.open(self._sealer, delivery))
        except NotOpened:
            # Its key is missing here, as while keys rotate: another process, or this one once it
            # has the key, sends it yet. Given up, the letter would be erased.
            log.error("letter can't be opened", delivery_id=str(delivery.id))
            result = SendResult(Verdict.TEMPORARY)
        except TimeoutError:
            result = SendResult(Verdict.REPLY_LOST)
        except Exception as error:
            log.error("message can't be sent", delivery_id=str(delivery.id), exc_info=error)
            result = SendResult(Verdict.TECHNICAL)
        return self._ending(claim, result)

    def _ending(self, claim: _Claim, result: SendResult) -> DeliveryEvent:
        lease, reply = claim.lease, result.reply
        if reply.reason is None:
            reply = replace(reply, reason=reason_of(reply.status))
        match result.verdict:
            case Verdict.ACCEPTED:
                return Accepted(reply, result.gateway, result.gateway_id)
            case Verdict.PERMANENT:
                return Refused(lease, reply)
            case Verdict.TECHNICAL:
                return Misconfigured(lease, reply)
        delivery = claim.delivery
        retry_at = self._policy.retry.next_try(
            tries=delivery.tries,
            now=self._now(),
            deadline=delivery.deadline,
            jitter=self._jitter(),
            not_before=result.not_before,
        )
        if result.verdict is Verdict.REPLY_LOST:
            return ReplyLost(lease, retry_at, result.gateway)
        return FailedForNow(lease, reply, retry_at)

    def _ended(self, claim: _Claim, event: DeliveryEvent) -> None:
        self._recorder.add(Result(claim.delivery.id, event))

    def _settled(self, results: int) -> None:
        self._held -= results
        if self._held * 2 <= self._policy.batch:
            self.wake()

    async def _drain(
        self,
        claimer: "asyncio.Task[None]",
        recorder: "asyncio.Task[None]",
        senders: "Sequence[asyncio.Task[None]]",
    ) -> None:
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._policy.drain), self._claiming:
                pass  # what is being claimed is in the queue by now
        while not self._queue.empty():
            claim = self._queue.get_nowait()
            if claim is not None:
                self._ended(claim, Released(claim.lease))
        for _ in senders:
            self._queue.put_nowait(None)
        await asyncio.wait(senders, timeout=self._policy.drain)
        rest = [claimer, recorder, *senders]
        for task in rest:
            task.cancel()
        await asyncio.wait(rest)
        try:
            async with asyncio.timeout(RECORD_AT_END):
                await self._recorder.finish()
        except Exception as error:
            log.warning("results are left to their leases", error=type(error).__qualname__)
