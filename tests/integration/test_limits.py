"""Requests that are too large, too deep, too slow or too many, at the real processes."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from chassis import connections
from tests.conftest import UNLIMITED, Stack
from tests.support import PATIENCE, Practice, http_client
from tests.support.keys import exchange, new_key
from tests.support.raw_http import answered, serving

EVERYBODY = ("scheduling", "notification", "status", "dashboard")
LARGE = 65 * 1024
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


async def in_chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


@asynccontextmanager
async def limited(stack: Stack, name: str, variable: str, most: int) -> AsyncIterator[str]:
    """The address of one more process of this service, with a low limit."""
    stack.configure(name, **{variable: str(most)})
    try:
        replica = await stack.start_service(name, replica=8)
    finally:
        stack.configure(name, **{variable: UNLIMITED})
    try:
        yield stack.url(f"{name}-8")
    finally:
        await replica.stop()


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_body_that_is_too_large_is_refused_everywhere(
    stack: Stack, practice: Practice, name: str
) -> None:
    path = {
        "scheduling": "/v1/appointments",
        "notification": "/v1/receipts/webhook",
        "status": "/v1/indicators",
        "dashboard": "/api/session/activity",
    }[name]
    headers = OWN_PAGE | {"Authorization": f"Bearer {stack.token(practice.id)}"}
    async with http_client(base_url=stack.url(name), headers=headers) as client:
        declared = await client.post(path, content=b" " * LARGE)
        assert declared.status_code == 413
        assert declared.headers["content-type"] == "application/problem+json"
        assert declared.json()["code"] == "body-too-large"
        if name in {"scheduling", "notification"}:  # the others read no body at all
            chunked = await client.post(path, content=in_chunks(LARGE * 2))
            assert (chunked.status_code, chunked.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_head_that_is_too_large_is_refused(stack: Stack, name: str) -> None:
    async with http_client(base_url=stack.url(name)) as client:
        answer = await client.get("/nothing", headers={"X-Large": "x" * 70_000})
        assert (answer.status_code, answer.json()["code"]) == (431, "head-too-large")
        answer = await client.get("/nothing", params={"x": "x" * 60_000})
        assert answer.status_code == 404


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("size", [65_536, 70_000, 150_000])
async def test_an_address_that_no_parser_holds_is_called_too_large(
    stack: Stack, name: str, size: int
) -> None:
    url = httpx.URL(stack.url(name))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET /nothing?x=%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (b"x" * size, url.netloc))
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        writer.write_eof()  # or the server waits a while for the rest of the head
        assert await reader.read() == b""
    writer.close()
    assert head.startswith(b"http/1.1 431 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "head-too-large"


async def test_deeply_nested_json_is_a_bad_request(practice: Practice) -> None:
    for opening in (b"[", b'{"patient_name":'):
        for body in (opening * 3000, b'{"patient_name":' + opening * 3000):
            answer = await practice.scheduling.post(
                "/v1/appointments", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in {400, 422}, answer.text
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_token_of_deeply_nested_json_is_no_token(practice: Practice) -> None:
    deep = urlsafe_b64encode(b'{"iss":' * 3000).decode().rstrip("=")
    flat = urlsafe_b64encode(b'{"alg":"ES256"}').decode().rstrip("=")
    for token in (f"{flat}.{deep}.AAAA", f"{deep}.{flat}.AAAA"):
        answer = await practice.scheduling.get(
            "/v1/practice", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 401


async def test_writing_is_limited_for_each_caller(
    practice: Practice, other_practice: Practice, stack: Stack
) -> None:
    async with limited(stack, "scheduling", "SCHEDULING_WRITES_PER_MINUTE", 3) as url:
        for _ in range(3):
            answer = await practice.scheduling.post(f"{url}/v1/appointments", json={})
            assert answer.status_code == 422
        answer = await practice.scheduling.post(f"{url}/v1/appointments", json={})
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
        assert answer.headers["content-type"] == "application/problem+json"
        assert 1 <= int(answer.headers["retry-after"]) <= 20
        assert (await practice.scheduling.get(f"{url}/v1/practice")).status_code == 200
        answer = await other_practice.scheduling.post(f"{url}/v1/appointments", json={})
        assert answer.status_code == 422


async def test_an_export_that_is_noted_counts_as_writing(practice: Practice, stack: Stack) -> None:
    async with limited(stack, "scheduling", "SCHEDULING_WRITES_PER_MINUTE", 3) as url:
        export = f"{url}/v1/audit/export"
        for method in ("POST", "GET", "GET"):
            assert (await practice.scheduling.request(method, export)).status_code == 200
        for method in ("POST", "GET"):
            answer = await practice.scheduling.request(method, export)
            assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    log = (await practice.scheduling.get("/v1/audit")).json()["entries"]
    assert [each["action"] for each in log] == ["audit_exported"] * 3


async def test_guessing_keys_is_slow(practice: Practice, stack: Stack) -> None:
    key = await new_key(stack, practice.id, "status:read")
    async with (
        limited(stack, "scheduling", "SCHEDULING_TOKENS_PER_MINUTE", 3) as url,
        http_client(base_url=url) as client,
    ):
        form = {"grant_type": "client_credentials"}
        for _ in range(3):
            guess = await client.post("/v1/tokens", data=form, auth=(key[0], "es_guess"))
            assert guess.status_code == 401
        answer = await client.post("/v1/tokens", data=form, auth=key)
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
        assert int(answer.headers["retry-after"]) >= 1
    assert (await exchange(stack, key)).status_code == 200


async def test_logins_are_limited(stack: Stack) -> None:
    async with (
        limited(stack, "dashboard", "DASHBOARD_LOGINS_PER_MINUTE", 3) as url,
        http_client(base_url=url) as client,
    ):
        for path, status in (("/login", 303), ("/login/callback?code=x&state=y", 400)):
            for _ in range(3):
                assert (await client.get(path)).status_code == status
            answer = await client.get(path)
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) >= 1
            assert "Zu viele Anmeldungen" in answer.text


async def test_an_address_with_too_many_connections_keeps_nobody_from_seeing_the_health(
    stack: Stack,
) -> None:
    async with limited(stack, "status", "STATUS_MAX_CONNECTIONS_PER_ADDRESS", 10) as url:
        port = httpx.URL(url).port
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
        async with http_client() as client:
            answer = await client.get(f"{url}/v1/indicators")
            assert (answer.status_code, answer.json()["code"]) == (503, "too-many-connections")
            health = f"{stack.operations_url('status-8')}/health/live"
            assert (await client.get(health)).status_code == 200
        for _, writer in silent:
            writer.close()


@asynccontextmanager
async def served(patience: float, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of a server as `chassis.service` sets it up, with another patience."""
    monkeypatch.setattr(connections, "WHOLE_REQUEST", patience)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await PlainTextResponse("ok")(_scope, receive, send)

    async with serving(app) as port:
        yield port


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nb",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyGET / HT",
    ],
    ids=["silent", "half a head", "half a body", "half a second request"],
)
async def test_a_request_that_never_ends_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    async with served(0.5, monkeypatch) as port:
        assert (b"200 OK" in await answered(port, sent)) == (b"body" in sent)
        monkeypatch.setattr(connections, "WHOLE_REQUEST", PATIENCE)
        async with http_client(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(3):
                assert (await client.post("/", content=b"all of it")).text == "ok"


async def test_a_head_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(2 * PATIENCE, monkeypatch) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        sent = await until_cut_off(writer)
        assert sent < 8 * 2**20


async def test_who_stays_after_a_refused_head_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LINGER", 0.2)
    async with served(2 * PATIENCE, monkeypatch) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /?x=%b HTTP/1.1\r\n" % (b"x" * 70_000))
        async with asyncio.timeout(PATIENCE):
            assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def until_cut_off(writer: asyncio.StreamWriter) -> int:
    """How many bytes of further headers a server takes before it closes."""
    sent = 0
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                writer.write(b"X-Many: " + b"x" * 1000 + b"\r\n")
                await writer.drain()
                sent += 1000
    except ConnectionError:
        return sent
    finally:
        writer.close()


async def test_no_practice_searches_for_names_without_end(stack: Stack, practice: Practice) -> None:
    headers = {"Authorization": f"Bearer {stack.token(practice.id)}"}
    async with (
        limited(stack, "scheduling", "SCHEDULING_SEARCHES_PER_MINUTE", 2) as url,
        http_client(base_url=url, headers=headers) as client,
    ):
        wanted = {"query": "müller"}
        answers = [await client.post("/v1/appointments/search", json=wanted) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
