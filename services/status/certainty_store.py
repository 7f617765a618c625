"""The SQL of how fresh all of it is: until when what was published has taken effect.

Each replica notes it of the partitions that it reads, every few seconds, as long as it has read
them to their end. One that nobody reads, or that is behind, holds back the whole: an empty list of
what is open is worth as much as the oldest of them.
"""

from collections.abc import Sequence
from datetime import datetime

from aiokafka import TopicPartition

from chassis.database import Connection


async def note(tx: Connection, read: Sequence[TopicPartition], at: datetime) -> None:
    """These partitions were read to the end that they had then."""
    await tx.execute(
        """
        INSERT INTO partitions_read (topic, partition, read_up_at)
        SELECT topic, partition, $3
        FROM unnest($1::text[], $2::integer[]) AS read (topic, partition)
        ORDER BY 1, 2
        ON CONFLICT (topic, partition) DO UPDATE
            SET read_up_at = greatest(partitions_read.read_up_at, excluded.read_up_at)
        """,
        [each.topic for each in read],
        [each.partition for each in read],
        at,
    )


async def certain_at(tx: Connection, partitions: int) -> datetime | None:
    """When what is shown was last certain; None while not so many partitions were ever read."""
    row = await tx.fetchrow("SELECT count(*) AS read, min(read_up_at) AS at FROM partitions_read")
    if row is None or row["read"] < partitions:
        return None
    at: datetime = row["at"]
    return at
