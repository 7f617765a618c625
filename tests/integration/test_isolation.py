"""No practice reaches another's data: over no route, stream or bulk call, nor by the dashboard."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from dashboard import proxy
from local.practice import DEMO_PRACTICE
from tests.conftest import Stack, at_the_desk
from tests.support import Json, Practice, eventually, http_client, unused_phone
from tests.support.visitor import new_visitor

Route = tuple[str, str, str]  # service, method, path
THEIR_PHONE = unused_phone()
SERVICES = ("scheduling", "notification", "status")


@dataclass(frozen=True)
class Theirs:
    """What another practice has."""

    practice: str
    appointment: Json
    day: str
    key: str  # Idempotency-Key of its creation
    entry: str  # in its audit log

    @property
    def secrets(self) -> list[str]:
        return [self.appointment[name] for name in ("patient_name", "email", "phone")]


@dataclass(frozen=True)
class Try:
    """A request of a stranger who knows everything of theirs that can be named in it."""

    status: int
    query: Callable[[Theirs], Mapping[str, Any]] = lambda _: {}
    body: Json | None = None
    headers: Callable[[Theirs], Mapping[str, str]] = field(default=lambda _: {})


def by_id(theirs: Theirs) -> Json:
    return {"appointment_id": theirs.appointment["id"]}


ONE = "/v1/appointments/{appointment_id}"
TRIES: dict[Route, Try] = {
    ("scheduling", "GET", "/v1/appointments"): Try(200, lambda theirs: {"date": theirs.day}),
    ("scheduling", "POST", "/v1/appointments"): Try(
        201,
        body=Practice.form(patient_name="Frau Fremd"),
        headers=lambda theirs: {"Idempotency-Key": theirs.key},
    ),
    ("scheduling", "POST", "/v1/appointments/search"): Try(200, body={"query": "Vertraulich"}),
    ("scheduling", "GET", ONE): Try(404),
    ("scheduling", "GET", f"{ONE}/patient-link"): Try(403),  # no person's, but a key's
    ("scheduling", "PATCH", ONE): Try(404, body={"time": "11:00"}),
    ("scheduling", "DELETE", ONE): Try(404),
    ("scheduling", "POST", f"{ONE}/erasure"): Try(404),
    ("scheduling", "POST", f"{ONE}/invitations"): Try(404, body={}),
    ("scheduling", "POST", f"{ONE}/follow-ups"): Try(404, body={"causes": [str(uuid4())]}),
    ("scheduling", "POST", f"{ONE}/send-now"): Try(404),
    ("scheduling", "GET", "/v1/sms-time"): Try(
        200, lambda theirs: {"date": theirs.day, "time": "10:00"}
    ),
    ("scheduling", "POST", "/v1/addresses/lookup"): Try(
        200, body={"phone": THEIR_PHONE, "patient_name": "Vera Vertraulich"}
    ),
    ("scheduling", "POST", f"{ONE}/room"): Try(404),
    ("scheduling", "GET", "/v1/proofs/{appointment_id}"): Try(404),
    ("scheduling", "POST", "/v1/proofs/export"): Try(
        200, lambda theirs: {"from": theirs.day, "to": theirs.day}
    ),
    ("scheduling", "GET", "/v1/practice"): Try(200),
    ("scheduling", "GET", "/v1/audit"): Try(
        200, lambda theirs: {**by_id(theirs), "before": theirs.entry}
    ),
    ("scheduling", "GET", "/v1/audit/export"): Try(200, by_id),
    ("scheduling", "POST", "/v1/audit/export"): Try(200, by_id),
    ("operations", "GET", "/v1/admin/practices"): Try(401),
    ("operations", "POST", "/v1/admin/practices"): Try(401, body={"name": "Fremd"}),
    ("operations", "GET", "/v1/admin/practices/{practice_id}"): Try(401),
    ("operations", "PATCH", "/v1/admin/practices/{practice_id}"): Try(401, body={"name": "Fremd"}),
    ("notification", "GET", "/v1/previews/sms"): Try(
        200,
        lambda _: {
            "sender_name": "Praxis",
            "link": "https://example.org/besuch/x",
            "start": "2030-01-01T10:00",
            "time_zone": "Europe/Berlin",
        },
    ),
    ("status", "GET", "/v1/indicators"): Try(200, by_id),
    ("status", "GET", "/v1/indicators/{appointment_id}"): Try(404),
    ("status", "GET", "/v1/timelines"): Try(200, by_id),
    ("status", "GET", "/v1/measures"): Try(200),
    ("status", "GET", "/v1/measures/weeks"): Try(200),
}
STREAMS = {("status", "GET", "/v1/indicators/stream")}  # tried below
# These are of no practice, and hold something else than a practice's token for the permission.
OTHERWISE = {
    ("scheduling", "POST", "/v1/tokens"): "id and secret of an API key, which names its practice",
    ("scheduling", "GET", "/v1/jwks"): "public keys only",
    **{
        ("operations", method, f"/v1/admin/practices{path}"): "an operator's key (test_practices)"
        for method, path in (
            *(("GET", ""), ("POST", "")),
            *(("GET", "/{practice_id}"), ("PATCH", "/{practice_id}")),
        )
    },
    ("notification", "POST", "/v1/receipts/{gateway}"): "a gateway's signature; answers nothing",
}


def address(stack: Stack, service: str) -> str:
    """Of a service, or of what scheduling offers operators."""
    return stack.operations_url("scheduling") if service == "operations" else stack.url(service)


async def described(stack: Stack) -> set[Route]:
    found: set[Route] = set()
    async with http_client() as client:
        for service in (*SERVICES, "operations"):
            description = (await client.get(f"{address(stack, service)}/openapi.json")).json()
            for path, methods in description["paths"].items():
                found |= {(service, method.upper(), path) for method in methods}
    return found


def proxied() -> Iterator[tuple[str, Route]]:
    """Paths of the dashboard with the routes of services that they lead to."""
    routes = [*proxy.ALLOWED, proxy.STREAM, proxy.DOWNLOAD]
    for service, template, methods in routes:
        path = template.replace(":uuid", "")
        for method in methods:
            yield f"/api/{service}{path}", (service, method, f"/v1{path}")


async def test_every_route_is_tried(stack: Stack) -> None:
    known = TRIES.keys() | STREAMS | OTHERWISE.keys()
    missing = (await described(stack) | {route for _, route in proxied()}) - known
    assert not missing, f"add to TRIES in {__name__} what a stranger could try there: {missing}"


@pytest_asyncio.fixture
async def theirs(practice: Practice) -> Theirs:
    key = uuid4().hex
    form = practice.form(
        patient_name="Vera Vertraulich",
        channels=["email", "sms"],
        phone=THEIR_PHONE,
    )
    created = (await practice.post(form, key)).json()
    await practice.shows(created["id"], "delivered")
    log = (await practice.scheduling.get("/v1/audit")).json()
    return Theirs(str(practice.id), created, created["date"], key, log["entries"][0]["id"])


async def untouched(practice: Practice, theirs: Theirs) -> None:
    path = f"/v1/appointments/{theirs.appointment['id']}"
    assert (await practice.scheduling.get(path)).json() == theirs.appointment
    assert (await practice.indicator(theirs.appointment["id"]) or {})["attempt"] == 1


def attempt(client: httpx.AsyncClient, url: str, route: Route, theirs: Theirs) -> Any:
    trial = TRIES[route]
    return client.request(
        route[1],
        url.replace("{appointment_id}", theirs.appointment["id"]).replace(
            "{practice_id}", theirs.practice
        ),
        params=trial.query(theirs),
        json=trial.body,
        headers=trial.headers(theirs),
    )


def reveals_nothing(route: Route, answer: httpx.Response, theirs: Theirs) -> None:
    for secret in (*theirs.secrets, theirs.appointment["id"]):
        assert secret not in answer.text, route


@pytest.mark.parametrize("route", TRIES, ids=" ".join)
async def test_a_stranger_gets_nothing(
    practice: Practice, other_practice: Practice, stack: Stack, theirs: Theirs, route: Route
) -> None:
    headers = {"Authorization": f"Bearer {stack.token(other_practice.id)}"}
    async with http_client(headers=headers) as client:
        answer = await attempt(client, address(stack, route[0]) + route[2], route, theirs)
    assert answer.status_code == TRIES[route].status, answer.text
    reveals_nothing(route, answer, theirs)
    await untouched(practice, theirs)


async def test_naming_anothers_appointments_beside_ones_own_gives_only_these(
    other_practice: Practice, theirs: Theirs
) -> None:
    own = await other_practice.create()
    asked = {"id": [theirs.appointment["id"], own["id"]]}
    answer = await other_practice.scheduling.get("/v1/appointments", params=asked)
    assert answer.json()["appointments"] == [own]
    reveals_nothing(("scheduling", "GET", "/v1/appointments"), answer, theirs)


async def test_a_stranger_gets_nothing_through_the_dashboard(
    practice: Practice, stack: Stack, theirs: Theirs
) -> None:
    """Logged in as two of the demo's practice who together may do everything."""
    statuses: dict[Route, set[int]] = defaultdict(set)
    for person in ("leitung", "praxis"):
        async with new_visitor(stack) as visitor:
            await visitor.log_in(person=person)
            visitor.http.headers.update(visitor.own)
            for path, route in proxied():
                if route not in STREAMS:
                    url = stack.url("dashboard") + path
                    answer = await attempt(visitor.http, url, route, theirs)
                    reveals_nothing(route, answer, theirs)
                    statuses[route].add(answer.status_code)
    for route, found in statuses.items():
        assert found - {403} == {TRIES[route].status}, route
    await untouched(practice, theirs)


