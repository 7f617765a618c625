"""What a practice's system manages over the API: its own webhooks, and no other practice's."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from chassis.auth import Access, Caller, CallerKind, TokenVerifier
from chassis.clock import utc_now
from contracts.rights import Right
from services.webhooks import api, bodies, endpoint_store, measures
from services.webhooks.addresses import Reach
from services.webhooks.app import build
from services.webhooks.dependencies import Services
from services.webhooks.endpoints import DisabledReason
from services.webhooks.settings import Settings
from tests.database.webhooks.support import GONE, Webhooks
from tests.support.settings import WEBHOOKS

PATH, URL = "/v1/webhooks", "https://receiver.example/hook"


class Anybody(TokenVerifier):
    """Takes a practice's id for a token of its key; of another kind of token it knows less."""

    async def verify(self, token: str) -> Caller:
        rights = (
            {Right.MANAGE_WEBHOOKS} if len(token) == 36 else set(Right) - {Right.MANAGE_WEBHOOKS}
        )
        return Caller(
            UUID(token[:36]), "ek_1", utc_now(), frozenset(rights), kind=CallerKind.API_KEY
        )


@pytest_asyncio.fixture
async def asking(webhooks: Webhooks) -> AsyncIterator[httpx.AsyncClient]:
    app = build(Settings(**dict[str, Any](WEBHOOKS)))
    app.state.access = Access(Anybody())
    app.state.services = Services(
        db=webhooks.db,
        sealer=webhooks.sealer,
        reach=Reach(),
        retention=timedelta(days=30),
        most_endpoints=2,
        wake_worker=lambda: None,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://x",
        headers=bearer(webhooks.practice_id),
        trust_env=False,
    ) as client:
        yield client


def bearer(practice_id: UUID, more: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {practice_id}{more}"}


async def created(asking: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await asking.post(PATH, json={"url": URL} | fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    view: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{PATH}/{view['id']}"
    return view


async def test_a_webhook_from_its_making_to_its_end(
    webhooks: Webhooks, asking: httpx.AsyncClient
) -> None:
    made = await created(asking, description="KIS", event_types=["einladung.v1.VisitJoined"])
    secret = made.pop("secret")
    assert (await asking.get(PATH)).json() == {"webhooks": [made]}
    place = f"{PATH}/{made['id']}"
    changed = (await asking.patch(place, json={"event_types": []})).json()
    assert changed == made | {"event_types": []}
    test = (await asking.post(f"{place}/test")).json()
    webhooks.now = utc_now()
    await webhooks.send_due()
    [post] = webhooks.receivers.posts
    told = Webhook(secret).verify(post.body, dict(post.headers))
    assert (told["type"], told["id"]) == (bodies.TEST_TYPE, test["event_id"])
    assert told["data"] == {"practice_id": str(webhooks.practice_id), "webhook_id": made["id"]}
    [attempt] = (await asking.get(f"{place}/attempts")).json()["attempts"]
    assert (attempt["event_id"], attempt["result"]) == (test["event_id"], "delivered")
    rotated = (await asking.post(f"{place}/secret", json={"overlap_hours": 1})).json()
    await asking.post(f"{place}/test")
    webhooks.now = utc_now()
    await webhooks.send_due()
    for each in (secret, rotated["secret"]):
        Webhook(each).verify(
            webhooks.receivers.posts[-1].body, dict(webhooks.receivers.posts[-1].headers)
        )
    off = (await asking.patch(place, json={"enabled": False})).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "practice")
    refused = await asking.post(f"{place}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook-disabled")
    on = (await asking.patch(place, json={"enabled": True})).json()
    assert (on["enabled"], on["disabled_at"], on["disabled_reason"]) == (True, None, None)
    assert (await asking.delete(place)).status_code == 204
    assert (await asking.get(place)).status_code == 404
    async with webhooks.db.system() as tx:
        assert await tx.fetchval("SELECT count(*) FROM attempts") == 0


async def test_nobody_elses_is_seen_or_touched(
    webhooks: Webhooks, asking: httpx.AsyncClient
) -> None:
    place = f"{PATH}/{(await created(asking))['id']}"
    stranger = bearer(uuid4())
    assert (await asking.get(PATH, headers=stranger)).json() == {"webhooks": []}
    for method, path, body in (
        ("GET", place, None),
        ("PATCH", place, {"enabled": False}),
        ("DELETE", place, None),
        ("POST", f"{place}/secret", {}),
        ("POST", f"{place}/test", None),
        ("POST", f"{place}/replay", {"event_ids": [str(uuid4())]}),
        ("GET", f"{place}/attempts", None),
    ):
        answer = await asking.request(method, path, json=body, headers=stranger)
        assert answer.status_code == 404, (method, path)
        without = bearer(webhooks.practice_id, "no-right")
        answer = await asking.request(method, path, json=body, headers=without)
        assert answer.status_code == 403, (method, path)
    assert (await asking.get(place)).json()["enabled"] is True


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"url": "http://receiver.example"}, {("url", "url_scheme")}),
        ({"url": "https://10.0.0.1/"}, {("url", "url_address")}),
        (
            {"url": "https://a@receiver.example", "event_types": ["einladung.v1.VisitJoined", "x"]},
            {("url", "url_credentials"), ("event_types.1", "unknown_type")},
        ),
        (
            {"event_types": ["einladung.v1.InvitationRequested"]},
            {("event_types.0", "unknown_type")},
        ),
        ({"secret": "whsec_x"}, {("secret", "unknown")}),
    ],
)
async def test_what_can_not_be_made(
    asking: httpx.AsyncClient, fields: dict[str, Any], faults: set[tuple[str, str]]
) -> None:
    answer = await asking.post(PATH, json={"url": URL} | fields)
    assert answer.status_code == 422
    assert {(each["field"], each["code"]) for each in answer.json()["errors"]} == faults


