"""Wiring of the dashboard, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from chassis.auth import TokenVerifier, identity_provider
from chassis.database import Database
from chassis.jwks import client_for
from chassis.periodic import every
from chassis.service import Health, create_app
from chassis.throttle import Throttle
from dashboard import index, login_routes, proxy
from dashboard.dependencies import Dashboard
from dashboard.guard import POLICY, Guard
from dashboard.login import Login
from dashboard.login_attempt import Cookies
from dashboard.oidc import Provider
from dashboard.sessions import Sessions
from dashboard.settings import Settings
from dashboard.upstreams import Upstreams

PURGE = 3600.0  # seconds


def build(settings: Settings) -> FastAPI:
    """The application; connections are opened when it starts.

    The services and the identity provider are no dependency of its readiness: with one of them
    away the page still tells what is the matter, which no page at all would not.
    """
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            upstreams = await stack.enter_async_context(
                Upstreams(
                    {
                        "scheduling": settings.scheduling_url,
                        "notification": settings.notification_url,
                        "status": settings.status_url,
                    },
                    streams=settings.streams,
                )
            )
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
            login = Login(
                provider=provider,
                verifier=verifier,
                sessions=sessions,
                cookies=Cookies(secure=settings.secure),
                public_url=settings.public_url,
                longest=int(settings.longest.total_seconds()),
                throttle=Throttle(settings.logins_per_minute),
            )
            stack.push_async_callback(health.supervisor.stop)
            health.supervisor.start("sessions", every(PURGE, db, sessions.purge))
            Dashboard(login=login, sessions=sessions, upstreams=upstreams).provide(app)
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
    app.include_router(proxy.router)
    app.include_router(login_routes.router)
    app.include_router(index.router)
    app.mount("/static", index.RevalidatedFiles(directory=index.FOLDER), name="static")
    return app
