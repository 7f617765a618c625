"""The FHIR API in front of services that answer as a test says: what is asked, what comes back."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from chassis.upstreams import Upstreams, UpstreamUnavailable
from services.fhir import capability
from services.fhir.app import build
from services.fhir.dependencies import Services
from services.fhir.settings import Settings
from services.scheduling.schemas import AppointmentView
from tests.support import Json, fhir
from tests.support.forms import PRESENT, STANDARD

BASE = "https://fhir.example.org/fhir"
ID = str(PRESENT.id)
VIEW: Json = json.loads(AppointmentView.of(PRESENT, STANDARD).model_dump_json())
FHIR = {"Content-Type": "application/fhir+json"}
PATCH = {"Content-Type": "application/json-patch+json"}
CANCEL = [{"op": "replace", "path": "/status", "value": "cancelled"}]

Answer = Callable[[str, str, dict[str, list[str]]], httpx.Response]


class Upstream(Upstreams):
    """Services that answer as a test says."""

    def __init__(self, answer: Answer) -> None:
        super().__init__({})
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    async def request(
        self, service: str, method: str, target: str, *, token: str, headers: Any, body: bytes
    ) -> httpx.Response:
        parts = urlsplit(target)
        self.asked.append((method, target))
        self.headers.append(dict(headers) | {"token": token})
        self.bodies.append(body)
        if parts.path == "/v1/practice":
            return httpx.Response(200, json={"time_zone": "Europe/Berlin"})
        return self.answer(method, parts.path, parse_qs(parts.query))


def listed(*views: Json, following: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"appointments": views, "next": following})


def problem(status: int, type_: str, **headers: str) -> httpx.Response:
    body = {"type": f"/v1/problems/{type_}", "code": type_, "title": "No.", "status": status}
    headers["Content-Type"] = "application/problem+json"
    return httpx.Response(status, json=body, headers=headers)


def client(answer: Answer, token: str = "t0ken") -> tuple[httpx.AsyncClient, Upstream]:
    app = build(
        Settings(environment="local", public_url=BASE.removesuffix("/fhir"), host="127.0.0.1")
    )
    upstream = Upstream(answer)
    app.state.services = Services(upstream, BASE)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers), upstream


def one(*_: Any) -> httpx.Response:
    return listed(VIEW)


async def refused(answer: Answer, path: str, token: str = "t0ken", **more: Any) -> httpx.Response:
    """What is no resource comes as a valid OperationOutcome."""
    http, _ = client(answer, token)
    got = await http.request(more.pop("method", "GET"), path, **more)
    assert got.status_code >= 400
    assert got.headers["content-type"] == "application/fhir+json"
    assert fhir.valid(got.json())["resourceType"] == "OperationOutcome"
    return got


async def test_anybody_may_know_what_the_server_can_do() -> None:
    http, upstream = client(one, token="")
    got = await http.get("/metadata")
    assert got.status_code == 200
    statement = fhir.valid(got.json())
    assert statement["fhirVersion"] == "4.0.1"
    assert {each["type"] for each in statement["rest"][0]["resource"]} == {
        "Appointment",
        "Communication",
    }
    assert not upstream.asked


@pytest.mark.parametrize("kind", capability.SEARCHES)
async def test_every_search_parameter_that_is_stated_is_heeded(kind: str) -> None:
    since = "ge2026-12-01T00:00:00Z"
    values = {"date": "ge2026-12-01", "status": "booked", "_lastUpdated": since}
    empty: Json = {"timelines": [], "appointments": [], "next": None}
    http, _ = client(lambda *_: httpx.Response(200, json=empty))
    for name in capability.SEARCHES[kind].keys() - {"status"}:
        got = await http.get(f"/{kind}", params={name: values.get(name, ID)})
        assert got.status_code == 200, got.text
        heeded = urlsplit(fhir.valid(got.json())["link"][0]["url"]).query
        assert parse_qs(heeded).keys() == {name}


async def test_one_is_read_and_not_again_while_it_is_the_same() -> None:
    http, upstream = client(one)
    got = await http.get(f"/Appointment/{ID}", headers={"Accept-Language": "en"})
    assert fhir.valid(got.json())["id"] == ID
    assert got.headers["etag"] == 'W/"1"'
    assert upstream.asked == [("GET", f"/v1/appointments?id={ID}")]
    assert upstream.headers[0]["token"] == "t0ken"
    assert upstream.headers[0]["Accept-Language"] == "en"
    for tag, status in (('W/"1"', 304), ('"9", "1"', 304), ("*", 304), ('W/"2"', 200)):
        again = await http.get(f"/Appointment/{ID}", headers={"If-None-Match": tag})
        assert again.status_code == status


async def test_days_are_listed_a_year_at_a_time_and_pages_linked() -> None:
    pages = {None: (VIEW, "c1"), "c1": (VIEW | {"start": "2030-01-01T00:00:00Z"}, None)}

    def answer(_method: str, _path: str, query: dict[str, list[str]]) -> httpx.Response:
        if query["from"] != ["2026-11-24"]:
            return listed()
        view, following = pages[query.get("cursor", [None])[0]]
        return listed(view, following=following)

    http, upstream = client(answer)
    url = f"{BASE}/Appointment?date=2026-11-24&date=lt2027&_count=1"
    found: list[str] = []
    for _ in range(3):
        page = fhir.valid((await http.get(url)).json())
        found += [each["resource"]["id"] for each in page.get("entry", [])]
        links = {each["relation"]: each["url"] for each in page["link"]}
        assert links["self"] == url.replace("<", "%3C")
        if "next" not in links:
            break
        url = links["next"]
    assert found == [ID]  # what starts at another time is not shown
    days = "from=2026-11-24&to=2026-11-24&limit=1"
    assert [target for _, target in upstream.asked if "from" in target] == [
        f"/v1/appointments?{days}",
        f"/v1/appointments?{days}&cursor=c1",
    ]


async def test_without_an_end_every_year_is_asked_for_until_something_is_found() -> None:
    asked: list[str] = []

    def answer(_method: str, _path: str, query: dict[str, list[str]]) -> httpx.Response:
        asked.append(query["from"][0])
        return listed(*([VIEW | {"start": "2099-01-01T00:00:00Z"}] if len(asked) == 3 else []))

    http, _ = client(answer)
    page = (await http.get("/Appointment", params={"date": "ge2026-11-01"})).json()
    assert asked == ["2026-11-01", "2027-11-02", "2028-11-02"]
    assert len(page["entry"]) == 1
    assert {each["relation"] for each in page["link"]} == {"self", "next"}


async def test_those_that_are_cancelled_are_on_no_day() -> None:
    http, upstream = client(one)
    page = await http.get("/Appointment?date=2026-11-24&status=cancelled")
    assert fhir.valid(page.json()).get("entry") is None
    assert [target for _, target in upstream.asked] == ["/v1/practice"]


async def test_a_new_one_is_made_by_the_rules_of_the_api() -> None:
    http, upstream = client(lambda *_: httpx.Response(201, json=VIEW))
    body = json.dumps(fhir.new_appointment())
    headers = FHIR | {"Idempotency-Key": "k"}
    got = await http.post("/Appointment", content=body, headers=headers)
    assert got.status_code == 201
    assert got.headers["location"] == f"{BASE}/Appointment/{ID}"
    assert got.headers["etag"] == 'W/"1"'
    assert fhir.valid(got.json())["id"] == ID
    assert upstream.asked[-1] == ("POST", "/v1/appointments")
    assert upstream.headers[-1]["Idempotency-Key"] == "k"
    assert json.loads(upstream.bodies[-1])["patient_name"] == "Erika Mustermann"
    minimal = await http.post(
        "/Appointment", content=body, headers=FHIR | {"Prefer": "return=minimal"}
    )
    assert (minimal.status_code, minimal.content) == (201, b"")


EXTERNAL = "urn:einladung:external-reference"
WITH_REFERENCE = fhir.new_appointment(identifier=[{"system": EXTERNAL, "value": "v 1"}])
ONCE = FHIR | {"If-None-Exist": f"identifier={EXTERNAL}%7Cv%201"}


@pytest.mark.parametrize("quicker", [False, True])
async def test_what_is_there_by_its_reference_is_not_made_again(quicker: bool) -> None:
    def answer(method: str, _path: str, query: dict[str, list[str]]) -> httpx.Response:
        if method == "POST":
            taken = {"type": "external-reference-taken", "appointment_id": ID}
            headers = {"Content-Type": "application/problem+json"}
            return httpx.Response(409, json=taken, headers=headers)
        return listed() if quicker and "id" not in query else listed(VIEW)

    http, upstream = client(answer)
    body = json.dumps(WITH_REFERENCE)
    got = await http.post("/Appointment", content=body, headers=ONCE)
    assert (got.status_code, fhir.valid(got.json())["id"]) == (200, ID)
    assert upstream.asked[0] == ("GET", "/v1/appointments?external_reference=v+1&limit=1")
    assert ("POST" in {method for method, _ in upstream.asked}) is quicker
    if quicker:
        refusal = await http.post("/Appointment", content=body, headers=FHIR)
        assert refusal.status_code == 409
        assert fhir.valid(refusal.json())["issue"][0]["code"] == "conflict"


@pytest.mark.parametrize("condition", ["identifier=v", "_id=1", "", f"identifier={EXTERNAL}|v2"])
async def test_a_condition_that_can_t_be_heeded_is_refused(condition: str) -> None:
    headers = FHIR | {"If-None-Exist": condition}
    content = json.dumps(WITH_REFERENCE)
    got = await refused(one, "/Appointment", method="POST", headers=headers, content=content)
    assert got.status_code == 400


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        (f"identifier={EXTERNAL}|v1", "external_reference=v1"),
        ("identifier=v1", "external_reference=v1"),
        (
            "patient.identifier=p&practitioner:identifier=urn:einladung:practitioner-reference|d",
            "patient_reference=p&practitioner_reference=d",
        ),
        ("location:identifier=r", "location_reference=r"),
        (f"identifier=urn:einladung:appointment|{ID}", f"id={ID}"),
        (f"identifier={ID}", f"id={ID}"),
        (f"_id={ID}&identifier=v1", f"id={ID}"),
    ],
)
async def test_appointments_are_found_by_what_other_systems_call_them(
    query: str, asked: str
) -> None:
    names = ("external_reference", "patient_reference", "practitioner_reference")
    wanted = dict(pair.split("=") for pair in asked.split("&"))
    called = VIEW | {name: wanted.get(name) for name in (*names, "location_reference")}
    if "_id" in query:
        called["external_reference"] = "v1"
    other = called | {"external_reference": "x", "location_reference": "x"}
    other |= {"patient_reference": "x", "id": str(UUID(int=9))}
    http, upstream = client(lambda *_: listed(called, other))
    found = fhir.valid((await http.get(f"/Appointment?{query}")).json())
    assert urlsplit(upstream.asked[-1][1]).query.removesuffix("&limit=50") == asked
    if not asked.startswith("id=") or "_id" in query:
        assert [each["resource"]["id"] for each in found["entry"]] == [ID]


async def test_what_changed_is_told_in_order_and_what_is_gone_too() -> None:
    deleted, erased = (str(UUID(int=number)) for number in (8, 9))
    gone = {"version": 2, "deleted": True, "updated_at": "2026-11-24T09:00:00Z"}
    views = (
        VIEW,
        gone | {"id": deleted, "erased": False},
        gone | {"id": erased, "erased": True},
    )
    http, upstream = client(lambda *_: listed(*views, following="c1"))
    query = "_lastUpdated=ge2026-11-24T09:00:00.000%2B01:00&_count=3"
    page = fhir.valid((await http.get(f"/Appointment?{query}")).json())
    since = "updated_since=2026-11-24T08%3A00%3A00%2B00%3A00&limit=3"
    assert upstream.asked == [("GET", f"/v1/appointments?{since}")]
    *found, beside = page["entry"]
    assert [(each["resource"]["id"], each["resource"]["status"]) for each in found] == [
        (ID, "booked"),
        (deleted, "cancelled"),
    ]
    assert found[0]["resource"]["meta"]["lastUpdated"]
    assert found[1]["resource"]["meta"] == {
        "versionId": "2",
        "lastUpdated": "2026-11-24T09:00:00.000Z",
    }
    assert beside["search"] == {"mode": "outcome"}
    [issue] = beside["resource"]["issue"]
    assert (issue["code"], issue["diagnostics"]) == ("deleted", f"Appointment/{erased}")
    links = {each["relation"]: each["url"] for each in page["link"]}
    await http.get(links["next"])
    assert upstream.asked[-1] == ("GET", f"/v1/appointments?{since}&cursor=c1")
    booked = fhir.valid((await http.get(f"/Appointment?{query}&status=booked")).json())
    assert [each["search"]["mode"] for each in booked["entry"]] == ["match", "outcome"]


async def test_it_speaks_the_language_of_its_caller() -> None:
    texts = set()
    for language in ("de", "en"):
        headers = {"Accept-Language": language}
        got = await refused(one, "/Appointment?_id=1&patient=x", headers=headers)
        assert got.headers["content-language"] == language
        texts.add(got.json()["issue"][0]["details"]["text"])
    assert texts == {
        "Diesen Parameter gibt es hier nicht.",
        "This parameter is not known here.",
    }
    headers = {"Content-Language": "en", "Vary": "Accept-Language"}
    passed_on = await refused(lambda *_: problem(409, "changed", **headers), f"/Appointment/{ID}")
    assert passed_on.headers["content-language"] == "en"
    assert "Accept-Language" in passed_on.headers["vary"]


async def test_what_the_api_refuses_is_told_at_its_place_in_the_resource() -> None:
    errors = [{"field": "time", "code": "past", "message": "Vorbei."}]
    told = {"type": "invalid-input", "title": "No.", "status": 422, "errors": errors}
    headers = {"Content-Type": "application/problem+json"}
    got = await refused(
        lambda *_: httpx.Response(422, json=told, headers=headers),
        "/Appointment",
        method="POST",
        headers=FHIR,
        content=json.dumps(fhir.new_appointment()),
    )
    [issue] = got.json()["issue"]
    assert issue["expression"] == ["Appointment.start"]
    assert issue["details"]["text"] == "Vorbei."


@pytest.mark.parametrize("left", [[], [VIEW | {"cancelled": True, "version": 2}]])
async def test_it_is_cancelled_as_the_api_deletes(left: list[Json]) -> None:
    def answer(method: str, *_: Any) -> httpx.Response:
        return httpx.Response(204) if method == "DELETE" else listed(*left)

    http, upstream = client(answer)
    put = {"resourceType": "Appointment", "id": ID, "status": "cancelled", "_start": {}}
    for method, headers, body in (("PUT", FHIR, put), ("PATCH", PATCH, CANCEL)):
        got = await http.request(
            method,
            f"/Appointment/{ID}",
            content=json.dumps(body),
            headers=headers | {"If-Match": 'W/"1"'},
        )
        assert got.status_code == 200
        assert fhir.valid(got.json())["status"] == "cancelled"
        assert upstream.asked[-2] == ("DELETE", f"/v1/appointments/{ID}?notify=true")
        assert upstream.headers[-2]["If-Match"] == '"1"'


async def test_who_cancels_again_as_the_answer_was_lost_is_told_the_same() -> None:
    left = [VIEW | {"cancelled": True}]

    def answer(method: str, *_: Any) -> httpx.Response:
        return problem(404, "not-found") if method == "DELETE" else listed(*left)

    http, _ = client(answer)
    again = await http.patch(f"/Appointment/{ID}", content=json.dumps(CANCEL), headers=PATCH)
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    left.clear()
    gone = await refused(
        answer, f"/Appointment/{ID}", method="PATCH", headers=PATCH, content=json.dumps(CANCEL)
    )
    assert gone.status_code == 404


async def test_messages_are_found_by_appointment_and_by_id_page_by_page() -> None:
    def line(attempt: int) -> Json:
        nothing = dict.fromkeys(("category", "reason", "status_code", "withheld", "evidence"))
        return nothing | {
            "type": "requested",
            "about": "invitation",
            "channel": "email",
            "at": "2026-11-24T12:00:00Z",
            "attempt": attempt,
            "notice_id": None,
        }

    timeline = {"appointment_id": ID, "timeline": [line(each) for each in (1, 2, 3)]}
    http, upstream = client(lambda *_: httpx.Response(200, json={"timelines": [timeline]}))
    first = fhir.valid(
        (await http.get(f"/Communication?based-on=Appointment/{ID}&_count=2")).json()
    )
    assert first["total"] == 3
    links = {each["relation"]: each["url"] for each in first["link"]}
    second = fhir.valid((await http.get(links["next"])).json())
    assert len(second["link"]) == 1
    names = [each["resource"]["id"] for page in (first, second) for each in page["entry"]]
    assert names == [f"{ID}.{attempt}.email" for attempt in (1, 2, 3)]
    got = await http.get(f"/Communication/{names[1]}")
    assert fhir.valid(got.json())["id"] == names[1]
    same = await http.get(
        f"/Communication/{names[1]}", headers={"If-None-Match": got.headers["etag"]}
    )
    assert same.status_code == 304
    by_id = (
        await http.get(f"/Communication?_id={names[2]},{ID}.9.sms,x&status=preparation")
    ).json()
    assert [each["resource"]["id"] for each in by_id["entry"]] == [names[2]]
    assert {target for _, target in upstream.asked} == {f"/v1/timelines?appointment_id={ID}"}


def sent(method: str, content: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"method": method, "content": content, "headers": headers or {}}


ONE, XML = f"/Appointment/{ID}", {"headers": {"Accept": "application/fhir+xml"}}
LONG = "x" * 70_000


@pytest.mark.parametrize(
    ("path", "more", "status", "code"),
    [
        ("/Appointment", {}, 400, "invalid"),
        ("/Appointment?date=le2026", {}, 400, "invalid"),
        ("/Appointment?date=x", {}, 400, "invalid"),
        ("/Appointment?_lastUpdated=2026", {}, 400, "invalid"),
        ("/Appointment?_lastUpdated=ge2026-12-01T00:00:00Z&date=2026", {}, 400, "invalid"),
        ("/Appointment?date=2026&_cursor=x", {}, 400, "invalid"),
        ("/Appointment?date=2026&_cursor=2020-01-01~", {}, 400, "invalid"),
        ("/Appointment?_id=1&patient=x", {}, 400, "invalid"),
        ("/Appointment?identifier=urn:other|x", {}, 400, "invalid"),
        ("/Appointment?identifier=x,y", {}, 400, "invalid"),
        ("/Appointment?_id=1&status=arrived", {}, 400, "invalid"),
        ("/Appointment?date=2026&_count=0", {}, 400, "invalid"),
        ("/Communication", {}, 400, "invalid"),
        ("/Communication?based-on=1&_cursor=x", {}, 400, "invalid"),
        ("/Communication/x", {}, 404, "not-found"),
        ("/Appointment/x", {}, 404, "not-found"),
        ("/Patient", {}, 404, "not-found"),
        (ONE, {"method": "DELETE"}, 405, "not-supported"),
        (ONE, XML, 406, "not-supported"),
        (f"{ONE}?_format=xml", {}, 406, "not-supported"),
        ("/Appointment", sent("POST", "{}"), 415, "not-supported"),
        ("/Appointment", sent("POST", "{", FHIR), 400, "invalid"),
        ("/Appointment", sent("POST", "{}", FHIR), 422, "required"),
        ("/Appointment", sent("POST", LONG, FHIR), 413, "too-long"),
        (ONE, sent("PUT", "{}", FHIR), 422, "required"),
        (ONE, sent("PATCH", "[]", PATCH), 422, "value"),
        (ONE, sent("PATCH", "[", PATCH), 400, "invalid"),
        *[
            (where, sent(method, "[" * 3000, kind), 400, "invalid")
            for where, method, kind in (
                ("/Appointment", "POST", FHIR),
                (ONE, "PUT", FHIR),
                (ONE, "PATCH", PATCH),
            )
        ],
        (ONE, sent("PATCH", "[]", FHIR), 415, "not-supported"),
    ],
)
async def test_what_can_t_be_is_said_in_fhir(
    path: str, more: dict[str, Any], status: int, code: str
) -> None:
    got = await refused(one, path, **more)
    assert got.status_code == status, got.text
    assert got.json()["issue"][0]["code"] == code


@pytest.mark.parametrize(
    ("resource", "headers", "status"),
    [
        ({"id": "other", "status": "cancelled"}, {}, 400),
        ({"id": ID, "status": "booked"}, {}, 422),
        ({"id": ID, "status": "cancelled"}, {"If-Match": "3"}, 400),
    ],
)
async def test_only_to_cancel_it_is_put(
    resource: Json, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"resourceType": "Appointment"} | resource)
    headers = FHIR | headers
    path = f"/Appointment/{ID}"
    got = await refused(one, path, method="PUT", content=body, headers=headers)
    assert got.status_code == status


@pytest.mark.parametrize("token", ["", "two words", "a,b"])
async def test_without_a_token_nothing_is_asked(token: str) -> None:
    got = await refused(one, f"/Appointment/{ID}", token)
    assert got.status_code == 401
    assert got.headers["www-authenticate"] == "Bearer"


async def test_what_a_service_says_against_it_is_passed_on() -> None:
    got = await refused(
        lambda *_: problem(429, "too-many-requests", **{"Retry-After": "9"}), f"/Appointment/{ID}"
    )
    assert (got.status_code, got.headers["retry-after"]) == (429, "9")
    assert got.json()["issue"][0]["code"] == "throttled"


def away(*_: Any) -> httpx.Response:
    raise UpstreamUnavailable


def broken(*_: Any) -> httpx.Response:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("answer", "status"),
    [(away, 503), (lambda *_: httpx.Response(502, text="<html>"), 502), (broken, 500)],
)
async def test_outages_and_faults_of_ours_are_told_without_a_word_of_their_cause(
    answer: Answer, status: int
) -> None:
    got = await refused(answer, f"/Appointment/{ID}")
    assert got.status_code == status
    assert "html" not in got.text
    assert "Zero" not in got.text
