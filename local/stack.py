"""The whole product on one machine, for `make demo` and for tests.

    async with Stack(folder, base_port=free_base(), fsync=False) as stack:
        ... stack.url("scheduling"), stack.token(), stack.dsn("status") ...
        await stack.service("notification").kill()

Use it from one event loop, in a thread that lives as long as the stack.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg
from aiokafka.errors import KafkaError

from chassis.kafka import Cluster
from chassis.probe import healthy
from contracts import sealed_bodies
from contracts.sealed_bodies import BodyOpener, BodySealer
from contracts.signatures import EventSigner, EventVerifier, public_keys
from local import event_keys, memory, observing, practice, rooms, topics
from local.errors import LocalFailure
from local.folder import Folder, cache_folder
from local.fork_server import ForkServer
from local.identity import EVERY_ROLE, HOUR, Identity
from local.kafka import Kafka
from local.kafka_setup import ADMIN
from local.modules import MODULES, PROGRAMS, command, migrations, title
from local.ports import DEFAULT_BASE, Ports, free_port
from local.postgres import Postgres
from local.practice import DEMO_PRACTICE, Practice
from local.processes import REPOSITORY, Child, http_ok
from local.servers import Place, Servers
from local.services import GATEWAY_FILE, Environments

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    pass


class Stack:
    """Kafka, PostgreSQL, what stands for the world outside, the services and the dashboard.

    `env` adds variables by service: `{"notification": {"NOTIFICATION_POLL_SECONDS": "0.1"}}`.
    `fsync=False` is for tests. Everything is kept in `data`; a second start finds it. `servers`
    gives other servers than the embedded ones. With `journals` mailbox and phones keep one of all
    that they took and sent back (local/journal.py). Services and migrations are those of the tree
    `code`, which can be set to another one for what starts then. Programs named in `later` are not
    started; whoever needs one says `service(name).start()`. If it is `observed`, there are traces
    and, where it is installed, Prometheus (local/observing.py).
    """

    def __init__(
        self,
        data: Path,
        *,
        base_port: int = DEFAULT_BASE,
        fsync: bool = True,
        cache: Path | None = None,
        servers: Servers | None = None,
        env: Mapping[str, Mapping[str, str]] | None = None,
        journals: bool = False,
        code: Path = REPOSITORY,
        later: Collection[str] = (),
        observed: bool = False,
    ) -> None:
        self.code = code
        self.folder = Folder(data)
        self.ports = Ports(base_port)
        self.smtp_host = "127.0.0.1"
        self.smtp_port = self.ports.smtp
        path, logs = self.folder.path, self.folder.logs
        kept = ("--journal",) if journals else ()
        place = Place(folder=path, logs=logs, ports=self.ports, on_death=self._died)
        self._forks = ForkServer(logs / "fork-server.log")
        servers = servers or embedded(cache=cache or cache_folder(), fsync=fsync)
        self.kafka = servers.kafka(place)
        self.postgres = servers.postgres(place)
        self.mailbox = Child(
            "mailbox",
            lambda: (
                *(sys.executable, "-m", "local.mailbox", "--folder", path / "mailbox"),
                *("--smtp-port", str(self.ports.smtp), "--http-port", str(self.ports.mailbox)),
                *("--report-port", str(self.ports.bounces), *kept),
            ),
            log=logs / "mailbox.log",
            ready=partial(http_ok, self.ports.mailbox, "/health/ready"),
            on_death=self._died,
            forks=self._forks,
        )
        self.phones = Child(
            "phones",
            lambda: (
                *(sys.executable, "-m", "local.sms_gateway", "--folder", path / "phones"),
                *("--http-port", str(self.ports.phones), "--secret-file", path / GATEWAY_FILE),
                *kept,
            ),
            log=logs / "phones.log",
            ready=partial(http_ok, self.ports.phones, "/health/ready"),
            on_death=self._died,
            forks=self._forks,
        )
        self.identity_provider = Child(
            "identity provider",
            lambda: (
                *(sys.executable, "-m", "local.identity_provider", "--folder", path / "identity"),
                *("--port", str(self.ports.identity), "--dashboard", self.url("dashboard")),
            ),
            log=logs / "identity-provider.log",
            ready=partial(http_ok, self.ports.identity, "/health/ready"),
            on_death=self._died,
            forks=self._forks,
        )
        self.rooms = Child(
            "video rooms",
            lambda: (
                *(sys.executable, "-m", "local.rooms", "--http-port", str(self.ports.rooms)),
                *("--secret-file", path / rooms.KEY_FILE),
            ),
            log=logs / "rooms.log",
            ready=partial(http_ok, self.ports.rooms, "/health/ready"),
            on_death=self._died,
            forks=self._forks,
        )
        self.traces = observing.traces(place) if observed else None
        self.prometheus = observing.prometheus(place) if observed else None
        self._ports: dict[str, int] = {name: getattr(self.ports, name) for name in PROGRAMS}
        self._operations: dict[str, int] = {name: self.ports.operations(name) for name in PROGRAMS}
        self._services: dict[str, Child] = {}
        self._later = frozenset(later)
        self._extra = {name: dict(values) for name, values in (env or {}).items()}
        if observed:
            for name in PROGRAMS:
                told = observing.variables(name, self.ports)
                self._extra[name] = {**told, **self._extra.get(name, {})}
        self._environments: Environments | None = None
        self._death: asyncio.Future[str] | None = None

    async def __aenter__(self) -> Self:
        """Start, without a word."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self, progress: Progress = _silent) -> None:
        """Start everything; what is ready is told to `progress`. Raises LocalFailure, all stopped.

        For one start: make a new Stack for the next.
        """
        self.folder.open()
        self._death = asyncio.get_running_loop().create_future()
        starting = asyncio.create_task(self._start(progress))
        try:
            await _all(starting, self._fail_at_death(starting))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, what came last first. Fine when little of it runs."""
        dashboard = self._services.get("dashboard")
        services = [child for child in self._services.values() if child is not dashboard]
        try:
            if dashboard is not None:
                await dashboard.stop()
            await _all(*(child.stop() for child in services))
            await _all(
                *(each.stop() for each in self._helpers),
                self.kafka.stop(),
                self.postgres.stop(),
            )
            await self._forks.stop()
        except BaseException:  # told twice to stop: now, then
            await self.kill()
            raise
        finally:
            self.folder.close()

    async def kill(self) -> None:
        """End everything at once."""
        kills = [child.kill() for child in (*self._services.values(), *self._helpers)]
        kills += [self.kafka.kill(), self.postgres.kill()]
        await asyncio.gather(*kills, return_exceptions=True)
        await self._forks.stop()

    async def death(self) -> str:
        """Wait until a process ends that was not told to; the sentence that says so."""
        if self._death is None:
            raise LocalFailure("The stack was not started.")
        return await asyncio.shield(self._death)

    def service(self, name: str) -> Child:
        """A program's process: „scheduling", or another of `local.modules.PROGRAMS`.

        A further replica is „status-2".
        """
        return self._services[name]

    @property
    def in_use(self) -> tuple[str, ...]:
        """What runs, or should: programs for later are among it while they run."""
        return tuple(
            name for name in PROGRAMS if name not in self._later or self._services[name].running
        )

    async def start_service(self, name: str, *, replica: int) -> Child:
        """Start one more process of a service; `replica` counts from 2."""
        full_name = f"{name}-{replica}"
        self._ports[full_name] = free_port()
        self._operations[full_name] = free_port()
        child = self._services[full_name] = self._child(name, full_name)
        await child.start()
        return child

    def configure(self, name: str, **variables: str | None) -> None:
        """Set variables of a service in full, as NOTIFICATION_POLL_SECONDS; for its next start.

        None takes one back that was set.
        """
        every = {**self._extra.get(name, {}), **variables}
        self._extra[name] = {key: value for key, value in every.items() if value is not None}

    @contextmanager
    def configured(self, name: str, **variables: str) -> Iterator[None]:
        """For what starts meanwhile: variables as for `configure`, then as they were."""
        before = dict(self._extra.get(name, {}))
        self.configure(name, **variables)
        try:
            yield
        finally:
            self._extra[name] = before

    def setting(self, name: str, variable: str) -> str | None:
        """What `configure` has set of a service."""
        return self._extra.get(name, {}).get(variable)

    def url(self, name: str) -> str:
        """Base address of a service, a replica, „dashboard" or one of ours; no slash at its end."""
        own = {
            "mailbox": self.ports.mailbox,
            "phones": self.ports.phones,
            "identity": self.ports.identity,
            "rooms": self.ports.rooms,
            "traces": self.ports.traces,
            "prometheus": self.ports.prometheus,
        }
        return f"http://127.0.0.1:{own[name] if name in own else self._ports[name]}"

    def operations_url(self, name: str) -> str:
        """Base address of health, metrics and the operators' API; no slash at its end."""
        return f"http://127.0.0.1:{self._operations[name]}"

    @property
    def _helpers(self) -> tuple[Child, ...]:
        every = (
            *(self.mailbox, self.phones, self.identity_provider, self.rooms),
            *(self.traces, self.prometheus),
        )
        return tuple(each for each in every if each is not None)

    @property
    def cluster(self) -> Cluster:
        """Kafka, with every right."""
        return self.kafka.login(ADMIN)

    def event_signer(self, producer: str) -> EventSigner:
        """Signs events as the service does that may tell them."""
        return EventSigner(event_keys.decode(event_keys.signing(self.folder.path)[producer]))

    @property
    def event_verifier(self) -> EventVerifier:
        """Knows every producer."""
        keys = event_keys.signing(self.folder.path)
        return EventVerifier(
            {name: public_keys(event_keys.decode(text)) for name, text in keys.items()}
        )

    @property
    def body_sealer(self) -> BodySealer:
        """Seals requests as scheduling does."""
        keys = event_keys.decode(event_keys.sealing(self.folder.path))
        return BodySealer(sealed_bodies.public_keys(keys))

    @property
    def body_opener(self) -> BodyOpener:
        """Opens requests as notification does."""
        return BodyOpener(event_keys.decode(event_keys.sealing(self.folder.path)))

    def environment(self, name: str) -> dict[str, str]:
        """What a service's process, or its command, is started with."""
        return self._ready().of(
            name, port=self._ports[name], operations_port=self._operations[name]
        )

    def dsn(self, service: str) -> str:
        """The database as the service sees it, with row-level security."""
        return self.postgres.dsn(service)

    def owner_dsn(self, service: str) -> str:
        """The database as its owner sees it, without row-level security."""
        return self.postgres.owner_dsn(service)

    def token(
        self,
        practice_id: UUID | None = DEMO_PRACTICE.id,
        *,
        lifetime: int = HOUR,
        roles: Collection[str] = EVERY_ROLE,
    ) -> str:
        """A bearer token for a practice that holds for `lifetime` seconds."""
        return self._ready().identity.token(practice_id, lifetime=lifetime, roles=roles)

    def sign(self, claims: Mapping[str, Any], *, lifetime: int = HOUR) -> str:
        """A token of the identity provider with just these claims."""
        return self._ready().identity.sign(claims, lifetime=lifetime)

    async def add_practice(self, added: Practice) -> None:
        """Set up one more practice."""
        await practice.set_up(self.owner_dsn("scheduling"), added)

    def memory(self) -> Counter[str]:
        """Bytes that all of it uses, by part, the largest first in `most_common`."""
        return memory.used(
            {
                "Kafka": [self.kafka.process.pid] if isinstance(self.kafka, Kafka) else [],
                "PostgreSQL": (
                    [self.postgres.process.pid] if isinstance(self.postgres, Postgres) else []
                ),
                "our programs": [each.pid for each in self._services.values() if each.running],
                "the world outside": [each.pid for each in self._helpers if each.running],
            }
        )

    async def _start(self, progress: Progress) -> None:
        await self._forks.start()  # it imports meanwhile
        await self.ports.wait_free(observed=self.traces is not None)
        path = self.folder.path
        identity = Identity(path / "identity", self.url("identity"))
        self._environments = Environments(
            path, self.ports, identity, self.kafka, self.postgres, self._extra
        )
        for name in PROGRAMS:
            self._services[name] = self._child(name, name)
        await _all(
            _told(self.mailbox.start(), progress, "Mailbox"),
            _told(self.phones.start(), progress, "Phones"),
            _told(self.identity_provider.start(), progress, "Identity provider"),
            _told(self.rooms.start(), progress, "Video rooms"),
            *(
                _told(each.start(), progress, each.name.capitalize())
                for each in (self.traces, self.prometheus)
                if each is not None
            ),
            _told(self._start_kafka(progress), progress, "Kafka with its topics"),
            _told(self._start_postgres(progress), progress, "PostgreSQL, migrated"),
        )
        await _all(
            *(
                _told(self.service(name).start(), progress, title(name))
                for name in PROGRAMS
                if name not in self._later
            )
        )

    async def _fail_at_death(self, starting: asyncio.Task[None]) -> None:
        """While `starting`, what ends by itself is the reason; the others then only miss it."""
        death = asyncio.create_task(self.death())
        await asyncio.wait({starting, death}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            raise LocalFailure(death.result())
        death.cancel()

    async def _start_kafka(self, progress: Progress) -> None:
        await self.kafka.prepare(progress)
        await self.kafka.start()
        await topics.create(self.cluster)

    async def _start_postgres(self, progress: Progress) -> None:
        await self.postgres.prepare(progress)
        await self.postgres.start()
        await _all(*(self.postgres.migrate(name, migrations(name, self.code)) for name in MODULES))
        await practice.set_up(self.owner_dsn("scheduling"))

    def _child(self, name: str, full_name: str) -> Child:
        return Child(
            full_name,
            lambda: command(name, self.code),
            env=lambda: self._ready().of(
                name, port=self._ports[full_name], operations_port=self._operations[full_name]
            ),
            log=self.folder.logs / f"{full_name}.log",
            ready=partial(asyncio.to_thread, healthy, self._operations[full_name], "/health/ready"),
            on_death=self._died,
            forks=self._forks,
        )

    def _ready(self) -> Environments:
        if self._environments is None:
            raise LocalFailure("The stack was not started.")
        return self._environments

    def _died(self, sentence: str) -> None:
        if self._death is not None and not self._death.done():
            self._death.set_result(sentence)


def embedded(*, cache: Path, fsync: bool, learns: bool = False) -> Servers:
    """Both as processes of this machine. `learns`: see local/kafka.py."""
    return Servers(
        lambda place: Kafka(
            place.folder / "kafka",
            cache=cache,
            ports=place.ports,
            logs=place.logs,
            learns=learns,
            on_death=place.on_death,
        ),
        lambda place: Postgres(
            place.folder / "postgres",
            services=tuple(MODULES),
            ports=place.ports,
            logs=place.logs,
            fsync=fsync,
            on_death=place.on_death,
        ),
    )


async def _told(work: Coroutine[Any, Any, None], progress: Progress, what: str) -> None:
    try:
        await work
    except OSError as error:
        at = f" at {error.filename}" if error.filename else ""
        raise LocalFailure(f"{what}: {error.strerror or type(error).__name__}{at}.") from error
    except (KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise LocalFailure(f"{what}: not prepared ({type(error).__name__}).") from error
    progress(f"{what}: ready.")


async def _all(*work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
    """Do all at the same time. The first failure cancels the others and is raised as it is."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
