"""The services' databases as their owners see them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from local.stack import Stack


@asynccontextmanager
async def owner(stack: Stack, service: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a service's database that sees every practice and every table."""
    connection = await asyncpg.connect(stack.owner_dsn(service))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def log_forgotten(stack: Stack, practice_id: UUID) -> AsyncIterator[None]:
    """Afterwards nothing is left of a practice's audit log, which was harmed within."""
    try:
        yield
    finally:
        async with owner(stack, "scheduling") as database, database.transaction():
            await database.execute("ALTER TABLE audit_entries DISABLE TRIGGER append_only")
            await database.execute("DELETE FROM audit_entries WHERE practice_id = $1", practice_id)
            await database.execute("DELETE FROM audit_chains WHERE chain = $1", practice_id)
            await database.execute("ALTER TABLE audit_entries ENABLE TRIGGER append_only")
