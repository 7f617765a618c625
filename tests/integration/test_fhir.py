"""Appointments and messages through a public FHIR client, SMART's, on the whole product."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fhirclient.models.appointment import Appointment
from fhirclient.models.communication import Communication
from fhirclient.server import FHIRNotFoundException, FHIRServer

from tests.conftest import Stack
from tests.support import Json, Practice, eventually, fhir, http_client
from tests.support.keys import bearer, new_key
from tests.support.moments import berlin_moment

FHIR = {"Content-Type": "application/fhir+json"}
PATCH = {"Content-Type": "application/json-patch+json"}
CANCEL = [{"op": "replace", "path": "/status", "value": "cancelled"}]


@pytest_asyncio.fixture
async def base(stack: Stack) -> AsyncIterator[str]:
    await stack.service("fhir").start()
    yield f"{stack.url('fhir')}/fhir"
    await stack.service("fhir").stop()


@pytest_asyncio.fixture
async def http(base: str, practice: Practice) -> AsyncIterator[httpx.AsyncClient]:
    """The same server, for what SMART's client has no way to say."""
    token = practice.scheduling.headers["Authorization"]
    async with http_client(base_url=base, headers={"Authorization": token}) as client:
        yield client


async def asked(call: Any, *arguments: Any) -> Any:
    """SMART's client blocks."""
    return await asyncio.to_thread(call, *arguments)


async def found(search: Any, server: FHIRServer) -> list[Any]:
    """On all pages."""
    return await asyncio.to_thread(lambda: list(search.perform_resources_iter(server)))


async def test_a_clinic_s_system_invites_looks_and_cancels(
    base: str, practice: Practice, http: httpx.AsyncClient
) -> None:
    server = FHIRServer(None, base)
    server.session.headers["Authorization"] = http.headers["Authorization"]
    await asked(server.get_capability)
    assert server.capabilityStatement.fhirVersion == "4.0.1"

    start = berlin_moment(days=3).replace(hour=10, minute=0, second=0, microsecond=0)
    address = f"erika-{uuid4().hex[:12]}@example.org"
    patient = fhir.patient(telecom=[{"system": "email", "value": address}])
    called = {"system": "urn:einladung:external-reference", "value": uuid4().hex}
    new = fhir.new_appointment(contained=[patient], start=start.isoformat(), identifier=[called])
    made = fhir.valid(await asked(Appointment(new).create, server))
    assert made["minutesDuration"] == 20
    assert datetime.fromisoformat(made["start"]) == start
    await practice.mail(address)

    read = await asked(Appointment.read, made["id"], server)
    assert read.contained[0].name[0].text == "Erika Mustermann"
    day = start.date().isoformat()
    of_day = await found(Appointment.where({"date": day}), server)
    assert [each.id for each in of_day] == [made["id"]]

    token = f"{called['system']}|{called['value']}"
    by_reference = await found(Appointment.where({"identifier": token}), server)
    assert [each.id for each in by_reference] == [made["id"]]
    once = FHIR | {"If-None-Exist": f"identifier={token}"}
    again = await http.post("/Appointment", content=json.dumps(new), headers=once)
    assert (again.status_code, again.json()["id"]) == (200, made["id"])

    query = Communication.where({"based-on": f"Appointment/{made['id']}"})

    async def arrived() -> Any:
        messages = await found(query, server)
        return [each for each in messages if each.status == "completed"]

    [message] = await eventually(arrived, "a completed message")
    assert message.sent is not None
    same = await asked(Communication.read, message.id, server)
    assert same.as_json() == message.as_json()

    read.status = "cancelled"
    answer = fhir.valid(await asked(read.update, server))
    assert answer["status"] == "cancelled"

    async def told() -> Any:
        messages = await found(query, server)
        return len([each for each in messages if each.status == "completed"]) == 2

    await eventually(told, "the cancellation has arrived too")
    assert len(await practice.mails(address)) == 2
    with pytest.raises(FHIRNotFoundException) as refused:
        await asked(Appointment.read, str(uuid4()), server)
    fhir.valid(refused.value.response.json())


