"""Wiring of the status service, and nothing else."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from aiokafka import TopicPartition
from fastapi import FastAPI

from chassis import inbox
from chassis.auth import Access, Issuer, TokenVerifier, api_keys, identity_provider
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.jwks import key_source
from chassis.kafka import Cluster
from chassis.loop import housekeeper
from chassis.parameters import STRICT
from chassis.service import Application, Health, create_app
from services.status import certainty_store, erasure_store, events, measures, timelines
from services.status.api import router
from services.status.dependencies import Services
from services.status.feeds import Feeds, listener, poller
from services.status.settings import Settings
from services.status.stream import EVENTS

HOUSEKEEPING = 3600.0  # seconds between two looks for what is to be forgotten

TAGS = {
    "indicators": "What to show for an appointment, and what is open.",
    "measures": "What the practice's ticks were worth.",
    "timelines": "Everything that happened to appointments.",
}


def issuers(settings: Settings) -> Iterator[Issuer]:
    """Whose tokens are trusted."""
    tls = settings.tls.for_peers()
    yield identity_provider(settings, key_source(settings.auth_jwks, tls))
    if settings.api_keys_jwks:
        yield api_keys(key_source(settings.api_keys_jwks, tls))


def build(settings: Settings) -> Application:
    """The service as an ASGI application; everything is opened when it starts."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kafka = Cluster.of(settings)
        async with AsyncExitStack() as stack:
            url = settings.database_url.get_secret_value()
            db = await stack.enter_async_context(
                Database.open(url, connections=settings.database_connections)
            )
            supervisor = await stack.enter_async_context(health.supervisor)

            async def read_up(read: Sequence[TopicPartition], at: datetime) -> None:
                async with db.system() as tx:
                    await certainty_store.note(tx, read, at)

            feeds = Feeds(limit=settings.streams, limit_per_practice=settings.streams_per_practice)
            stack.callback(feeds.close)
            handler = events.Events(feeds)
            consumer = Consumer(
                topics=events.TOPICS,
                group=events.GROUP,
                handle=handler.handle,
                db=db,
                cluster=kafka,
                verifier=settings.event_verifier,
                after_commit=handler.tell,
                read_up=read_up,
            )

            app.state.access = Access(TokenVerifier(*issuers(settings)))
            app.state.services = Services(db=db.for_callers(), feeds=feeds, settings=settings)
            health.dependencies |= {"database": db.ping, "kafka": consumer.ready}
            for work in (
                listener(url, feeds),
                poller(db, feeds, every=settings.poll_seconds),
                housekeeper("inbox", db, inbox.purge, every=HOUSEKEEPING),
                housekeeper("purging", db, erasure_store.purge, every=HOUSEKEEPING),
                housekeeper("measures", db, measures.publish, every=measures.PUBLISH_EVERY),
                consumer,
            ):
                supervisor.run(work)
            yield

    app = create_app(
        title="Einladung: status",
        description="What became of each invitation, queried or followed live.",
        lifespan=lifespan,
        health=health,
        settings=settings,
        tags=TAGS,
        models=EVENTS.values(),
    )
    for routes in (router, measures.router, timelines.router):
        app.include_router(routes, **STRICT)
    return app
