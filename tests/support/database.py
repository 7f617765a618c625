"""The services' databases as their owners see them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
