"""`python -m services.webhooks.recover`: see chassis/recovery.py."""

import sys
from collections.abc import Sequence
from functools import partial

from chassis import recovery
from chassis.kafka import Cluster
from chassis.recovery import Recovery
from chassis.service import load
from services.webhooks import events
from services.webhooks.settings import Settings


async def recover(settings: Settings, asked: Recovery) -> Sequence[str]:
    """Hear again: what the database knows is not sent twice, the rest is sent, and erased anew."""
    moved = await recovery.rewind(Cluster.of(settings), events.GROUP, events.TOPICS, asked.since)
    return [f"webhooks: {moved} partitions are read again."]


if __name__ == "__main__":
    settings = load(Settings, name="webhooks")
    sys.exit(recovery.main("webhooks", partial(recover, settings)))
