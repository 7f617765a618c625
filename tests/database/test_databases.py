"""A database that another version has left is named at once, and stays as it is."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from local import databases
from local.errors import LocalFailure
from local.modules import MODULES, migrations
from local.servers import DatabaseServer


async def test_data_of_another_version_is_refused_in_one_sentence(
    postgres: DatabaseServer, tmp_path: Path
) -> None:
    owner = postgres.owner_dsn("scheduling")
    with pytest.raises(LocalFailure, match=r"The data of scheduling .* remove it"):
        await databases.refuse_other_schemas("scheduling", tmp_path, owner_dsn=owner)


@pytest.mark.parametrize("service", MODULES)
async def test_no_role_connects_to_a_database_but_its_own(
    postgres: DatabaseServer, service: str
) -> None:
    for url in (postgres.dsn(service), postgres.owner_dsn(service)):
        own = await asyncpg.connect(url)
        try:
            databases_there = [
                row["datname"]
                for row in await own.fetch("SELECT datname FROM pg_database WHERE datallowconn")
            ]
        finally:
            await own.close()
        assert {"postgres", "template1", *MODULES} <= set(databases_there)
        for other in set(databases_there) - {service}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(urlsplit(url)._replace(path=f"/{other}").geturl())


@pytest.mark.parametrize("service", MODULES)
async def test_the_serving_role_makes_no_tables_of_its_own(
    postgres: DatabaseServer, service: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(service))
    try:
        for kind in ("TEMPORARY TABLE", "TABLE"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"CREATE {kind} mine (id integer)")
    finally:
        await connection.close()


@pytest.mark.parametrize("service", MODULES)
async def test_data_of_this_version_is_taken(postgres: DatabaseServer, service: str) -> None:
    owner = postgres.owner_dsn(service)
    await databases.refuse_other_schemas(service, migrations(service), owner_dsn=owner)


@pytest.mark.parametrize("service", [name for name in MODULES if name != "dashboard"])
async def test_the_planner_expects_many_rows_to_be_in_scope(
    postgres: DatabaseServer, service: str
) -> None:
    """Else it would read and sort all that a practice has, for a page of it."""
    connection = await asyncpg.connect(postgres.dsn(service))
    try:
        plan = await connection.fetchval(
            """
            EXPLAIN (FORMAT JSON) SELECT FROM generate_series(1, 1000) AS number
            WHERE practice_in_scope(lpad(number::text, 32, '0')::uuid)
            """
        )
    finally:
        await connection.close()
    assert json.loads(plan)[0]["Plan"]["Plan Rows"] >= 300
