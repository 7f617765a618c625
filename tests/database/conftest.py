"""PostgreSQL alone: use cases, event handlers and loops called directly, without the stack.

One server for each worker, with every service's database migrated; it is there within two seconds.

`scheduling_db`, `notification_db`, `status_db`, `webhooks_db`, `dashboard_db`: a pool under the
service's own role, so that row-level security is on. The database is emptied before each test, of
all but the practices and the audit log, which nobody can empty.
`owner_of`: connections as the owner of a service's database, for what no use case shows.
`new_practice`: inserts one, with other columns than the demo's where they are given.
`operator`: an operator's key, under which the service enters deeds in scheduling's audit log.
`sealer`: seals and opens patient data, under the one key of these tests.

What else tests of a service need is in its support.py.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from local.folder import Folder, cache_folder
from local.modules import MODULES, migrations
from local.ports import Ports, free_base
from local.practice import DEMO_PRACTICE
from local.servers import DatabaseServer, Place
from local.stack import embedded
from services.scheduling.audit.entry import OPERATOR, Actor
from services.scheduling.keys import key as keys
from services.scheduling.keys.key import Operator
from services.scheduling.keys.store import OPERATOR_KEYS
from tests import containers
from tests.conftest import CHOICE

NEVER_EMPTIED = ("schema_migrations", "practices", "audit_entries", "audit_chains")
DAY = timedelta(days=1)

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
OwnerOf = Callable[[str], AbstractAsyncContextManager[Owner]]


class NewPractice(Protocol):
    """Inserts a practice; `columns` are those of scheduling's table."""

    def __call__(self, **columns: Any) -> Awaitable[UUID]:
        """The new practice's id."""


@pytest_asyncio.fixture(scope="session")
async def postgres(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> AsyncIterator[DatabaseServer]:
    """A server with every service's database, migrated."""
    folder = Folder(tmp_path_factory.mktemp("postgres"))
    folder.open()
    servers = pytestconfig.stash[CHOICE].servers or embedded(cache=cache_folder(), fsync=False)
    server = servers.postgres(
        Place(
            folder=folder.path, logs=folder.logs, ports=Ports(free_base()), on_death=lambda _: None
        )
    )
    try:
        await server.prepare(lambda _: None)
        await server.start()
        await asyncio.gather(*(server.migrate(name, migrations(name)) for name in MODULES))
        yield server
    finally:
        await server.stop()
        containers.remove(server)
        folder.close()


@pytest.fixture
def owner_of(postgres: DatabaseServer) -> OwnerOf:
    @asynccontextmanager
    async def connect(service: str) -> AsyncIterator[Owner]:
        connection = await asyncpg.connect(postgres.owner_dsn(service))
        try:
            yield connection
        finally:
            await connection.close()

    return connect


async def rows_read(owner: Owner, table: str) -> int:
    """Of all rows of a table that were ever read, those that connections have told of.

    One tells the rest before it ends.
    """
    await owner.execute("SELECT pg_stat_clear_snapshot()")
    found: int = await owner.fetchval(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = $1", table
    )
    return found


def _database(service: str) -> Any:
    @pytest_asyncio.fixture(name=f"{service}_db")
    async def emptied(postgres: DatabaseServer, owner_of: OwnerOf) -> AsyncIterator[Database]:
        async with owner_of(service) as owner:
            tables = await owner.fetchval(
                """
                SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
                WHERE schemaname = 'public' AND tablename <> ALL($1::text[])
                """,
                NEVER_EMPTIED,
            )
            await owner.execute(f"TRUNCATE {tables}")
        db = await Database.connect(postgres.dsn(service))
        yield db
        await db.close()

    return emptied


scheduling_db = _database("scheduling")
notification_db = _database("notification")
status_db = _database("status")
webhooks_db = _database("webhooks")
dashboard_db = _database("dashboard")


@pytest.fixture
def new_practice(owner_of: OwnerOf) -> NewPractice:
    async def insert(**columns: Any) -> UUID:
        row = asdict(replace(DEMO_PRACTICE, id=uuid7())) | columns
        names = ", ".join(row)
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        async with owner_of("scheduling") as owner:
            practice_id: UUID = await owner.fetchval(
                f"INSERT INTO practices ({names}) VALUES ({places}) RETURNING id", *row.values()
            )
        return practice_id

    return insert


@pytest_asyncio.fixture
async def operator(scheduling_db: Database, owner_of: OwnerOf) -> Actor:
    """An operator with a key, under which the service enters deeds."""
    key, _ = keys.create(Operator(), "Betrieb", now=utc_now(), expires_at=utc_now() + DAY)
    async with owner_of("scheduling") as owner, owner.transaction():
        await owner.execute("SELECT set_config('app.practice', 'operator', true)")
        await OPERATOR_KEYS.add(owner, key)
    return Actor(OPERATOR, key.id, key.name)


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({1: bytes(32)})
