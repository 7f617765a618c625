"""What goes to the database together is done together, or not at all."""

import asyncpg
import pytest

from chassis.database import Database
from chassis.together import Together, fetch_each, together

INSERT = "INSERT INTO inbox (event_id) SELECT unnest($1::uuid[])"
LOST = "INSERT INTO outbox (topic, key, headers, value) VALUES ($1, $2, '{}', $3)"
FIRST, SECOND = "0" * 31 + "1", "0" * 31 + "2"


async def count(db: Database, table: str) -> int:
    async with db.system() as tx:
        found: int = await tx.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_statements_keep_their_arguments(scheduling_db: Database) -> None:
    async with scheduling_db.system() as tx, together(tx) as all_at_once:
        await all_at_once.execute(INSERT, [FIRST, SECOND])
        await all_at_once.execute(LOST, "topic", "key", b"value")
    async with scheduling_db.system() as tx:
        row = await tx.fetchrow("SELECT topic, key, value FROM outbox")
        assert row is not None
        assert tuple(row) == ("topic", "key", b"value")
        assert await tx.fetchval("SELECT count(*) FROM inbox") == 2


async def test_one_that_is_refused_undoes_the_others(scheduling_db: Database) -> None:
    async def write() -> None:
        async with scheduling_db.system() as tx, together(tx) as all_at_once:
            await all_at_once.execute(INSERT, [FIRST])
            await all_at_once.execute(LOST, None, "key", b"value")

    with pytest.raises(asyncpg.NotNullViolationError):
        await write()
    assert await count(scheduling_db, "inbox") == 0


async def test_several_of_one_kind_are_sent_together(scheduling_db: Database) -> None:
    returning = f"{LOST} RETURNING key"
    both = [Together(), Together()]
    for each, event_id, key in zip(both, (FIRST, SECOND), ("a", "b"), strict=True):
        await each.execute(INSERT, [event_id])
        await each.execute(returning, "topic", key, b"value")
    async with scheduling_db.system() as tx:
        rows = await fetch_each(tx, both)
        assert not await fetch_each(tx, [])
    assert [row["key"] for row in rows] == ["a", "b"]
    assert await count(scheduling_db, "inbox") == 2


async def test_nothing_is_no_statement(scheduling_db: Database) -> None:
    async with scheduling_db.system() as tx, together(tx):
        pass
