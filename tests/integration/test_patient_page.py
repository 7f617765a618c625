"""What a patient's link opens, what „Beitreten" leads to, and what neither gives away."""

import asyncio
import base64
import itertools
import json
import math
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
from tests.support.database import owner
from tests.support.moments import soon

VOID = "Dieser Link ist nicht gültig"
GERMAN = {"Accept-Language": "de"}


@dataclass
class Patient:
    """Somebody with a browser and a link, who follows no redirect by himself."""

    http: httpx.AsyncClient
    path: str
    id: str

    async def open(self, path: str | None = None, **headers: str) -> httpx.Response:
        return await self.http.get(path or self.path, headers=GERMAN | headers)

    async def join(self, path: str | None = None) -> httpx.Response:
        return await self.http.post(path or self.path, headers=GERMAN)


@pytest_asyncio.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with http_client(base_url=stack.url("scheduling")) as client:
        yield client


async def invited(practice: Practice, http: httpx.AsyncClient, **changes: object) -> Patient:
    created = await practice.create(**changes)
    mail = await practice.mail(created["email"])
    found = re.search(r"http://[^/]+(/besuch/[\w-]+)", mail["text"])
    assert found is not None
    return Patient(http, found[1], created["id"])


def told(room: httpx.URL) -> dict[str, str]:
    """What stands in the fragment, for the page alone."""
    parts = (part.partition("=") for part in room.fragment.split("&"))
    return {name: json.loads(unquote(value) or '""') for name, _, value in parts}


async def enter(http: httpx.AsyncClient, room: httpx.URL) -> Json | None:
    """As the room's page does; None where nobody is let in."""
    answer = await http.post(
        room.copy_with(fragment=None), json={"token": told(room).get("jwt", "")}
    )
    entered: Json = answer.json()
    return entered if answer.status_code == 200 else None


async def let_it_end(stack: Stack, patient: Patient, ended: timedelta) -> None:
    """As if that much time had passed since the appointment's end."""
    async with owner(stack, "scheduling") as connection:
        done = await connection.execute(
            "UPDATE appointments SET starts_at = $2::timestamptz - interval '1 minute' * "
            "duration_minutes WHERE id = $1",
            UUID(patient.id),
            datetime.now(UTC) - ended,
        )
    assert done == "UPDATE 1"


async def test_before_its_time_the_page_says_when_and_nobody_joins(
    practice: Practice, http: httpx.AsyncClient
) -> None:
    patient = await invited(practice, http)
    name = (await practice.scheduling.get("/v1/practice")).json()["name"]
    page = await patient.open()
    assert page.status_code == 200
    for shown in (name, "10:00 Uhr", "etwa 20 Minuten", "noch nicht geöffnet", "09:45 Uhr"):
        assert shown in page.text
    assert "Mustermann" not in page.text
    assert "<form" not in page.text
    too_early = await patient.join()
    assert too_early.status_code == 409
    assert "noch nicht geöffnet" in too_early.text


