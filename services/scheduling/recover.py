"""`python -m services.scheduling.recover`: see chassis/recovery.py.

Where this database was restored, it learns first what the appointments topic tells of since, and
names what can't be had again.
"""

import sys
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from chassis import recovery
from chassis.clock import utc_now
from chassis.database import Database
from chassis.kafka import Cluster
from chassis.recovery import Recovery
from chassis.sealing import Sealer
from chassis.secret_keys import decode_keys
from chassis.service import load
from contracts.topics import APPOINTMENTS
from services.scheduling import events
from services.scheduling.booking import SOURCE
from services.scheduling.links import Links
from services.scheduling.recovery import store, telling
from services.scheduling.recovery.learning import Learnt, learn
from services.scheduling.recovery.told import fold
from services.scheduling.settings import Settings


async def recover(settings: Settings, asked: Recovery) -> Sequence[str]:
    """Hear again, learn, tell again; a line for each, and one for each appointment that is lost."""
    kafka = Cluster.of(settings)
    sealer = Sealer(decode_keys(settings.contact_keys))
    lines = [
        f"scheduling: {await recovery.rewind(kafka, events.GROUP, events.TOPICS, asked.since)}"
        " partitions are read again."
    ]
    async with Database.open(settings.database_url.get_secret_value(), connections=1) as db:
        if "scheduling" in asked.restored:
            lines += await _learnt(settings, kafka, db, sealer, asked)
        again = telling.Telling(
            links=Links(settings.link_base_url, decode_keys(settings.link_keys)),
            channels=settings.channels,
            sealer=sealer,
            source=SOURCE,
            since=asked.since,
            now=utc_now(),
            repeated="notification" in asked.restored,
        )
        told = 0
        after: UUID | None = telling.FIRST
        while after is not None:
            async with db.system() as tx:
                after, some = await again.page(tx, after)
                told += some
        async with db.system() as tx:
            told += await again.erased(tx)
    return [*lines, f"scheduling: {told} events are told again."]


async def _learnt(
    settings: Settings, kafka: Cluster, db: Database, sealer: Sealer, asked: Recovery
) -> Sequence[str]:
    since, verifier = asked.since, settings.event_verifier
    told = fold(
        [each.event async for each in recovery.read_back(kafka, APPOINTMENTS, since, verifier)]
    )
    learnt = Learnt()
    for _, each in sorted(told.items()):
        async with db.system() as tx:
            await learn(tx, sealer, each, learnt, source=SOURCE, now=utc_now())
    async with db.system() as tx:
        await store.raise_numbers(tx)
    return list(learnt.lines())


if __name__ == "__main__":
    settings = load(Settings, name="scheduling")
    sys.exit(recovery.main("scheduling", partial(recover, settings)))