async def test_a_stranger_gets_no_proof_through_the_dashboard(
    practice: Practice, stack: Stack, theirs: Theirs
) -> None:
    async with new_visitor(stack) as visitor:
        await visitor.log_in(person="leitung")
        page = await visitor.get(f"/nachweis/{theirs.appointment['id']}")
        file = await visitor.http.post(
            f"{stack.url('dashboard')}/api/nachweis",
            params={"from": theirs.day, "to": theirs.day},
            headers=visitor.own,
        )
    assert (page.status_code, file.status_code) == (404, 200)
    for answer in (page, file):
        for secret in theirs.secrets:
            assert secret not in answer.text
    assert theirs.appointment["id"] not in file.text
    await untouched(practice, theirs)


async def test_a_stream_tells_a_stranger_nothing(
    practice: Practice, other_practice: Practice, theirs: Theirs
) -> None:
    """Not from their position in the feed either, of which everybody has one with this number."""
    own = await other_practice.create()
    await other_practice.shows(own["id"], "delivered")
    for number, last in enumerate((None, "0", "1"), start=2):
        async with other_practice.stream(last) as messages:
            await practice.resend(theirs.appointment["id"])
            await practice.shows(theirs.appointment["id"], "delivered", attempt=number)
            await other_practice.resend(own["id"])
            seen = await until_tick(messages, own["id"], number)
        assert theirs.appointment["id"] not in str(seen)


