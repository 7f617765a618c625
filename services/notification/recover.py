"""`python -m services.notification.recover`: see chassis/recovery.py."""

import sys
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from chassis import recovery
from chassis.clock import utc_now
from chassis.database import Database
from chassis.kafka import Cluster
from chassis.recovery import Recovery
from chassis.service import load
from contracts.topics import APPOINTMENTS, REQUESTED
from services.notification import requests
from services.notification.deliveries import recovery as deliveries
from services.notification.settings import Settings


async def recover(settings: Settings, asked: Recovery) -> Sequence[str]:
    """Hear again of appointments, and tell again; a line for each.

    Requests are not heard again: scheduling repeats them, and says where they may be known no more.
    """
    kafka, restored = Cluster.of(settings), "notification" in asked.restored
    moved = await recovery.rewind(
        kafka, requests.GROUP, [APPOINTMENTS], asked.since, read_on=[REQUESTED]
    )
    told = 0
    async with Database.open(settings.database_url.get_secret_value(), connections=1) as db:
        after: UUID | None = deliveries.FIRST
        while after is not None:
            async with db.system() as tx:
                after, some = await deliveries.tell_again(
                    tx, after, since=asked.since, restored=restored, now=utc_now()
                )
                told += some
        async with db.system() as tx:
            answers = await deliveries.answers_again(tx, asked.since)
    return [
        f"notification: {moved} partitions are read again.",
        f"notification: {told} outcomes and {answers} answers are told again.",
    ]


if __name__ == "__main__":
    settings = load(Settings, name="notification")
    sys.exit(recovery.main("notification", partial(recover, settings)))
