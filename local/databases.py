"""One database with two roles for each service: who owns it migrates, who serves it owns nothing.

The serving role is subject to row-level security, and neither may connect to another's database.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def roles(service: str) -> tuple[str, str]:
    """The role that serves and the role that owns."""
    return service, f"{service}_owner"


async def create(
    connection: Connection, services: Sequence[str], password: Callable[[str], str]
) -> None:
    """Create what is missing, as the superuser; `password` is asked by role, for plain words."""
    known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    names = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    for service in services:
        for role in roles(service):
            if role not in known:
                await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password(role)}'")
        if service not in names:
            await connection.execute(
                f"CREATE DATABASE {service} OWNER {service}_owner STRATEGY file_copy"
            )
            await connection.execute(f"REVOKE ALL ON DATABASE {service} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {service} TO {service}")
