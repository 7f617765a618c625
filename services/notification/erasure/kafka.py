"""Takes patients' data out of Kafka long before its retention.

Requests go soon after they were taken over, dead letters once their appointment is erased.
"""

import asyncio

import structlog
from aiokafka.errors import KafkaError

from chassis import kafka_deletion
from chassis.backoff import Backoff
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.kafka import Cluster
from chassis.loop import Loop
from contracts.topics import REQUESTED
from services.notification.erasure import store as erasure_store

log = structlog.get_logger(__name__)

TURN_TIMEOUT = 120.0  # seconds
MAX_TURN = 600.0  # seconds: a turn that outlives its timeout is stuck


class KafkaErasure:
    """One per process; any number may do the same."""

    name = "kafka erasure"

    def __init__(self, db: Database, *, cluster: Cluster, group: str, poll: float) -> None:
        """`group` is the one that reads the requests; `poll` in seconds."""
        self._db = db
        self._cluster = cluster
        self._group = group
        self._removed: dict[int, int] = {}
        loop = Loop(
            self.name,
            self._turn,
            poll=poll,
            backoff=Backoff(first=1, most=60),
            transient=(*TRANSIENT_ERRORS, KafkaError),
            max_turn=MAX_TURN,
        )
        self.run = loop.run
        self.stalled = loop.stalled

    async def _turn(self) -> bool:
        async with asyncio.timeout(TURN_TIMEOUT):
            self._removed = await kafka_deletion.below_committed(
                self._cluster, REQUESTED, self._group, self._removed
            )
            await self._dead_letters()
        return False

    async def _dead_letters(self) -> None:
        async with self._db.system() as tx:
            erased = await erasure_store.in_dead_letters(tx)
        if not erased:
            return
        keys = [str(each) for each in erased]
        count = await kafka_deletion.dead_letters_of(self._cluster, REQUESTED, keys)
        if count:
            log.info("dead letters erased", count=count)
        async with self._db.system() as tx:
            await erasure_store.dead_letters_erased(tx, erased)
