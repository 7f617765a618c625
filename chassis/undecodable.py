"""Reading past records that aiokafka can't decode.

The name of a header is text to it: one that is no UTF-8 raises, not saying of which record, and
what it took before in the same call is lost. So does each that stands behind it in the same batch,
which is the same producer's. They would be met again by whoever reads there.
"""

from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"

LEFT_OUT = "dlq_left_out"  # the header of a record of which only reason and place are kept


async def next_of(
    consumer: AIOKafkaConsumer,
    partition: TopicPartition,
    *,
    timeout_ms: int,
    most: int | None = None,
) -> list[Record]:
    """As `getmany` of one partition; an undecodable record is empty, but for LEFT_OUT.

    Raises KafkaError.
    """
    begin = await consumer.position(partition)
    try:
        found = await consumer.getmany(partition, timeout_ms=timeout_ms, max_records=most)
    except UnicodeDecodeError:
        consumer.seek(partition, begin)
    else:
        return [*found.get(partition, ())]
    end = (await consumer.end_offsets([partition]))[partition]
    records: list[Record] = []
    while (offset := await consumer.position(partition)) < end and len(records) != most:
        try:
            found = await consumer.getmany(partition, timeout_ms=timeout_ms, max_records=1)
        except UnicodeDecodeError:
            consumer.seek(partition, offset + 1)
            records.append(_left_out(partition, offset))
            continue
        if partition not in found:
            break
        records += found[partition]
    return records


def _left_out(partition: TopicPartition, offset: int) -> Record:
    about = ((LEFT_OUT, b"\xff"),)  # so decoding it says why: a header is not UTF-8
    return ConsumerRecord(*partition, offset, 0, 0, None, b"", None, -1, 0, about)
