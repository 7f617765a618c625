"""Looks at a running stack from outside: processes, databases, topics, queues."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import asyncpg
import httpx
import psutil
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from chassis.kafka import Cluster
from local.kafka import Kafka
from local.modules import MODULES
from local.postgres import Postgres
from local.stack import Stack

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PATIENCE = 30.0  # seconds for an answer
OURS = "FROM pg_stat_user_tables WHERE relname <> 'schema_migrations'"
# Rows that somebody should have taken by now; others wait for their time on purpose.
LATE = "now() - interval '10 seconds'"
QUEUES = {
    "scheduling": {
        "scheduling's outbox": "outbox",
        "notices due": f"notices WHERE done_at IS NULL AND due_at < {LATE}",
    },
    "notification": {
        "notification's outbox": "outbox",
        "deliveries due": f"deliveries WHERE due_at < {LATE}",
        "receipts due": f"receipts WHERE due_at < {LATE}",
        "gateways to ask": f"deliveries WHERE ask_at < {LATE}",
    },
}


class Measuring:
    """Takes samples of a stack; see reliability/soak/samples.py."""

    def __init__(self, stack: Stack) -> None:
        assert isinstance(stack.postgres, Postgres)
        assert isinstance(stack.kafka, Kafka)
        self._stack = stack
        self._processes: Mapping[str, int] = {
            **{name: stack.service(name).pid for name in MODULES},
            "PostgreSQL": stack.postgres.process.pid,
            "Kafka": stack.kafka.process.pid,
            "mailbox": stack.mailbox.pid,
            "phones": stack.phones.pid,
            "identity provider": stack.identity_provider.pid,
        }

    async def sample(self) -> dict[str, dict[str, float]]:
        """Everything, once. What is gone, as after a restart, raises."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for name, pid in self._processes.items():
            usage = await asyncio.to_thread(_usage, pid)
            for group, figure in usage.items():
                found[group][name] = figure
        for name in MODULES:
            await self._database(name, found)
            found["time series"][name] = await self._time_series(name)
        await self._topics(found)
        data = self._stack.folder.path
        found["space"] = {
            "write-ahead log": _bytes(data / "postgres" / "data" / "pg_wal"),
            "logs": _bytes(self._stack.folder.logs),
            "Kafka": _bytes(data / "kafka"),
            "PostgreSQL": _bytes(data / "postgres"),
        }
        return {**found}

    async def _database(self, name: str, found: dict[str, dict[str, float]]) -> None:
        connection: Connection = await asyncpg.connect(self._stack.owner_dsn(name))
        try:
            for table, size, dead in await connection.fetch(
                f"SELECT relname, pg_total_relation_size(relid), n_dead_tup {OURS}"
            ):
                full_name = f"{name}.{table}"
                found["tables"][full_name] = size
                found["dead"][full_name] = dead
                found["rows"][full_name] = await connection.fetchval(
                    f'SELECT count(*) FROM "{table}"'
                )
            for queue, rows in QUEUES.get(name, {}).items():
                found["queues"][queue] = await connection.fetchval(f"SELECT count(*) FROM {rows}")
            found["connections"][name] = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2",
                name,
                connection.get_server_pid(),
            )
        finally:
            await connection.close()

    async def _time_series(self, name: str) -> float:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            answer = await client.get(f"{self._stack.operations_url(name)}/metrics")
        return sum(not line.startswith("#") for line in answer.text.splitlines())

    async def _topics(self, found: dict[str, dict[str, float]]) -> None:
        cluster, folder = self._stack.cluster, self._stack.folder.path / "kafka" / "log"
        sizes: dict[str, float] = defaultdict(float)
        partitions: dict[TopicPartition, None] = {}
        for place in folder.glob("*-*"):
            topic, _, number = place.name.rpartition("-")
            if not topic.startswith("__cluster") and number.isdecimal():
                sizes[topic] += sum(_size(file) for file in place.glob("*.log"))
                partitions[TopicPartition(topic, int(number))] = None
        ends = await _ends(cluster, list(partitions))
        found["topics"] = sizes
        for partition, end in ends.items():
            records = found["records"]
            records[partition.topic] = records.get(partition.topic, 0.0) + end
        for group, unread in (await _unread(cluster, ends)).items():
            found["queues"][f"unread by {group}"] = unread


async def _ends(cluster: Cluster, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = cluster.consumer()
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def _unread(cluster: Cluster, ends: Mapping[TopicPartition, int]) -> dict[str, float]:
    admin: AIOKafkaAdminClient = cluster.admin()
    await admin.start()
    try:
        groups = [name for name, *_ in await admin.list_consumer_groups()]
        unread = {}
        for group in groups:
            read = await admin.list_consumer_group_offsets(group)
            unread[group] = float(
                sum(max(0, ends[each] - at.offset) for each, at in read.items() if each in ends)
            )
        return unread
    finally:
        await admin.close()


def _usage(pid: int) -> dict[str, float]:
    """Of a process with all that it started.

    Of memory what is its own (RssAnon): what PostgreSQL's processes share has a fixed size and is
    touched little by little, and pages of files are the kernel's to drop.
    """
    usage: dict[str, float] = defaultdict(float)
    for process in _family(pid):
        with suppress(psutil.NoSuchProcess):  # it has ended since
            usage["memory"] += _own_memory(process.pid)
            usage["resident"] += process.memory_info().rss
            usage["descriptors"] += process.num_fds()
            usage["threads"] += process.num_threads()
    return usage


def _own_memory(pid: int) -> float:
    """Bytes (proc(5), RssAnon and what was swapped out); 0 for one that has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return 1024.0 * sum(
            int(fields[name].split()[0]) for name in ("RssAnon", "VmSwap") if name in fields
        )
    return 0.0


def _family(pid: int) -> Iterator[psutil.Process]:
    parent = psutil.Process(pid)
    yield parent
    yield from parent.children(recursive=True)


def _bytes(folder: Path) -> float:
    return sum(_size(file) for file in folder.rglob("*"))


def _size(file: Path) -> float:
    try:
        return file.stat().st_blocks * 512  # index files are mostly holes
    except FileNotFoundError:  # removed since
        return 0.0
