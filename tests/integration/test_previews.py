"""The SMS preview of the form tells what will really be sent, and what it costs."""

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Stack
from tests.support import Json, Practice, http_client, unused_phone
from tests.support.visitor import new_visitor


@pytest_asyncio.fixture
async def notification(practice: Practice, stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The notification service, asked by this practice."""
    async with http_client(
        base_url=stack.url("notification"), headers=practice.scheduling.headers
    ) as client:
        yield client


async def preview(client: httpx.AsyncClient, practice: Practice, **changes: str) -> httpx.Response:
    own = (await practice.scheduling.get("/v1/practice")).json()
    asked = {
        "sender_name": own["name"],
        "link": own["sample_link"],
        "start": "2026-12-01T14:30",
        "time_zone": own["time_zone"],
    } | changes
    return await client.get("/v1/previews/sms", params=asked)


async def test_the_preview_is_what_arrives_but_for_the_link(
    notification: httpx.AsyncClient, practice: Practice
) -> None:
    phone = unused_phone()
    created = await practice.create(channels=["sms"], email=None, phone=phone)
    await practice.shows(created["id"], "delivered")
    ((_, text),) = [(each["to"], each["text"]) for each in await practice.texts(phone)]
    start = f"{created['date']}T{created['time']}"
    told = (await preview(notification, practice, start=start)).json()
    head, link = told["text"].split("\n")
    sent_head, sent_link = text.split("\n")
    assert head == sent_head
    assert (len(link), link.rpartition("/")[0]) == (len(sent_link), sent_link.rpartition("/")[0])
    assert (await practice.scheduling.get(httpx.URL(link).path)).status_code == 404


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Praxis Dr. Weiß", {"encoding": "gsm-7", "extended": False, "segments": 1, "room": 160}),
        ("Praxis [Mitte]", {"encoding": "gsm-7", "extended": True, "segments": 1, "room": 160}),
        ("Praxis Иванов", {"encoding": "ucs-2", "extended": False, "segments": 2, "room": 134}),
    ],
)
async def test_encoding_and_segments_are_told(
    notification: httpx.AsyncClient, practice: Practice, name: str, expected: Json
) -> None:
    told = (await preview(notification, practice, sender_name=name)).json()
    assert {key: told[key] for key in expected} == expected
    assert len(told["text"]) <= told["used"] <= told["room"]


async def test_the_doubled_hour_is_told_apart(
    notification: httpx.AsyncClient, practice: Practice
) -> None:
    for offset, season in ("+02:00", "Sommerzeit"), ("+01:00", "Winterzeit"):
        start = datetime.fromisoformat(f"2026-10-25T02:30{offset}").isoformat()
        assert season in (await preview(notification, practice, start=start)).json()["text"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", "0001-01-01T00:00"),
        ("start", "morgen"),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../etc/passwd"),
        ("link", "javascript:alert(1)"),
        ("sender_name", "\x07"),
        ("sender_name", "x" * 301),
    ],
)
async def test_what_can_not_be_composed_is_named(
    notification: httpx.AsyncClient, practice: Practice, field: str, value: str
) -> None:
    answer = await preview(notification, practice, **{field: value})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_only_who_may_invite_is_shown_a_preview(stack: Stack, practice: Practice) -> None:
    async with http_client(base_url=stack.url("notification")) as stranger:
        assert (await preview(stranger, practice)).status_code == 401


async def test_the_dashboard_leads_to_it(stack: Stack) -> None:
    path = "/api/notification/previews/sms?sender_name=Praxis&link=https://a.example/b"
    path += "&start=2026-12-01T14:30&time_zone=Europe/Berlin"
    async with new_visitor(stack) as visitor:
        assert (await visitor.get(path)).status_code == 401
        await visitor.log_in()
        answer = await visitor.get(path)
        assert (answer.status_code, answer.json()["segments"]) == (200, 1)
        assert (await visitor.get("/api/notification/receipts/webhook")).status_code == 404
