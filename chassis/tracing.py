"""W3C Trace Context: one trace from a service's request to the indicator, across Kafka.

Each HTTP request begins a trace, whose id the audit log can trust: nobody else chose it. The
caller's own is linked to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from starlette.types import ASGIApp, Receive, Scope, Send

tracer = trace.get_tracer("einladung")


def configure(service: str) -> None:
    """Give spans their identity; called once by the process's entry point."""
    trace.set_tracer_provider(TracerProvider(resource=Resource.create({SERVICE_NAME: service})))


def traceparent() -> str | None:
    """The current `traceparent` header value, or None outside of any trace."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """The current trace's id in hexadecimal, or None outside of any trace."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


@contextmanager
def span(name: str, parent: str | None = None) -> Iterator[None]:
    """Work on `name`, continuing the trace of the `traceparent` value `parent`."""
    context = extract({"traceparent": parent}) if parent else None
    with tracer.start_as_current_span(name, context=context, record_exception=False):
        yield


@contextmanager
def edge(name: str, foreign: str | None) -> Iterator[None]:
    """Work on `name` in a trace of its own, linked to that of the `traceparent` value `foreign`."""
    context = extract({"traceparent": foreign} if foreign else {}, Context())
    caller = trace.get_current_span(context).get_span_context()
    links = [trace.Link(caller)] if caller.is_valid else []
    with tracer.start_as_current_span(name, context=Context(), links=links, record_exception=False):
        yield


class TraceMiddleware:
    """Begins a trace for each HTTP request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection inside a span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        foreign = dict(scope["headers"]).get(b"traceparent")
        with edge(f"HTTP {scope['method']}", foreign.decode("latin-1") if foreign else None):
            await self.app(scope, receive, send)
