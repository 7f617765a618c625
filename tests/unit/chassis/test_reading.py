"""HEAD answers as GET without the body, and who has a version already is told just that."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message

from chassis.reading import Reading

app = FastAPI()


@app.get("/one")
async def one(response: Response) -> dict[str, int]:
    response.headers["ETag"] = '"3"'
    return {"version": 3}


@app.get("/none", status_code=404)
async def none(response: Response) -> dict[str, int]:
    response.headers["ETag"] = '"3"'
    return {}


@app.post("/one")
async def change(response: Response) -> dict[str, int]:
    response.headers["ETag"] = '"3"'
    return {"version": 3}


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"beat\n"
        await asyncio.sleep(0)


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(endless())


async def ask(method: str, path: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Reading(app)), base_url="http://x", trust_env=False
    ) as client:
        return await client.request(method, path, headers=named)


async def test_head_is_get_without_its_body() -> None:
    whole, head = await ask("GET", "/one"), await ask("HEAD", "/one")
    assert (head.status_code, head.content, whole.json()) == (200, b"", {"version": 3})
    assert head.headers == whole.headers
    assert (await ask("HEAD", "/nowhere")).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_it_is_told_so(method: str) -> None:
    answer = await ask(method, "/one", If_None_Match='"1", W/"3"')
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == '"3"'
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers


async def test_who_has_not_or_changes_it_gets_the_whole() -> None:
    assert (await ask("GET", "/one", If_None_Match='"2"')).json() == {"version": 3}
    assert (await ask("POST", "/one", If_None_Match='"3"')).json() == {"version": 3}
    assert (await ask("GET", "/none", If_None_Match="*")).status_code == 404


async def test_the_head_of_a_stream_ends_it() -> None:
    sent: list[Message] = []
    answered = asyncio.Event()

    async def receive() -> Message:  # as uvicorn: once all was sent nobody is there any more
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message["more_body"]:
            answered.set()

    scope = {
        "type": "http",
        "method": "HEAD",
        "path": "/stream",
        "query_string": b"",
        "headers": [],
        "asgi": {"spec_version": "2.3"},
    }
    async with asyncio.timeout(10):
        await Reading(app)(scope, receive, send)
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
