"""Counts and times of HTTP requests, by route and never by address: addresses hold identifiers."""

import time

from opentelemetry import trace
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
NO_ROUTE = "none"  # static files, and what nobody serves

requests = Counter("http_requests_total", "Requests answered", ["method", "route", "status"])
seconds = Histogram(
    "http_answer_seconds",
    "Time until a response begins; streams go on after it",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def exemplar() -> dict[str, str] | None:
    """The trace to look at for what is observed now; None where none leaves."""
    current = trace.get_current_span()
    if not current.is_recording():
        return None
    return {"trace_id": trace.format_trace_id(current.get_span_context().trace_id)}


class RequestMetrics:
    """ASGI middleware around everything that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", NO_ROUTE)
                requests.labels(method, route, message["status"]).inc()
                taken = time.perf_counter() - begun
                seconds.labels(method, route).observe(taken, exemplar())
            await send(message)

        await self.app(scope, receive, counted)
