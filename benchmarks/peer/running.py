"""The peer with its servers, on this machine and with durable settings, as ours."""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
from joserfc import jwt
from joserfc.jwk import OctKey

from benchmarks.load import Clients
from benchmarks.processor_time import ProcessorTime
from benchmarks.system import PATIENCE, PRACTICES, WARM_UP, System
from local.errors import LocalFailure
from local.ports import Ports, free_base, free_port, is_free
from local.postgres import Postgres
from local.practice import DEMO_PRACTICE
from local.processes import Child, http_ok

HOUR = 3600  # seconds
LOOK = 0.2  # seconds between two at what is sent
WORKERS = 2  # processes


class Peer(System):
    """A running one."""

    def __init__(
        self,
        clients: Clients,
        processor: ProcessorTime,
        database: "asyncpg.Connection[asyncpg.Record]",
    ) -> None:
        super().__init__(clients, processor)
        self._database = database

    async def ticks(self, appointment_ids: Sequence[str]) -> Mapping[str, float]:
        """As the table says: nobody is told, a page would have to ask."""
        deadline = time.monotonic() + PATIENCE
        unsent = "SELECT EXISTS (SELECT FROM appointments WHERE sent_at IS NULL)"
        while (  # noqa: ASYNC110 - another process's
            await self._database.fetchval(unsent) and time.monotonic() < deadline
        ):
            await asyncio.sleep(LOOK)
        to_perf_counter = time.perf_counter() - time.time()
        rows = await self._database.fetch(
            """
            SELECT id, extract(epoch FROM sent_at)::float AS sent FROM appointments
            WHERE id = ANY ($1) AND sent_at IS NOT NULL
            """,
            [UUID(each) for each in appointment_ids],
        )
        return {str(row["id"]): row["sent"] + to_perf_counter for row in rows}


@asynccontextmanager
async def running(sink_port: int, sink_id: int) -> AsyncIterator[Peer]:
    """The peer, warmed up; mail goes to the sink with this port and process id.

    Raises LocalFailure, also where Redis is missing.
    """
    redis_server = shutil.which("redis-server")
    if redis_server is None:
        raise LocalFailure(
            "The peer needs Redis (apt-get install redis-server); --without-peer leaves it out."
        )
    async with AsyncExitStack() as running_now:
        folder = Path(running_now.enter_context(tempfile.TemporaryDirectory()))
        database = Postgres(
            folder / "postgres", services=("peer",), ports=Ports(free_base()), logs=folder
        )
        await database.prepare(lambda _: None)
        redis_port, web_port, key = free_port(), free_port(), secrets.token_hex(32)
        redis = Child(
            "Redis",
            lambda: (
                *(redis_server, "--bind", "127.0.0.1", "--port", str(redis_port)),
                *("--dir", folder, "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--save", ""),
            ),
            log=folder / "redis.log",
            ready=partial(_listens, redis_port),
        )

        def env() -> dict[str, str]:
            return {
                **os.environ,
                "PEER_DATABASE": database.dsn("peer"),
                "PEER_BROKER": f"redis://127.0.0.1:{redis_port}/0",
                "PEER_SMTP_PORT": str(sink_port),
                "PEER_TOKEN_KEY": key,
            }

        web = Child(
            "the peer's web process",
            lambda: (
                *(sys.executable, "-m", "uvicorn", "benchmarks.peer.web:app"),
                *("--port", str(web_port), "--loop", "uvloop", "--http", "httptools"),
                *("--no-access-log", "--log-level", "warning"),
            ),
            env=env,
            log=folder / "web.log",
            ready=partial(http_ok, web_port, "/health"),
        )
        ready = folder / "worker.ready"
        worker = Child(
            "the peer's worker",
            lambda: (
                *(sys.executable, "-m", "celery", "--app", "benchmarks.peer.tasks", "worker"),
                *("--concurrency", str(WORKERS), "--loglevel", "warning"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ),
            env=lambda: {**env(), "PEER_READY": str(ready)},
            log=folder / "worker.log",
            ready=partial(asyncio.to_thread, ready.exists),
        )
        for server in (database, redis):
            running_now.push_async_callback(server.stop)
            await server.start()
        await _set_up(database.owner_dsn("peer"))
        for child in (web, worker):
            running_now.push_async_callback(child.stop)
            await child.start()
        connection = await asyncpg.connect(database.dsn("peer"))
        running_now.push_async_callback(connection.close)
        clients = Clients(
            [f"http://127.0.0.1:{web_port}"],
            [_token(key, UUID(int=number + 1)) for number in range(PRACTICES)],
        )
        await running_now.enter_async_context(clients.connected())
        processor = ProcessorTime(
            {
                "web": web.pid,
                "worker": worker.pid,
                "PostgreSQL": database.process.pid,
                "Redis": redis.pid,
                "sink": sink_id,
            }
        )
        peer = Peer(clients, processor, connection)
        await peer.run(WARM_UP)
        yield peer


async def _set_up(owner_dsn: str) -> None:
    connection = await asyncpg.connect(owner_dsn)
    try:
        await connection.execute(Path(__file__).with_name("schema.sql").read_text())
        await connection.executemany(
            "INSERT INTO practices VALUES ($1, $2, $3)",
            [
                (UUID(int=number + 1), DEMO_PRACTICE.name, DEMO_PRACTICE.time_zone)
                for number in range(PRACTICES)
            ],
        )
    finally:
        await connection.close()


def _token(key: str, practice_id: UUID) -> str:
    claims = {"practice_id": str(practice_id), "exp": int(time.time()) + HOUR}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(key))


async def _listens(port: int) -> bool:
    return not is_free(port)
