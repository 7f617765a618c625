"""Reads what came back and lets the deliveries know; also notes when nothing came in time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from chassis.loop import Loop
from chassis.sealing import Sealer
from contracts.events import Outcome
from services.notification.deliveries import metrics, store
from services.notification.deliveries.delivery import Transition
from services.notification.deliveries.events import ReceiptMissing
from services.notification.deliveries.transitions import transition
from services.notification.erasure import store as erasure_store
from services.notification.receipts import store as receipt_store
from services.notification.receipts.matching import Settled, match
from services.notification.receipts.receipt import By, Finding, Receipt, read_receipt, unreadable
from services.notification.receipts.tags import Tags

log = structlog.get_logger(__name__)

RECEIPT_BATCH = 20  # at a time: each may hold 10 MB
OVERDUE_BATCH = 500
POISON_PAUSE = timedelta(hours=1)  # until the next look at what made a transaction fail


class ReceiptReader:
    """One per process; any number of processes may work on the same rows."""

    name = "receipts"

    def __init__(
        self,
        db: Database,
        *,
        sealer: Sealer,
        envelope_ids: Tags,
        poll: float,
        wake_relay: Callable[[], None],
        now: Clock,
    ) -> None:
        """`poll` in seconds; `wake_relay` is called when there are events."""
        self._db = db
        self._sealer = sealer
        self._envelope_ids = envelope_ids
        self._wake_relay = wake_relay
        self._now = now
        self._most = RECEIPT_BATCH
        loop = Loop(self.name, self._turn, poll=poll)
        self.run = loop.run
        self.wake = loop.wake
        self.stalled = loop.stalled

    async def _turn(self) -> bool:
        """True if there may be more to read, or to note as missing."""
        return await self._read() + await self._note_missing() > 0

    async def _read(self) -> int:
        """Look at a batch; when the content of one makes it fail, at one after the other."""
        outcomes: list[Outcome] = []
        try:
            async with self._db.system() as tx:
                receipts = await receipt_store.lock_due(tx, self._sealer, self._now(), self._most)
                if receipts:
                    outcomes = await self._take_in(tx, receipts)
        except TRANSIENT_ERRORS:
            raise
        except Exception as error:
            await self._step_over(error)
            return 1
        self._most = RECEIPT_BATCH
        self._publish(outcomes)
        return len(receipts)

    async def _take_in(self, tx: Connection, receipts: Sequence[Receipt]) -> list[Outcome]:
        findings = await asyncio.to_thread(lambda: [_read(each) for each in receipts])
        findings = [each.verified(self._envelope_ids) for each in findings]
        references = [each for finding in findings for each in finding.references]
        erased = await erasure_store.erased_of(
            tx,
            [each.delivery_id for each in references if each.delivery_id is not None],
            [each.message_id for each in references if each.message_id is not None],
        )
        if erased:
            gone = [
                any({each.delivery_id, each.message_id} & erased for each in finding.references)
                for finding in findings
            ]
            await erasure_store.drop_receipts(
                tx, [each.id for each, is_gone in zip(receipts, gone, strict=True) if is_gone]
            )
            receipts = [each for each, is_gone in zip(receipts, gone, strict=True) if not is_gone]
            findings = [each for each, is_gone in zip(findings, gone, strict=True) if not is_gone]
        deliveries, found = await receipt_store.lock_referred(tx, findings)
        now = self._now()
        steps: list[Transition] = []
        settled: list[Settled] = []
        for receipt, finding in zip(receipts, findings, strict=True):
            one = match(receipt, finding, deliveries, found, now)
            settled.append(one)
            if one.delivery is not None and one.evidence is not None:
                steps.append(transition(one.delivery, one.evidence, now))
                deliveries[one.delivery.id] = steps[-1].delivery
        outcomes = await store.save(tx, steps)
        await receipt_store.settle(tx, settled)
        for one in settled:
            if one.due_at is None:
                _count(one)
        return outcomes

    async def _step_over(self, error: Exception) -> None:
        """Leave the first for later when it alone makes its transaction fail."""
        if self._most > 1:
            self._most = 1
            return
        async with self._db.system() as tx:
            now = self._now()
            receipt_id = await receipt_store.postpone(tx, now, now + POISON_PAUSE)
        log.error("receipt can't be read", receipt_id=str(receipt_id), exc_info=error)

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

    def _publish(self, outcomes: Sequence[Outcome]) -> None:
        metrics.count(outcomes)
        if outcomes:
            self._wake_relay()


def _read(receipt: Receipt) -> Finding:
    """What it says; a mail that nobody can read is heard of and stays for operations."""
    try:
        return read_receipt(receipt)
    except Exception as error:
        metrics.bounce_reader_failures.inc()
        log.error("returned mail can't be read", receipt_id=str(receipt.id), exc_info=error)
        return unreadable(receipt)


def _count(settled: Settled) -> None:
    if settled.matched_by is By.ELSEWHERE:
        log.warning(
            "receipt of another channel or gateway",
            receipt_id=str(settled.receipt.id),
            channel=settled.receipt.channel.value,
            gateway=settled.receipt.gateway,
        )
    metrics.receipts.labels(settled.finding.kind.value, settled.matched_by or "nothing").inc()
