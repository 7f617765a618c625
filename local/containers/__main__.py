"""Jobs of docker-compose.yml: `python -m local.containers --help`. Each may run again."""

import argparse
import asyncio
import os
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from aiokafka.errors import KafkaConnectionError

from local import databases, practice, topics
from local.containers import made_secrets
from local.errors import LocalFailure, other_version
from local.kafka_setup import ADMIN
from local.modules import MODULES, migrations

SECRETS = Path("/secrets")
CONNECT_TIMEOUT = 10.0  # seconds


def url_of(role: str) -> str:
    """The database as a role sees it."""
    return (SECRETS / made_secrets.JOBS / role).read_text()


async def make_secrets(_: str) -> None:
    """Make every secret that is not there."""
    made_secrets.make(SECRETS)


async def make_databases(_: str) -> None:
    """Create the services' databases and roles."""
    connection = await asyncpg.connect(url_of(made_secrets.SUPERUSER), timeout=CONNECT_TIMEOUT)
    try:
        await databases.create(connection, tuple(MODULES), lambda role: url_of(f"{role}.password"))
    finally:
        await connection.close()


async def migrate(service: str) -> None:
    """Become dbmate, as the owner of a service's database. Raises LocalFailure."""
    owner, folder = url_of(databases.roles(service)[1]), migrations(service)
    await databases.refuse_other_schemas(service, folder, owner_dsn=owner)
    dbmate = Path(sysconfig.get_path("scripts")) / "dbmate"
    os.execve(  # noqa: S606
        dbmate,
        [str(dbmate), "--no-dump-schema", "--migrations-dir", str(folder), "migrate"],
        {"DATABASE_URL": owner},
    )


async def make_topics(_: str) -> None:
    """Create the topics as the contracts say, with who may do what. Raises LocalFailure."""
    try:
        await topics.create(made_secrets.kafka(SECRETS, ADMIN))
    except KafkaConnectionError:  # healthy, so that it does not know us is what is wrong
        raise other_version("Kafka") from None


async def make_practice(_: str) -> None:
    """Set up the practice of the demo."""
    await practice.set_up(url_of(databases.roles("scheduling")[1]))


JOBS: dict[str, Callable[[str], Awaitable[None]]] = {
    "secrets": make_secrets,
    "databases": make_databases,
    "migrate": migrate,
    "topics": make_topics,
    "practice": make_practice,
}


async def main() -> None:
    """Do one job."""
    parser = argparse.ArgumentParser(prog="python -m local.containers")
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("of", nargs="?", default="", help="the service")
    options = parser.parse_args()
    try:
        await JOBS[options.job](options.of)
    except LocalFailure as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    asyncio.run(main())