async def test_a_practice_has_no_more_than_it_may(asking: httpx.AsyncClient) -> None:
    await created(asking)
    await created(asking)
    answer = await asking.post(PATH, json={"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-webhooks")


async def test_replays_of_a_range_and_of_ids(
    webhooks: Webhooks, asking: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "REPLAYED_AT_ONCE", 2)
    place = f"{PATH}/{(await created(asking))['id']}"
    appointment = uuid4()
    began = webhooks.now
    events = []
    for version in range(1, 6):
        events += await webhooks.hear(webhooks.scheduled(version, of=appointment))
        webhooks.now += timedelta(minutes=1)
    await webhooks.send_due()
    webhooks.receivers.posts.clear()
    wanted: dict[str, Any] = {
        "since": (began + timedelta(minutes=1)).isoformat(),
        "until": (began + timedelta(minutes=4)).isoformat(),
    }
    first = await asking.post(f"{place}/replay", json=wanted)
    assert first.status_code == 202
    second = await asking.post(f"{place}/replay", json=wanted | {"cursor": first.json()["next"]})
    assert [first.json()["queued"], second.json()["queued"]] == [2, 1]
    assert second.json()["next"] is None
    again = await asking.post(f"{place}/replay", json=wanted)  # all of it waits already
    assert again.json() == {"queued": 0, "next": None}
    webhooks.now = utc_now() + timedelta(minutes=10)
    await webhooks.send_due()
    assert [each.event_id for each in webhooks.receivers.posts] == events[1:4]  # the same ids
    webhooks.receivers.posts.clear()
    by_id = {"event_ids": [str(events[4]), str(events[0]), str(uuid4())]}
    assert (await asking.post(f"{place}/replay", json=by_id)).json()["queued"] == 2
    webhooks.now += timedelta(minutes=10)
    await webhooks.send_due()
    assert [each.event_id for each in webhooks.receivers.posts] == [events[0], events[4]]
    both = await asking.post(f"{place}/replay", json=wanted | by_id)
    assert both.status_code == 422
    monkeypatch.setattr(api, "MOST_WAITING", 0)
    full = await asking.post(f"{place}/replay", json=wanted)
    assert (full.status_code, full.json()["code"]) == (409, "webhook-queue-full")


async def test_who_was_away_replays_from_when_it_was_given_up(
    webhooks: Webhooks, asking: httpx.AsyncClient
) -> None:
    place = f"{PATH}/{(await created(asking))['id']}"
    webhooks.receivers.answers[URL] = lambda _: GONE
    lost = await webhooks.hear(webhooks.scheduled())
    await webhooks.send_due()
    off = (await asking.get(place)).json()
    assert (off["disabled_reason"], off["waiting"]) == ("gone", 0)
    lost += await webhooks.hear(webhooks.scheduled())  # kept, though nothing is queued
    webhooks.receivers.answers.clear()
    webhooks.receivers.posts.clear()
    await asking.patch(place, json={"enabled": True})
    since = {"since": off["failing_since"]}
    assert (await asking.post(f"{place}/replay", json=since)).json()["queued"] == 2
    webhooks.now = utc_now() + timedelta(minutes=1)
    await webhooks.send_due()
    assert {each.event_id for each in webhooks.receivers.posts} == set(lost)


async def test_what_the_operator_has_disabled_the_operator_enables(
    webhooks: Webhooks, asking: httpx.AsyncClient
) -> None:
    made = await created(asking)
    async with webhooks.db.system() as tx:
        await endpoint_store.disable(tx, UUID(made["id"]), DisabledReason.OPERATOR, utc_now())
        await measures.publish(tx)
    assert measures.endpoints.labels("operator")._value.get() == 1
    assert measures.endpoints.labels("gone")._value.get() == 0
    answer = await asking.patch(f"{PATH}/{made['id']}", json={"enabled": True})
    assert answer.json()["code"] == "webhook-disabled-by-operator"


async def test_the_log_has_pages(webhooks: Webhooks, asking: httpx.AsyncClient) -> None:
    place = f"{PATH}/{(await created(asking))['id']}"
    events = await webhooks.hear(*(webhooks.scheduled() for _ in range(3)))
    await webhooks.send_due()
    first = (await asking.get(f"{place}/attempts", params={"limit": 2})).json()
    second = (await asking.get(f"{place}/attempts", params={"cursor": first["next"]})).json()
    listed = [*first["attempts"], *second["attempts"]]
    assert {each["event_id"] for each in listed} == {str(each) for each in events}
    assert second["next"] is None
