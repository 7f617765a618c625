"""Wiring of the scheduling service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from chassis import inbox
from chassis.auth import Access, TokenVerifier, api_keys, identity_provider
from chassis.clock import utc_now
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.jwks import FixedKeys, key_source
from chassis.outbox import Relay
from chassis.periodic import every
from chassis.sealing import Sealer
from chassis.secret_keys import decode_keys
from chassis.service import Health, create_app
from chassis.throttle import Throttle
from services.scheduling import erasure, events, housekeeping, resealing
from services.scheduling.admin import api as practice_api
from services.scheduling.api import router
from services.scheduling.audit import api as audit_api
from services.scheduling.audit import store as audit_store
from services.scheduling.booking import SOURCE, Booking
from services.scheduling.dependencies import Services
from services.scheduling.due_notices import DueNotices
from services.scheduling.keys import api as keys_api
from services.scheduling.keys.mint import Mint
from services.scheduling.links import Links
from services.scheduling.settings import Settings
from services.scheduling.visits import host_api, page
from services.scheduling.visits.hosting import Hosting
from services.scheduling.visits.page import PatientPage
from services.scheduling.visits.page_lookup import PageLookup
from services.scheduling.visits.page_rendering import Pages
from services.scheduling.visits.page_throttle import PageThrottle
from services.scheduling.visits.settings import make_rooms


def build(settings: Settings) -> FastAPI:
    """The application; connections are opened when it starts."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        mint = Mint(decode_keys(settings.token_keys))
        app.state.access = Access(
            TokenVerifier(
                identity_provider(settings, key_source(settings.auth_jwks)),
                api_keys(FixedKeys(mint.keys)),
            ),
            writes=Throttle(settings.writes_per_minute),
        )
        db = await Database.connect(
            settings.database_url.get_secret_value(), connections=settings.database_connections
        )
        sealer = Sealer(decode_keys(settings.contact_keys))
        relay = Relay(db, settings.kafka_bootstrap, sealer)
        keys = decode_keys(settings.link_keys)
        links = Links(settings.link_base_url, keys)
        rooms = make_rooms(settings)
        app.state.services = Services(
            db=db,
            booking=Booking(
                db,
                links,
                settings.channels,
                relay.wake,
                sealer,
                settle=timedelta(seconds=settings.notice_settle_seconds),
                now=utc_now,
            ),
            hosting=Hosting(db, rooms, sealer),
            patient_page=PatientPage(
                lookup=PageLookup(db, links, sealer),
                throttle=PageThrottle(
                    per_address=Throttle(settings.page_requests_per_minute),
                    in_all=Throttle(settings.page_requests_per_minute_in_all),
                ),
                pages=Pages(rooms.origins if rooms else ()),
                rooms=rooms,
                hours=settings.opening_hours,
            ),
            mint=mint,
            token_exchanges=Throttle(settings.tokens_per_minute),
            operator_logins=Throttle(settings.tokens_per_minute),
        )
        due_notices = DueNotices(links, settings.channels, sealer, SOURCE, utc_now)
        asking = every(settings.notice_poll_seconds, db, due_notices.request)
        health.supervisor.start("notices", asking)
        health.dependencies["database"] = db.ping
        health.supervisor.start("outbox relay", relay.run())
        health.supervisor.watch("outbox relay", relay.stalled)
        consumer = Consumer(
            topics=events.TOPICS,
            group=events.GROUP,
            handle=events.handle,
            db=db,
            bootstrap=settings.kafka_bootstrap,
        )
        health.supervisor.start("consumer", consumer.run())
        health.supervisor.watch("consumer", consumer.stalled)
        health.supervisor.start("inbox", every(6 * 3600, db, inbox.purge))
        reseal = every(3600, db, lambda tx: resealing.reseal(tx, sealer))
        health.supervisor.start("resealing", reseal)
        forgetting = every(
            settings.erasure_poll_seconds,
            db,
            lambda tx: erasure.by_term(tx, SOURCE, utc_now()),
        )
        health.supervisor.start("forgetting", forgetting)
        health.supervisor.start("housekeeping", every(6 * 3600, db, housekeeping.purge))
        forget = partial(audit_store.forget, days=settings.audit_days)
        health.supervisor.start("audit log", every(24 * 3600, db, forget))
        try:
            yield
        finally:
            await health.supervisor.stop()
            await db.close()

    app = create_app(
        title="Einladung: scheduling",
        description="Appointments, their invitations and links.",
        lifespan=lifespan,
        health=health,
        settings=settings,
    )
    app.include_router(router)
    app.include_router(audit_api.router)
    app.include_router(host_api.router)
    app.include_router(practice_api.router)
    app.include_router(keys_api.router)
    app.include_router(page.router)
    return app
