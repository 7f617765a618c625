"""Sends what is due over one channel: claims rows under a lease, tries them, records the ends.

Only what can be tried at once is claimed: what is `sending` is being sent. The lease is short and
renewed until the end of the try is recorded, however long a server takes to answer. A process may
die at any point: then the lease runs out, and the copy may have gone out or not. Whoever could not
renew a lease hands nothing over any more.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
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
from services.notification.sending.due import DueDelivery, lock_due, renew
from services.notification.sending.recorder import Recorder, Result
from services.notification.sending.sender import (
    LeaseLost,
    Outgoing,
    Sender,
    SendResult,
    Verdict,
)

log = structlog.get_logger(__name__)

RECORD_BATCH = 100  # results in a transaction
RECORD_AT_END = 5.0  # seconds for the last results
RENEWALS = 3  # of a lease before it runs out, where each succeeds


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPolicy:
    """How much at a time, and for how long. Times in seconds."""

    concurrency: int = 10  # tries at the same time
    lease: float = 120.0
    poll: float = 2.0
    drain: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(slots=True)
class _Claim:
    due: DueDelivery
    delivery: Delivery
    lease: UUID
    expires: float  # on the monotonic clock
    handed_over: bool = False

    def hand_over(self) -> None:
        """From here on the message may arrive. Raises LeaseLost where it must not."""
        if time.monotonic() >= self.expires:
            raise LeaseLost
        self.handed_over = True


class Worker:
    """One per process and channel; any number of processes may work on the same rows."""

    def __init__(
        self,
        db: Database,
        channel: Channel,
        sender: Sender,
        *,
        sealer: Sealer,
        policy: WorkerPolicy,
        wake_relay: Callable[[], None] = lambda: None,
        now: Clock = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = f"worker-{channel}"
        self._db = db
        self._channel = channel
        self._sender = sender
        self._sealer = sealer
        self._policy = policy
        self._wake_relay = wake_relay
        self._now = now
        self._jitter = jitter
        self._queue: asyncio.Queue[_Claim | None] = asyncio.Queue()
        self._busy = 0  # being tried, or just about to be
        self._held: dict[UUID, _Claim] = {}  # until the end of the try is recorded
        self._claiming = asyncio.Lock()
        self._stopping = False
        self._claims = Loop(self.name, self._claim_some, poll=policy.poll)
        self._renewals = Loop(
            f"{self.name}-leases", self._renew_held, poll=policy.lease / (RENEWALS + 1)
        )
        self.wake = self._claims.wake
        self.stalled = self._claims.stalled
        self._recorder = Recorder(
            db, batch=RECORD_BATCH, now=now, committed=self._settled, wake_relay=wake_relay
        )

    async def run(self) -> None:
        """Work until cancelled; then finish what is under way and give the rest back."""
        loops = [
            asyncio.create_task(self._claims.run(), name="claim"),
            asyncio.create_task(self._renewals.run(), name="renew"),
            asyncio.create_task(self._recorder.run(), name="record"),
        ]
        senders = [
            asyncio.create_task(self._send_forever(), name="send")
            for _ in range(self._policy.concurrency)
        ]
        try:
            ended, _ = await asyncio.wait([*loops, *senders], return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            await self._drain(loops, senders)

    async def _claim_some(self) -> bool:
        """Claim as many as can be tried at once; True if something was due."""
        async with self._claiming:
            free = self._policy.concurrency - self._busy
            return not self._stopping and free > 0 and await self._claim(free) > 0

    async def _claim(self, most: int) -> int:
        """Claim due rows and hand them to the senders; returns to how many something happened."""
        now = self._now()
        lease, expires = uuid4(), time.monotonic() + self._policy.lease
        until = now + timedelta(seconds=self._policy.lease)
        claims: list[_Claim] = []
        steps: list[Transition] = []
        async with self._db.system() as tx:
            for due in await lock_due(tx, self._channel, now, most):
                delivery = due.delivery
                if delivery.state is State.SENDING:
                    held = self._held.get(delivery.id)
                    if held is not None and held.lease == delivery.lease:
                        continue  # our own, whose renewal is late
                    metrics.leases_expired.inc()
                    steps.append(transition(delivery, LeaseExpired(), now))
                    delivery = steps[-1].delivery
                steps.append(transition(delivery, Claimed(lease, until), now))
                delivery = steps[-1].delivery
                if delivery.lease == lease:
                    claims.append(_Claim(due, delivery, lease, expires))
            outcomes = await store.save(tx, steps)
        self._busy += len(claims)
        for claim in claims:
            self._held[claim.delivery.id] = claim
            self._queue.put_nowait(claim)
        if outcomes:
            metrics.count(outcomes)
            self._wake_relay()
        return len(steps)

    async def _renew_held(self) -> bool:
        """Renew the leases of what is held; what is no longer ours is not handed over any more."""
        held = dict(self._held)
        if not held:
            return False
        expires = time.monotonic() + self._policy.lease
        until = self._now() + timedelta(seconds=self._policy.lease)
        async with self._db.system() as tx:
            ours = await renew(tx, {key: claim.lease for key, claim in held.items()}, until)
        for key, claim in held.items():
            claim.expires = expires if key in ours else 0.0
        return False

    async def _send_forever(self) -> None:
        while (claim := await self._queue.get()) is not None:
            try:
                event = await self._try(claim)
            except asyncio.CancelledError:
                # Told to stop. Said now, the next try need not wait for the lease to run out.
                self._ended(claim, self._cut_short(claim))
                raise
            self._ended(claim, event)

    async def _try(self, claim: _Claim) -> DeliveryEvent:
        delivery = claim.delivery
        try:
            async with asyncio.timeout(self._sender.longest_send):
                result = await self._sender.send(
                    Outgoing(delivery, claim.due.open(self._sealer, delivery), claim.hand_over)
                )
        except NotOpened:
            # Its key is missing here, as while keys rotate: another process, or this one once it
            # has the key, sends it yet. Given up, the letter would be erased.
            log.error("letter can't be opened", delivery_id=str(delivery.id))
            result = SendResult(Verdict.TEMPORARY)
        except (LeaseLost, TimeoutError):
            return self._cut_short(claim)
        except Exception as error:
            log.error("message can't be sent", delivery_id=str(delivery.id), exc_info=error)
            result = SendResult(Verdict.REPLY_LOST if claim.handed_over else Verdict.TECHNICAL)
        return self._ending(claim, result)

    def _cut_short(self, claim: _Claim) -> DeliveryEvent:
        """Ended by us: without harm unless the message may have gone out."""
        if claim.handed_over:
            return self._ending(claim, SendResult(Verdict.REPLY_LOST))
        return Released(claim.lease)

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
        self._busy -= 1
        self._recorder.add(Result(claim.delivery.id, event))
        self.wake()

    def _settled(self, results: Sequence[Result]) -> None:
        for result in results:
            self._held.pop(result.delivery_id, None)

    async def _drain(
        self, loops: "Sequence[asyncio.Task[None]]", senders: "Sequence[asyncio.Task[None]]"
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
        rest = [*loops, *senders]
        for task in rest:
            task.cancel()
        await asyncio.wait(rest)
        try:
            async with asyncio.timeout(RECORD_AT_END):
                await self._recorder.finish()
        except Exception as error:
            log.warning("results are left to their leases", error=type(error).__qualname__)
