"""Asks the gateways for receipts that did not come by themselves, or after a lost reply."""

import asyncio
from collections.abc import Callable

import structlog

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.database import Database
from chassis.loop import Loop
from services.notification.receipts import questions
from services.notification.receipts import store as receipt_store
from services.notification.receipts.questions import Question
from services.notification.sending.sms.receipts import GatewayReceipt
from services.notification.sending.sms.sender import SmsSender

log = structlog.get_logger(__name__)

MAX_TURN = 300.0  # seconds; several times the longest query
QUESTION_BATCH = 10  # asked at a time
QUERY_TIMEOUT = 60.0  # seconds


class ReceiptAsker:
    """One per process. `wake_reader` is called when there are receipts; `poll` in seconds."""

    name = "asker"

    def __init__(
        self,
        db: Database,
        sender: SmsSender,
        *,
        poll: float,
        now: Clock,
        wake_reader: Callable[[], None],
    ) -> None:
        self._db = db
        self._sender = sender
        self._now = now
        self._wake_reader = wake_reader
        loop = Loop(
            self.name,
            self._ask_some,
            poll=poll,
            backoff=Backoff(first=0.5, most=30),
            max_turn=MAX_TURN,
        )
        self.run = loop.run
        self.stalled = loop.stalled

    async def _ask_some(self) -> bool:
        """Claim questions by putting off their next time, and ask them; True if any was due."""
        async with self._db.system() as tx:
            claimed = await questions.claim(tx, self._now(), QUESTION_BATCH)
        found = await asyncio.gather(*(self._ask(each) for each in claimed))
        receipts = [each for each in found if each is not None]
        if receipts:
            async with self._db.system() as tx:
                await receipt_store.store_gateway_receipts(tx, receipts, self._now())
            self._wake_reader()
        return len(claimed) > 0

    async def _ask(self, question: Question) -> GatewayReceipt | None:
        try:
            async with asyncio.timeout(QUERY_TIMEOUT):
                return await self._sender.query(
                    question.delivery_id, question.gateway, question.gateway_id
                )
        except Exception as error:
            # The next one is asked all the same, and this one again later.
            log.error(
                "gateway can't be asked", delivery_id=str(question.delivery_id), exc_info=error
            )
            return None
