"""Wiring of the scheduling service, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from chassis import inbox
from chassis.auth import Access, TokenVerifier, api_keys, identity_provider
from chassis.clock import utc_now
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.jwks import FixedKeys, key_source
from chassis.kafka import Cluster
from chassis.loop import Loop, housekeeper
from chassis.outbox import Relay
from chassis.parameters import STRICT
from chassis.sealing import Sealer
from chassis.secret_keys import decode_keys
from chassis.service import Application, Health, create_app
from chassis.throttle import AddressThrottle, Throttle
from services.scheduling import erasure, events, housekeeping, resealing
from services.scheduling.api import (
    appointments,
    audit,
    patient_page,
    practices,
    proofs,
    tokens,
    visits,
)
from services.scheduling.api.dependencies import Services
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.log import AuditLog
from services.scheduling.audit.proving import Prover
from services.scheduling.audit.watch import AuditWatch
from services.scheduling.booking import SOURCE, Booking
from services.scheduling.creating import Creating
from services.scheduling.due_daily_mails import DueDailyMails
from services.scheduling.due_notices import DueNotices
from services.scheduling.keys.mint import Mint
from services.scheduling.links import Links
from services.scheduling.lookups import Lookups
from services.scheduling.open_counts import OpenCounts
from services.scheduling.opened_names import OpenedNames
from services.scheduling.proofs import Proofs
from services.scheduling.settings import Settings
from services.scheduling.visits.hosting import Hosting
from services.scheduling.visits.joining import Joining
from services.scheduling.visits.page import PatientPage
from services.scheduling.visits.page_lookup import PageLookup
from services.scheduling.visits.page_rendering import Pages
from services.scheduling.visits.page_throttle import PageThrottle
from services.scheduling.visits.settings import make_rooms

RESEALING = 3600.0  # seconds between two looks for what is under older keys
KEEPING_UP = 30.0  # seconds between two looks for names in memory that are gone
SEALING = 10.0  # seconds between two looks for audit entries without a digest or a proof
PURGE = 6 * 3600.0  # seconds between two looks for what has had its time
TAGS = {
    "appointments": "Video visits: when, with whom, and what can be done with them.",
    "invitations": "Inviting again, and when.",
    "practice": "What the caller's practice can do.",
    "audit": "Who did what.",
    "proofs": "What was sent, for whoever has to prove it.",
    "tokens": "API keys are exchanged here.",
}


def build(settings: Settings) -> Application:
    """The service as an ASGI application; everything is opened when it starts."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kafka = Cluster.of(settings)
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                Database.open(
                    settings.database_url.get_secret_value(),
                    connections=settings.database_connections,
                )
            )
            callers_db = db.for_callers()
            supervisor = await stack.enter_async_context(health.supervisor)
            sealer = Sealer(decode_keys(settings.contact_keys))
            links = Links(settings.link_base_url, decode_keys(settings.link_keys))
            mint = Mint(decode_keys(settings.token_keys))
            prover = Prover(decode_keys(settings.audit_keys))
            audit_log = AuditLog(prover)
            rooms = make_rooms(settings)
            relay = Relay(
                db,
                kafka,
                settings.event_signer,
                sealer=sealer,
                body_sealer=settings.body_sealer,
            )
            due_notices = DueNotices(links, settings.channels, sealer, SOURCE, utc_now)
            open_counts = await stack.enter_async_context(
                OpenCounts(settings.status_url, mint, settings.tls.for_peers(), utc_now)
            )
            daily_mails = DueDailyMails(
                db,
                open_counts.of,
                sealer=sealer,
                source=SOURCE,
                link=settings.open_list_url,
                poll=settings.daily_mail_poll_seconds,
                wake_relay=relay.wake,
                now=utc_now,
            )
            names = OpenedNames(settings.names_kept_seconds)
            lookups = Lookups(callers_db, sealer, audit_log, utc_now, names)
            consumer = Consumer(
                topics=events.TOPICS,
                group=events.GROUP,
                handle=events.handle,
                db=db,
                cluster=kafka,
                verifier=settings.event_verifier,
                concerning=events.concerning,
                pause=events.PAUSE,
            )

            app.state.access = Access(
                TokenVerifier(
                    identity_provider(
                        settings, key_source(settings.auth_jwks, settings.tls.for_peers())
                    ),
                    api_keys(FixedKeys(mint.keys)),
                ),
                writes=Throttle(settings.writes_per_minute),
            )
            app.state.services = Services(
                db=callers_db,
                booking=Booking(
                    callers_db,
                    links,
                    settings.channels,
                    relay.wake,
                    sealer,
                    audit_log,
                    Creating(
                        callers_db,
                        links,
                        settings.channels,
                        sealer,
                        audit_log,
                        settings.bounds,
                        utc_now,
                        source=SOURCE,
                    ),
                    settle=timedelta(seconds=settings.notice_settle_seconds),
                    now=utc_now,
                    bounds=settings.bounds,
                ),
                proofs=Proofs(callers_db, sealer, audit_log, utc_now),
                audit_log=audit_log,
                prover=prover,
                hosting=Hosting(callers_db, rooms, sealer, audit_log, relay.wake),
                lookups=lookups,
                searches=Throttle(settings.searches_per_minute),
                patient_page=PatientPage(
                    links=links,
                    lookup=PageLookup(callers_db, sealer),
                    throttle=PageThrottle(
                        links=Throttle(settings.page_requests_per_minute),
                        guesses=AddressThrottle(settings.page_requests_per_minute),
                        guesses_in_all=Throttle(settings.page_requests_per_minute_in_all),
                    ),
                    pages=Pages(rooms.origins if rooms else ()),
                    rooms=rooms,
                    hours=settings.opening_hours,
                    joining=Joining(db, relay.wake),
                ),
                mint=mint,
                address_lookups=Throttle(settings.address_lookups_per_minute),
                secrets_tried=AddressThrottle(settings.tokens_per_minute),
            )
            health.dependencies |= {"database": db.ping}
            for work in (
                relay,
                consumer,
                daily_mails,
                housekeeper("notices", db, due_notices.request, every=settings.notice_poll_seconds),
                housekeeper(
                    "erasure",
                    db,
                    lambda tx: erasure.by_term(tx, SOURCE, utc_now()),
                    every=settings.erasure_poll_seconds,
                ),
                Loop("opened names", lambda: lookups.keep_up(db), poll=KEEPING_UP),
                housekeeper("resealing", db, resealing.Resealing(sealer).batch, every=RESEALING),
                housekeeper("inbox", db, inbox.purge, every=PURGE),
                housekeeper("housekeeping", db, housekeeping.purge, every=PURGE),
                housekeeper("audit seals", db, AuditWatch(prover).turn, every=SEALING),
                housekeeper(
                    "audit log",
                    db,
                    lambda tx: audit_store.forget(tx, days=settings.audit_days),
                    every=PURGE,
                ),
            ):
                supervisor.run(work)
            yield

    app = create_app(
        title="Einladung: scheduling",
        description="Appointments, their invitations and links.",
        lifespan=lifespan,
        health=health,
        settings=settings,
        tags=TAGS,
    )
    for routes in (appointments, audit, proofs, visits, tokens):
        app.include_router(routes.router, **STRICT)
    app.include_router(patient_page.router)  # what others add to a link voids none
    app.operations.include_router(practices.router, **STRICT)
    return app
