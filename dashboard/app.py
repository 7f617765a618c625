"""Wiring of the dashboard: the page, and the way to the services' public APIs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from chassis.service import Health, create_app
from chassis.settings import LOOPBACK
from dashboard.guard import Guard
from dashboard.proxy import proxy_routes
from dashboard.settings import Settings
from dashboard.upstreams import Upstreams

STATIC = Path(__file__).parent / "static"
DESCRIBED = {"/docs", "/docs/oauth2-redirect", "/openapi.json"}


def build(settings: Settings) -> FastAPI:
    """The application. It is ready as soon as it runs.

    The services are no dependency of its readiness: with one of them away the page still tells
    what is the matter, which no page at all would not.
    """
    upstreams = Upstreams(
        {"scheduling": settings.scheduling_url, "status": settings.status_url},
        settings.token,
        streams=settings.streams,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with upstreams:
            yield

    app = create_app(
        title="Einladung: dashboard",
        description="The practice's page.",
        lifespan=lifespan,
        health=Health(),
        max_body_bytes=settings.max_body_bytes,
    )
    # No API of its own to describe, and the description page loads scripts from elsewhere.
    app.router.routes[:] = [
        route for route in app.router.routes if getattr(route, "path", None) not in DESCRIBED
    ]
    app.add_middleware(Guard, hosts=LOOPBACK)
    app.state.upstreams = upstreams
    for path, methods, endpoint in proxy_routes(upstreams):
        app.add_api_route(path, endpoint, methods=methods, include_in_schema=False)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
