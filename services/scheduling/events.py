"""Kafka in: outcomes tell which addresses are dead and which are alive again."""

from collections.abc import Sequence

from chassis.database import Connection
from contracts.envelope import Received
from contracts.events import Outcome
from contracts.topics import OUTCOMES
from services.scheduling import address_store
from services.scheduling.addresses import verdict

TOPICS = (OUTCOMES,)
GROUP = "scheduling"


async def handle(tx: Connection, received: Sequence[Received]) -> None:
    """Take in one batch within the consumer's transaction."""
    outcomes = [each.event for each in received if isinstance(each.event, Outcome)]
    verdicts = [found for outcome in outcomes if (found := verdict(outcome)) is not None]
    await address_store.add_verdicts(tx, verdicts)
