"""A database that is away, hangs or comes back: what callers and the background get to see."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID

import asyncpg
import psutil
import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from chassis import database, problems
from chassis.database import (
    Database,
    DatabaseAway,
    DatabaseBusy,
    DatabaseRefuses,
    DatabaseUnavailable,
)
from local.ports import Ports, free_base
from local.postgres import Postgres
from tests.support import PATIENCE, eventually

SERVICE = "scheduling"
AT_ONCE = 1.5  # seconds, on a slow machine: who waits does so for two
ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest_asyncio.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """One that may be stopped, without tables."""
    folder = tmp_path_factory.mktemp("outages")
    made = Postgres(folder, services=[SERVICE], ports=Ports(free_base()), logs=folder, fsync=False)
    await made.prepare(lambda _: None)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest_asyncio.fixture
async def db(server: Postgres) -> AsyncIterator[Database]:
    async with Database.open(server.dsn(SERVICE), connections=4) as opened:
        yield opened


async def ask(db: Database) -> bool:
    async with db.system() as tx:
        return bool(await tx.fetchval("SELECT true"))


async def answers(db: Database) -> bool:
    try:
        return await ask(db)
    except OSError:
        return False


async def seconds_until_refused(db: Database) -> float:
    begun = time.monotonic()
    with pytest.raises(DatabaseAway):
        await ask(db)
    return time.monotonic() - begun


async def test_a_server_that_is_killed_at_its_work_can_be_started_again_at_once(
    server: Postgres,
) -> None:
    """It refuses to start beside what a killed one has left, and that computes to its end."""
    busy = await asyncpg.connect(server.dsn(SERVICE))
    watch = await asyncpg.connect(server.dsn(SERVICE))
    computing = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1"
    at_work = asyncio.create_task(
        busy.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
    )
    try:
        await eventually(
            lambda: watch.fetchval(computing, busy.get_server_pid()), "it is at its work"
        )
        await server.kill()
        await server.start()
    finally:
        busy.terminate()
        watch.terminate()
        await asyncio.gather(at_work, return_exceptions=True)


async def test_callers_of_a_database_that_is_away_are_told_at_once(
    server: Postgres, db: Database
) -> None:
    callers = db.for_callers()
    assert await ask(callers)
    await server.kill()
    try:
        for _ in range(20):
            assert await seconds_until_refused(callers) < AT_ONCE
    finally:
        await server.start()
    await eventually(lambda: answers(callers), "it answers again")


@asynccontextmanager
async def hanging(server: Postgres) -> AsyncIterator[None]:
    """All of its processes stand still, and take connections all the same."""
    postmaster = psutil.Process(server.process.pid)
    stopped = [postmaster, *postmaster.children(recursive=True)]
    for each in stopped:
        with suppress(psutil.NoSuchProcess):  # as one that had been ending
            each.suspend()
    try:
        yield
    finally:
        for each in stopped:
            with suppress(psutil.NoSuchProcess):
                each.resume()


async def hang_within(db: Database, server: Postgres, outage: AsyncExitStack) -> None:
    """Ask in a transaction of which the server has hung since it began."""
    async with asyncio.timeout(PATIENCE), db.system() as tx:
        await outage.enter_async_context(hanging(server))
        await tx.execute("SELECT 1")


async def test_one_caller_finds_out_that_the_database_hangs_and_the_others_are_told_at_once(
    server: Postgres, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "AWAY", PATIENCE)
    callers = db.for_callers()
    assert await ask(callers)
    async with hanging(server):
        assert await seconds_until_refused(callers) >= database.CALLER_WAITS
        for _ in range(20):
            assert await seconds_until_refused(callers) < AT_ONCE
    monkeypatch.setattr(database, "AWAY", 0.0)
    await eventually(lambda: answers(callers), "it answers again")


async def test_a_database_that_hangs_holds_nobody_beyond_their_time(
    server: Postgres, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the statement under way, nor the undoing of what came before."""
    monkeypatch.setattr(database, "CALLER_TAKES", 0.3)
    callers = db.for_callers()
    async with AsyncExitStack() as outage:
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await hang_within(callers, server, outage)
        assert time.monotonic() - begun < PATIENCE / 2
    await eventually(lambda: answers(callers), "it answers again")


