"""Wiring of the status service, and nothing else."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from chassis import inbox, periodic
from chassis.auth import Access, Issuer, TokenVerifier, api_keys, identity_provider
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.jwks import key_source
from chassis.service import Health, create_app
from services.status import erasure_store, events, feeds, measures
from services.status.api import router
from services.status.settings import Settings

PURGE = 3600.0  # seconds


def issuers(settings: Settings) -> Iterator[Issuer]:
    """Whose tokens are trusted."""
    yield identity_provider(settings, key_source(settings.auth_jwks))
    if settings.api_keys_jwks:
        yield api_keys(key_source(settings.api_keys_jwks))


def build(settings: Settings) -> FastAPI:
    """The service as an ASGI application; everything is opened when it starts."""
    health = Health()
    streams = feeds.Feeds(limit=settings.streams, limit_per_practice=settings.streams_per_practice)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.access = Access(TokenVerifier(*issuers(settings)))
        url = settings.database_url.get_secret_value()
        async with AsyncExitStack() as stack:
            db = await Database.connect(url, connections=settings.database_connections)
            stack.push_async_callback(db.close)
            app.state.db = db
            health.dependencies["database"] = db.ping
            stack.push_async_callback(health.supervisor.stop)
            health.supervisor.start("listener", feeds.listen(url, streams))
            health.supervisor.start("poll", feeds.poll(db, streams, every=settings.poll_seconds))
            health.supervisor.start("inbox", periodic.every(PURGE, db, inbox.purge))
            health.supervisor.start("purging", periodic.every(PURGE, db, erasure_store.purge))
            health.supervisor.start(
                "measures", periodic.every(measures.PUBLISH_EVERY, db, measures.publish)
            )
            consumer = Consumer(
                topics=events.TOPICS,
                group=events.GROUP,
                handle=events.handle,
                db=db,
                bootstrap=settings.kafka_bootstrap,
            )
            health.dependencies["kafka"] = consumer.ready
            health.supervisor.start("consumer", consumer.run())
            health.supervisor.watch("consumer", consumer.stalled)
            stack.callback(streams.close)
            yield

    app = create_app(
        title="Einladung: status",
        description="What became of each invitation, queried or followed live.",
        lifespan=lifespan,
        health=health,
        settings=settings,
    )
    app.state.settings = settings
    app.state.feeds = streams
    app.include_router(router)
    app.include_router(measures.router)
    return app
