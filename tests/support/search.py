"""Searches everything that the product keeps for a word: databases, topics, logs.

Sealed values are opened with the stack's own keys, so that „nothing found" means that it is gone
and not that it can't be read.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import TopicPartition

from chassis.sealing import AssociatedData, NotOpened, Sealer
from contracts.sealed_bodies import HEADER
from contracts.topics import ALL_TOPICS
from local.modules import MODULES
from local.stack import Stack

Row = asyncpg.Record

# Where sealed values are, and the place that each is bound to. A new sealed column belongs here:
# a value that no entry opens fails the search.
SEALED: dict[tuple[str, str, str], Callable[[Row], AssociatedData]] = {
    ("scheduling", "appointments", "contact"): lambda row: (
        "appointments.contact",
        row["practice_id"],
        row["id"],
    ),
    ("scheduling", "outbox", "value"): lambda row: ("outbox.value", row["headers"]["ce_id"]),
    ("notification", "outbox", "value"): lambda row: ("outbox.value", row["headers"]["ce_id"]),
    ("notification", "deliveries", "letter"): lambda row: (
        "deliveries.letter",
        row["practice_id"],
        row["id"],
    ),
    ("notification", "receipts", "content"): lambda row: ("receipts.content", row["id"]),
}


class Words:
    """What is looked for: as it is, in any case, as hex, as base64 in each of its alignments."""

    def __init__(self, words: Sequence[str]) -> None:
        self._forms = [
            (word, form) for word in words for form in {word.lower().encode(), *_encoded(word)}
        ]

    def found(self, content: bytes) -> set[str]:
        """Which of the words are in `content`."""
        lowered = content.lower()
        return {word for word, form in self._forms if form in lowered}


def _encoded(word: str) -> Iterator[bytes]:
    raw = word.encode()
    yield raw.hex().encode()
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        yield whole[(0, 2, 3)[shift] : len(whole) - 4].lower()


async def search(stack: Stack, words: Sequence[str]) -> dict[str, set[str]]:
    """Where the words are, as „scheduling.appointments.contact", „topic …" or „log …"."""
    wanted = Words(words)
    found: dict[str, set[str]] = {}
    for database in MODULES:
        await _search_database(stack, database, wanted, found)
    await _search_topics(stack, wanted, found)
    _search_logs(stack, wanted, found)
    return found


async def _search_database(
    stack: Stack, database: str, words: Words, found: dict[str, set[str]]
) -> None:
    sealer = _sealer(stack, database)
    owner = await asyncpg.connect(stack.owner_dsn(database))
    try:
        await owner.execute("SET app.practice = 'every'")
        await owner.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
        )
        tables = await owner.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        for (table,) in tables:
            for row in await owner.fetch(f'SELECT * FROM "{table}"'):
                for column, value in row.items():
                    hits = words.found(_content(value))
                    place = SEALED.get((database, table, column))
                    if place is not None and value is not None and row.get("sealed", True):
                        assert sealer is not None
                        hits |= words.found(sealer.open(value, place(row)))
                    elif isinstance(value, bytes) and sealer is not None:
                        _refuse_unknown_seal(sealer, value, f"{database}.{table}.{column}")
                    if hits:
                        found.setdefault(f"{database}.{table}.{column}", set()).update(hits)
    finally:
        await owner.close()


def _refuse_unknown_seal(sealer: Sealer, value: bytes, where: str) -> None:
    with suppress(NotOpened):
        sealer.open(value, ())
        raise AssertionError(f"{where} is sealed: name its place in tests/support/search.py")


def _sealer(stack: Stack, database: str) -> Sealer | None:
    path = stack.folder.path / f"{database}-contact-keys.json"
    if not path.exists():
        return None
    keys = json.loads(path.read_text())
    keys |= json.loads(stack.setting(database, f"{database.upper()}_CONTACT_KEYS") or "{}")
    return Sealer({int(number): base64.urlsafe_b64decode(key) for number, key in keys.items()})


def _content(value: object) -> bytes:
    match value:
        case bytes():
            return value
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str).encode()
        case None | UUID():
            return b""
        case _:
            return str(value).encode()


async def _search_topics(stack: Stack, words: Words, found: dict[str, set[str]]) -> None:
    async for record in every_record(stack):
        headers = b"".join(value or b"" for _, value in record.headers)
        if hits := words.found((record.key or b"") + _opened(stack, record) + headers):
            found.setdefault(f"topic {record.topic}", set()).update(hits)


async def every_record(stack: Stack) -> AsyncIterator[Any]:
    """All that is in any topic now."""
    async with stack.cluster.consumer(group_id=None, auto_offset_reset="earliest") as consumer:
        for topic in ALL_TOPICS:
            partitions = [TopicPartition(topic.name, each) for each in range(topic.partitions)]
            consumer.assign(partitions)
            for partition, end in (await consumer.end_offsets(partitions)).items():
                while await consumer.position(partition) < end:
                    batch = await consumer.getmany(partition, timeout_ms=5000)
                    for record in batch.get(partition, ()):
                        yield record


def _opened(stack: Stack, record: Any) -> bytes:
    """What a record says, sealed for notification or not."""
    value: bytes = record.value or b""
    number = dict(record.headers).get(HEADER)
    return stack.body_opener.open({HEADER: number.decode()}, value) if number else value


def _search_logs(stack: Stack, words: Words, found: dict[str, set[str]]) -> None:
    logs = list(stack.folder.logs.iterdir())
    assert {f"{name}.log" for name in stack.in_use} < {log.name for log in logs}
    for log in logs:
        if hits := words.found(log.read_bytes()):
            found.setdefault(f"log {log.name}", set()).update(hits)
