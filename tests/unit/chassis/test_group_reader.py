"""What a member of a group commits, and when; what it reads again; what it has still to read."""

import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, CorruptRecordException, IllegalStateError
from faststream import AckPolicy

from chassis import group_reader
from chassis.group_reader import GroupReader
from chassis.kafka import Cluster
from chassis.undecodable import Record
from contracts.topics import APPOINTMENTS

FIRST, SECOND = (TopicPartition(APPOINTMENTS.name, number) for number in (0, 1))


class Kafka:
    """aiokafka's consumer: two partitions with ten records each."""

    def __init__(self) -> None:
        self.positions = {FIRST: 0, SECOND: 0}
        self.not_fetched: set[TopicPartition] = set()
        self.commits: list[Mapping[TopicPartition, int]] = []
        self.refuses = False
        self.corrupt: set[TopicPartition] = set()
        self.undecodable: set[tuple[TopicPartition, int]] = set()
        self.begun_anew: list[set[TopicPartition]] = []

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return set(self.positions)

    def paused(self) -> set[TopicPartition]:
        return self.not_fetched

    def pause(self, *partitions: TopicPartition) -> None:
        self.not_fetched |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.not_fetched -= set(partitions)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Record]]:
        assert timeout_ms
        found = {}
        asked = partitions or self.positions.keys() - self.not_fetched
        for each in sorted(asked):
            if each in self.corrupt:
                raise CorruptRecordException
            begin = self.positions[each]
            end = min(10, begin + (max_records if partitions else max_records // 2))
            for offset in range(begin, end):
                if (each, offset) in self.undecodable:
                    b"\xff".decode()
            self.positions[each] = end
            found[each] = [record(each, offset) for offset in range(begin, end)]
        return {each: records for each, records in found.items() if records}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self.positions:
            raise IllegalStateError
        self.positions[partition] = offset

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        self.begun_anew.append({*partitions})
        for partition in partitions:
            self.seek(partition, 0)

    async def committed(self, partition: TopicPartition) -> int | None:
        return max((each[partition] for each in self.commits if partition in each), default=None)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.refuses:
            raise CommitFailedError
        self.commits.append(offsets)

    async def end_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 10)

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]


def record(partition: TopicPartition, offset: int) -> Record:
    return ConsumerRecord(*partition, offset, 0, 0, b"", b"", None, 0, 0, ())


async def joined(kafka: Kafka, *, most: int) -> GroupReader:
    class Broker:
        stop = kafka.stop

        def subscriber(
            self, *_: str, ack_policy: AckPolicy, listener: GroupReader, **__: object
        ) -> object:
            assert ack_policy is AckPolicy.MANUAL
            self.listener = listener
            return SimpleNamespace(consumer=kafka)

        async def start(self) -> None:
            await self.listener.on_partitions_revoked(())  # aiokafka says so on joining, too

    class Brokers:
        def broker(self, **_: object) -> Broker:
            return Broker()

    reader = GroupReader(cast(Cluster, Brokers()), [APPOINTMENTS], "test", most=most)
    await reader.join()
    return reader


