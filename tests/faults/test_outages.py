"""With a part away, callers are told at once and nothing is half done; all recovers by itself."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest_asyncio

from chassis.probe import healthy
from tests.conftest import Stack
from tests.support import Json, Practice, eventually
from tests.support.database import owner
from tests.support.visitor import Visitor, new_visitor

AT_ONCE = 2.0  # seconds, for many answers at the same time


@pytest_asyncio.fixture
async def visitor(stack: Stack) -> AsyncIterator[Visitor]:
    async with new_visitor(stack) as browser:
        await browser.log_in()
        yield browser


async def asked(practice: Practice, visitor: Visitor, created: Json) -> dict[str, httpx.Response]:
    """Every kind of request, and how it was answered."""
    at = f"/v1/appointments/{created['id']}"
    scheduling, status, own = practice.scheduling, practice.status, visitor.own
    page = visitor.stack.url("dashboard")
    requests = {
        "day": scheduling.get("/v1/appointments", params={"date": created["date"]}),
        "one": scheduling.get(at),
        "practice": scheduling.get("/v1/practice"),
        "create": practice.post(practice.form(), key="while it is away"),
        "move": scheduling.patch(at, json={"time": "11:30"}),
        "resend": scheduling.post(f"{at}/invitations", json={}),
        "delete": scheduling.delete(at),
        "erase": scheduling.post(f"{at}/erasure"),
        "audit": scheduling.get("/v1/audit"),
        "indicator": status.get(f"/v1/indicators/{created['id']}"),
        "indicators": status.get("/v1/indicators", params={"appointment_id": created["id"]}),
        "stream": status.get("/v1/indicators/stream"),
        "measures": status.get("/v1/measures"),
        "session": visitor.http.get(f"{page}/api/session"),
        "dashboard": visitor.http.get(f"{page}/api/scheduling/practice"),
        "log out": visitor.http.delete(f"{page}/api/session", headers=own),
    }
    answers = await asyncio.gather(*requests.values())
    return dict(zip(requests, answers, strict=True))


@asynccontextmanager
async def away(server: object) -> AsyncIterator[None]:
    await server.kill()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        await server.start()  # type: ignore[attr-defined]


async def all_live(stack: Stack) -> bool:
    ports = [httpx.URL(stack.operations_url(name)).port or 0 for name in stack.in_use]
    found = [asyncio.to_thread(healthy, port, "/health/live") for port in ports]
    return all(await asyncio.gather(*found))


async def test_without_the_database_everybody_is_told_so_at_once_and_nothing_is_half_done(
    practice: Practice, stack: Stack, visitor: Visitor
) -> None:
    created = await practice.create()
    before = await practice.shows(created["id"], "delivered")
    async with away(stack.postgres):
        took = []
        for _ in range(3):
            begun = time.monotonic()
            answers = await asked(practice, visitor, created)
            took.append(time.monotonic() - begun)
            assert {name: each.status_code for name, each in answers.items()} == dict.fromkeys(
                answers, 503
            )
            for each in answers.values():
                assert each.headers["content-type"] == "application/problem+json"
                assert int(each.headers["retry-after"]) > 0
                assert each.json()["code"] == "database-unavailable"
        assert statistics.median(took) < AT_ONCE  # one may meet a busy machine
        for path in ("/", "/abgelaufen"):
            page = await visitor.get(path)
            assert (page.status_code, page.headers["refresh"]) == (503, "5")
            assert "gerade nicht verfügbar" in page.text
        assert await all_live(stack)

    async def back() -> bool:
        answers = await asyncio.gather(
            practice.scheduling.get(f"/v1/appointments/{created['id']}"),
            practice.status.get(f"/v1/indicators/{created['id']}"),
            visitor.get("/api/session"),
        )
        return all(each.status_code == 200 for each in answers)

    await eventually(back, "all answers again")
    read = await practice.scheduling.get(f"/v1/appointments/{created['id']}")
    assert read.json() == created
    assert await practice.indicator(created["id"]) == before
    async with owner(stack, "scheduling") as connection:
        count = "SELECT count(*) FROM appointments WHERE practice_id = $1"
        assert await connection.fetchval(count, practice.id) == 1
    again = await practice.create()
    await practice.shows(again["id"], "delivered")


async def test_without_the_broker_appointments_are_taken_and_told_of_later(
    practice: Practice, stack: Stack, visitor: Visitor
) -> None:
    first = await practice.create()
    await practice.shows(first["id"], "delivered")
    async with away(stack.kafka):
        created = await practice.create()
        await practice.resend(first["id"])
        for answer in (
            await practice.scheduling.get("/v1/appointments", params={"date": created["date"]}),
            await practice.status.get(f"/v1/indicators/{first['id']}"),
            await visitor.get("/api/session"),
        ):
            assert answer.status_code == 200
        assert await all_live(stack)
    await practice.shows(created["id"], "delivered")
    await practice.shows(first["id"], "delivered", attempt=2)
