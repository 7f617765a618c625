"""What ops sees: health, metrics, and logs in which no patient is named."""

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
from tests.support.mails import link_in
from tests.support.visitor import new_visitor

SERVICES = ("scheduling", "notification", "status", "dashboard")


async def test_no_log_and_no_metric_names_a_patient(practice: Practice, stack: Stack) -> None:
    arrived = await practice.create(patient_name="Wilhelmine Geheim")
    await practice.shows(arrived["id"], "delivered")
    token = link_in(await practice.mail(arrived["email"])).rsplit("/", 1)[-1]
    refused = await practice.create(
        patient_name="Wilhelmine Geheim", email="unbekannt+geheim@example.org"
    )
    await practice.shows(refused["id"], "failed")
    await practice.post(practice.form(patient_name="Wilhelmine Geheim", email="geheim@@"))
    await practice.scheduling.get(f"/besuch/{token}")

    told = {name: (stack.folder.logs / f"{name}.log").read_text() for name in SERVICES}
    async with http_client() as client:
        for name in SERVICES[:3]:
            told[f"metrics of {name}"] = (
                await client.get(f"{stack.operations_url(name)}/metrics")
            ).text
    for where, text in told.items():
        for secret in ("Geheim", "geheim", arrived["email"], token):
            assert secret not in text, f"{secret} in {where}"


async def test_a_request_and_what_came_of_it_are_lines_of_one_trace(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")

    def lines(event: str) -> list[Json]:
        logs = [(stack.folder.logs / f"{name}.log").read_text() for name in SERVICES]
        # what is just being written ends in no line yet
        whole = [line for log in logs for line in log.splitlines(keepends=True) if line[-1] == "\n"]
        return [each for line in whole if (each := json.loads(line))["event"] == event]

    async def published() -> list[Json] | None:
        of_it = [each for each in lines("published") if each["subject"] == created["id"]]
        types = {each["type"].rpartition(".")[2] for each in of_it}
        wanted = {"InvitationRequested", "AppointmentScheduled", "InvitationDelivered"}
        return of_it if wanted <= types else None

    told = await eventually(published, "its events are lines of the logs")
    (trace_id,) = {each["trace_id"] for each in told}
    (request,) = [each for each in lines("request") if each["trace_id"] == trace_id]
    assert (request["method"], request["route"]) == ("POST", "/v1/appointments")
    assert (request["status"], request["practice"]) == (201, str(practice.id))


@pytest.mark.parametrize("name", SERVICES[:3])
async def test_services_are_alive_ready_and_measured(stack: Stack, name: str) -> None:
    async with http_client(base_url=stack.operations_url(name)) as client:
        for path in ("/health/live", "/health/ready"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"faults": []})
        metrics = (await client.get("/metrics")).text
        assert "python_info" in metrics
        assert 'loop_last_success_timestamp_seconds{loop="files"}' in metrics  # it looks at them


async def test_a_body_too_large_is_refused_however_it_is_sent(practice: Practice) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 4096

    for body in (b" " * 80_000, in_chunks()):
        answer = await practice.scheduling.post(
            "/v1/appointments", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
async def test_a_day_beyond_the_calendar_is_named_as_the_fault(
    practice: Practice, day: str
) -> None:
    answer = await practice.scheduling.get("/v1/appointments", params={"date": day})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "date"


@pytest.mark.parametrize("last", ["ü", "1\r\nX-Other: 2"])
async def test_the_dashboard_passes_on_what_is_no_event_id(stack: Stack, last: str) -> None:
    async with new_visitor(stack) as visitor:
        await visitor.log_in()
        query = urlencode({"last_event_id": last})
        answer = await visitor.get(f"/api/status/indicators/stream?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-last-event-id")
        answer = await visitor.http.get(
            f"{stack.url('dashboard')}/api/scheduling/practice",
            headers=[(b"If-Match", "ü".encode("latin-1"))],
        )
        assert answer.status_code == 200