def a_second_later(monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.monotonic() + group_reader.COMMIT_EVERY + 1
    monkeypatch.setattr("chassis.group_reader.time.monotonic", lambda: later)


async def test_offsets_follow_their_effect_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka()
    reader = await joined(kafka, most=4)
    for _ in range(3):
        reader.done(await reader.next())
    assert not kafka.commits
    a_second_later(monkeypatch)
    in_hand = await reader.next()
    assert kafka.commits == [{FIRST: 6, SECOND: 6}]
    await reader.leave()
    assert len(in_hand) == 4
    assert len(kafka.commits) == 1  # what is in hand has no effect yet


async def test_what_ended_is_committed_before_others_take_over_and_at_the_end() -> None:
    for goes in (GroupReader.leave, lambda reader: reader.on_partitions_revoked([FIRST])):
        kafka = Kafka()
        reader = await joined(kafka, most=4)
        reader.done(await reader.next())
        await goes(reader)
        assert kafka.commits == [{FIRST: 2, SECOND: 2}]


async def test_a_commit_that_fails_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka()
    reader = await joined(kafka, most=4)
    reader.done(await reader.next())
    kafka.refuses = True
    a_second_later(monkeypatch)
    await reader.next()
    kafka.refuses = False
    await reader.leave()
    assert kafka.commits == [{FIRST: 2, SECOND: 2}]


async def test_what_had_no_effect_comes_again_unless_it_is_anothers_by_now() -> None:
    kafka = Kafka()
    reader = await joined(kafka, most=4)
    reader.done(await reader.next())
    failed = await reader.next()
    del kafka.positions[SECOND]
    reader.again()
    again = await reader.next()
    assert {(each.partition, each.offset) for each in failed} == {(0, 2), (0, 3), (1, 2), (1, 3)}
    assert [(each.partition, each.offset) for each in again] == [(0, 2), (0, 3)]


async def test_what_is_in_hand_counts_as_unread() -> None:
    kafka = Kafka()
    reader = await joined(kafka, most=4)
    assert await reader.unread() == {FIRST: 10, SECOND: 10}
    records = await reader.next()
    assert await reader.unread() == {FIRST: 10, SECOND: 10}
    reader.done(records)
    assert await reader.unread() == {FIRST: 8, SECOND: 8}


async def test_nothing_is_fetched_ahead_unless_there_is_much() -> None:
    kafka = Kafka()
    reader = await joined(kafka, most=12)
    assert len(await reader.next()) == 12
    assert not kafka.not_fetched
    assert len(await reader.next()) == 8
    assert kafka.not_fetched == {FIRST, SECOND}
    assert await reader.next() == []
    assert not kafka.not_fetched


@pytest.mark.parametrize("ended", [True, False])
async def test_nothing_is_passed_where_another_partition_cannot_be_read(ended: bool) -> None:
    kafka = Kafka()
    reader = await joined(kafka, most=4)
    if ended:
        reader.done(await reader.next())
    kafka.corrupt = {SECOND}
    for _ in range(2):
        with pytest.raises(CorruptRecordException):
            await reader.next()
    kafka.positions[FIRST] = 10  # had it been read to its end
    assert await reader.unread() == {SECOND: 8 if ended else 10}
    kafka.corrupt = set()
    begin = 2 if ended else 0
    assert [(each.partition, each.offset) for each in await reader.next()] == [
        (partition, offset) for partition in (0, 1) for offset in (begin, begin + 1)
    ]
    # Together, as each takes as long as a question stays open; once it was tried in between.
    assert kafka.begun_anew == ([] if ended else [{FIRST, SECOND}] * 2)


@pytest.mark.parametrize("most", [4, 12, 30])
@pytest.mark.parametrize(
    "undecodable", [{(SECOND, 0)}, {(SECOND, 9)}, {(FIRST, 3), (SECOND, 1), (SECOND, 2)}]
)
async def test_what_can_not_be_decoded_is_left_out_and_nothing_else(
    most: int, undecodable: set[tuple[TopicPartition, int]]
) -> None:
    kafka = Kafka()
    kafka.undecodable = undecodable
    reader = await joined(kafka, most=most)
    read: list[Record] = []
    while records := await reader.next():
        assert len(records) <= most
        read += records
        reader.done(records)
    for partition in (FIRST, SECOND):
        offsets = [each.offset for each in read if each.partition == partition.partition]
        assert offsets == [*range(10)]
    left_out = {
        (TopicPartition(each.topic, each.partition), each.offset) for each in read if each.headers
    }
    assert left_out == undecodable
    await reader.leave()
    assert [await kafka.committed(each) for each in (FIRST, SECOND)] == [10, 10]
