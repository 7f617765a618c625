"""An empty list is worth as much as the partition that was longest not read to its end."""

from datetime import timedelta

from aiokafka import TopicPartition

from chassis.clock import utc_now
from services.status import certainty_store
from tests.database.status.support import Status

FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


async def test_the_oldest_counts_and_nothing_is_certain_before_all_were_read(
    status: Status,
) -> None:
    now = utc_now()
    async with status.db.system() as tx:
        await certainty_store.note(tx, [FIRST], now)
        assert await certainty_store.certain_at(tx, 2) is None
        await certainty_store.note(tx, [SECOND], now - timedelta(hours=1))
        assert await certainty_store.certain_at(tx, 2) == now - timedelta(hours=1)
        await certainty_store.note(tx, [SECOND, FIRST], now - timedelta(minutes=1))
        assert await certainty_store.certain_at(tx, 2) == now - timedelta(minutes=1)
        await certainty_store.note(tx, [], now)
    async with status.db.practice(status.practice_id) as tx:
        assert await certainty_store.certain_at(tx, 2) == now - timedelta(minutes=1)
