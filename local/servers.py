"""Kafka and PostgreSQL as the stack needs them, wherever they run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chassis.kafka import Cluster
from local.ports import Ports


class Server(Protocol):
    """What both can. A killed one is started again with what it had written."""

    async def prepare(self, progress: Callable[[str], None]) -> None:
        """Have what the first start needs. Raises LocalFailure."""

    async def start(self) -> None:
        """Start and wait until it answers. Raises LocalFailure."""

    async def stop(self) -> None:
        """Shut down in order. Fine when it does not run."""

    async def kill(self) -> None:
        """End at once. Fine when it does not run."""

    async def restart(self) -> None:
        """Stop and start."""


class Broker(Server, Protocol):
    """Kafka."""

    def login(self, account: str) -> Cluster:
        """Kafka as one of its accounts (local/kafka_setup.py)."""


class DatabaseServer(Server, Protocol):
    """PostgreSQL with a database and two roles for each service."""

    def dsn(self, service: str) -> str:
        """For the service itself: a role without ownership."""

    def owner_dsn(self, service: str) -> str:
        """For migrations: the owner of the service's database."""

    async def migrate(self, service: str, migrations: Path) -> None:
        """Apply the service's migrations as the owner of its database. Raises LocalFailure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a server is told of the stack that it is part of."""

    folder: Path
    logs: Path
    ports: Ports
    on_death: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Servers:
    """How a stack gets its two servers."""

    kafka: Callable[[Place], Broker]
    postgres: Callable[[Place], DatabaseServer]
