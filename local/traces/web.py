"""Spans come in at /v1/traces; pages, in English as they are for operators, show them."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from chassis.headers import SafeHeaders
from local.listening import LOOPBACK
from local.traces import tree
from local.traces.store import NotUnderstood, Store, spans_of

PROTOBUF = "application/x-protobuf"
LARGEST_BODY = 4 * 1024 * 1024  # bytes; the SDK sends 512 spans at a time
LISTED = 100
POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HERE = Path(__file__).parent


def create_app(store: Store) -> FastAPI:
    """The receiver and the pages over a store."""
    app = FastAPI(
        title="Traces of the local demo", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)
    app.add_middleware(SafeHeaders)
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    templates.filters |= {"spelled": tree.spelled, "moment": _moment}

    def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(
            templates.get_template(template).render(values),
            status,
            headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
        )

    @app.post("/v1/traces")
    async def take(request: Request) -> Response:
        """OTLP/HTTP. A page elsewhere can't send this type: browsers ask before, and hear no."""
        if request.headers.get("content-type") != PROTOBUF or "content-encoding" in request.headers:
            return Response(status_code=415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return Response(status_code=413)
        try:
            store.add(spans_of(bytes(body)))
        except NotUnderstood:
            return Response(status_code=400)
        return Response(media_type=PROTOBUF)  # ExportTraceServiceResponse, empty: all was taken

    @app.get("/")
    async def newest(q: str = "") -> HTMLResponse:
        found = (trace for trace in store.newest_first() if trace.speaks_of(q))
        return page("list.html.j2", traces=list(islice(found, LISTED)), asked=q, most=LISTED)

    @app.get("/traces/{trace_id}")
    async def show(trace_id: str) -> HTMLResponse:
        trace = store.trace(trace_id)
        if trace is None:
            return page("missing.html.j2", 404)
        return page("trace.html.j2", trace=trace, steps=tree.steps(trace), scale=tree.SCALE)

    @app.get("/style.css")
    async def style() -> Response:
        return Response((_HERE / "style.css").read_text(), media_type="text/css")

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {}

    return app


def _moment(nanoseconds: int) -> str:
    """As logs have it, to the millisecond; what no clock says is shown as it came."""
    try:
        moment = datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{nanoseconds} ns"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} UTC"
