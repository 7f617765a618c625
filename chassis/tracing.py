"""W3C Trace Context: one trace from a click to the indicator, across HTTP, outbox, Kafka and mail.

Each HTTP request begins a trace, whose id the audit log can trust: nobody else chose it. The
caller's own is linked to it; that of a caller named in `traces_from` goes on.

Spans leave by OTLP where the standard variables say so (OTEL_EXPORTER_OTLP_ENDPOINT and what goes
with it); elsewhere a span is no more than its ids. They have names and codes, never an address, a
parameter or an exception's text: those hold patients' data.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.peers import Network
from chassis.request_metrics import METHODS, NO_ROUTE

log = structlog.get_logger(__name__)

tracer = trace.get_tracer("einladung")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"
FLUSH_TIMEOUT = 5.0  # seconds for the last spans; what stops must not wait for a collector

PRACTICE = "einladung.practice"  # in an ASGI scope: the id of the caller's practice, once known

# What is asked every few seconds, and tells nobody anything.
QUIET = {"/health/live", "/health/ready", "/metrics"}

Attributes = Mapping[str, AttributeValue]

_wire = TraceContextTextMapPropagator()
_ids = RandomIdGenerator()


class _IdsAlone(trace.Tracer):
    """Where nothing leaves, nothing is noted: traces go on to whoever tells of theirs."""

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:
        """A span of the context's trace, or the first of one."""
        parent = trace.get_current_span(context).get_span_context()
        return trace.NonRecordingSpan(
            SpanContext(
                parent.trace_id if parent.is_valid else _ids.generate_trace_id(),
                _ids.generate_span_id(),
                is_remote=False,
                trace_flags=parent.trace_flags if parent.is_valid else _SAMPLED,
            )
        )

    def start_as_current_span(self, *_: Any, **__: Any) -> Any:
        """Nobody calls it: `span` is that of this module."""
        raise NotImplementedError


class _NothingLeaves(trace.TracerProvider):
    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        return _IdsAlone()


_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def configure(service: str) -> None:
    """Give spans their identity and their way out; called once by the process's entry point."""
    if not _leaves():
        trace.set_tracer_provider(_NothingLeaves())
        return
    # Here, as it brings a second HTTP client with it that most processes never need.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: service}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _leaves() -> bool:
    """Whether the variables say where spans are to go, in a way that we speak."""
    named = next((os.environ[each] for each in ENDPOINTS if os.environ.get(each)), "")
    exporter = os.environ.get("OTEL_TRACES_EXPORTER") or ("otlp" if named else "none")
    if exporter == "none":
        return False
    protocol = next((os.environ[each] for each in PROTOCOLS if os.environ.get(each)), SPOKEN)
    if (exporter, protocol) != ("otlp", SPOKEN):
        log.warning("spans stay here: only otlp by http/protobuf is spoken")
        return False
    return True


def flush() -> None:
    """Send what is left, for a moment; called once at the end of the process."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        last = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(FLUSH_TIMEOUT)


def traceparent(span: Span | None = None) -> str | None:
    """The `traceparent` header value of `span`, or the current one; None outside of any trace."""
    context = (span or trace.get_current_span()).get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id(span: Span | None = None) -> str | None:
    """The id, in hexadecimal, of the trace of `span` or the current one; None outside of any."""
    context = (span or trace.get_current_span()).get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def exemplar(traceparent: str | None) -> dict[str, str] | None:
    """For a metric, the trace of a `traceparent` value to look at; None where no span leaves."""
    if traceparent is None or not isinstance(trace.get_tracer_provider(), TracerProvider):
        return None
    _, trace_id, _, flags = traceparent.split("-")
    return {"trace_id": trace_id} if int(flags, 16) & TraceFlags.SAMPLED else None


def begin(
    name: str,
    parent: str | None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
    seconds_ago: float = 0,
) -> Span:
    """A span of the trace of the `traceparent` value `parent`; whoever begins it ends it.

    Without a `parent` a trace begins. One that is never ended is never seen.
    """
    context = _context(parent)
    began = time.time_ns() - int(max(0.0, seconds_ago) * 1e9)
    return tracer.start_span(
        name, context=context, kind=kind, attributes=attributes, start_time=began
    )


@contextmanager
def span(
    name: str,
    parent: str | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """Work on `name`, continuing the trace of the `traceparent` value `parent`, or the current."""
    context = _context(parent) if parent else None
    with _within(
        tracer.start_span(name, context=context, kind=kind, attributes=attributes)
    ) as begun:
        yield begun


@contextmanager
def edge(name: str, foreign: str | None) -> Iterator[Span]:
    """Work on `name` in a trace of its own, linked to that of the `traceparent` value `foreign`."""
    context = _context(foreign)
    caller = trace.get_current_span(context).get_span_context()
    links = [trace.Link(caller)] if caller.is_valid else []
    with _within(
        tracer.start_span(name, context=Context(), links=links, kind=SpanKind.SERVER)
    ) as begun:
        yield begun


def _context(traceparent: str | None) -> Context:
    """That of the trace, which may be none."""
    return _wire.extract({"traceparent": traceparent}, Context()) if traceparent else Context()


@contextmanager
def _within(begun: Span) -> Iterator[Span]:
    """Make it the current one until it ends; of an error it keeps the type alone."""
    with trace.use_span(
        begun, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        try:
            yield begun
        except Exception as error:
            kind = type(error).__qualname__
            begun.set_attribute("error.type", kind)
            begun.set_status(Status(StatusCode.ERROR, kind))
            raise


class TraceMiddleware:
    """A span and a line of the log for each HTTP request, named by its route and never by its path.

    It begins a trace, or goes on with that of a caller in one of the `known` networks.
    """

    def __init__(self, app: ASGIApp, known: Sequence[Network] = ()) -> None:
        self.app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection inside a span."""
        if scope["type"] != "http" or scope.get("path") in QUIET:
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "HTTP"
        header = dict(scope["headers"]).get(b"traceparent")
        foreign = header.decode("latin-1") if header else None
        goes_on = foreign is not None and self._is_known(scope)
        within = span(method, foreign, kind=SpanKind.SERVER) if goes_on else edge(method, foreign)
        begun = time.perf_counter()
        with within as current:

            async def described(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", NO_ROUTE)
                    log.info(
                        "request",
                        method=method,
                        route=route,
                        status=message["status"],
                        milliseconds=round((time.perf_counter() - begun) * 1000),
                        practice=scope.get(PRACTICE),
                        trace_id=trace_id(current),
                    )
                    current.update_name(f"{method} {route}")
                    current.set_attribute("http.request.method", method)
                    current.set_attribute("http.route", route)
                    current.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        current.set_status(StatusCode.ERROR)
                await send(message)

            await self.app(scope, receive, described)

    def _is_known(self, scope: Scope) -> bool:
        client = scope.get("client")
        if client is None or not self._known:
            return False
        try:
            address = ip_address(client[0])
        except ValueError:  # as of a socket's path
            return False
        return any(address in network for network in self._known)
