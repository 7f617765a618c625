"""PostgreSQL: one pool per process, every transaction bound to a scope.

The scope is one practice, the system (all practices: consumers, workers, the relay) or the
operator (practices as such, and nothing of theirs). It is the setting `app.practice`, which the
row-level security policies of every migration read through `practice_in_scope`. A query outside
of a scope sees no rows at all.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

EVERY_PRACTICE = "every"
OPERATOR = "operator"
STATEMENT_TIMEOUT = 30.0  # seconds
ACQUIRE_TIMEOUT = 10.0  # seconds

# What passes by itself: worth trying again, no fault of what was being written.
TRANSIENT_ERRORS: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    OSError,
    TimeoutError,
)


class Database:
    """A bounded pool of connections to the service's own database."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool

    @classmethod
    async def connect(cls, url: str, *, connections: int = 10) -> "Database":
        """Open the pool; raises what asyncpg raises when the database does not answer."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=connections,
            command_timeout=STATEMENT_TIMEOUT,
            timeout=ACQUIRE_TIMEOUT,
            init=_use_json,
            server_settings={"application_name": "einladung", "TimeZone": "UTC"},
        )
        return cls(pool)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, connections: int = 10) -> AsyncIterator["Database"]:
        """The pool while the context lasts. Raises as `connect`."""
        db = await cls.connect(url, connections=connections)
        try:
            yield db
        finally:
            await db.close()

    async def close(self) -> None:
        """Wait for running transactions, then close."""
        await self.pool.close()

    @asynccontextmanager
    async def practice(self, practice_id: UUID) -> AsyncIterator[Connection]:
        """A transaction that sees and writes rows of this practice only."""
        async with self._transaction(str(practice_id)) as connection:
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """A transaction across practices: consumers, workers, the relay."""
        async with self._transaction(EVERY_PRACTICE) as connection:
            yield connection

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[Connection]:
        """A transaction that sets practices up and sees nothing of theirs."""
        async with self._transaction(OPERATOR) as connection:
            yield connection

    async def ping(self) -> None:
        """Raise unless the database answers."""
        async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection:
            await connection.execute("SELECT 1", timeout=5)

    @asynccontextmanager
    async def _transaction(self, scope: str) -> AsyncIterator[Connection]:
        async with (
            self.pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection,
            connection.transaction(),
        ):
            await connection.execute("SELECT set_config('app.practice', $1, true)", scope)
            yield connection


def affected(tag: str) -> int:
    """How many rows a statement changed, from its command tag as "DELETE 5" or "INSERT 0 5"."""
    return int(tag.rpartition(" ")[2])


async def _use_json(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=json.dumps, decoder=_decode_json
        )


def _decode_json(text: str) -> Any:
    return json.loads(text)
