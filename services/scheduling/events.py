"""Kafka in: outcomes tell which addresses are dead, and whether cancellations have arrived."""

from collections.abc import Sequence

from chassis.consumer import of_types
from chassis.database import Connection
from contracts.envelope import Received
from contracts.events import Delivered, DeliveryOutcome, Failed, NoticeOutcome
from contracts.topics import OUTCOMES
from services.scheduling import address_store, cancellation_store
from services.scheduling.addresses import taken_back, verdict

TOPICS = (OUTCOMES,)
GROUP = "scheduling"
PAUSE = 0.25  # seconds between batches: nobody waits for what outcomes say of addresses
concerning = of_types(Delivered, Failed, NoticeOutcome)


async def handle(tx: Connection, received: Sequence[Received]) -> None:
    """Take in one batch within the consumer's transaction."""
    outcomes = [each.event for each in received if isinstance(each.event, DeliveryOutcome)]
    verdicts = [found for outcome in outcomes if (found := verdict(outcome)) is not None]
    await address_store.add_verdicts(tx, verdicts)
    came_back = [back for outcome in outcomes if (back := taken_back(outcome)) is not None]
    await address_store.take_back(tx, came_back)
    await cancellation_store.follow(tx, outcomes)
