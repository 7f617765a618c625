"""Clients do not ask on a connection that its server is about to close."""

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest

from chassis import jwks, upstreams

CLOSED_AFTER = 5.0  # seconds idle, as by uvicorn
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server whose idle time is just over when the next request comes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    await reader.read(1)
    writer.transport.abort()


@pytest.mark.parametrize(
    "client_for",
    [
        jwks.client_for,
        lambda _: upstreams._client(10, httpx.Timeout(5), None),
    ],
    ids=["issuer", "services"],
)
async def test_a_connection_that_is_about_to_be_closed_is_not_used(
    client_for: Callable[[str], httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, client_for(url) as client:
        await client.get(url)
        later = time.monotonic() + CLOSED_AFTER - 0.1
        monkeypatch.setattr("httpcore._async.http11.time.monotonic", lambda: later)
        assert (await client.get(url)).status_code == 200
