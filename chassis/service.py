"""A service's HTTP face: problem details, tracing, limits, safe headers; health and metrics apart.

What operations ask for has a port of its own, where no caller of the API comes: it takes none of
the API's connections, and nothing in front of the API has to keep its paths in.
"""

import asyncio
import gc
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError
from starlette.types import ASGIApp

from chassis import logs, openapi, problem_pages, problems, tracing
from chassis.connections import Places, bounded
from chassis.handshakes import TlsServer
from chassis.headers import NOTHING, SafeHeaders
from chassis.limits import Limits
from chassis.peers import networks
from chassis.reading import Reading
from chassis.renewal import renewal
from chassis.request_metrics import RequestMetrics
from chassis.settings import ProcessSettings
from chassis.supervisor import Supervisor
from contracts.version import VERSION

READY_TIMEOUT = 5.0  # seconds for all dependencies together
SHUTDOWN_TIMEOUT = 10  # seconds for open requests
OPERATIONS_SHUTDOWN_TIMEOUT = 1  # seconds
OPERATIONS_CONNECTIONS = 200  # at once; monitoring and operators need few

REFUSED = 2  # exit code for settings that can't be used

S = TypeVar("S", bound=ProcessSettings)
Check = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass
class Health:
    """What the health routes ask: the supervised tasks and the dependencies."""

    supervisor: Supervisor = field(default_factory=Supervisor)
    dependencies: dict[str, Check] = field(default_factory=dict)


class Application(FastAPI):
    """An application whose safe headers are outermost: around its own error handler as well.

    `operations` is what it shows at the port for operations; both have one state.
    """

    policy = NOTHING
    https = False
    around: Callable[[ASGIApp], ASGIApp] | None = None
    operations: "Application"

    def build_middleware_stack(self) -> ASGIApp:  # noqa: D102
        within = super().build_middleware_stack()
        if self.around is not None:
            within = self.around(within)
        return SafeHeaders(within, policy=self.policy, https=self.https)


def create_app(
    *,
    title: str,
    description: str,
    lifespan: Lifespan,
    health: Health,
    settings: ProcessSettings,
    policy: str = NOTHING,
    openapi_url: str | None = "/openapi.json",
    tags: Mapping[str, str] | None = None,
    models: Collection[type[BaseModel]] = (),
    keys: bool = True,
    around: Callable[[ASGIApp], ASGIApp] | None = None,
) -> Application:
    """An application with everything around a service's own routes.

    `policy` is the Content-Security-Policy of what sets none itself; `tags` says what each tag of
    the API stands for; `models` are described without being a whole answer; `keys` is whether
    tokens of API keys are taken; `around` sees every answer, those to errors of its own too. There
    is no /docs: its page would load scripts from elsewhere.
    """

    @asynccontextmanager
    async def with_its_files(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app):
            health.supervisor.run(renewal(settings))
            yield

    app = _surrounded(
        Application(
            title=title,
            version=VERSION,
            lifespan=with_its_files,
            openapi_url=openapi_url,
            openapi_tags=_tags(tags or {}),
            **openapi.about(description, _port(settings, "port")),
            **_BARE,
        ),
        settings,
        models,
        keys=keys,
    )
    app.policy = policy
    app.around = around
    app.operations = _operations(title, health, settings)
    app.operations.state = app.state
    return app


# Redirects to a path with or without a slash go to the Host that the request names, over http.
_BARE: dict[str, Any] = {
    "docs_url": None,
    "redoc_url": None,
    "redirect_slashes": False,
    # FastAPI's own spans and logs hold paths, queries and exceptions' texts: links, and patients'
    # data. Ours are made by chassis.tracing.
    "telemetry": {"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
}


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "description": meaning} for name, meaning in tags.items()]


def _port(settings: ProcessSettings, name: str) -> int:
    """The demo's: of an installation's own it is not said from where it is reached."""
    return int(type(settings).model_fields[name].default)


