"""Reads what came back and lets the deliveries know; also notes when nothing came in time."""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind

from chassis import outbox, tracing
from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from chassis.loop import Loop
from chassis.sealing import Sealer
from contracts.events import DeliveryOutcome, Event
from services.notification.bounces import EvidenceKind, Reading
from services.notification.bounces.confined import Cause, ReadingFailed
from services.notification.daily_mails import store as daily_mail_store
from services.notification.deliveries import metrics, store
from services.notification.deliveries.delivery import Transition
from services.notification.deliveries.events import ReceiptMissing
from services.notification.deliveries.transitions import transition
from services.notification.erasure import store as erasure_store
from services.notification.receipts import answers
from services.notification.receipts import store as receipt_store
from services.notification.receipts.matching import Settled, match
from services.notification.receipts.receipt import (
    By,
    Finding,
    Receipt,
    finding_of_gateway,
    finding_of_mail,
    unreadable,
)
from services.notification.receipts.return_path import SignedAddress
from services.notification.receipts.store import Queue
from services.notification.receipts.tags import Tags

log = structlog.get_logger(__name__)

RECEIPT_BATCH = 10  # of each queue at a time: each may hold a mebibyte
LEASE = timedelta(seconds=60)  # for a batch; more than READING_TIME and what two mails may take
READING_TIME = 15.0  # seconds, after which no further mail of a batch is begun
MAX_READINGS = 3  # of a mail, none of which came to an end
OVERDUE_BATCH = 500

Found: TypeAlias = tuple[Receipt, Finding]


class ReceiptReader:
    """One per process; any number of processes may work on the same rows.

    Each queue has a loop of its own. Those of mail share the process that reads, a mail of each in
    turn: whatever anybody writes, what is surely returned waits for one of theirs at a time, and
    what gateways report for none.
    """

    def __init__(
        self,
        db: Database,
        *,
        sealer: Sealer,
        envelope_ids: Tags,
        organizers: SignedAddress,
        read_mail: Callable[[bytes], Awaitable[Reading]],
        poll: float,
        wake_relay: Callable[[], None],
        now: Clock,
    ) -> None:
        """`poll` in seconds; `wake_relay` is called when there are events.

        `read_mail` raises ReadingFailed for a mail, and whatever else when none can be read.
        """
        self._db = db
        self._sealer = sealer
        self._envelope_ids = envelope_ids
        self._organizers = organizers
        self._wake_relay = wake_relay
        self._now = now
        self._read_mail = read_mail
        gateways, returned, other = self.loops = [
            Loop(queue, partial(self._turn, queue), poll=poll) for queue in Queue
        ]
        self.wake_gateways = gateways.wake
        self._mail = returned, other

    def wake_mail(self) -> None:
        """Look now whether mail came."""
        for loop in self._mail:
            loop.wake()

    async def _turn(self, queue: Queue) -> bool:
        """True if there may be more to read, or to note as missing."""
        claimed = await self._read(queue)
        missing = await self._note_missing() if queue is Queue.GATEWAYS else 0
        return claimed + missing > 0

    async def _read(self, queue: Queue) -> int:
        """Claim a batch, read it, and settle what was read; returns how many were claimed.

        That a reading begins is committed before it does: a mail that ends this process is not
        read again by each that follows it.
        """
        now = self._now()
        claim = now + LEASE
        async with self._db.system() as tx:
            receipts = await receipt_store.claim_due(
                tx, self._sealer, queue, now, claim, RECEIPT_BATCH
            )
        claimed = len(receipts)
        try:
            found = await self._findings(receipts)
            await self._give_back(receipts[len(found) :], claim)
            self._publish(await self._settle(found, claim))
        except BaseException:  # cancelled, or the database is away
            with suppress(*TRANSIENT_ERRORS):
                await self._give_back(receipts, claim)
            raise
        return claimed

    async def _findings(self, receipts: list[Receipt]) -> list[Found]:
        """Read one after the other for as long as the claim allows: what each of the first says.

        What could not be read and may be another time is taken out of `receipts`.
        """
        found: list[Found] = []
        end = time.monotonic() + READING_TIME
        for receipt in tuple(receipts):
            if time.monotonic() > end:
                break
            finding = await self._finding(receipt)
            if finding is None:
                receipts.remove(receipt)
            else:
                verified = finding.verified(self._envelope_ids, self._organizers)
                found.append((receipt, verified))
        return found

    async def _finding(self, receipt: Receipt) -> Finding | None:
        """What it says; None if that is to be tried again when the claim has run out.

        A mail that nobody can read is heard of and stays for operations.
        """
        if receipt.said is not None:
            return finding_of_gateway(receipt, receipt.said)
        try:
            if receipt.readings > MAX_READINGS:
                raise ReadingFailed(Cause.TRIES)
            return finding_of_mail(receipt, await self._read_mail(receipt.content))
        except ReadingFailed as failed:
            metrics.bounce_reader_failures.labels(failed.cause).inc()
            log.error(
                "returned mail can't be read",
                receipt_id=str(receipt.id),
                cause=failed.cause.value,
                where=failed.where,
            )
            return None if failed.cause.may_pass else unreadable(receipt)

    async def _settle(self, found: Sequence[Found], claim: datetime) -> list[Event]:
        """Settle all at once; when the content of one makes that fail, one after the other."""
        if not found:
            return []
        try:
            return await self._take_in(found, claim)
        except TRANSIENT_ERRORS:
            raise
        except Exception as error:
            if len(found) == 1:
                await self._step_over(found[0][0], error)
                return []
        events: list[Event] = []
        for one in found:
            events += await self._settle([one], claim)
        return events

    async def _take_in(self, found: Sequence[Found], claim: datetime) -> list[Event]:
        async with self._db.system() as tx:
            ours = await receipt_store.lock_claimed(tx, [each.id for each, _ in found], claim)
            found = [(each, finding) for each, finding in found if each.id in ours]
            found = await _without_erased(tx, found)
            found = await _without_daily_mails(tx, found)
            findings = [finding for _, finding in found]
            deliveries, referred = await receipt_store.lock_referred(tx, findings)
            now = self._now()
            steps: list[Transition] = []
            settled: list[Settled] = []
            for receipt, finding in found:
                one = match(receipt, finding, deliveries, referred, now)
                settled.append(one)
                if one.delivery is not None and one.evidence is not None:
                    steps.append(transition(one.delivery, one.evidence, now))
                    deliveries[one.delivery.id] = steps[-1].delivery
            outcomes = await store.save(tx, steps)
            answered = await answers.take(tx, settled)
            await outbox.put(tx, answered, source=store.SOURCE)
            await receipt_store.settle(tx, self._sealer, settled)
        for one in settled:
            if one.due_at is None:
                _tell(one, now)
        return [*outcomes, *answered]

    async def _step_over(self, receipt: Receipt, error: Exception) -> None:
        """Leave for later what alone makes its transaction fail."""
        async with self._db.system() as tx:
            until = self._now() + receipt_store.POISON_PAUSE
            await receipt_store.postpone(tx, receipt.id, until)
        log.error("receipt can't be settled", receipt_id=str(receipt.id), exc_info=error)

    async def _give_back(self, receipts: Sequence[Receipt], claim: datetime) -> None:
        if receipts:
            async with self._db.system() as tx:
                ids = [each.id for each in receipts]
                await receipt_store.give_back(tx, ids, claim, self._now())

    async def _note_missing(self) -> int:
        """Publish deliveries whose receipt did not come in time."""
        now = self._now()
        async with self._db.system() as tx:
            ids = await receipt_store.lock_overdue(tx, now, OVERDUE_BATCH)
            rows = await store.lock_deliveries(tx, ids)
            steps = [transition(each, ReceiptMissing(), now) for each in rows.values()]
            outcomes = await store.save(tx, steps)
        self._publish(outcomes)
        return len(outcomes)

    def _publish(self, events: Sequence[Event]) -> None:
        metrics.count(each for each in events if isinstance(each, DeliveryOutcome))
        if events:
            self._wake_relay()


