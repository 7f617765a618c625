"""What the API answers of what is open, and that it asks for one thing at a time."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from chassis.auth import Access, Caller, TokenVerifier
from chassis.clock import utc_now
from contracts.channels import Channel
from contracts.events import NoticeKind
from contracts.rights import Right
from services.status import dependencies
from services.status.app import build
from services.status.feeds import Feeds
from services.status.settings import Settings
from tests.database.status.support import Status
from tests.support.settings import SERVICE

PATH = "/v1/indicators"


class Anybody(TokenVerifier):
    """Takes whatever comes for a token of this practice."""

    def __init__(self, status: Status) -> None:
        super().__init__()
        self._status = status

    async def verify(self, _token: str) -> Caller:
        rights = frozenset({Right.READ_STATUS})
        return Caller(self._status.practice_id, "system", utc_now(), rights)


@pytest_asyncio.fixture
async def asking(status: Status) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(**dict[str, Any](SERVICE))
    app = build(settings)
    app.state.access = Access(Anybody(status))
    feeds = Feeds(limit=1, limit_per_practice=1)
    app.state.services = dependencies.Services(status.db, feeds, settings)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": "Bearer x"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", headers=headers, trust_env=False
    ) as client:
        yield client


async def test_pages_of_what_is_open(status: Status, asking: httpx.AsyncClient) -> None:
    stories = [status.story() for _ in range(3)]
    for each in stories:
        await status.hear([*each.booked(), each.failed()])
    seen: list[str] = []
    query: dict[str, Any] = {"open": True, "limit": 2}
    while True:
        answer = (await asking.get(PATH, params=query)).json()
        seen += [each["appointment_id"] for each in answer["indicators"]]
        assert answer["open_count"] == 3
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    assert seen == [str(each.appointment_id) for each in stories]


async def test_asked_for_by_id_it_says_the_same(status: Status, asking: httpx.AsyncClient) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered(), story.notice_failed(NoticeKind.MOVED)])
    by_id = (await asking.get(PATH, params={"appointment_id": str(story.appointment_id)})).json()
    listed = (await asking.get(PATH, params={"open": True})).json()
    [indicator] = by_id["indicators"]
    assert indicator["open"] == []  # the attempt was issued with the time that the notice tells
    assert (listed["indicators"], listed["open_count"]) == ([], by_id["open_count"])
    one = (await asking.get(f"{PATH}/{story.appointment_id}")).json()
    assert [line["type"] for line in one["history"]] == ["requested", "delivered"]
    assert [(line["about"], line["type"]) for line in one["timeline"]][-1] == ("moved", "failed")


async def test_what_waits_for_the_morning_is_told_until_then(
    status: Status, asking: httpx.AsyncClient
) -> None:
    story, until = status.story(), utc_now() + timedelta(hours=9)
    await status.hear([*story.booked(), story.waits(until)])
    found = (await asking.get(f"{PATH}/{story.appointment_id}")).json()
    assert datetime.fromisoformat(found["channels"]["email"]["waits_until"]) == until
    assert (found["overall"], found["open"]) == ("pending", [])
    [_, waits] = found["timeline"]
    assert (waits["type"], datetime.fromisoformat(waits["waits_until"])) == ("pending", until)
    # That the time has come is told by nobody.
    shown = await status.shown(story, until + timedelta(seconds=1))
    assert shown is not None
    assert shown.channels[Channel.EMAIL].waits_until is None
    await status.hear([story.waits(None)])
    found = (await asking.get(f"{PATH}/{story.appointment_id}")).json()
    assert found["channels"]["email"]["waits_until"] is None


async def test_what_waited_on_purpose_says_nothing_of_how_fast_ticks_come(
    status: Status, asking: httpx.AsyncClient
) -> None:
    quick, waited = status.story(), status.story()
    await status.hear([*quick.booked(), quick.delivered()])
    before = (await asking.get("/v1/measures")).json()
    weeks_before = (await asking.get("/v1/measures/weeks")).json()["weeks"]
    await status.hear(
        [*waited.booked(), waited.waits(utc_now()), waited.waits(None), waited.delivered()]
    )
    after = (await asking.get("/v1/measures")).json()
    assert (before["ticks"], after["ticks"]) == (1, 2)
    assert before["request_to_tick_ms_p95"] == after["request_to_tick_ms_p95"]
    weeks_after = (await asking.get("/v1/measures/weeks")).json()["weeks"]
    told = "request_to_tick_ms_p95"
    assert [each[told] for each in weeks_before] == [each[told] for each in weeks_after]
    assert weeks_before != weeks_after


async def test_timelines_of_several_deleted_ones_too_and_of_erased_ones_nothing(
    status: Status, asking: httpx.AsyncClient
) -> None:
    moved, deleted, erased = (status.story() for _ in range(3))
    elsewhere = Status(status.db).story()
    for each in (moved, deleted, erased, elsewhere):
        await status.hear([*each.booked(), each.delivered()])
    first = moved.start
    await status.hear([moved.moved(first + timedelta(hours=1)), deleted.deleted(), erased.erased()])
    notice_id = uuid4()
    await status.hear([moved.notice_failed(NoticeKind.MOVED, notice_id=notice_id)])
    ids = [str(each.appointment_id) for each in (moved, deleted, erased, elsewhere, moved)]
    query = {"appointment_id": [*ids, str(uuid4())]}
    answer = (await asking.get("/v1/timelines", params=query)).json()
    assert [each["appointment_id"] for each in answer["timelines"]] == ids[:2]
    told, of_deleted = answer["timelines"]
    assert [line["type"] for line in of_deleted["timeline"]] == ["requested", "delivered"]
    assert told["timeline"][-1]["notice_id"] == str(notice_id)
    had = [datetime.fromisoformat(each["starts_at"]) for each in told["starts"]]
    assert had == [first, first + timedelta(hours=1)]
    assert answer["as_of"] is None  # nothing was read from Kafka
    for count in (0, 101):
        refused = await asking.get(
            "/v1/timelines", params={"appointment_id": [str(uuid4()) for _ in range(count)]}
        )
        assert refused.status_code == 422


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "appointment_id"),
        ({"open": "false"}, "appointment_id"),
        ({"open": "true", "appointment_id": str(uuid4())}, "appointment_id"),
        ({"open": "true", "cursor": "nowhere"}, "cursor"),
        ({"open": "true", "limit": "101"}, "limit"),
        ({"open": "maybe"}, "open"),
    ],
)
async def test_what_is_not_understood_is_named(
    asking: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await asking.get(PATH, params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_who_has_an_indicator_already_is_spared_it(
    status: Status, asking: httpx.AsyncClient
) -> None:
    story = status.story()
    await status.hear(story.booked())
    path = f"{PATH}/{story.appointment_id}"
    etag = (await asking.get(path)).headers["ETag"]
    same = await asking.get(path, headers={"If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    await status.hear([story.delivered()])
    newer = await asking.get(path, headers={"If-None-Match": etag})
    assert newer.status_code == 200
    assert newer.headers["ETag"] != etag
