"""Wiring of the dashboard, and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request, Response

from chassis.auth import TokenVerifier, identity_provider
from chassis.database import Database, DatabaseUnavailable
from chassis.jwks import client_for
from chassis.loop import Loop, housekeeper
from chassis.service import Application, Health, create_app
from chassis.throttle import AddressThrottle
from chassis.upstreams import Upstreams
from dashboard import index, login_routes, pages, proof_routes, proxy
from dashboard.dependencies import Services
from dashboard.guard import POLICY, Guard
from dashboard.login import Login
from dashboard.login_attempt import Cookies
from dashboard.oidc import Provider
from dashboard.sessions import Sessions
from dashboard.settings import Settings
from dashboard.streams import LOOK_EVERY, Streams

RELOAD = 5  # seconds
DOWNLOADS = 50  # files under way at once, of everybody
HOUSEKEEPING = 3600.0  # seconds between two looks for what is to be forgotten


def build(settings: Settings) -> Application:
    """The application; connections are opened when it starts.

    The services and the identity provider are no dependency of its readiness: with one of them
    away the page still tells what is the matter, which no page at all would not.
    """
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            tls = settings.tls.for_peers()
            upstreams = await stack.enter_async_context(
                Upstreams(
                    {
                        "scheduling": settings.scheduling_url,
                        "notification": settings.notification_url,
                        "status": settings.status_url,
                    },
                    streams=settings.streams,
                    downloads=DOWNLOADS,
                    tls=tls,
                )
            )
            db = await stack.enter_async_context(
                Database.open(
                    settings.database_url.get_secret_value(),
                    connections=settings.database_connections,
                )
            )
            supervisor = await stack.enter_async_context(health.supervisor)
            provider = Provider(
                issuer=settings.auth_issuer,
                client_id=settings.oidc_client_id,
                client_secret=settings.oidc_client_secret.get_secret_value(),
                scope=settings.oidc_scope,
                parameters=settings.oidc_parameters,
                client=await stack.enter_async_context(
                    client_for(settings.auth_issuer, internally=settings.oidc_internal_url, tls=tls)
                ),
            )
            verifier = TokenVerifier(identity_provider(settings, provider.keys))
            sessions = Sessions(
                db.for_callers(), provider, verifier, idle=settings.idle, longest=settings.longest
            )
            login = Login(
                provider=provider,
                verifier=verifier,
                sessions=sessions,
                cookies=Cookies(secure=settings.secure),
                public_url=settings.public_url,
                longest=int(settings.longest.total_seconds()),
                throttle=AddressThrottle(settings.logins_per_minute),
            )

            streams = Streams(sessions)
            app.state.services = Services(
                login=login,
                sessions=sessions,
                upstreams=upstreams,
                streams=streams,
                demo_links=settings.demo_links,
            )
            health.dependencies["database"] = db.ping
            supervisor.run(Loop("streams", streams.look, poll=LOOK_EVERY))
            supervisor.run(housekeeper("sessions", db, sessions.purge, every=HOUSEKEEPING))
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
    app.add_exception_handler(DatabaseUnavailable, _away(app))
    app.add_middleware(Guard, hosts=settings.hosts, origin=settings.public_url)
    app.include_router(proxy.router)
    app.include_router(proof_routes.router)
    app.include_router(login_routes.router)
    app.include_router(index.router)
    app.mount("/static", index.RevalidatedFiles(directory=index.FOLDER), name="static")
    return app


def _away(app: Application) -> Callable[[Request, Exception], Response]:
    """What is answered while our database is away: a page that comes back, or a problem."""
    problem = cast(Callable[..., Response], app.exception_handlers[DatabaseUnavailable])

    def answer(request: Request, error: Exception) -> Response:
        response = problem(request, error)
        if request.url.path.startswith("/api/"):
            return response
        page = pages.render(pages.AWAY, href=request.url.path)
        page.headers["Retry-After"] = response.headers["Retry-After"]
        if request.method == "GET":
            page.headers["Refresh"] = str(RELOAD)
        return page

    return answer