async def test_the_background_waits_no_longer_than_a_statement_may_take(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its loops would stall, and a restart would be asked for that mends nothing."""
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT", 1.0)  # to open it takes some, too
    async with Database.open(server.dsn(SERVICE), connections=2) as db:
        async with AsyncExitStack() as outage:
            begun = time.monotonic()
            with pytest.raises(TimeoutError):
                await hang_within(db, server, outage)
            assert time.monotonic() - begun < PATIENCE / 2
        await eventually(lambda: answers(db), "it answers again")


async def test_what_a_lost_connection_leaves_half_done_is_undone(
    server: Postgres, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CALLER_TAKES", PATIENCE)  # the server starts meanwhile
    owner = await asyncpg.connect(server.owner_dsn(SERVICE))
    try:
        await owner.execute("CREATE TABLE IF NOT EXISTS deeds (number integer)")
        await owner.execute(f"GRANT SELECT, INSERT ON deeds TO {SERVICE}")
    finally:
        await owner.close()
    callers = db.for_callers()

    async def two_deeds() -> None:
        async with callers.system() as tx:
            await tx.execute("INSERT INTO deeds VALUES (1)")
            await server.kill()
            await server.start()
            await tx.execute("INSERT INTO deeds VALUES (2)")

    with pytest.raises(DatabaseAway):
        await two_deeds()
    await eventually(lambda: answers(callers), "it answers again")
    async with callers.system() as tx:
        assert await tx.fetchval("SELECT count(*) FROM deeds") == 0


async def test_who_waits_too_long_for_a_connection_is_told_that_it_is_busy(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = db.for_callers()
    async with callers.practice(ONE):  # of two places, one practice has one at most
        with monkeypatch.context() as hurried:
            hurried.setattr(database, "CALLER_WAITS", 0.3)
            with pytest.raises(DatabaseBusy):
                async with callers.practice(ONE):
                    pass
        async with callers.practice(OTHER) as tx:
            assert await tx.fetchval("SELECT true")
        assert await ask(db)  # what goes on in the background has connections left


@pytest.mark.parametrize(
    ("error", "type_"),
    [
        (DatabaseAway, "database-unavailable"),
        (DatabaseBusy, "too-busy"),
        (DatabaseRefuses, "database-unavailable"),
    ],
)
async def test_a_caller_gets_a_problem_that_says_when_to_come_back(
    error: type[DatabaseUnavailable], type_: str
) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    async def fail() -> None:
        raise error from ConnectionRefusedError("host and port")

    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (503, type_)
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert "host and port" not in answer.text


async def test_a_value_that_no_column_takes_is_no_outage(db: Database) -> None:
    """Else one caller could have all others told that the database is away."""
    callers = db.for_callers()
    with pytest.raises(asyncpg.DataError):
        async with callers.system() as tx:
            await tx.fetchval("SELECT $1::int", 2**40)
    assert await ask(callers)


async def test_what_the_database_refuses_one_caller_it_still_does_for_others(
    db: Database,
) -> None:
    """As one that is read-only, since its disk is full or it is a standby by now."""
    callers = db.for_callers()

    async def write() -> None:
        async with callers.system() as tx:
            await tx.execute("SET LOCAL transaction_read_only = on")
            await tx.execute("CREATE TABLE written (number integer)")

    for _ in range(3):
        with pytest.raises(DatabaseRefuses) as refused:
            await write()
        assert isinstance(refused.value.__cause__, asyncpg.ReadOnlySQLTransactionError)
        assert await ask(callers)


async def test_callers_are_told_that_nobody_gets_into_the_database(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the password is another by now, or a right was taken away."""
    monkeypatch.setattr(database, "AWAY", PATIENCE)
    owner = await asyncpg.connect(server.owner_dsn(SERVICE))
    async with Database.open(server.dsn(SERVICE), connections=4) as db:
        callers = db.for_callers()
        name = await owner.fetchval("SELECT current_database()")
        await owner.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM {SERVICE}, PUBLIC')
        try:
            await db.pool.expire_connections()
            for _ in range(3):
                assert await seconds_until_refused(callers) < AT_ONCE
            with pytest.raises(database.TRANSIENT_ERRORS):
                await ask(db)
        finally:
            await owner.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {SERVICE}')
            await owner.close()
        monkeypatch.setattr(database, "AWAY", 0.0)
        await eventually(lambda: answers(callers), "it answers again")


async def test_a_table_that_a_migration_changes_is_an_outage_of_one_statement(
    server: Postgres, db: Database
) -> None:
    """What has prepared a statement may run meanwhile: nothing ends, and no event is at fault."""
    owner = await asyncpg.connect(server.owner_dsn(SERVICE))
    try:
        await owner.execute("CREATE TABLE changed AS SELECT 1 AS before")
        await owner.execute(f"GRANT SELECT ON changed TO {SERVICE}")
        callers = db.for_callers()

        async def read(asked: Database) -> None:
            async with asked.system() as tx:
                assert len(await tx.fetch("TABLE changed")) == 1

        await read(db)
        await owner.execute("ALTER TABLE changed ADD COLUMN after text")
        with pytest.raises(database.TRANSIENT_ERRORS):
            await read(db)
        await read(db)
        await owner.execute("ALTER TABLE changed DROP COLUMN after")
        with pytest.raises(DatabaseBusy):
            await read(callers)
        await read(callers)
    finally:
        await owner.execute("DROP TABLE IF EXISTS changed")
        await owner.close()
