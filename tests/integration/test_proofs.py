"""„Nachweis" over the dashboard: what was sent where, with its evidence, and who asked for it."""

import csv
import io
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest_asyncio

from dashboard import proof
from tests.conftest import Stack
from tests.support import Json, Practice, unknown_address
from tests.support.keys import bearer, new_key
from tests.support.visitor import Visitor, new_visitor

EXPORT = "/api/nachweis"


@pytest_asyncio.fixture
async def visitor(stack: Stack) -> AsyncIterator[Visitor]:
    async with new_visitor(stack) as one:
        await one.log_in(person="leitung")
        yield one


async def file(visitor: Visitor, first: str, last: str) -> httpx.Response:
    url = visitor.stack.url("dashboard") + EXPORT
    return await visitor.http.post(url, params={"from": first, "to": last}, headers=visitor.own)


def of(answer: httpx.Response, appointment: Json) -> list[dict[str, str]]:
    rows = csv.DictReader(
        io.StringIO(answer.text.removeprefix("\ufeff"), newline=""), delimiter=";"
    )
    return [row for row in rows if row["Termin"] == appointment["id"]]


async def test_a_corrected_address_a_bounce_and_the_tick_are_told(
    visitor: Visitor, demo_practice: Practice
) -> None:
    wrong = unknown_address()
    made = await demo_practice.create(patient_name="=Nora Nachweis", email=wrong)
    await demo_practice.shows(made["id"], "failed")
    right = f"nora-{uuid4().hex[:8]}@example.org"
    await demo_practice.resend(made["id"], email=right)
    await demo_practice.shows(made["id"], "delivered", attempt=2)

    answer = await file(visitor, made["date"], made["date"])
    assert answer.headers["content-disposition"].endswith(
        f'filename="nachweis-{made["date"]}-{made["date"]}.csv"'
    )
    rows = of(answer, made)
    told = [(row["Was"], row["Versuch"], row["An"], row["Ergebnis"]) for row in rows]
    assert told == [
        ("Termin", "", "", "erstellt"),
        ("Einladung", "1", proof.OTHER_ADDRESS, "angefordert"),
        ("Einladung", "1", proof.OTHER_ADDRESS, "nicht zugestellt"),
        ("Einladung", "2", right, "angefordert"),
        ("Einladung", "2", right, "zugestellt"),
    ]
    assert rows[2]["Code"].startswith("5.1.")
    assert wrong not in answer.text
    assert {row["Vorname Nachname"] for row in of(answer, made)} == {"'=Nora Nachweis"}

    page = await visitor.get(f"/nachweis/{made['id']}")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for text in ("=Nora Nachweis", right, "Adresse unbekannt", "heißt nicht, dass sie gelesen"):
        assert text in page.text
    assert wrong not in page.text


async def test_a_cancelled_one_is_in_the_file_and_an_erased_one_is_not(
    visitor: Visitor, demo_practice: Practice
) -> None:
    cancelled, erased = [await demo_practice.create() for _ in range(2)]
    for each in (cancelled, erased):
        await demo_practice.shows(each["id"], "delivered")
    path = f"/v1/appointments/{cancelled['id']}?notify=false"
    assert (await demo_practice.scheduling.delete(path)).status_code == 204
    path = f"/v1/appointments/{erased['id']}/erasure"
    assert (await demo_practice.scheduling.post(path)).status_code == 204
    answer = await file(visitor, cancelled["date"], cancelled["date"])
    rows = of(answer, cancelled)
    assert {(row["Stand"], row["Vorname Nachname"]) for row in rows} == {
        ("abgesagt", proof.NO_NAME)
    }
    assert rows[-1]["Ergebnis"] == "abgesagt"
    assert of(answer, erased) == []
    assert (await visitor.get(f"/nachweis/{cancelled['id']}")).status_code == 200
    gone = await visitor.get(f"/nachweis/{erased['id']}")
    assert (gone.status_code, "Diesen Termin gibt es nicht" in gone.text) == (404, True)


async def test_the_export_is_an_entry_with_its_days(
    visitor: Visitor, demo_practice: Practice
) -> None:
    made = await demo_practice.create()
    assert (await file(visitor, made["date"], made["date"])).status_code == 200
    log = (await demo_practice.scheduling.get("/v1/audit", params={"limit": 200})).json()
    [newest, *_] = [each for each in log["entries"] if each["action"] == "proof_exported"]
    assert newest["changed"] == [f"{made['date']}/{made['date']}"]
    assert log["labels"]["actions"]["proof_exported"] == "Zustellnachweis exportiert"
    about = {"appointment_id": made["id"]}
    of_it = (await demo_practice.scheduling.get("/v1/audit", params=about)).json()["entries"]
    assert "contact_data_read" in [each["action"] for each in of_it]


async def test_days_that_are_none_or_too_many_are_named(visitor: Visitor) -> None:
    for first, last, status, field in (
        ("2026-01-01", "2027-01-02", 422, "to"),
        ("2026-01-02", "2026-01-01", 422, "to"),
        ("gestern", "2026-01-01", 422, "from"),
    ):
        answer = await file(visitor, first, last)
        assert answer.status_code == status
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_from_another_site_no_proof_is_opened(
    visitor: Visitor, demo_practice: Practice, stack: Stack
) -> None:
    made = await demo_practice.create()
    url = stack.url("dashboard")
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await visitor.http.get(f"{url}/nachweis/{made['id']}", headers=headers)
    assert answer.status_code == 403
    answer = await visitor.http.post(
        url + EXPORT, params={"from": made["date"], "to": made["date"]}, headers=headers
    )
    assert answer.status_code == 403
    async with new_visitor(stack) as nobody:
        answer = await nobody.get(f"/nachweis/{made['id']}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/abgelaufen")
        answer = await file(nobody, made["date"], made["date"])
        assert answer.status_code == 401


async def test_a_clinics_system_reads_the_same_over_the_apis(
    practice: Practice, stack: Stack
) -> None:
    made = await practice.create()
    await practice.shows(made["id"], "delivered")
    key = await new_key(stack, practice.id, "appointments:read", "status:read")
    headers = await bearer(stack, key)
    days = {"from": made["date"], "to": made["date"]}
    answer = await practice.scheduling.post("/v1/proofs/export", params=days, headers=headers)
    assert answer.headers["content-type"] == "application/x-ndjson"
    [line] = answer.text.splitlines()
    one = await practice.scheduling.get(f"/v1/proofs/{made['id']}", headers=headers)
    assert one.text == line
    assert one.json()["attempts"][0]["address"] == "present"
    known = await practice.status.get(
        "/v1/timelines", params={"appointment_id": made["id"]}, headers=headers
    )
    [timeline] = known.json()["timelines"]
    assert [each["type"] for each in timeline["timeline"]][-1] == "delivered"
    assert known.json()["as_of"]
