"""A stream is passed on as it comes, for as long as its session lasts."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from typing import cast

import httpx
import pytest

from dashboard.sessions import Sessions
from dashboard.streams import RENEW, Streams
from tests.support import PATIENCE

LATER = time.time() + 24 * 3600


class Known:
    """The sessions that there are, and how often they were asked for."""

    def __init__(self, *ids: bytes) -> None:
        self.ids = set(ids)
        self.asked: list[set[bytes]] = []

    async def lasting(self, ids: Collection[bytes]) -> set[bytes]:
        self.asked.append(set(ids))
        return self.ids & set(ids)


def streams(known: Known) -> Streams:
    return Streams(cast(Sessions, known))


def response(*chunks: bytes, ends: bool = False) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if not ends:
            await asyncio.Event().wait()

    return httpx.Response(200, content=body())


async def test_what_comes_is_passed_on_until_it_ends() -> None:
    relayed = streams(Known()).relay(response(b"a", b"b", ends=True), session=b"1", until=LATER)
    assert [chunk async for chunk in relayed] == [b"a", b"b"]


@pytest.mark.parametrize(("first", "told"), [(b"x\n\n", [RENEW]), (b"half", [])])
async def test_it_is_renewed_between_two_messages(first: bytes, told: list[bytes]) -> None:
    until = time.time() + 0.5
    relayed = streams(Known()).relay(response(first), session=b"1", until=until)
    assert [chunk async for chunk in relayed] == [first, *told]


async def test_it_ends_with_its_session_and_no_other_does() -> None:
    known = Known(b"1", b"2", b"3")
    relay = streams(known)
    relayed = {
        session: relay.relay(response(b"a"), session=session, until=LATER)
        for session in (b"1", b"2", b"3")
    }
    rest = {}
    for session, chunks in relayed.items():
        assert await anext(chunks) == b"a"
        rest[session] = asyncio.create_task(anext(chunks, b"end"))
    await asyncio.sleep(0)
    known.ids = {b"2", b"3"}
    await relay.look()
    async with asyncio.timeout(PATIENCE):
        assert await rest[b"1"] == b"end"
    assert not rest[b"2"].done()
    relay.end_all()
    async with asyncio.timeout(PATIENCE):
        assert [await rest[each] for each in (b"2", b"3")] == [b"end", b"end"]
    assert known.asked == [{b"1", b"2", b"3"}]
    after = relay.relay(response(b"a"), session=b"2", until=LATER)
    assert [chunk async for chunk in after] == []


async def test_nothing_is_asked_where_nothing_is_open() -> None:
    known = Known()
    await streams(known).look()
    assert known.asked == []
