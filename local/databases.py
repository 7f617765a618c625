"""One database with two roles for each service: who owns it migrates, who serves it owns nothing.

The serving role is subject to row-level security, and neither may connect to another's database.
"""

import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import asyncpg

from local.errors import other_version
from local.processes import run

CONNECT_TIMEOUT = 10.0  # seconds
MIGRATION_TIMEOUT = 120.0  # seconds

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def roles(service: str) -> tuple[str, str]:
    """The role that serves and the role that owns."""
    return service, f"{service}_owner"


async def create(
    connection: Connection, services: Sequence[str], password: Callable[[str], str]
) -> None:
    """Create what is missing, as the superuser; `password` is asked by role, for plain words."""
    # Every role may connect to these, and make temporary tables, unless that is taken from all.
    for database in ("postgres", "template1"):
        await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    names = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    for service in services:
        for role in roles(service):
            if role not in known:
                await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password(role)}'")
        # Row-level security binds owners too; what they do is for every practice.
        await connection.execute(f"ALTER ROLE {service}_owner SET app.practice = 'every'")
        if service not in names:
            await connection.execute(
                f"CREATE DATABASE {service} OWNER {service}_owner STRATEGY file_copy"
            )
            await connection.execute(f"REVOKE ALL ON DATABASE {service} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {service} TO {service}")


async def refuse_other_schemas(service: str, migrations: Path, *, owner_dsn: str) -> None:
    """Raise LocalFailure for a database that knows migrations which are not in the folder."""
    connection = await asyncpg.connect(owner_dsn, timeout=CONNECT_TIMEOUT)
    try:
        if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
            return
        applied = {row["version"] for row in await connection.fetch("TABLE schema_migrations")}
    finally:
        await connection.close()
    if applied - {path.name.partition("_")[0] for path in migrations.glob("*.sql")}:
        raise other_version(service)


async def migrate(service: str, migrations: Path, *, owner_dsn: str, log: Path) -> None:
    """Apply a service's migrations as the owner of its database. Raises LocalFailure."""
    await refuse_other_schemas(service, migrations, owner_dsn=owner_dsn)
    await run(
        f"Migrating the database of {service}",
        (
            *(Path(sysconfig.get_path("scripts")) / "dbmate", "--no-dump-schema"),
            *("--migrations-dir", migrations),
            "migrate",
        ),
        env={"DATABASE_URL": owner_dsn},
        log=log,
        within=MIGRATION_TIMEOUT,
    )
