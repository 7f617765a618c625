"""`python -m services.status.recover`: see chassis/recovery.py."""

import sys
from collections.abc import Sequence
from functools import partial

from chassis import recovery
from chassis.kafka import Cluster
from chassis.recovery import Recovery
from chassis.service import load
from services.status import events
from services.status.settings import Settings


async def recover(settings: Settings, asked: Recovery) -> Sequence[str]:
    """Hear again."""
    moved = await recovery.rewind(Cluster.of(settings), events.GROUP, events.TOPICS, asked.since)
    return [f"status: {moved} partitions are read again."]


if __name__ == "__main__":
    settings = load(Settings, name="status")
    sys.exit(recovery.main("status", partial(recover, settings)))
