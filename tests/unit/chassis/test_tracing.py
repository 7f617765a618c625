"""At the edge each request begins a trace of ours; within, traces go on."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
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


async def request(traceparent: bytes | None) -> str | None:
    """The trace id within a request."""
    seen: list[str | None] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(tracing.trace_id())

    async def nothing(*_: object) -> None:
        pass

    headers = [(b"traceparent", traceparent)] if traceparent is not None else []
    scope = {"type": "http", "method": "GET", "headers": headers}
    await tracing.TraceMiddleware(app)(scope, nothing, nothing)  # type: ignore[arg-type]
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