async def until_tick(
    messages: AsyncIterator[tuple[str, str, Json]], own: str, attempt: int
) -> list[Json]:
    seen = []
    async for _, _, data in messages:
        seen.append(data)
        shown = [data.get(name) for name in ("appointment_id", "attempt", "overall")]
        if shown == [own, attempt, "delivered"]:
            return seen
    raise AssertionError("the stream ended")


async def test_the_dashboards_stream_is_of_its_own_practice(
    practice: Practice, stack: Stack, theirs: Theirs
) -> None:
    async with new_visitor(stack) as visitor, at_the_desk(stack, DEMO_PRACTICE) as demo:
        await visitor.log_in(person="leitung")
        own = await demo.create()
        await demo.shows(own["id"], "delivered")
        url = f"{stack.url('dashboard')}/api/status/indicators/stream?last_event_id=0"
        seen: list[str] = []

        async def listen() -> None:
            async with visitor.http.stream("GET", url) as answer:
                async for line in answer.aiter_lines():
                    seen.append(line)  # noqa: PERF401 - read while it grows

        listening = asyncio.create_task(listen())
        try:
            await practice.resend(theirs.appointment["id"])
            await practice.shows(theirs.appointment["id"], "delivered", attempt=2)
            await demo.resend(own["id"])

            async def heard() -> bool:
                return any(own["id"] in line and '"attempt":2' in line for line in seen)

            await eventually(heard, "our own appointment on the stream")
        finally:
            listening.cancel()
        assert not any(theirs.appointment["id"] in line for line in seen)


async def test_what_is_open_elsewhere_is_neither_listed_nor_counted(
    practice: Practice, other_practice: Practice, stack: Stack
) -> None:
    created = [await practice.create(email="unbekannt@example.org") for _ in range(2)]
    for each in created:
        await practice.shows(each["id"], "failed")
    wanted: Json = {"open": True, "limit": 1}
    ours = (await practice.status.get("/v1/indicators", params=wanted)).json()
    assert ours["open_count"] == 2
    # A cursor names a place, and gives no right to what stands behind it.
    for query in (wanted, wanted | {"cursor": ours["next"]}):
        theirs = (await other_practice.status.get("/v1/indicators", params=query)).json()
        assert (theirs["indicators"], theirs["next"], theirs["open_count"]) == ([], None, 0)
