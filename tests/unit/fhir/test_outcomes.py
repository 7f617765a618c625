"""Problems as OperationOutcomes: every one is valid FHIR, whatever a service has answered."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.fhir.outcomes import Outcomes, outcome
from services.scheduling.schemas import NewAppointment
from tests.support import Json, fhir


@pytest.mark.parametrize(
    ("code", "statuses"),
    {
        "invalid": [400],
        "login": [401],
        "forbidden": [403],
        "not-found": [404],
        "not-supported": [405, 406, 415],
        "conflict": [409, 412],
        "deleted": [410],
        "too-long": [413, 431],
        "processing": [422],
        "throttled": [429],
        "transient": [502, 503],
        "exception": [418, 500],
    }.items(),
)
def test_each_status_has_a_code_of_fhir(code: str, statuses: list[int]) -> None:
    for status in statuses:
        found = fhir.valid(outcome({"type": "changed", "title": "It has changed."}, status))
        [issue] = found["issue"]
        assert issue["code"] == code
        assert issue["severity"] == ("fatal" if status == 500 else "error")
        assert issue["details"] == {
            "coding": [{"system": "urn:einladung:problem", "code": "changed"}],
            "text": "It has changed.",
        }


PLACES = {
    "start": ["date", "time", "utc_offset"],
    "minutesDuration": ["duration_minutes"],
    "extension": ["consent"],
    "identifier": ["external_reference"],
    "participant": ["practitioner_reference", "location_reference"],
    "contained[0].identifier": ["patient_reference"],
    "contained[0].name": ["patient_name"],
    "contained[0].telecom": ["email", "phone", "channels"],
    "contained[0].communication": ["locale"],
}


def test_every_field_that_the_api_is_sent_has_its_place_in_the_resource() -> None:
    found = {}
    for place, fields in PLACES.items():
        for field in fields:
            told = {"errors": [{"field": field, "message": "Größe"}]}
            [issue] = outcome(told, 422)["issue"]
            assert issue["details"]["coding"][0]["code"] == "invalid"
            assert issue["expression"] == [f"Appointment.{place}"]
            found[field] = place
    assert found.keys() == NewAppointment.model_fields.keys() - {"send_anyway", "send_now"}


def test_each_fault_of_an_input_is_an_issue_at_its_place() -> None:
    faults = [
        ("patient_name", "missing", "Appointment.contained[0].name", "required"),
        ("consent", "consent_required", "Appointment.extension", "required"),
        ("time", "past", "Appointment.start", "value"),
        (
            "Appointment.contained.0.telecom.1.system",
            "invalid",
            "Appointment.contained[0].telecom[1].system",
            "value",
        ),
        ("Idempotency-Key", "invalid", None, "value"),
    ]
    problem = {
        "type": "invalid-input",
        "errors": [
            {"field": field, "code": code, "message": "Bitte."} for field, code, _, _ in faults
        ],
    }
    issues = fhir.valid(outcome(problem, 422))["issue"]
    assert [each.get("expression", [None])[0] for each in issues] == [each[2] for each in faults]
    assert [each["code"] for each in issues] == [each[3] for each in faults]
    assert {each["details"]["text"] for each in issues} == {"Bitte."}


def test_a_type_that_is_a_uri_names_the_problem_by_its_end() -> None:
    for problem in (
        {"type": "https://example.org/problems/changed"},
        {"type": "https://example.org/docs/errors#changed"},
        {"type": "https://example.org/changed/"},
        {"type": "https://example.org/412", "code": "changed"},
        {"type": "/v1/problems/changed", "code": "changed"},
    ):
        [issue] = outcome(problem, 412)["issue"]
        assert issue["details"]["coding"][0]["code"] == "changed"


anything = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
problems = st.dictionaries(
    st.sampled_from(["type", "title", "detail", "code", "errors", "status"]),
    anything
    | st.lists(
        anything | st.dictionaries(st.sampled_from(["field", "code", "message"]), anything),
        max_size=3,
    ),
)


@given(problems, st.integers(400, 599))
def test_whatever_a_problem_holds_its_outcome_is_fhir(problem: Json, status: int) -> None:
    fhir.valid(outcome(problem, status))


async def answered(response: Response) -> httpx.Response:
    async def endpoint(_: Request) -> Response:
        return response

    app = Outcomes(Starlette(routes=[Route("/", endpoint)]))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://fhir") as client:
        return await client.get("/")


@pytest.mark.parametrize("body", [b'{"type": "a"}', b"", b"[]", b"no JSON", b"\xff"])
async def test_a_problem_leaves_as_an_outcome_with_its_headers(body: bytes) -> None:
    headers = {"Retry-After": "7"}
    got = await answered(Response(body, 503, headers, media_type="application/problem+json"))
    assert got.status_code == 503
    assert got.headers["content-type"] == "application/fhir+json"
    assert got.headers["retry-after"] == "7"
    assert int(got.headers["content-length"]) == len(got.content)
    assert fhir.valid(got.json())["issue"][0]["code"] == "transient"


async def test_everything_else_leaves_as_it_is() -> None:
    content: dict[str, Any] = {"resourceType": "Bundle"}
    got = await answered(JSONResponse(content, media_type="application/fhir+json"))
    assert json.loads(got.content) == content