async def test_beitreten_leads_into_the_room_and_consumes_nothing(
    practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    patient = await invited(practice, http, **soon())
    async with owner(stack, "scheduling") as connection:
        row = "SELECT ctid::text, xmin::text FROM appointments WHERE id = $1"
        before = await connection.fetchrow(row, UUID(patient.id))
        for _ in range(5):  # as mail scanners do
            assert "Beitreten</button></form>" in (await patient.open()).text
            assert (await http.head(patient.path)).status_code == 200
        assert await connection.fetchrow(row, UUID(patient.id)) == before
        for _ in range(2):  # and whoever lost the connection comes again
            way = await patient.join()
            assert way.status_code == 303
            room = httpx.URL(way.headers["location"])
            assert str(room).startswith(stack.url("rooms"))
            assert room.query == b""
            assert await enter(http, room) == {"name": None, "leads": False}
            assert told(room)["userInfo.displayName"] == "Erika Mustermann"
    assert await enter(http, room.copy_with(path="/" + "0" * 32)) is None
    assert await enter(http, room.copy_with(fragment="")) is None


async def test_who_waits_is_told_until_somebody_comes(
    practice: Practice, http: httpx.AsyncClient
) -> None:
    patient = await invited(practice, http, **soon())

    async def waiting() -> str | None:
        found = await practice.indicator(patient.id)
        return None if found is None else str(found["waiting_since"] or "")

    await patient.open()
    before = datetime.now(UTC)
    assert (await patient.join()).status_code == 303
    since = await eventually(waiting, "the patient waits")
    assert before <= datetime.fromisoformat(since) <= datetime.now(UTC)
    assert (await patient.join()).status_code == 303
    entered = await practice.scheduling.post(f"/v1/appointments/{patient.id}/room")
    assert entered.status_code == 200

    async def joined() -> bool:
        return await waiting() == ""

    await eventually(joined, "the practice is there")
    found = await practice.indicator(patient.id)
    assert found is not None
    lines = [each["role"] for each in found["timeline"] if each["type"] == "joined"]
    assert lines == ["patient", "host"]


async def test_the_practitioner_leads_in_the_same_room(
    practice: Practice, other_practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    patient = await invited(practice, http, **soon())
    guest = httpx.URL((await patient.join()).headers["location"])
    path = f"/v1/appointments/{patient.id}/room"
    answer = await practice.scheduling.post(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    host = httpx.URL(answer.json()["url"])
    assert host.path == guest.path
    entered = await enter(http, host)
    assert entered is not None
    assert entered["leads"]
    assert told(host).keys() == {"jwt"}
    assert "Mustermann" not in entered["name"]

    log = (await practice.scheduling.get("/v1/audit")).json()["entries"]
    assert [each["action"] for each in log].count("visit_started") == 1

    assert (await other_practice.scheduling.post(path)).status_code == 404
    for roles in (["assistant"], ["appointment_admin"]):
        headers = {"Authorization": f"Bearer {stack.token(practice.id, roles=roles)}"}
        assert (await practice.scheduling.post(path, headers=headers)).status_code == 403
    await let_it_end(stack, patient, timedelta(days=95))
    late = await practice.scheduling.post(path)
    assert (late.status_code, late.json()["code"]) == (409, "appointment-over")


async def test_moving_leaves_the_link_and_a_new_address_ends_it(
    practice: Practice, http: httpx.AsyncClient
) -> None:
    patient = await invited(practice, http)
    path = f"/v1/appointments/{patient.id}"
    for change in ({"duration_minutes": 5}, {"duration_minutes": 480}, soon(90)):
        moved = await practice.scheduling.patch(path, json=change)
        assert moved.status_code == 200
        assert "noch nicht geöffnet" in (await patient.open()).text
    await practice.scheduling.patch(path, json=soon())
    first = httpx.URL((await patient.join()).headers["location"])
    await practice.resend(patient.id)
    assert (await patient.join()).status_code == 303
    other = f"erika-{uuid4().hex[:12]}@example.org"
    await practice.resend(patient.id, email=other)
    assert (await patient.join()).status_code == 404
    mail = await practice.mail(other)
    found = re.search(r"http://[^/]+(/besuch/[\w-]+)", mail["text"])
    assert found is not None
    renewed = httpx.URL((await patient.join(found[1])).headers["location"])
    assert renewed.path != first.path  # who had the old link stands before an empty room


async def test_the_link_holds_three_months_after_the_present_end_and_not_longer(
    practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    patient = await invited(practice, http)
    await let_it_end(stack, patient, timedelta(days=88))
    assert (await patient.open()).status_code == 200
    assert (await patient.join()).status_code == 303  # date and duration are guide values
    await let_it_end(stack, patient, timedelta(days=93))
    assert (await patient.open()).status_code == 404
    assert (await patient.join()).status_code == 404


async def test_nothing_tells_one_void_link_from_another(
    practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    expired, gone = await invited(practice, http), await invited(practice, http)
    renewed = await invited(practice, http)
    await let_it_end(stack, expired, timedelta(days=100))
    assert (await practice.scheduling.delete(f"/v1/appointments/{gone.id}")).status_code == 204
    assert VOID in (await gone.open()).text  # at once
    await practice.resend(renewed.id, email=f"erika-{uuid4().hex[:12]}@example.org")
    forged = base64.urlsafe_b64encode(bytes([1]) + bytes(36)).decode().rstrip("=")
    links = {
        "expired": expired.path,
        "deleted": gone.path,
        "renewed": renewed.path,
        "forged": f"/besuch/{forged}",
        "unknown key": f"/besuch/{'_' * 50}",
        "nonsense": "/besuch/x",
        "with a path": "/besuch/a/b/../c%2Fd",
        "empty": "/besuch/",
    }
    # What else the machine does only adds to a time: the shortest is what the answer itself takes.
    shortest = dict.fromkeys(links, math.inf)
    answers = set()

    async def ask(name: str, visit: Callable[[str], Awaitable[httpx.Response]]) -> None:
        begun = time.perf_counter()
        response = await visit(links[name])
        shortest[name] = min(shortest[name], time.perf_counter() - begun)
        headers = {k: v for k, v in response.headers.items() if k != "date"}
        answers.add((response.status_code, response.text, str(headers)))

    visits = list(itertools.product(links, (expired.open, expired.join)))

    async def alike() -> bool:
        random.shuffle(visits)  # who asks at the same time waits for each other
        for at in range(0, len(visits), 4):
            await asyncio.gather(*(ask(*visit) for visit in visits[at : at + 4]))
        return max(shortest.values()) - min(shortest.values()) < 0.03

    for _ in range(9):
        await alike()
    await eventually(alike, "no link's answer takes longer than another's")
    assert len(answers) == 1
    assert min(shortest.values()) >= 0.1


async def test_no_page_is_kept_framed_indexed_or_told_to_the_next(
    practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    patient = await invited(practice, http, **soon())
    pages = (await patient.open(), await patient.open("/besuch/x"), await patient.join())
    for page in pages:
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert page.headers["x-content-type-options"] == "nosniff"
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert f"form-action 'self' {stack.url('rooms')};" in policy
        assert "frame-ancestors 'none'" in policy
        assert "set-cookie" not in page.headers
    robots = await http.get("/robots.txt")
    assert robots.text == "User-agent: *\nDisallow: /\n"


async def test_the_page_speaks_the_patients_language_or_the_one_chosen(
    practice: Practice, http: httpx.AsyncClient
) -> None:
    german, english = await invited(practice, http), await invited(practice, http, locale="en")
    assert '<html lang="de" dir="ltr">' in (await german.open(**{"Accept-Language": "en"})).text
    assert "Your video visit" in (await english.open()).text
    assert "Ihre Videosprechstunde" in (await english.open(f"{english.path}?lang=de")).text
    chosen = await german.open(f"{german.path}?lang=en")
    assert chosen.headers["content-language"] == "en"
    assert "Berlin time" in chosen.text
    odd = await german.open(f"{german.path}?lang=" + "%00" + "x" * 500 + "<script>")
    assert '<html lang="de" dir="ltr">' in odd.text
    assert "<script" not in odd.text
    # what is void has no patient: the browser's language, or the one chosen
    assert VOID in (await german.open("/besuch/x")).text
    assert "not valid" in (await german.open("/besuch/x", **{"Accept-Language": "en-GB"})).text
    assert "not valid" in (await german.open("/besuch/x?lang=en")).text


async def test_a_name_is_text_and_never_markup(
    practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    async with owner(stack, "scheduling") as connection:
        await connection.execute(
            "UPDATE practices SET name = '<b>Praxis</b> & {{ 7*7 }}' WHERE id = $1", practice.id
        )
    patient = await invited(practice, http)
    assert "&lt;b&gt;Praxis&lt;/b&gt; &amp; {{ 7*7 }}" in (await patient.open()).text


async def test_too_many_requests_are_put_off_whatever_the_link(
    practice: Practice, http: httpx.AsyncClient, stack: Stack
) -> None:
    patient = await invited(practice, http)
    # a further one each 30 s, however slow the machine
    stack.configure("scheduling", SCHEDULING_PAGE_REQUESTS_PER_MINUTE="2")
    await stack.start_service("scheduling", replica=2)
    stack.configure("scheduling", SCHEDULING_PAGE_REQUESTS_PER_MINUTE="1000000")
    try:
        base = stack.url("scheduling-2")
        answers = [await patient.open(base + patient.path) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {200}
        # guesses count apart: they take nothing from who has a link at the same address
        guesses = [await patient.open(base + "/besuch/x") for _ in range(2)]
        assert {answer.status_code for answer in guesses} == {404}
        for path in (patient.path, "/besuch/x"):
            for answer in (await patient.open(base + path), await patient.join(base + path)):
                assert answer.status_code == 429
                assert 1 <= int(answer.headers["retry-after"]) <= 30
                assert "zu viele Anfragen" in answer.text
        assert (await patient.open(base + "/v1/jwks")).status_code == 200
    finally:
        await stack.service("scheduling-2").stop()
    assert (await patient.open()).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_nothing_else_can_be_done_with_a_link(http: httpx.AsyncClient, method: str) -> None:
    assert (await http.request(method, "/besuch/x")).status_code == 405
