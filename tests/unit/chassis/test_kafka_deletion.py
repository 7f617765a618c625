"""What is removed from Kafka is only what was looked at."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

from chassis import kafka_deletion as truncation
from chassis.kafka import Cluster
from contracts.topics import REQUESTED


class SlowBroker:
    """A consumer of parked messages that a broker leaves without an answer: offset 1 of 2."""

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.partitions = partitions

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 2)

    async def position(self, _partition: TopicPartition) -> int:
        return 1

    async def getmany(
        self, _partition: TopicPartition, timeout_ms: int, max_records: int | None
    ) -> dict[TopicPartition, Any]:
        assert timeout_ms
        return {}

    async def __aenter__(self) -> "SlowBroker":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


async def test_dead_letters_that_were_not_read_are_not_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dead letters of other patients, which a replay would still have sent."""
    monkeypatch.setattr(Cluster, "consumer", lambda *_, **__: SlowBroker())
    with pytest.raises(KafkaTimeoutError):
        await truncation.dead_letters_of(
            Cluster("nowhere:9092"), REQUESTED, ["an erased appointment"]
        )
