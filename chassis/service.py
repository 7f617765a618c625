"""A service's HTTP face: problem details, tracing, body limit, health and metrics."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import logs, problems, tracing
from chassis.settings import ProcessSettings
from chassis.supervisor import Supervisor

READY_TIMEOUT = 5.0  # seconds for all dependencies together
SHUTDOWN_TIMEOUT = 10  # seconds for open requests

Check = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass
class Health:
    """What the health routes ask: the supervised tasks and the dependencies."""

    supervisor: Supervisor = field(default_factory=Supervisor)
    dependencies: dict[str, Check] = field(default_factory=dict)


def create_app(
    *, title: str, description: str, lifespan: Lifespan, health: Health, max_body_bytes: int
) -> FastAPI:
    """An application with everything around a service's own routes."""
    app = FastAPI(
        title=title,
        version="1",
        description=description,
        lifespan=lifespan,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    problems.install(app)
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(tracing.TraceMiddleware)

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


class _TooLarge(Exception):
    """More came than the limit allows."""


class BodyLimit:
    """Refuses request bodies over a size, declared or streamed, with 413."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        received = 0
        answered = False

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal answered
            if received > self._max_bytes and not answered:
                return  # what the application makes of being cut off, as 400
            answered = True
            await send(message)

        with suppress(_TooLarge):
            await self.app(scope, limited, watched)
        if received > self._max_bytes and not answered:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        content: dict[str, Any] = {
            "type": "body-too-large",
            "title": "The request is too large.",
            "status": 413,
        }
        response = JSONResponse(content, 413, media_type="application/problem+json")
        await response(scope, receive, send)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_shutdown()
        await super().shutdown(sockets)


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
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
    _Server(config, before_shutdown).run()
