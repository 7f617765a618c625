"""One trace from the click to the mark, as a collector gets it, and nothing of a patient in it.

The receiver takes what the processes send by the standard variables.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from local.modules import SERVICES
from local.practice import DEMO_PRACTICE
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client, http_server
from tests.support.visitor import Visitor, new_visitor

# Whatever else a library adds has to be looked at first: FastAPI would tell each path and query.
ATTRIBUTES = {
    *("http.request.method", "http.route", "http.response.status_code", "error.type"),
    *("messaging.system", "messaging.destination.name"),
    *("einladung.verdict", "einladung.gateway"),
}
CLICK = "POST /api/scheduling/appointments"


@dataclass(frozen=True)
class Span:
    """What matters here of one."""

    trace: bytes
    id: bytes
    parent: bytes
    service: str
    name: str
    scope: str
    attributes: frozenset[str]


class Collector:
    """What has come."""

    def __init__(self, server: http_server.Server) -> None:
        self.server = server

    def bodies(self) -> list[bytes]:
        assert {seen.path for seen in self.server.seen} <= {"/v1/traces"}
        return [seen.body for seen in self.server.seen]

    def spans(self) -> list[Span]:
        return [
            Span(
                *(span.trace_id, span.span_id, span.parent_span_id),
                *(service, span.name, scope.scope.name),
                frozenset(attribute.key for attribute in span.attributes),
            )
            for body in self.bodies()
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for service in [
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            ]
            for scope in resource.scope_spans
            for span in scope.spans
        ]


async def _restarted(stack: Stack) -> None:
    await asyncio.gather(*(stack.service(name).restart() for name in stack.in_use))


@pytest_asyncio.fixture(scope="module")
async def collector(stack: Stack) -> AsyncIterator[Collector]:
    """Every process sends its spans here; services go on with the traces of local callers."""
    async with http_server.serve() as server:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        for name in stack.in_use:
            stack.configure(name, **variables)
        for name in set(SERVICES) & set(stack.in_use):
            stack.configure(name, **{f"{name.upper()}_TRACES_FROM": '["127.0.0.1/32"]'})
        try:
            await _restarted(stack)
            yield Collector(server)
        finally:
            for name in stack.in_use:
                stack.configure(name, **dict.fromkeys(variables))
                stack.configure(name, **{f"{name.upper()}_TRACES_FROM": None})
            await _restarted(stack)


async def click(visitor: Visitor, form: Json) -> str:
    """„Einladen" at the dashboard; the appointment's id."""
    answer = await visitor.http.post(
        visitor.stack.url("dashboard") + "/api/scheduling/appointments",
        json=form,
        headers=visitor.own,
    )
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def lines_of(stack: Stack, trace: str) -> Iterator[Json]:
    """What the logs of the programs tell of a trace."""
    for name in stack.in_use:
        for line in (stack.folder.logs / f"{name}.log").read_text().splitlines():
            if trace in line:
                yield json.loads(line)


async def openmetrics(stack: Stack, name: str) -> str:
    """What Prometheus gets, with exemplars."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with http_client(base_url=stack.operations_url(name)) as client:
        return (await client.get("/metrics", headers=accept)).text


async def failed_late(visitor: Visitor, appointment: str) -> bool:
    answer = await visitor.get(f"/api/status/indicators/{appointment}")
    if answer.status_code != 200:
        return False
    channels: Json = answer.json()["channels"]
    return {name: each["state"] for name, each in channels.items()} == {
        "email": "failed",
        "sms": "delivered",
    }


async def test_one_trace_leads_from_the_click_to_the_mark(
    collector: Collector, stack: Stack
) -> None:
    mark = uuid4().hex[:8]
    form = Practice.form(
        channels=["email", "sms"],
        email=f"spaeter-unbekannt+{mark}@example.org",
        phone="0171 3920001",
        patient_name=f"Erika Geheim{mark}",
    )
    async with new_visitor(stack) as visitor:
        await visitor.log_in()
        appointment = await click(visitor, form)
        await eventually(lambda: failed_late(visitor, appointment), "the late bounce shows")

    expected = {
        ("dashboard", CLICK),
        ("scheduling", "POST /v1/appointments"),
        ("scheduling", "publish clinic.appointments.v1"),
        ("scheduling", "publish clinic.invitations.requested.v1"),
        ("notification", "handle InvitationRequested"),
        ("notification", "send email"),
        ("notification", "send sms"),
        ("notification", "settle receipt of email"),
        ("notification", "settle receipt of sms"),
        ("notification", "publish clinic.invitations.outcomes.v1"),
        ("status", "handle AppointmentScheduled"),
        ("status", "handle InvitationDelivered"),
        ("status", "handle InvitationFailed"),  # once the mail has come back
    }

    async def whole() -> Sequence[Span] | None:
        spans = collector.spans()
        clicks = {span.trace for span in spans if span.name == CLICK}
        assert len(clicks) <= 1
        trace = [span for span in spans if span.trace in clicks]
        ids = {span.id for span in trace}
        joined = all(span.parent in ids for span in trace if span.parent)
        there = expected <= {(span.service, span.name) for span in trace}
        return trace if joined and there else None

    trace = await eventually(whole, "every part of the trace, each under another one")
    [root] = [span for span in trace if not span.parent]
    assert (root.service, root.name) == ("dashboard", CLICK)
    told_of = list(lines_of(stack, root.trace.hex()))
    assert {line["practice"] for line in told_of} == {str(DEMO_PRACTICE.id)}
    assert {(line["service"], line["event"]) for line in told_of} >= {
        *(("dashboard", "request"), ("scheduling", "request"), ("scheduling", "published")),
        *(("notification", "handled"), ("notification", "tried")),
        *(("notification", "receipt settled"), ("status", "handled")),
    }
    for span in collector.spans():
        assert span.scope == "einladung"
        assert span.attributes <= ATTRIBUTES
    metrics = {name: await openmetrics(stack, name) for name in stack.in_use}
    shown = re.search(r'^tick_seconds_bucket.channel="sms".* # .*$', metrics["status"], re.M)
    assert shown is not None
    assert f'{{trace_id="{root.trace.hex()}"}}' in shown[0]
    assert root.trace.hex() in metrics["dashboard"]  # the exemplar of how long the click took
    for told in (*collector.bodies(), *(text.encode() for text in metrics.values())):
        for secret in (mark, "Geheim", "spaeter-unbekannt", "3920001", "example.org", appointment):
            assert secret.encode() not in told


async def test_a_stranger_s_trace_is_not_gone_on_with_where_nobody_is_known(
    collector: Collector, practice: Practice
) -> None:
    """The test itself is at a known address; the dashboard, which knows nobody, begins its own."""
    own = "0af7651916cd43dd8448eb211c80319c"
    header = {"traceparent": f"00-{own}-b7ad6b7169203331-01"}
    await practice.scheduling.get("/v1/practice", headers=header)

    async def came() -> bool:
        return any(span.trace.hex() == own for span in collector.spans())

    await eventually(came, "the known caller's trace")
    assert {span.service for span in collector.spans() if span.trace.hex() == own} == {"scheduling"}


async def test_health_and_metrics_leave_no_trace(collector: Collector) -> None:
    names = {span.name for span in collector.spans()}
    assert names
    assert not [name for name in names if "/health" in name or "/metrics" in name]
