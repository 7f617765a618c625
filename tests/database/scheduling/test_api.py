"""What another system asks over HTTP to keep a copy, and repeats after it got no answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest_asyncio

from chassis.auth import Access, Caller, TokenVerifier
from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from services.scheduling.app import build
from services.scheduling.lookups import Lookups
from services.scheduling.settings import Settings
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import AUDIT_LOG, Desk
from tests.support import Json, Practice
from tests.support.settings import SCHEDULING

PATH = "/v1/appointments"


class Anybody(TokenVerifier):
    """Takes whatever comes for a token of this desk."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    async def verify(self, _token: str) -> Caller:
        return self._desk.caller


@pytest_asyncio.fixture
async def asking(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> AsyncIterator[httpx.AsyncClient]:
    desk = Desk(scheduling_db, sealer, await new_practice())
    app = build(Settings(**dict[str, Any](SCHEDULING)))
    app.state.access = Access(Anybody(desk))
    app.state.services = SimpleNamespace(
        booking=desk.booking, lookups=Lookups(scheduling_db, sealer, AUDIT_LOG, desk.now)
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://x",
        headers={"Authorization": "Bearer x"},
        trust_env=False,
    ) as client:
        yield client


async def create(asking: httpx.AsyncClient) -> Json:
    answer = await asking.post(PATH, json=Practice.form())
    assert answer.status_code == 201, answer.text
    created: Json = answer.json()
    return created


async def test_a_copy_is_kept_page_by_page(asking: httpx.AsyncClient) -> None:
    kept, gone = await create(asking), await create(asking)
    query: Json = {"updated_since": "1970-01-01T00:00:00Z", "limit": 1}
    seen: list[Json] = []
    while True:
        answer = await asking.get(PATH, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += page["appointments"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [kept | {"deleted": False}, gone | {"deleted": False}]
    await asking.delete(f"{PATH}/{gone['id']}", params={"notify": False})
    answer = await asking.get(PATH, params={"updated_since": gone["updated_at"]})
    [tombstone] = answer.json()["appointments"]
    assert tombstone["updated_at"] > gone["updated_at"]
    del tombstone["updated_at"]
    assert tombstone == {"id": gone["id"], "version": 2, "deleted": True, "erased": False}
    since = utc_now() - timedelta(days=45, minutes=1)
    assert answer.json()["tombstones_since"] > since.isoformat()
    days = {"from": kept["date"], "to": kept["date"]}
    answer = await asking.get(PATH, params={"updated_since": kept["updated_at"], **days})
    assert [each["id"] for each in answer.json()["appointments"]] == [kept["id"], gone["id"]]


async def test_what_makes_no_sense_together_is_refused(asking: httpx.AsyncClient) -> None:
    since = "2026-11-28T09:00:00Z"
    for query, field, code in (
        ({"updated_since": since, "date": "2026-12-01"}, "updated_since", "not_with_date"),
        ({"updated_since": since, "from": "2026-12-01"}, "to", "missing"),
        ({"updated_since": "0001-01-01T00:00:00+14:00"}, "updated_since", "out_of_range"),
        ({"updated_since": "2026-11-28T09:00:00"}, "updated_since", "invalid"),
        ({"updated_since": since, "cursor": "x"}, "cursor", "invalid"),
        ({"updated_sinc": since}, "updated_sinc", "unknown"),
    ):
        answer = await asking.get(PATH, params=query)
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert (error["field"], error["code"]) == (field, code)


async def test_who_has_it_already_is_spared_it(asking: httpx.AsyncClient) -> None:
    path = f"{PATH}/{(await create(asking))['id']}"
    whole, head = await asking.get(path), await asking.head(path)
    assert (head.status_code, head.content, head.headers) == (200, b"", whole.headers)
    same = await asking.get(path, headers={"If-None-Match": '"7", W/"1"'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", '"1"')
    await asking.patch(path, json={"duration_minutes": 45})
    again = await asking.get(path, headers={"If-None-Match": '"1"'})
    assert (again.status_code, again.headers["ETag"]) == (200, '"2"')


async def test_a_repeat_is_marked_and_shows_what_is_now(asking: httpx.AsyncClient) -> None:
    form, key = Practice.form(), {"Idempotency-Key": "our-visit-4711"}
    first = await asking.post(PATH, json=form, headers=key)
    path = f"{PATH}/{first.json()['id']}"
    await asking.patch(path, json={"duration_minutes": 45})
    again = await asking.post(PATH, json=form, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.headers["ETag"], again.json()["duration_minutes"]) == ('"2"', 45)
    spoilt = await asking.post(PATH, json=form | {"external_id": "1"}, headers=key)
    assert (spoilt.status_code, spoilt.json()["code"]) == (422, "invalid-input")
    await asking.post(f"{path}/erasure")
    for body in (form, form | {"duration_minutes": 30}):
        gone = await asking.post(PATH, json=body, headers=key)
        assert (gone.status_code, gone.json()["code"]) == (404, "not-found")
