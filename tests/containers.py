"""Kafka and PostgreSQL for the tests: in containers where an engine has the images, else embedded.

EINLADUNG_STACK=embedded or =containers decides instead. The images are those of the compose file
(KAFKA_IMAGE and POSTGRES_IMAGE as there).
"""

import asyncio
import json
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import docker
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from chassis.kafka import Cluster
from local import databases, kafka_setup
from local.errors import LocalFailure
from local.kafka import answers
from local.kafka_setup import Listener
from local.modules import MODULES
from local.servers import Place, Server, Servers
from tests.compose.images import needed

VARIABLE = "EINLADUNG_STACK"
ENGINE_TIMEOUT = 5  # seconds
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 15  # seconds
SUPERUSER = "postgres"
SETUP = "/opt/setup"  # where Kafka's container has its files
HINT = f"With {VARIABLE}=embedded the tests need no container."


@dataclass(frozen=True, slots=True)
class Choice:
    """Which servers, and a line that says so. None are the embedded ones."""

    line: str
    servers: Servers | None = None


def choose() -> Choice:
    """Look whether an engine answers that has, or can get, the images."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "embedded":
        return Choice(f"Kafka and PostgreSQL: embedded, as {VARIABLE} says.")
    images = {
        name: os.environ.get(f"{name.upper()}_IMAGE") or image
        for name, image in needed().items()
        if name in {"kafka", "postgres"}
    }
    lacking = _lacking(list(images.values()))
    if lacking and wanted != "containers":
        return Choice(f"Kafka and PostgreSQL: embedded, as {lacking}.")
    servers = Servers(
        lambda place: ContainerKafka(images["kafka"], place),
        lambda place: ContainerPostgres(images["postgres"], place),
    )
    return Choice(f"Kafka and PostgreSQL: testcontainers, {', '.join(images.values())}.", servers)


def _lacking(images: list[str]) -> str:
    """Why containers will not do; empty when they will."""
    try:
        client = docker.from_env(timeout=ENGINE_TIMEOUT)
    except DockerException:
        return "no Docker engine answers"
    try:
        if not client.api.base_url.startswith("http+docker"):
            return "the Docker engine is another machine's"
        client.ping()
        for image in [*images, testcontainers_config.ryuk_image]:
            if not _can_have(client, image):
                if image in images:
                    return f"the Docker engine can't get {image}"
                testcontainers_config.ryuk_disabled = True  # we remove what we started
    except (DockerException, RequestException):
        return "no Docker engine answers"
    finally:
        client.close()
    return ""


def _can_have(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(image)
    except ImageNotFound:
        try:
            client.images.get_registry_data(image)
        except (DockerException, RequestException):
            return False
    return True


class _Server:
    """A container with one port of the host's; what is written outlives its stops."""

    def __init__(
        self, name: str, container: DockerContainer, ready: Callable[[], Awaitable[bool]]
    ) -> None:
        self._name = name
        self._container = container
        self._ready = ready
        self._made = False

    async def prepare(self, progress: Callable[[str], None]) -> None:
        """Make the container."""
        progress(f"{self._name} in a container of {self._container.image} ...")

    async def start(self) -> None:
        """Start and wait until it answers. Raises LocalFailure."""
        try:
            if self._made:
                await asyncio.to_thread(self._container.get_wrapped_container().start)
            else:
                await asyncio.to_thread(self._container.start)
                self._made = True
        except (DockerException, TimeoutError) as error:
            if not self._made:
                self._container.stop()  # removes what there is of it
            raise LocalFailure(f"{self._name} does not start: {error}. {HINT}") from error
        deadline = time.monotonic() + START_TIMEOUT
        while not await self._ready():
            if time.monotonic() > deadline:
                raise LocalFailure(
                    f"{self._name} was not ready after {START_TIMEOUT:.0f} s. {HINT}"
                )
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Shut down in order."""
        if self._made:
            stop = self._container.get_wrapped_container().stop
            await asyncio.to_thread(stop, timeout=STOP_TIMEOUT)

    async def kill(self) -> None:
        """End at once."""
        if self._made:
            await asyncio.to_thread(self._container.get_wrapped_container().kill)

    async def restart(self) -> None:
        """Stop and start."""
        await self.stop()
        await self.start()

    def remove(self) -> None:
        """The container and its data."""
        if self._made:
            self._container.stop()


def remove(*servers: Server) -> None:
    """What of these is a container."""
    for server in servers:
        if isinstance(server, _Server):
            server.remove()


class ContainerKafka(_Server):
    """One node in KRaft mode; the port has the same number inside and outside."""

    def __init__(self, image: str, place: Place) -> None:
        port = place.ports.kafka
        self._address = f"127.0.0.1:{port}"
        self._passwords: dict[str, str] = json.loads(kafka_setup.make_passwords())
        files = {
            kafka_setup.PROPERTIES_FILE: kafka_setup.properties(
                [Listener("CLIENTS", f":{port}", self._address)],
                controller_port=9093,
                data="/var/lib/kafka/data",
                passwords=self._passwords,
                more={"broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500},
            ),
            kafka_setup.USERS_FILE: kafka_setup.users(self._passwords),
            kafka_setup.START_FILE: kafka_setup.start_script(SETUP),
        }
        container = (
            DockerContainer(image)
            .with_bind_ports(port, port)
            .with_env("KAFKA_HEAP_OPTS", "-Xms256m -Xmx256m")
            .with_command(["bash", f"{SETUP}/{kafka_setup.START_FILE}"])
        )
        for name, content in files.items():
            container = container.with_copy_into_container(content.encode(), f"{SETUP}/{name}")
        super().__init__("Kafka", container, lambda: answers(self.login(kafka_setup.ADMIN)))

    def login(self, account: str) -> Cluster:
        """Kafka as one of its accounts."""
        return kafka_setup.login(self._address, account, self._passwords[account])


class ContainerPostgres(_Server):
    """PostgreSQL with each service's database and roles, as the embedded one has them."""

    def __init__(self, image: str, place: Place) -> None:
        self._port = place.ports.postgres
        self._log = place.logs / "migrations.log"
        self._secret = secrets.token_hex(16)
        container = (
            PostgresContainer(
                image, username=SUPERUSER, password=self._secret, dbname=SUPERUSER, driver=None
            )
            .with_bind_ports(5432, self._port)
            .with_env("POSTGRES_INITDB_ARGS", "--locale-provider=builtin --locale=C.UTF-8")
            .with_command(
                "postgres -c max_connections=200 -c fsync=off -c full_page_writes=off -c jit=off "
                "-c timezone=UTC"
            )
        )
        super().__init__("PostgreSQL", container, self._answers)

    def dsn(self, service: str) -> str:
        """For the service itself."""
        return self._url(databases.roles(service)[0], service)

    def owner_dsn(self, service: str) -> str:
        """For migrations."""
        return self._url(databases.roles(service)[1], service)

    async def start(self) -> None:
        """Start, and have the databases and roles."""
        await super().start()
        connection = await asyncpg.connect(self._url(SUPERUSER, SUPERUSER), timeout=5)
        try:
            await databases.create(connection, tuple(MODULES), lambda _: self._secret)
        finally:
            await connection.close()

    async def migrate(self, service: str, migrations: Path) -> None:
        """Apply the service's migrations."""
        owner = self.owner_dsn(service)
        await databases.migrate(service, migrations, owner_dsn=owner, log=self._log)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._url(SUPERUSER, SUPERUSER), timeout=5)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    def _url(self, role: str, database: str) -> str:
        return (
            f"postgresql://{role}:{self._secret}@127.0.0.1:{self._port}/{database}?sslmode=disable"
        )
