"""PostgreSQL over verified TLS (`sslmode=verify-full`): who is believed to be the server.

The wheel's PostgreSQL is built without TLS. A front speaks it as the protocol has it (SSLRequest,
then TLS), and hands on what is inside.
"""

import asyncio
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from chassis.database import Database
from chassis.peers import verified_database
from local.errors import LocalFailure
from local.modules import migrations
from local.processes import run
from local.servers import DatabaseServer
from tests.support import PATIENCE
from tests.support.certificates import LOOPBACK, self_signed, showing

SERVICE = "scheduling"
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
UNKNOWN = [("ours.pem", "strangers.pem"), (f"@{LOOPBACK}", "@localhost")]
REFUSED = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # ssl.SSLError is an OSError


class Front:
    """What stands before a server: with a certificate it speaks TLS, without it declines."""

    def __init__(self, behind: str, certificate: Path | None) -> None:
        self._behind = urlsplit(behind)
        self._context = certificate and showing(certificate)
        self.heard = bytearray()  # in the clear
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Front"]:
        async with await asyncio.start_server(self._serve, LOOPBACK, 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            self.heard += await reader.readexactly(len(SSL_REQUEST))
            writer.write(b"S" if self._context else b"N")
            if self._context:
                await writer.start_tls(self._context)
                inner = await asyncio.open_connection(self._behind.hostname, self._behind.port)
                await asyncio.gather(pipe(reader, inner[1]), pipe(inner[0], writer))
            else:
                self.heard += await reader.read()
        writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    self_signed(tmp_path / "strangers.pem")
    return self_signed(tmp_path / "ours.pem")


@pytest_asyncio.fixture
async def front(postgres: DatabaseServer, authorities: Path) -> AsyncIterator[Front]:
    async with Front(postgres.dsn(SERVICE), authorities).listening() as front:
        yield front


def through(front: Front, dsn: str, authorities: Path) -> str:
    """The database's address as production has to have it."""
    parts = urlsplit(dsn)
    login = parts.netloc.rpartition("@")[0]
    verified = f"sslmode=verify-full&sslrootcert={authorities}"
    return urlunsplit(parts._replace(netloc=f"{login}@{LOOPBACK}:{front.port}", query=verified))


@pytest.fixture
def url(front: Front, postgres: DatabaseServer, authorities: Path) -> str:
    return through(front, postgres.dsn(SERVICE), authorities)


async def answers(url: str) -> bool:
    try:
        async with Database.open(url, connections=1) as db, db.system() as tx:
            return bool(await tx.fetchval("SELECT 1"))
    except REFUSED:
        return False


async def test_a_server_of_known_authorities_is_asked_over_tls_alone(
    url: str, front: Front
) -> None:
    assert verified_database(url)
    assert await answers(url)
    assert front.heard == SSL_REQUEST


@pytest.mark.parametrize(("given", "instead"), UNKNOWN, ids=["other authorities", "another name"])
async def test_a_server_that_may_be_another_is_not_told_who_we_are(
    url: str, given: str, instead: str
) -> None:
    assert given in url
    assert not await answers(url.replace(given, instead))


async def test_a_server_that_speaks_no_tls_is_not_asked_in_the_clear(
    postgres: DatabaseServer, authorities: Path
) -> None:
    """No silent downgrade."""
    async with Front(postgres.dsn(SERVICE), None).listening() as front:
        assert not await answers(through(front, postgres.dsn(SERVICE), authorities))
    assert front.heard == SSL_REQUEST


async def test_migrations_believe_the_same_servers(
    front: Front, postgres: DatabaseServer, authorities: Path, tmp_path: Path
) -> None:
    async def look(owner_dsn: str) -> None:
        dbmate = Path(sysconfig.get_path("scripts")) / "dbmate"
        await run(
            "dbmate",
            (dbmate, "--migrations-dir", migrations(SERVICE), "status"),
            env={"DATABASE_URL": owner_dsn},
            log=tmp_path / "dbmate.log",
            within=PATIENCE,
        )

    owner = through(front, postgres.owner_dsn(SERVICE), authorities)
    await look(owner)
    for given, instead in UNKNOWN:
        with pytest.raises(LocalFailure):
            await look(owner.replace(given, instead))
    assert front.heard == SSL_REQUEST * 3
