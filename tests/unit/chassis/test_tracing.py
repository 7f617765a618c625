"""At the edge each request begins a trace of ours; within, traces go on."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import Receive, Scope, Send

from chassis import tracing

FOREIGN = "00-deadbeefdeadbeefdeadbeefdeadbeef-00000000000000aa-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("test"))
    return exporter


@dataclass
class Route:
    path: str = "/v1/appointments/{appointment_id}"


async def request(
    traceparent: bytes | None,
    *,
    path: str = "/v1/appointments/7",
    method: str = "GET",
    status: int = 200,
    client: tuple[str, int] | None = ("10.0.3.7", 4711),
    known: Sequence[str] = (),
) -> str | None:
    """The trace id within a request."""
    seen: list[str | None] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(tracing.trace_id())
        scope["route"] = Route()
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def nothing(*_: object) -> None:
        pass

    headers = [(b"traceparent", traceparent)] if traceparent is not None else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": client}
    networks = [ip_network(each) for each in known]
    await tracing.TraceMiddleware(app, networks)(scope, nothing, nothing)  # type: ignore[arg-type]
    return seen[0]


async def test_a_callers_trace_is_linked_and_not_taken_over(spans: InMemorySpanExporter) -> None:
    own = await request(FOREIGN.encode())
    assert own is not None
    assert own != "deadbeef" * 4
    [span] = spans.get_finished_spans()
    assert span.parent is None
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["deadbeef" * 4]


@pytest.mark.parametrize("broken", [None, b"", b"00-x-y-01", b"\xff", b"00-" + b"0" * 32 + b"-1-1"])
async def test_what_is_no_trace_is_no_link(
    spans: InMemorySpanExporter, broken: bytes | None
) -> None:
    assert await request(broken) not in {None, "0" * 32}
    assert [len(span.links) for span in spans.get_finished_spans()] == [0]


def test_within_a_trace_goes_on(spans: InMemorySpanExporter) -> None:
    with tracing.span("event", FOREIGN):
        assert tracing.trace_id() == "deadbeef" * 4
    assert len(spans.get_finished_spans()) == 1


@pytest.mark.parametrize(
    ("client", "known", "goes_on"),
    [
        (("10.0.3.7", 1), ["192.0.2.0/24", "10.0.3.0/24"], True),
        (("10.0.4.7", 1), ["10.0.3.0/24"], False),
        (("fd00::7", 1), ["10.0.3.0/24", "fd00::/64"], True),
        (("10.0.3.7", 1), [], False),
        (("", 0), ["10.0.3.0/24"], False),
        (None, ["10.0.3.0/24"], False),
    ],
)
async def test_the_trace_of_a_known_caller_goes_on(
    spans: InMemorySpanExporter,
    client: tuple[str, int] | None,
    known: Sequence[str],
    goes_on: bool,
) -> None:
    own = await request(FOREIGN.encode(), client=client, known=known)
    assert (own == "deadbeef" * 4) is goes_on
    [span] = spans.get_finished_spans()
    assert len(span.links) == (0 if goes_on else 1)


async def test_a_known_caller_s_broken_trace_is_none(spans: InMemorySpanExporter) -> None:
    assert await request(b"00-x-y-01", known=["10.0.0.0/8"]) not in {None, "0" * 32}
    [span] = spans.get_finished_spans()
    assert span.parent is None


async def test_a_request_is_told_by_its_route_and_never_by_its_address(
    spans: InMemorySpanExporter,
) -> None:
    await request(None, path="/v1/appointments/0190-geheim", status=503)
    await request(None, method="GEHEIM")
    first, second = spans.get_finished_spans()
    assert first.name == "GET /v1/appointments/{appointment_id}"
    assert first.kind is SpanKind.SERVER
    assert dict(first.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/appointments/{appointment_id}",
        "http.response.status_code": 503,
    }
    assert first.status.status_code is StatusCode.ERROR
    assert second.name == "HTTP /v1/appointments/{appointment_id}"
    assert "geheim" not in (first.to_json() + second.to_json()).lower()


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_what_is_asked_every_few_seconds_leaves_no_trace(
    spans: InMemorySpanExporter, path: str
) -> None:
    await request(None, path=path)
    assert spans.get_finished_spans() == ()


def test_of_an_error_the_type_alone_is_told(spans: InMemorySpanExporter) -> None:
    for within in (tracing.span("handle", FOREIGN), tracing.edge("GET", None)):
        with pytest.raises(ValueError, match="Erika"), within:
            raise ValueError("no such patient: Erika Mustermann")
    for span in spans.get_finished_spans():
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == "ValueError"
        assert "Erika" not in span.to_json()
        assert span.events == ()


def test_a_metric_leads_to_traces_that_leave_and_to_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert tracing.exemplar(FOREIGN) is None
    monkeypatch.setattr(trace, "get_tracer_provider", TracerProvider)
    assert tracing.exemplar(FOREIGN) == {"trace_id": "deadbeef" * 4}
    assert tracing.exemplar(FOREIGN.removesuffix("1") + "0") is None  # not sampled
    assert tracing.exemplar(None) is None


def test_a_span_that_began_before_has_a_name_for_what_follows(spans: InMemorySpanExporter) -> None:
    span = tracing.begin("publish", FOREIGN, kind=SpanKind.PRODUCER, seconds_ago=30)
    assert spans.get_finished_spans() == ()
    named = tracing.traceparent(span)
    assert named is not None
    assert named.startswith("00-" + "deadbeef" * 4)
    assert named != FOREIGN
    span.end()
    [ended] = spans.get_finished_spans()
    assert ended.start_time is not None
    assert ended.end_time is not None
    assert 30 <= (ended.end_time - ended.start_time) / 1e9 < 60


@pytest.mark.parametrize(
    ("variables", "leaves"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, False),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            False,
        ),
    ],
)
def test_the_standard_variables_say_where_spans_go(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], leaves: bool
) -> None:
    for name in (*tracing.ENDPOINTS, *tracing.PROTOCOLS, "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing._leaves() is leaves


def test_a_collector_that_does_not_answer_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(provider, "shutdown", answered.wait)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracing, "FLUSH_TIMEOUT", 0.01)
    try:
        tracing.flush()
        assert not answered.is_set()
    finally:
        answered.set()


async def test_where_nothing_leaves_ids_go_on_and_nothing_is_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provided: list[trace.TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", provided.append)
    for name in (*tracing.ENDPOINTS, "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    tracing.configure("test")
    monkeypatch.setattr(tracing, "tracer", provided[0].get_tracer("test"))
    own = await request(None)
    assert own is not None
    assert own != "0" * 32
    with tracing.span("event", FOREIGN) as within:
        assert not within.is_recording()
        told = tracing.traceparent()
        assert told is not None
        assert told.startswith("00-deadbeefdeadbeefdeadbeefdeadbeef-")
        assert told.endswith("-01")
        assert told != FOREIGN
        assert tracing.traceparent(tracing.begin("later", told)) != told
    with tracing.span("begins"):
        assert tracing.trace_id() not in {None, own, "deadbeef" * 4}