async def _without_erased(tx: Connection, found: Sequence[Found]) -> list[Found]:
    """Those that name no erased delivery; the others are deleted."""
    erased = await erasure_store.erased_of(tx, *_named(found))
    rest, dropped = _parted(found, erased)
    if dropped:
        await erasure_store.drop_receipts(tx, [receipt.id for receipt, _ in dropped])
    return rest


async def _without_daily_mails(tx: Connection, found: Sequence[Found]) -> list[Found]:
    """Those that name no practice's daily mail, of which nothing but a failure is of interest."""
    known = await daily_mail_store.known_of(tx, *_named(found))
    rest, dropped = _parted(found, known)
    if dropped:
        await erasure_store.drop_receipts(tx, [receipt.id for receipt, _ in dropped])
    for _, finding in dropped:
        if finding.kind is EvidenceKind.FAILED:
            metrics.daily_mails.labels("returned").inc()
    return rest


def _named(found: Sequence[Found]) -> tuple[list[UUID], list[str]]:
    """The ids and the Message-IDs that they name."""
    references = [each for _, finding in found for each in finding.references]
    return (
        [each.delivery_id for each in references if each.delivery_id is not None],
        [each.message_id for each in references if each.message_id is not None],
    )


def _parted(
    found: Sequence[Found], names: Collection[UUID | str]
) -> tuple[list[Found], list[Found]]:
    """Those that name none of these, and those that do."""
    parted: tuple[list[Found], list[Found]] = ([], [])
    for each in found:
        references = each[1].references
        parted[
            any(one.delivery_id in names or one.message_id in names for one in references)
        ].append(each)
    return parted


def _tell(settled: Settled, now: datetime) -> None:
    """Count it, and tell of it in the trace of its delivery: the step lasted since it came."""
    receipt, delivery, kind = settled.receipt, settled.delivery, settled.finding.kind.value
    if settled.matched_by is By.ELSEWHERE:
        log.warning(
            "receipt of another channel or gateway",
            receipt_id=str(receipt.id),
            channel=receipt.channel.value,
            gateway=receipt.gateway,
        )
    elif delivery is None:
        log.info("receipt of nothing known", receipt_id=str(receipt.id), outcome=kind)
    else:
        span = tracing.begin(
            f"settle receipt of {receipt.channel.value}",
            delivery.traceparent,
            kind=SpanKind.CONSUMER,
            attributes={"einladung.verdict": kind},
            seconds_ago=(now - receipt.received_at).total_seconds(),
        )
        span.end()
        log.info(
            "receipt settled",
            channel=receipt.channel.value,
            outcome=kind,
            matched_by=settled.matched_by,
            delivery_id=str(delivery.id),
            practice=str(delivery.practice_id),
            trace_id=tracing.trace_id(span),
        )
    metrics.receipts.labels(settled.finding.kind.value, settled.matched_by or "nothing").inc()
