"""How much is open is asked for with a token for one practice, and believed only while fresh."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.auth import TokenVerifier, api_keys
from chassis.jwks import FixedKeys
from contracts.rights import Right
from services.scheduling import open_counts
from services.scheduling.keys.mint import Mint
from services.scheduling.open_counts import FRESH, CountUnknown, OpenCounts
from tests.support.http_server import Answer, Cut, Half, Silence, serve

PRACTICE = UUID(int=7)
MINT = Mint({1: bytes(32)})
NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


def says(**answer: object) -> Answer:
    return Answer(body=json.dumps(answer).encode())


async def ask(url: str) -> int:
    async with OpenCounts(url, MINT, None, lambda: NOW) as counts:
        return await counts.of(PRACTICE)


async def test_the_status_service_is_asked_about_this_practice_alone() -> None:
    async with serve() as server:
        server.answer(says(open_count=3, as_of=(NOW - FRESH).isoformat(), indicators=[{}]))
        assert await ask(server.url) == 3
        (seen,) = server.seen
    assert (seen.path, seen.query) == ("/v1/indicators", "open=true&limit=1")
    kind, _, token = seen.headers["authorization"].partition(" ")
    assert kind == "Bearer"
    caller = await TokenVerifier(api_keys(FixedKeys(MINT.keys))).verify(token)
    assert caller.practice_id == PRACTICE
    assert caller.rights == {Right.READ_STATUS}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(401),
        Answer(302, headers={"location": "http://127.0.0.1:1/"}),
        Cut(),
        Half(),
        Silence(),
        Answer(body=b"<html>"),
        says(open_count=-1, as_of=NOW.isoformat()),
        says(open_count=3),
        says(open_count=0, as_of=None),
        says(open_count=0, as_of=(NOW - FRESH - timedelta(seconds=1)).isoformat()),
    ],
)
async def test_anything_else_is_no_answer(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_counts, "TIMEOUT", 0.5)
    async with serve() as server:
        server.answer(answer)
        with pytest.raises(CountUnknown):
            await ask(server.url)


async def test_a_service_that_is_not_there_is_no_answer_either() -> None:
    with pytest.raises(CountUnknown):
        await ask("http://127.0.0.1:1")
