"""Sends what is due over one channel: claims rows under a lease, tries them, records the ends.

Only what can be tried at once is claimed: what is `sending` is being sent. The lease is short and
renewed until the end of the try is recorded, however long a server takes to answer. A process may
die at any point: then the lease runs out, and the copy may have gone out or not. Whoever could not
renew a lease hands nothing over any more.

Practices take turns, and none has all tries of a channel to itself. A server that is silent again
and again, or refuses us and not a message, is left alone: the deliveries of all practices are held,
and now and then one of them is tried.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from chassis.clock import Clock, utc_now
from chassis.database import Database
from chassis.loop import Loop
from chassis.sealing import NotOpened, Sealer
from contracts.channels import Channel
from services.notification.deliveries.events import NO_REPLY, DeliveryEvent, Released
from services.notification.deliveries.retries import RetryPolicy
from services.notification.sending.claims import Claim, Claims
from services.notification.sending.endings import ending
from services.notification.sending.holding import Holding
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
# Seconds between two claims: places that have come free are filled together, and none waits long.
CLAIMS_PAUSE = 0.02
RENEWALS = 3  # of a lease before it runs out, where each succeeds


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPolicy:
    """How much at a time, and for how long. Times in seconds."""

    concurrency: int = 10  # tries at the same time
    lease: float = 120.0
    share: int = 7  # of these, that one practice may have
    poll: float = 2.0
    drain: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = f"worker-{channel}"
        self._sender = sender
        self._sealer = sealer
        self._policy = policy
        self._now = now
        self._jitter = jitter
        self._claims = Claims(
            db,
            channel,
            lease=policy.lease,
            share=policy.share,
            now=now,
            wake_relay=wake_relay,
        )
        self._holding = Holding(channel, clock)
        self._queue: asyncio.Queue[Claim | None] = asyncio.Queue()
        self._claiming = asyncio.Lock()
        self._stopping = False
        # Whether nothing is due that could be tried: then the end of a try is no reason to look.
        self._nothing_due = False
        self._claiming_loop = Loop(
            self.name, self._claim_some, poll=policy.poll, longest_pause=CLAIMS_PAUSE
        )
        self._renewals = Loop(
            f"{self.name}-leases", self._renew, poll=policy.lease / (RENEWALS + 1)
        )
        self.wake = self._claiming_loop.wake
        self.stalled = self._claiming_loop.stalled
        self._recorder = Recorder(
            db, batch=RECORD_BATCH, now=now, committed=self._settled, wake_relay=wake_relay
        )

    async def run(self) -> None:
        """Work until cancelled; then finish what is under way and give the rest back."""
        loops = [
            asyncio.create_task(self._claiming_loop.run(), name="claim"),
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
        """Claim as many as can be tried at once; True if there may be more to do at once."""
        async with self._claiming:
            free = self._policy.concurrency - self._claims.under_way
            if self._stopping or free <= 0:
                return False
            most = self._holding.admit(free)
            if most == 0:
                return await self._claims.end_overdue()
            await self._claim(most, probe=self._holding.probing)
            return False

    async def _claim(self, most: int, *, probe: bool) -> None:
        claims: Sequence[Claim] = ()
        try:
            claims, more = await self._claims.take(most, probe=probe)
        finally:
            if not claims:
                self._holding.unused()
        for claim in claims:
            self._queue.put_nowait(claim)
        self._nothing_due = not (more or probe or self._claims.limited)
        if more:
            self.wake()

    async def _renew(self) -> bool:
        await self._claims.renew()
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

    async def _try(self, claim: Claim) -> DeliveryEvent:
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
        claim.contact = result.contact
        return self._ending(claim, result)

    def _cut_short(self, claim: Claim) -> DeliveryEvent:
        """Ended by us: without harm unless the message may have gone out."""
        if claim.handed_over:
            return self._ending(claim, SendResult(Verdict.REPLY_LOST))
        return Released(claim.lease)

    def _ending(self, claim: Claim, result: SendResult) -> DeliveryEvent:
        return ending(
            result,
            claim.delivery,
            claim.lease,
            retry=self._policy.retry,
            now=self._now(),
            jitter=self._jitter(),
            doubted=self._holding.doubted,
        )

    def _ended(self, claim: Claim, event: DeliveryEvent) -> None:
        self._claims.tried(claim)
        self._holding.learn(claim.contact, getattr(event, "reply", NO_REPLY), probe=claim.probe)
        result = Result(claim.delivery.id, event)
        self._recorder.add(result, others=self._claims.under_way > 0)
        if not self._nothing_due:
            self.wake()

    def _settled(self, results: Sequence[Result]) -> None:
        self._claims.settled(each.delivery_id for each in results)

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
