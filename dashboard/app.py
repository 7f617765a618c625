"""Wiring of the dashboard: the page, the login, and the way to the services' public APIs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from chassis.auth import SAFE_METHODS, TokenVerifier, identity_provider
from chassis.database import Database
from chassis.jwks import client_for
from chassis.periodic import every
from chassis.service import Health, create_app
from chassis.throttle import Throttle
from dashboard.guard import POLICY, Guard
from dashboard.login import Login, router
from dashboard.login_attempt import Cookies
from dashboard.oidc import Provider
from dashboard.problems import NotLoggedIn
from dashboard.proxy import proxy_routes
from dashboard.sessions import Session, Sessions
from dashboard.settings import Settings
from dashboard.upstreams import Upstreams

STATIC = Path(__file__).parent / "static"
PURGE = 3600.0  # seconds


class Static(StaticFiles):
    """The page's files. They are small and must fit together: asked for anew each time."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def build(settings: Settings) -> FastAPI:
    """The application; connections are opened when it starts.

    The services and the identity provider are no dependency of its readiness: with one of them
    away the page still tells what is the matter, which no page at all would not.
    """
    upstreams = Upstreams(
        {
            "scheduling": settings.scheduling_url,
            "notification": settings.notification_url,
            "status": settings.status_url,
        },
        streams=settings.streams,
    )
    health = Health()
    cookies = Cookies(secure=settings.secure)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(upstreams)
            db = await Database.connect(
                settings.database_url.get_secret_value(), connections=settings.database_connections
            )
            stack.push_async_callback(db.close)
            health.dependencies["database"] = db.ping
            provider = Provider(
                issuer=settings.auth_issuer,
                client_id=settings.oidc_client_id,
                client_secret=settings.oidc_client_secret.get_secret_value(),
                scope=settings.oidc_scope,
                parameters=settings.oidc_parameters,
                client=await stack.enter_async_context(
                    client_for(settings.auth_issuer, internally=settings.oidc_internal_url)
                ),
            )
            verifier = TokenVerifier(identity_provider(settings, provider.keys))
            sessions = Sessions(
                db, provider, verifier, idle=settings.idle, longest=settings.longest
            )
            stack.push_async_callback(health.supervisor.stop)
            health.supervisor.start("sessions", every(PURGE, db, sessions.purge))
            app.state.sessions = sessions
            app.state.login = Login(
                provider=provider,
                verifier=verifier,
                sessions=sessions,
                cookies=cookies,
                public_url=settings.public_url,
                longest=int(settings.longest.total_seconds()),
                throttle=Throttle(settings.logins_per_minute),
            )
            yield

    app = create_app(
        title="Einladung: dashboard",
        description="The practice's page.",
        lifespan=lifespan,
        health=health,
        settings=settings,
        policy=POLICY,
        openapi_url=None,  # it has no API of its own
    )
    app.add_middleware(Guard, hosts=settings.hosts, origin=settings.public_url)
    app.state.upstreams = upstreams

    async def authenticate(request: Request) -> Session:
        sessions: Sessions = request.app.state.sessions
        cookie = request.cookies.get(cookies.session)
        session = await sessions.find(cookie)
        if request.method not in SAFE_METHODS:
            await sessions.touch(cookie)
        return session

    for path, methods, endpoint in proxy_routes(upstreams, authenticate):
        app.add_api_route(path, endpoint, methods=methods, include_in_schema=False)
    app.include_router(router)

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        if request.url.hostname != urlsplit(settings.public_url).hostname:
            return RedirectResponse(settings.public_url)  # where the cookies are
        cookie = request.cookies.get(cookies.session)
        if cookie is None:
            return RedirectResponse("/login", 303)
        try:
            await request.app.state.sessions.touch(cookie)
        except NotLoggedIn:
            return RedirectResponse("/abgelaufen", 303)
        return FileResponse(STATIC / "index.html")

    app.mount("/static", Static(directory=STATIC), name="static")
    return app
