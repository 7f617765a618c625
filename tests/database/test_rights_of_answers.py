"""No answer shows more than its caller may read: every route, every single right, every field."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from uuid_utils.compat import uuid7

from chassis.auth import Access, Caller, TokenVerifier
from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from chassis.throttle import AddressThrottle, Throttle
from contracts.envelope import Received
from contracts.rights import Right
from services.scheduling.api.dependencies import Services
from services.scheduling.app import build as build_scheduling
from services.scheduling.bounds import Bounds
from services.scheduling.keys.mint import Mint
from services.scheduling.links import Link
from services.scheduling.lookups import Lookups
from services.scheduling.proofs import Proofs
from services.scheduling.settings import Settings
from services.scheduling.visits.hosting import Hosting
from services.scheduling.visits.joining import Joining
from services.scheduling.visits.page import PatientPage
from services.scheduling.visits.page_lookup import PageLookup
from services.scheduling.visits.page_rendering import Pages
from services.scheduling.visits.page_throttle import PageThrottle
from services.scheduling.visits.settings import make_rooms
from services.status import dependencies as status_dependencies
from services.status import events as status_events
from services.status.app import build as build_status
from services.status.feeds import Feeds
from services.status.settings import Settings as StatusSettings
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import AUDIT_LOG, LINKS, PROVER, Desk
from tests.support import Practice
from tests.support.settings import KEY, SCHEDULING, SERVICE

PATIENT = {
    "patient_name": "Erika Mustermann",
    "email": "erika.mustermann@example.org",
    "phone": "+491713920001",
    "locale": "en",
}
# What cannot be found in a text by its value is looked for by its name.
SIGNS = {name: value for name, value in PATIENT.items() if name != "locale"} | {
    "locale": '"locale"',
    "link": "https://einladung.example/besuch/",
}
JITSI: dict[str, Any] = {
    "rooms": "jitsi",
    "room_key": KEY,
    "room_url": "https://meet.example.org",
    "jitsi_key": "s" * 32,
    "jitsi_issuer": "praxis",
}
# What a request needs to be carried out. A route that is not here gets no more than an id.
EXAMPLES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/appointments"): {"json": Practice.form(**PATIENT, channels=["email", "sms"])},
    ("GET", "/v1/appointments"): {"params": {"date": Practice.form()["date"]}},
    ("POST", "/v1/appointments/search"): {"json": {"query": "Mustermann"}},
    ("PATCH", "/v1/appointments/{appointment_id}"): {"json": {}},
    ("POST", "/v1/appointments/{appointment_id}/invitations"): {"json": {}},
    ("POST", "/v1/appointments/{appointment_id}/follow-ups"): {
        "json": {"causes": ["8c0e3c5e-6f0b-4f0e-9a43-52a1f0b7d6c9"]}
    },
    ("POST", "/v1/addresses/lookup"): {"json": {"email": PATIENT["email"]}},
    ("GET", "/v1/sms-time"): {"params": {"date": Practice.form()["date"], "time": "10:00"}},
    ("POST", "/v1/proofs/export"): {
        "params": {"from": Practice.form()["date"], "to": Practice.form()["date"]}
    },
    ("GET", "/v1/timelines"): {"params": {"appointment_id": "{appointment_id}"}},
    ("GET", "/v1/indicators"): {"params": {"appointment_id": "{appointment_id}"}},
}
# Routes that ask for another credential than a token of the practice, or for none.
OPEN = {
    *("/v1/tokens", "/v1/jwks", "/v1/problems/{code}", "/besuch/{token:path}", "/robots.txt"),
}
# Routes that a narrower right opens too, for a part of what they do.
OF_TWO = {
    ("PATCH", "/v1/appointments/{appointment_id}"),
    ("DELETE", "/v1/appointments/{appointment_id}"),
}
MANY = 1_000_000  # of anything in a minute
Route = tuple[str, str]


class OneRight(TokenVerifier):
    """Takes the name of a right for a token that carries this right alone."""

    def __init__(self, practice_id: UUID) -> None:
        super().__init__()
        self._practice_id = practice_id

    async def verify(self, token: str) -> Caller:
        rights = frozenset({Right(token)} if token in list(Right) else ())
        return Caller(self._practice_id, token, utc_now(), rights)


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://x", trust_env=False)


@dataclass
class House:
    """Both services, as their own wiring gives them their routes, over databases alone."""

    scheduling: FastAPI
    status: FastAPI
    desk: Desk
    told: UUID | None = None  # the appointment that status knows of

    def routes(self) -> Iterator[tuple[FastAPI, Route]]:
        for app in (self.scheduling, self.status):
            for route in iter_route_contexts(app.routes):
                if isinstance(route.original_route, APIRoute):
                    assert route.path is not None
                    yield from (
                        (app, (method, route.path)) for method in sorted(route.methods or ())
                    )

    async def ask(self, app: FastAPI, route: Route, token: str) -> httpx.Response:
        """Ask this of an appointment, in scheduling of one that is there for this request alone."""
        method, path = route
        if app is self.status:
            appointment_id = await self._told_status()
        else:
            appointment_id = await self.desk.create(**PATIENT, channels=["email", "sms"])
        for name, value in (
            ("{appointment_id}", str(appointment_id)),
            ("{practice_id}", str(self.desk.practice_id)),
            ("{token:path}", LINKS.token(Link(appointment_id, 1))),
        ):
            path = path.replace(name, value)
        given = dict(EXAMPLES.get(route, {}))
        if given.get("params") == {"appointment_id": "{appointment_id}"}:
            given["params"] = {"appointment_id": str(appointment_id)}
        headers = {"Authorization": f"Bearer {token}"}
        async with client(app) as asking:
            return await asking.request(method, path, headers=headers, **given)

    async def _told_status(self) -> UUID:
        if self.told is None:
            self.told = await self.desk.create(**PATIENT, channels=["email", "sms"])
            published = [
                Received(uuid7(), utc_now(), each, None) for each in await self.desk.published()
            ]
            db: Database = self.status.state.services.db
            async with db.system() as tx:
                await status_events.handle(tx, published)
        return self.told


@pytest.fixture
async def house(
    scheduling_db: Database, status_db: Database, sealer: Sealer, new_practice: NewPractice
) -> House:
    desk = Desk(scheduling_db, sealer, await new_practice(), bounds=Bounds(per_address=MANY))
    access = Access(OneRight(desk.practice_id))
    settings, status_settings = (
        Settings(**SCHEDULING | JITSI),
        StatusSettings(**dict[str, Any](SERVICE)),
    )
    scheduling, status = build_scheduling(settings), build_status(status_settings)
    scheduling.state.access = status.state.access = access
    scheduling.state.services = Services(
        db=scheduling_db,
        booking=desk.booking,
        proofs=Proofs(scheduling_db, sealer, AUDIT_LOG, utc_now),
        audit_log=AUDIT_LOG,
        prover=PROVER,
        hosting=Hosting(scheduling_db, make_rooms(settings), sealer, AUDIT_LOG, lambda: None),
        address_lookups=Throttle(MANY),
        lookups=Lookups(scheduling_db, sealer, AUDIT_LOG, utc_now),
        searches=Throttle(MANY),
        patient_page=PatientPage(
            links=LINKS,
            lookup=PageLookup(scheduling_db, sealer),
            throttle=PageThrottle(Throttle(MANY), AddressThrottle(MANY), Throttle(MANY)),
            pages=Pages(()),
            rooms=None,
            hours=settings.opening_hours,
            joining=Joining(scheduling_db, lambda: None),
        ),
        mint=Mint({1: bytes(32)}),
        secrets_tried=AddressThrottle(MANY),
    )
    status.state.services = status_dependencies.Services(
        status_db, Feeds(limit=10, limit_per_practice=10), status_settings
    )
    return House(scheduling, status, desk)


def legible(response: httpx.Response) -> str:
    """All that an answer says: head, body, and what stands in tokens in either."""
    text = "\n".join([*map(str, response.headers.items()), response.text])
    parts = re.findall(r"eyJ[\w-]+\.(eyJ[\w-]+)\.", text)
    read = [base64.urlsafe_b64decode(part + "==").decode() for part in parts]
    return "\n".join([text, *read])


def shown(response: httpx.Response) -> set[str]:
    text = legible(response)
    return {name for name, sign in SIGNS.items() if sign in text}


async def test_no_field_of_the_patient_leaves_without_the_right_to_read(house: House) -> None:
    done: dict[Route, set[Right]] = {}
    seen: dict[Route, set[str]] = {}
    unread: list[tuple[Route, str, set[str]]] = []
    for app, route in house.routes():
        done[route], seen[route] = set(), set()
        for token in (*Right, "none"):
            response = await house.ask(app, route, token)
            if response.is_success and token in list(Right):
                done[route].add(Right(token))
            if token == Right.READ_APPOINTMENTS:
                seen[route] = shown(response)
            elif found := shown(response):
                unread.append((route, token, found))
    # A right of its own shows the link, and nothing else of the patient.
    link = ("GET", "/v1/appointments/{appointment_id}/patient-link")
    assert unread == [(link, Right.READ_LINKS, {"link"})]
    # The practice's sample of a link leads nowhere, and has the form of one.
    assert seen.pop(("GET", "/v1/practice")) == {"link"}
    assert {route for route, fields in seen.items() if fields} == {
        ("GET", "/v1/appointments"),
        ("GET", "/v1/appointments/{appointment_id}"),
        ("POST", "/v1/appointments/search"),
        ("GET", "/v1/proofs/{appointment_id}"),
        ("POST", "/v1/proofs/export"),
    }
    # Every request was understood: a new route belongs among the examples, or says why not.
    opened = {route: len(by) for route, by in done.items() if route[1] not in OPEN}
    assert opened == {route: 2 if route in OF_TWO else 1 for route in opened}


async def test_who_writes_without_reading_is_told_what_was_done(house: House) -> None:
    appointment_id = await house.desk.create(**PATIENT, channels=["email", "sms"])
    path = f"/v1/appointments/{appointment_id}"
    headers = {"Authorization": f"Bearer {Right.WRITE_APPOINTMENTS}"}
    async with client(house.scheduling) as asking:
        response = await asking.patch(path, json={"time": "11:30"}, headers=headers)
    answer = response.json()
    assert response.headers["etag"] == '"2"'
    assert (answer["id"], answer["version"], answer["time"]) == (str(appointment_id), 2, "11:30")
    assert answer["invitation"]["attempt"] == 1
    assert answer.keys() & PATIENT.keys() == set()


async def test_what_was_not_shown_is_not_noted_as_read(house: House) -> None:
    route = ("PATCH", "/v1/appointments/{appointment_id}")
    assert (await house.ask(house.scheduling, route, Right.WRITE_APPOINTMENTS)).is_success
    async with house.desk.booking.db.practice(house.desk.practice_id) as tx:
        actions = await tx.fetch("SELECT action FROM audit_entries")
    assert [row["action"] for row in actions] == ["appointment_created"]