async def test_what_changed_is_told_and_no_tick_stays_at_a_corrected_address(
    stack: Stack, practice: Practice, http: httpx.AsyncClient
) -> None:
    may_correct = await bearer(stack, await new_key(stack, practice.id, "appointments:correct"))
    start = berlin_moment(days=3).replace(second=0, microsecond=0)
    ids = []
    for _ in range(2):
        address = f"erika-{uuid4().hex[:12]}@example.org"
        patient = fhir.patient(telecom=[{"system": "email", "value": address}])
        body = fhir.new_appointment(contained=[patient], start=start.isoformat(), end=None)
        made = await http.post("/Appointment", content=json.dumps(body), headers=FHIR)
        ids.append(made.json()["id"])
    first, second = ids
    query = {"based-on": f"Appointment/{first}"}

    async def shown(status: str) -> Any:
        page = fhir.valid((await http.get("/Communication", params=query)).json())
        return [each for each in page.get("entry", []) if each["resource"]["status"] == status]

    await eventually(lambda: shown("completed"), "a completed message")
    corrected = await practice.scheduling.patch(
        f"/v1/appointments/{first}",
        json={"email": f"other-{uuid4().hex[:12]}@example.org"},
        headers=may_correct,
    )
    assert corrected.status_code == 200, corrected.text
    [message] = await eventually(lambda: shown("unknown"), "nothing known of the other address")
    assert message["resource"]["statusReason"]["coding"][0]["code"] == "changed"

    newest = (await http.get(f"/Appointment/{first}")).json()["meta"]["lastUpdated"]
    cancelled = await http.patch(
        f"/Appointment/{second}", content=json.dumps(CANCEL), headers=PATCH
    )
    assert cancelled.status_code == 200
    url = f"/Appointment?_lastUpdated=ge{newest}&_count=1"
    told = []
    while url:
        page = fhir.valid((await http.get(url)).json())
        told += [each["resource"] for each in page.get("entry", [])]
        url = next((each["url"] for each in page["link"] if each["relation"] == "next"), "")
    assert [(each["id"], each["status"]) for each in told] == [
        (first, "booked"),
        (second, "cancelled"),
    ]


async def test_the_rules_are_those_of_the_api(
    stack: Stack, base: str, practice: Practice, http: httpx.AsyncClient
) -> None:
    async def post(key: str = "", **changes: Any) -> httpx.Response:
        headers = FHIR | ({"Idempotency-Key": key} if key else {})
        start = berlin_moment(days=3).replace(second=0, microsecond=0)
        body = fhir.new_appointment(**{"start": start.isoformat()} | changes)
        return await http.post("/Appointment", content=json.dumps(body), headers=headers)

    key = uuid4().hex
    first, replay = await post(key), await post(key)
    assert (first.status_code, replay.status_code) == (201, 201)
    assert first.json()["id"] == replay.json()["id"]
    url = f"/Appointment/{first.json()['id']}"

    past = await post(start="2020-01-01T10:00:00Z", extension=None)
    assert past.status_code == 422
    issues = fhir.valid(past.json())["issue"]
    assert {each["expression"][0] for each in issues} == {
        "Appointment.start",
        "Appointment.extension",
    }

    moved = await practice.scheduling.patch(
        f"/v1/appointments/{first.json()['id']}", json={"duration_minutes": 30}
    )
    assert moved.status_code == 200
    same = await http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.json()["minutesDuration"]) == (200, 30)
    unchanged = await http.get(url, headers={"If-None-Match": same.headers["etag"]})
    assert unchanged.status_code == 304
    stale = {"If-Match": first.headers["etag"]}
    lost = await http.patch(url, content=json.dumps(CANCEL), headers=PATCH | stale)
    assert lost.status_code == 412
    fhir.valid(lost.json())

    weaker = {"Authorization": f"Bearer {stack.token(practice.id, roles=['assistant'])}"}
    refused = await http.patch(url, content=json.dumps(CANCEL), headers=PATCH | weaker)
    assert refused.status_code == 403
    assert fhir.valid(refused.json())["issue"][0]["code"] == "forbidden"
    page: Json = (await http.get("/Appointment", params={"_id": first.json()["id"]})).json()
    assert fhir.valid(page)["total"] == 1
