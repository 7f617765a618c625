"""PostgreSQL: one pool per process, every transaction bound to a scope.

The scope is one practice, the system (all practices: consumers, workers, the relay) or the
operator (practices as such, and nothing of theirs). It is the setting `app.practice`, which the
row-level security policies of every migration read through `practice_in_scope`. A query outside
of a scope sees no rows at all.

What goes on in the background is patient; callers are not (`for_callers`).
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import Gauge

from chassis.turns import Busy, Turns

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

EVERY_PRACTICE = "every"
OPERATOR = "operator"
NO_PRACTICE = "none"
STATEMENT_TIMEOUT = 30.0  # seconds
ACQUIRE_TIMEOUT = 10.0  # seconds
RESERVED = 2  # connections that callers leave to what goes on in the background

# For callers, in seconds: who waits for an answer is told soon that there is none.
CALLER_WAITS = 2.0  # for a connection, and for its first answer
CALLER_TAKES = 5.0  # for a whole transaction
SHARED_WAITS = 100  # milliseconds, of what several practices share, for a lock
AWAY = 1.0  # in which nobody asks a database that has just not answered

# What is done again and again asks for rows by their keys. A plan that is made while a table is
# small reads it whole, and is kept for a minute, in which the table may grow by thousands.
BY_KEY = "enable_seqscan = off"

# In the FROM of a statement: binds it to the practice `$1`, for row-level security as well. What
# else it reads and writes takes the practice from here, so that nothing can come before it. It
# holds until another is entered: what enters none is bound to the last that was.
ENTERED = "(SELECT set_config('app.practice', $1::uuid::text, true)::uuid AS practice) AS entered"

# What PostgreSQL says of the values that it was given.
OF_CONTENT = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.CardinalityViolationError,  # as when two of a batch are one row
    asyncpg.ProgramLimitExceededError,  # as when an index takes none so long
)
# No fault of what was being written: it passes by itself or is mended, and is worth trying again.
# All else that PostgreSQL says is of this kind: that it is read-only, that a password, a right or a
# table is missing, and that a statement of ours is wrong, which it is whatever is written (ADR 62).
TRANSIENT_ERRORS: tuple[type[BaseException], ...] = (
    *(kind for kind in asyncpg.PostgresError.__subclasses__() if kind not in OF_CONTENT),
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    asyncpg.InternalClientError,  # as of a connection that a dying server has left unusable
)


connections_open = Gauge(
    "database_connections", "Of the process's pool: in use, idle, and how many may be", ["state"]
)


class DatabaseUnavailable(ConnectionError):
    """A caller is refused for now. What was begun is undone, unless it was just being committed."""


class DatabaseAway(DatabaseUnavailable):
    """The database does not answer."""


class DatabaseBusy(DatabaseUnavailable):
    """All connections are in use, and enough callers wait for one."""


class DatabaseRefuses(DatabaseUnavailable):
    """The database answers, and does not do this: others may ask for what it still does."""


@dataclass(slots=True)
class _Answers:
    """When the database last did not answer (monotonic); shared by all who ask it."""

    missed_at: float | None = None

    def missed(self) -> bool:
        """Whether it is to be left alone; else whoever asks now finds out for the others."""
        now = time.monotonic()
        if self.missed_at is None:
            return False
        if now - self.missed_at < AWAY:
            return True
        self.missed_at = now
        return False


class _LeftClean(_Connection):
    """Goes back into the pool without a round trip: a transaction of ours leaves nothing to reset.

    Scopes and advisory locks end with it, and nothing is listened to here. One that is left open
    all the same is rolled back.
    """

    def get_reset_query(self) -> str:
        """Nothing to send (a hook of asyncpg's)."""
        return ""


class Database:
    """A bounded pool of connections to the service's own database."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool
        self._answers = _Answers()

    def for_callers(self) -> "CallersDatabase":
        """The same connections, for requests that somebody waits for."""
        return CallersDatabase(self.pool, self._answers)

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
            connection_class=_LeftClean,
            server_settings={"application_name": "einladung", "TimeZone": "UTC"},
        )
        connections_open.labels("used").set_function(lambda: pool.get_size() - pool.get_idle_size())
        connections_open.labels("idle").set_function(pool.get_idle_size)
        connections_open.labels("most").set(connections)
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
        """A transaction across practices: consumers, workers."""
        async with self._transaction(EVERY_PRACTICE, BY_KEY) as connection:
            yield connection

    @asynccontextmanager
    async def alone(self, lock: int) -> AsyncIterator["Connection | None"]:
        """As `system`, for one at a time: None where somebody else holds this advisory lock.

        It may be undone by a crash of the server although it was committed, all of it or nothing:
        for what does no harm if it is done again, as by the relay.
        """
        taking = f"SELECT WHERE pg_try_advisory_xact_lock({lock:d})"
        async with (
            self.pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection,
            _begun(
                connection, EVERY_PRACTICE, "synchronous_commit = off", and_then=taking
            ) as taken,
        ):
            self._answers.missed_at = None
            yield connection if affected(taken) else None

    async def has_rows(self, table: str) -> bool:
        """Whether a table has rows, of whichever practice: for who asks again and again.

        One round trip; the transaction of its own, as `system`, is the statement's. That the
        subquery takes the scope from `entered` has it come after it (`ENTERED`).
        """
        async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection:
            found: bool = await connection.fetchval(
                f"""
                SELECT EXISTS (SELECT FROM {table} WHERE entered.scope = $1)
                FROM (SELECT set_config('app.practice', $1, true) AS scope) AS entered
                """,  # noqa: S608 - a name in our code
                EVERY_PRACTICE,
            )
        self._answers.missed_at = None
        return found

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[Connection]:
        """A transaction of several practices, each statement of which enters one (`ENTERED`).

        It waits for others' locks for a moment only, since all of them would wait. Its statements
        are made again and again, and are planned once.
        """
        async with self._transaction(
            NO_PRACTICE,
            f"lock_timeout = {SHARED_WAITS}",
            "plan_cache_mode = force_generic_plan",
            BY_KEY,
        ) as connection:
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
    async def _transaction(self, scope: str, *settings: str) -> AsyncIterator[Connection]:
        async with (
            self.pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection,
            _begun(connection, scope, *settings),
        ):
            self._answers.missed_at = None
            yield connection


class CallersDatabase(Database):
    """For requests that somebody waits for: places by turns, short waits, and answers at once.

    Every transaction raises DatabaseUnavailable for what is no fault of the caller's. A database
    that has not answered is asked again by one caller each second; the others are told at once.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", answers: _Answers) -> None:
        super().__init__(pool)
        self._answers = answers
        self._turns = Turns(max(1, pool.get_max_size() - RESERVED), patience=CALLER_WAITS)

    @asynccontextmanager
    async def _transaction(self, scope: str, *settings: str) -> AsyncIterator[Connection]:
        if self._answers.missed():
            raise DatabaseAway
        limit: _Limit | None = None
        begun = False
        try:
            async with (
                self._turns.place(scope),
                self.pool.acquire(timeout=CALLER_WAITS) as connection,
            ):
                limit = _Limit(connection)
                with limit:
                    async with _begun(connection, scope, *settings):
                        begun = True
                        self._answers.missed_at = None
                        limit.extend(CALLER_TAKES)
                        yield connection
        except Busy:
            raise DatabaseBusy from None
        except TRANSIENT_ERRORS as error:
            if isinstance(error, BUSY) or (begun and limit and limit.reached):
                raise DatabaseBusy from error
            if begun and isinstance(error, asyncpg.PostgresError) and not isinstance(error, ENDING):
                raise DatabaseRefuses from error
            self._answers.missed_at = time.monotonic()
            raise DatabaseAway from error


# The database answers, and others are in the way.
BUSY = (
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,  # after a migration; is prepared anew
)
# What it says of a connection that it ends, or has none for.
ENDING = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)