def _surrounded(
    app: Application,
    settings: ProcessSettings,
    models: Collection[type[BaseModel]] = (),
    *,
    keys: bool = True,
) -> Application:
    app.https = settings.environment == "production"
    problems.install(app)
    openapi.install(app, models, keys=keys)
    problem_pages.install(app)
    app.add_middleware(Limits, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(tracing.TraceMiddleware, known=settings.traces_from)
    app.add_middleware(RequestMetrics)
    app.add_middleware(Reading)
    return app


def _operations(title: str, health: Health, settings: ProcessSettings) -> Application:
    app = _surrounded(
        Application(
            title=f"{title}, operations",
            version=VERSION,
            openapi_tags=_tags({"administration": "Setting practices up."}),
            **openapi.about(
                "For whoever runs the installation, at a port of its own.",
                _port(settings, "operations_port"),
            ),
            **_BARE,
        ),
        settings,
    )

    @app.get("/health/live", include_in_schema=False)
    async def live() -> Response:
        faults = await health.supervisor.faults()
        return JSONResponse({"faults": faults}, status_code=503 if faults else 200)

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> Response:
        faults = await _unready(health.dependencies)
        return JSONResponse({"faults": faults}, status_code=503 if faults else 200)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        # OpenMetrics, where it is asked for, has exemplars.
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(REGISTRY), media_type=content_type)

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


class ServerConfig(uvicorn.Config):
    """uvicorn's, and how many TLS handshakes an address, and all, may have under way."""

    def __init__(self, app: ASGIApp, *, handshakes: Places, most: int, **uvicorns: Any) -> None:
        super().__init__(app, **uvicorns)
        self.handshakes = handshakes
        self.most = most


class CountingServer(uvicorn.Server):
    """A server whose TLS handshakes count as connections do, and take as many places again."""

    config: ServerConfig

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, as uvicorn does but for TLS."""
        config = self.config
        if config.ssl is None:
            await super().startup(sockets)
            return
        bound = sockets or [config.bind_socket()]
        await super().startup([])

        def protocol() -> asyncio.Protocol:
            return config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state=self.lifespan.state
            )

        for each in bound:
            server = TlsServer(
                each,
                protocol,
                config.ssl,
                places=config.handshakes,
                most=config.most,
                backlog=config.backlog,
            )
            self.servers.append(server)  # type: ignore[arg-type] # it has what uvicorn asks for


class _Companion(CountingServer):
    """A server beside another one, which is told of signals and tells it to stop."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]
        return nullcontext()


class _Server(CountingServer):
    """The API's server, with that for operations beside it while it is started."""

    def __init__(
        self,
        config: ServerConfig,
        *,
        operations: ServerConfig,
        before_shutdown: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown
        self._operations = _Companion(operations)
        self._serving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Nothing is ready before it has started; but a port that is taken is told at once.
        theirs = self._operations.config.bind_socket()
        await super().startup(sockets)
        if self.started:
            self._serving = asyncio.create_task(self._operations.serve([theirs]))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_shutdown()
        if self._serving is not None:
            self._operations.should_exit = True
            await self._serving
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
    app: Application,
    settings: ProcessSettings,
    *,
    name: str,
    before_shutdown: Callable[[], None] = lambda: None,
) -> None:
    """Run the service until it is told to stop (SIGTERM, SIGINT).

    `before_shutdown` is called before open requests are waited for.
    """
    logs.configure(name, settings.log_level)
    logs.follow_signals(settings.log_level)
    tracing.configure(name)
    if settings.network == "trusted":
        structlog.get_logger(__name__).warning(
            "network trusted", without_verified_tls=settings.unverified()
        )
    api = server_config(
        app,
        (settings.host, settings.port),
        tls=settings.tls.for_callers(known_only=True),
        connections=settings.max_connections,
        per_address=settings.max_connections_per_address,
        patience=SHUTDOWN_TIMEOUT,
    )
    operations = server_config(
        app.operations,
        (settings.operations_host, settings.operations_port),
        tls=settings.tls.for_callers(known_only=False),
        connections=OPERATIONS_CONNECTIONS,
        per_address=OPERATIONS_CONNECTIONS // 2,
        patience=OPERATIONS_SHUTDOWN_TIMEOUT,
    )
    operations.lifespan = "off"
    gc.freeze()
    gc.enable()  # chassis.quick_start has disabled it
    try:
        _Server(api, operations=operations, before_shutdown=before_shutdown).run()
    finally:
        tracing.flush()


def server_config(
    app: ASGIApp,
    at: tuple[str, int],
    *,
    tls: ssl.SSLContext | None,
    connections: int,
    per_address: int,
    patience: int,
) -> ServerConfig:
    """A server's configuration: places for `connections`, seconds of `patience` at its end."""
    proxies = networks(os.environ.get("FORWARDED_ALLOW_IPS", ""))
    return ServerConfig(
        app,
        handshakes=Places(per_address, unless_in=proxies),
        most=connections,
        host=at[0],
        port=at[1],
        http=bounded(Places(per_address, unless_in=proxies), connections),
        ws="none",
        ssl_context_factory=None if tls is None else lambda *_: tls,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=patience,
    )
