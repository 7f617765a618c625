"""Wiring of the webhooks service, and nothing else."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from chassis import inbox
from chassis.auth import Access, Issuer, TokenVerifier, api_keys, identity_provider
from chassis.clock import utc_now
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.jwks import key_source
from chassis.kafka import Cluster
from chassis.loop import Loop, housekeeper
from chassis.parameters import STRICT
from chassis.resealing import Resealing
from chassis.sealing import Sealer
from chassis.secret_keys import decode_keys
from chassis.service import Application, Health, create_app
from chassis.supervisor import Work
from chassis.throttle import Throttle
from services.webhooks import endpoint_store, endpoints, events, measures, store
from services.webhooks.api import router
from services.webhooks.calling import CallPolicy, Receivers
from services.webhooks.dependencies import Services
from services.webhooks.settings import Settings
from services.webhooks.worker import Worker, WorkerPolicy

HOUSEKEEPING = 3600.0  # seconds between two looks for what is to be forgotten or sealed anew


def issuers(settings: Settings) -> Iterator[Issuer]:
    """Whose tokens are trusted."""
    tls = settings.tls.for_peers()
    yield identity_provider(settings, key_source(settings.auth_jwks, tls))
    yield api_keys(key_source(settings.api_keys_jwks, tls))


def housekeepers(db: Database, sealer: Sealer, retention: timedelta) -> Iterator[Loop]:
    """What forgets and seals anew, and what tells of the tables."""
    for name, task in {
        "inbox": inbox.purge,
        "purging": lambda tx: store.purge(tx, utc_now() - retention, utc_now()),
        "purging erased": store.purge_erased,
        "purging secrets": lambda tx: endpoint_store.forget_old_secrets(tx, utc_now()),
        "resealing secrets": Resealing(sealer, endpoints.SECRETS).batch,
        "resealing old secrets": Resealing(sealer, endpoints.OLD_SECRETS).batch,
    }.items():
        yield housekeeper(name, db, task, every=HOUSEKEEPING)
    yield housekeeper("measures", db, measures.publish, every=measures.PUBLISH_EVERY)


def build(settings: Settings) -> Application:
    """The service as an ASGI application; everything is opened when it starts."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                Database.open(
                    settings.database_url.get_secret_value(),
                    connections=settings.database_connections,
                )
            )
            sealer = Sealer(decode_keys(settings.secret_keys))
            retention = timedelta(days=settings.retention_days)
            receivers = Receivers(
                settings.reach,
                CallPolicy(
                    connections=settings.concurrency,
                    total=settings.call_timeout_seconds,
                    ca_file=settings.receiver_ca_file,
                ),
            )
            stack.push_async_callback(receivers.close)
            supervisor = await stack.enter_async_context(health.supervisor)
            worker = Worker(
                db,
                receivers.call,
                sealer=sealer,
                policy=WorkerPolicy(
                    concurrency=settings.concurrency,
                    share=settings.concurrency_per_endpoint,
                    longest_call=settings.call_timeout_seconds,
                    poll=settings.poll_seconds,
                    drain=settings.drain_seconds,
                    disable_after=timedelta(hours=settings.disable_after_hours),
                ),
            )
            consumer = Consumer(
                topics=events.TOPICS,
                group=events.GROUP,
                handle=events.handle,
                db=db,
                cluster=Cluster.of(settings),
                verifier=settings.event_verifier,
                concerning=events.concerning(db),
                pause=events.PAUSE,
                after_commit=worker.wake,
            )
            app.state.access = Access(
                TokenVerifier(*issuers(settings)), Throttle(settings.writes_per_minute)
            )
            app.state.services = Services(
                db=db.for_callers(),
                sealer=sealer,
                reach=settings.reach,
                retention=retention,
                most_endpoints=settings.endpoints_per_practice,
                wake_worker=worker.wake,
            )
            health.dependencies |= {"database": db.ping, "kafka": consumer.ready}
            work: list[Work] = [*housekeepers(db, sealer, retention), worker, consumer]
            for each in work:
                supervisor.run(each)
            yield

    app = create_app(
        title="Einladung: webhooks",
        description="Events sent to systems without Kafka: signed by Standard Webhooks, as "
        "CloudEvents in JSON, in order for each appointment, tried for three days.",
        lifespan=lifespan,
        health=health,
        settings=settings,
        tags={"webhooks": "Where events go, and what became of sending them."},
    )
    app.include_router(router, **STRICT)
    return app