class _Limit:
    """Drops a connection that is used for too long: a statement under way then fails.

    To cancel it instead would take the server's answer, which may be what is missing.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.reached = False

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_later(CALLER_WAITS, self._drop)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def extend(self, seconds: float) -> None:
        """So much longer from now on."""
        self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._drop)

    def _drop(self) -> None:
        self.reached = True
        _drop(self._connection)


@asynccontextmanager
async def _begun(
    connection: Connection, scope: str, *settings: str, and_then: str = ""
) -> AsyncIterator[str]:
    """A transaction of the scope with these settings: one round trip to begin, one to end.

    Yields the command tag of the last statement of those that begin it.

    A connection that asyncpg finds unusable (what a dying server said last can make it so, before
    it is known to be closed) is dropped: the next one will do. So is one over which nothing can be
    undone, and what is raised is what went wrong before.
    """
    if not scope.replace("-", "").isalnum():
        raise ValueError("no scope")
    try:
        each = [f"SET LOCAL {one}" for one in (f"app.practice = '{scope}'", *settings)]
        tag = await connection.execute("; ".join(["BEGIN", *each, and_then]))
        try:
            yield tag
        except BaseException:
            try:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
            except TRANSIENT_ERRORS:
                _drop(connection)
            raise
        await connection.execute("COMMIT")
    except asyncpg.InternalClientError:
        _drop(connection)
        raise


def _drop(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # closed by now, and back in its pool
        connection.terminate()


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
