"""The outbox's relay, as far as it needs no Kafka."""

import asyncio

from prometheus_client import REGISTRY

from chassis import outbox
from chassis.database import Database
from chassis.kafka import Cluster
from contracts.signatures import EventSigner
from tests.support import eventually


async def test_the_age_of_the_outbox_is_told_by_whoever_publishes_it(
    scheduling_db: Database,
) -> None:
    async def silent() -> bool:
        return REGISTRY.get_sample_value("outbox_oldest_seconds") == 0

    relay = outbox.Relay(scheduling_db, Cluster("nowhere:9092"), EventSigner({1: bytes(32)}))
    async with scheduling_db.system() as other:
        await other.execute("SELECT pg_advisory_xact_lock($1)", outbox.RELAY_LOCK)
        outbox.age.set(300)  # what this process said while it was the one
        running = asyncio.create_task(relay.run())
        try:
            await eventually(silent, "no age of ours")
        finally:
            running.cancel()
            await asyncio.wait([running])
