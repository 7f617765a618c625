"""Whoever asks by HTTP does not ask on a connection that its server is about to close."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import httpx
import pytest

from chassis import jwks, upstreams
from einladung_client.connection import Connection, Installation
from services.webhooks.addresses import Reach
from services.webhooks.calling import CallPolicy, Receivers

CLOSED_AFTER = 5.0  # seconds idle, as by uvicorn
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LOOPBACK = Reach(ports=frozenset(), networks=(ip_network("127.0.0.0/8"),), plain_http=True)

Asks = Callable[[str], Awaitable[int | None]]  # a URL; the status of its answer


async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server whose idle time is just over when the next request comes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    await reader.read(1)
    writer.transport.abort()


def getting(client: httpx.AsyncClient) -> Asks:
    async def ask(url: str) -> int:
        return (await client.get(url)).status_code

    return ask


def webhooks() -> Asks:
    receivers = Receivers(LOOPBACK, CallPolicy())

    async def ask(url: str) -> int | None:
        answer, _ = await receivers.call(url, {}, b"")
        return answer.status

    return ask


def python_client() -> Asks:
    client = Connection(Installation("", "", "", ""), timeout=5)._http

    async def ask(url: str) -> int:
        return (await asyncio.to_thread(client.get, url)).status_code

    return ask


@pytest.mark.parametrize(
    "asking",
    [
        lambda url: getting(jwks.client_for(url)),
        lambda _: getting(upstreams._client(10, httpx.Timeout(5), None)),
        lambda _: webhooks(),
        lambda _: python_client(),
    ],
    ids=["issuer", "services", "webhooks", "Python client"],
)
async def test_a_connection_that_is_about_to_be_closed_is_not_used(
    asking: Callable[[str], Asks], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    ask = asking(url)
    async with server:
        assert await ask(url) == 200
        later = time.monotonic() + CLOSED_AFTER - 0.1
        monkeypatch.setattr("httpcore._async.http11.time.monotonic", lambda: later)
        assert await ask(url) == 200
