"""Asks the gateways for receipts that did not come by themselves, or after a lost reply."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import structlog

from chassis.backoff import Backoff
from chassis.database import TRANSIENT_ERRORS, Database
from services.notification.receipts import questions
from services.notification.receipts import store as receipt_store
from services.notification.receipts.questions import Question
from services.notification.sending.sms.receipts import GatewayReceipt
from services.notification.sending.sms.sender import SmsSender

log = structlog.get_logger(__name__)

STALLED_AFTER = 300.0  # seconds without a turn of the loop
QUESTION_BATCH = 10  # asked at a time
QUERY_TIMEOUT = 60.0  # seconds


class ReceiptAsker:
    """One per process. `wake_reader` is called when there are receipts; `poll` in seconds."""

    def __init__(
        self,
        db: Database,
        sender: SmsSender,
        *,
        poll: float,
        now: Callable[[], datetime],
        wake_reader: Callable[[], None],
    ) -> None:
        self._db = db
        self._sender = sender
        self._poll = poll
        self._now = now
        self._wake_reader = wake_reader
        self._beat = time.monotonic()

    async def stalled(self) -> bool:
        """True when the loop has stopped turning."""
        return time.monotonic() - self._beat > STALLED_AFTER

    async def run(self) -> None:
        """Ask for ever; every outage is waited out with back-off."""
        backoff = Backoff(first=0.5, most=30)
        while True:
            self._beat = time.monotonic()
            try:
                asked = await self._ask_some()
            except TRANSIENT_ERRORS as error:
                log.warning("questions wait", error=type(error).__qualname__)
                await backoff.wait()
                continue
            backoff.reset()
            if not asked:
                await asyncio.sleep(self._poll)

    async def _ask_some(self) -> int:
        """Claim questions by putting off their next time, ask, and store the receipts."""
        async with self._db.system() as tx:
            claimed = await questions.claim(tx, self._now(), QUESTION_BATCH)
        found = await asyncio.gather(*(self._ask(each) for each in claimed))
        receipts = [each for each in found if each is not None]
        if receipts:
            async with self._db.system() as tx:
                await receipt_store.store_gateway_receipts(tx, receipts, self._now())
            self._wake_reader()
        return len(claimed)

    async def _ask(self, question: Question) -> GatewayReceipt | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(QUERY_TIMEOUT):
                return await self._query(question.delivery_id, question)
        return None

    async def _query(self, delivery_id: UUID, question: Question) -> GatewayReceipt | None:
        try:
            return await self._sender.query(delivery_id, question.gateway, question.gateway_id)
        except Exception as error:
            # The next one is asked all the same, and this one again later.
            log.error("gateway can't be asked", delivery_id=str(delivery_id), exc_info=error)
            return None
