"""A service's HTTP face: problem details, tracing, limits, safe headers, health and metrics."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from pydantic_settings import SettingsError
from starlette.types import ASGIApp

from chassis import logs, problems, tracing
from chassis.connections import BoundedProtocol
from chassis.headers import NOTHING, SafeHeaders
from chassis.limits import Limits
from chassis.request_metrics import RequestMetrics
from chassis.settings import ProcessSettings
from chassis.supervisor import Supervisor

READY_TIMEOUT = 5.0  # seconds for all dependencies together
SHUTDOWN_TIMEOUT = 10  # seconds for open requests

REFUSED = 2  # exit code for settings that can't be used

S = TypeVar("S", bound=ProcessSettings)
Check = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass
class Health:
    """What the health routes ask: the supervised tasks and the dependencies."""

    supervisor: Supervisor = field(default_factory=Supervisor)
    dependencies: dict[str, Check] = field(default_factory=dict)


class _App(FastAPI):
    """An application whose safe headers are outermost: around its own error handler as well."""

    policy = NOTHING
    https = False

    def build_middleware_stack(self) -> ASGIApp:
        return SafeHeaders(super().build_middleware_stack(), policy=self.policy, https=self.https)


def create_app(
    *,
    title: str,
    description: str,
    lifespan: Lifespan,
    health: Health,
    settings: ProcessSettings,
    policy: str = NOTHING,
    openapi_url: str | None = "/openapi.json",
) -> FastAPI:
    """An application with everything around a service's own routes.

    `policy` is the Content-Security-Policy of what sets none itself. There is no /docs: its page
    would load scripts from elsewhere.
    """
    app = _App(
        title=title,
        version="1",
        description=description,
        lifespan=lifespan,
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.policy = policy
    app.https = settings.environment == "production"
    problems.install(app)
    app.add_middleware(Limits, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(tracing.TraceMiddleware)
    app.add_middleware(RequestMetrics)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> Response:
        faults = await health.supervisor.faults()
        return JSONResponse({"faults": faults}, status_code=503 if faults else 200)

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> Response:
        faults = await _unready(health.dependencies)
        return JSONResponse({"faults": faults}, status_code=503 if faults else 200)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


async def _unready(dependencies: Mapping[str, Check]) -> list[str]:
    async def fault(name: str, check: Check) -> str | None:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await check()
        except Exception as error:
            return f"{name}: {type(error).__qualname__}"
        return None

    found = await asyncio.gather(*(fault(name, check) for name, check in dependencies.items()))
    return [each for each in found if each is not None]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_shutdown()
        await super().shutdown(sockets)


def load(kind: type[S], *, name: str) -> S:
    """The process's settings. What is wrong with them is a line of the log, and the end."""
    prefix = kind.model_config.get("env_prefix", "")
    try:
        return kind()
    except ValidationError as refused:
        faults = [
            f"{(prefix + '.'.join(map(str, each['loc']))).upper() if each['loc'] else prefix}: "
            f"{each['msg']}"
            for each in refused.errors(
                include_url=False, include_context=False, include_input=False
            )
        ]
    except SettingsError as unreadable:  # no JSON where it should be; names the field alone
        faults = [str(unreadable)]
    logs.configure(name)
    structlog.get_logger(__name__).critical("settings refused", faults=faults)
    sys.exit(REFUSED)


def serve(
    app: FastAPI,
    settings: ProcessSettings,
    *,
    name: str,
    before_shutdown: Callable[[], None] = lambda: None,
) -> None:
    """Run the service until it is told to stop (SIGTERM, SIGINT).

    `before_shutdown` is called before open requests are waited for.
    """
    logs.configure(name, settings.log_level)
    tracing.configure(name)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedProtocol,
        ws="none",
        limit_concurrency=settings.max_connections,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
    _Server(config, before_shutdown).run()
