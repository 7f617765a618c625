"""Takes patients' data out of Kafka long before its retention.

Requests go soon after they were taken over, dead letters once their appointment is erased.
"""

import asyncio
import time

import structlog
from aiokafka.errors import KafkaError

from chassis import kafka_deletion as truncation
from chassis.database import TRANSIENT_ERRORS, Database
from contracts.topics import REQUESTED
from services.notification.erasure import store as erasure_store

log = structlog.get_logger(__name__)

STALLED_AFTER = 600.0  # seconds without a turn of the loop, over the pause between two
LONGEST_TURN = 120.0  # seconds


class Forgetting:
    """One per process; any number may do the same."""

    def __init__(self, db: Database, *, bootstrap: str, group: str, every: float) -> None:
        """`group` is the one that reads the requests; `every` in seconds."""
        self._db = db
        self._bootstrap = bootstrap
        self._group = group
        self._every = every
        self._removed: dict[int, int] = {}
        self._beat = time.monotonic()

    async def stalled(self) -> bool:
        """True when the loop has stopped turning."""
        return time.monotonic() - self._beat > STALLED_AFTER + self._every

    async def run(self) -> None:
        """Forget for ever; an outage is left to the next turn."""
        while True:
            self._beat = time.monotonic()
            try:
                async with asyncio.timeout(LONGEST_TURN):
                    self._removed = await truncation.below_committed(
                        self._bootstrap, REQUESTED, self._group, self._removed
                    )
                    await self._dead_letters()
            except (*TRANSIENT_ERRORS, KafkaError) as error:
                log.warning("forgetting waits", error=type(error).__qualname__)
            await asyncio.sleep(self._every)

    async def _dead_letters(self) -> None:
        async with self._db.system() as tx:
            erased = await erasure_store.in_dead_letters(tx)
        if not erased:
            return
        keys = [str(each) for each in erased]
        count = await truncation.dead_letters_of(self._bootstrap, REQUESTED, keys)
        if count:
            log.info("dead letters erased", count=count)
        async with self._db.system() as tx:
            await erasure_store.dead_letters_erased(tx, erased)
