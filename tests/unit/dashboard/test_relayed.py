"""Streams and files that are passed on: how many of one person, and to whoever does not read."""

import asyncio
import socket
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from chassis import connections, problems
from chassis.upstreams import Upstreams
from dashboard import proof_routes, proxy
from dashboard.dependencies import DOWNLOADS, STREAMS, Services, session
from dashboard.login_attempt import Cookies
from dashboard.sessions import Session, Sessions
from dashboard.streams import Streams
from tests.support import PATIENCE, eventually
from tests.support.raw_http import serving

STREAM = "/api/status/indicators/stream"
EXPORT = "/api/scheduling/audit/export"
PROOFS = "/api/nachweis?from=2026-11-01&to=2026-11-02"
COOKIES = Cookies(secure=False)
COOKIE = f"{COOKIES.session}={urlsafe_b64encode(b'x' * 32).decode()}"


class Endless:
    """A service whose answers do not end: of small parts one comes, of large ones ever more."""

    def __init__(self) -> None:
        self.open = 0
        self.sent = 0
        self.part = b"data: x\n\n"

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            gone = asyncio.create_task(self._gone(receive))
            while not gone.done():
                await send({"type": "http.response.body", "body": self.part, "more_body": True})
                self.sent += 1
                if len(self.part) < 1000:
                    await gone
        finally:
            self.open -= 1

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class Known:
    """Whether sessions last."""

    ended = False

    async def lasting(self, ids: Collection[bytes]) -> set[bytes]:
        return set() if self.ended else set(ids)


@pytest.fixture
def service() -> Endless:
    return Endless()


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def streams(known: Known) -> Streams:
    return Streams(cast(Sessions, known))


@pytest.fixture
async def url(service: Endless, streams: Streams) -> AsyncIterator[str]:
    """A dashboard's routes to services; who asks says so by a header."""
    app = FastAPI()
    problems.install(app)
    app.include_router(proxy.router)
    app.include_router(proof_routes.router)

    async def whoever(request: Request) -> Session:
        person = request.headers.get("x-person", "one")
        return Session(person, person, [], "token", 2e9 * 2, None, None, 2e9 * 2)

    app.dependency_overrides[session] = whoever
    async with serving(service) as upstream, serving(app) as port:
        there = f"http://127.0.0.1:{upstream}"
        urls = dict.fromkeys(("scheduling", "notification", "status"), there)
        async with Upstreams(urls, streams=STREAMS + 1, downloads=DOWNLOADS + 1) as upstreams:
            app.state.services = Services(
                login=cast(Any, SimpleNamespace(cookies=COOKIES)),
                sessions=cast(Any, None),
                upstreams=upstreams,
                streams=streams,
                demo_links={},
            )
            yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Cookie": COOKIE}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=PATIENCE, trust_env=False
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "most"), [("GET", STREAM, STREAMS), ("POST", EXPORT, DOWNLOADS)]
)
async def test_one_person_leaves_places_for_others(
    url: str, method: str, path: str, most: int
) -> None:
    async with asking(url) as client, AsyncExitStack() as opened:
        for _ in range(most - 1):
            response = await opened.enter_async_context(client.stream(method, path))
            assert response.status_code == 200
        async with client.stream(method, path) as last:
            assert last.status_code == 200
            refused = await client.request(method, path)
            assert (refused.status_code, refused.json()["code"]) == (503, "too-busy")
            async with client.stream(method, path, headers={"X-Person": "other"}) as others:
                assert others.status_code == 200

        async def free() -> bool:
            async with client.stream(method, path) as again:
                return again.status_code == 200

        await eventually(free, "the place of what was closed")


async def test_files_take_no_place_of_streams_and_count_together(url: str) -> None:
    async with asking(url) as client, AsyncExitStack() as opened:
        for _ in range(DOWNLOADS):
            await opened.enter_async_context(client.stream("POST", EXPORT))
        assert (await client.post(PROOFS)).status_code == 503
        for person in ("one", "other"):
            for _ in range(STREAMS if person == "one" else 1):
                response = await opened.enter_async_context(
                    client.stream("GET", STREAM, headers={"X-Person": person})
                )
                assert response.status_code == 200


@asynccontextmanager
async def not_reading(url: str, service: Endless) -> AsyncIterator[None]:
    """Somebody who has a stream and takes nothing of it."""
    service.part = b"data: " + b"x" * 60_000 + b"\n\n"
    loop = asyncio.get_running_loop()
    at = httpx.URL(url)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, (at.host, at.port))
        asked = f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}\r\n\r\n"
        await loop.sock_sendall(connection, asked.encode())

        async def begun() -> bool:
            return service.open == 1

        await eventually(begun, "the stream")
        yield


async def test_who_does_not_read_a_stream_loses_it(
    url: str, service: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED", 0.3)
    async with not_reading(url, service):

        async def let_go() -> bool:
            return service.open == 0

        await eventually(let_go, "its place")


async def test_a_stream_that_nobody_reads_ends_with_its_session(
    url: str, service: Endless, streams: Streams, known: Known
) -> None:
    async with not_reading(url, service):
        seen = -1

        async def stuck() -> bool:
            """All that is between is full, so that a part is being sent."""
            nonlocal seen
            before, seen = seen, service.sent
            return seen == before

        await eventually(stuck, "nothing more is taken")
        known.ended = True
        await streams.look()

        async def let_go() -> bool:
            return service.open == 0

        await eventually(let_go, "its place")
