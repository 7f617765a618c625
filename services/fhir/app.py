"""Wiring of the FHIR service, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chassis.service import Application, Health, create_app
from chassis.upstreams import Upstreams
from services.fhir.api import router
from services.fhir.dependencies import Services
from services.fhir.outcomes import Outcomes
from services.fhir.settings import Settings
from services.fhir.upstream import Refused, pass_on


def build(settings: Settings) -> Application:
    """The service as an ASGI application.

    The services that it asks are no dependency of its readiness: while one of them is away it says
    so, in FHIR's words.
    """
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        urls = {"scheduling": settings.scheduling_url, "status": settings.status_url}
        tls = settings.tls.for_peers()
        async with Upstreams(urls, tls=tls) as upstreams, health.supervisor:
            app.state.services = Services(upstreams, f"{settings.public_url}/fhir")
            yield

    app = create_app(
        title="Einladung: FHIR",
        description="Appointments and messages as FHIR R4 resources.",
        lifespan=lifespan,
        health=health,
        settings=settings,
        openapi_url=None,  # it is described by its CapabilityStatement
        around=Outcomes,
    )
    app.add_exception_handler(Refused, pass_on)
    app.include_router(router)
    return app
