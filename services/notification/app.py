"""Wiring of the notification service, and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from chassis import inbox, periodic
from chassis.auth import Access, TokenVerifier, identity_provider
from chassis.consumer import Consumer
from chassis.database import Connection, Database
from chassis.jwks import key_source
from chassis.outbox import Relay
from chassis.sealing import Sealer
from chassis.secret_keys import decode_keys
from chassis.service import Health, create_app
from contracts.events import Channel
from services.notification import requests as events
from services.notification import wiring as setup
from services.notification.deliveries.retries import RetryPolicy
from services.notification.erasure import store as erasure_store
from services.notification.erasure.kafka import KafkaErasure
from services.notification.letters import preview_api as previews
from services.notification.letters import store as letter_store
from services.notification.receipts import api
from services.notification.receipts import store as receipt_store
from services.notification.receipts.api import ReceiptDesk
from services.notification.receipts.asker import ReceiptAsker
from services.notification.receipts.imap import ImapIntake
from services.notification.receipts.reader import ReceiptReader
from services.notification.receipts.smtp import SmtpIntake
from services.notification.sending import channel as channels
from services.notification.sending.email.channel import EmailChannel
from services.notification.sending.email.smtp_pool import SmtpPool
from services.notification.sending.sms.sender import SmsSender
from services.notification.sending.worker import Worker, WorkerPolicy, utc_now
from services.notification.settings import Settings

HOUSEKEEPING = 3600.0  # seconds


def build(settings: Settings) -> FastAPI:
    """The service as an ASGI application; everything is opened when it starts."""
    health = Health()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.access = Access(
            TokenVerifier(identity_provider(settings, key_source(settings.auth_jwks)))
        )
        async with AsyncExitStack() as stack:
            db = await Database.connect(
                settings.database_url.get_secret_value(), connections=settings.database_connections
            )
            stack.push_async_callback(db.close)
            health.dependencies["database"] = db.ping
            sealer = Sealer(decode_keys(settings.contact_keys))
            relay = Relay(db, settings.kafka_bootstrap, sealer)
            reader = ReceiptReader(
                db, sealer=sealer, poll=settings.poll_seconds, wake_relay=relay.wake, now=utc_now
            )

            senders: dict[Channel, channels.Channel] = {}
            senders[Channel.EMAIL] = email = EmailChannel(
                SmtpPool(settings.smtp_server),
                sender_address=settings.mail_from,
                envelope_sender=settings.return_path.of,
                now=utc_now,
            )
            stack.push_async_callback(email.close)
            gateways = setup.gateways(settings, utc_now)
            app.state.receipts = ReceiptDesk(db, gateways, reader.wake)
            longest_send = settings.smtp_server.longest_send
            if gateways:
                failover = setup.failover(gateways, settings)
                longest_send = max(longest_send, failover.longest_send)
                senders[Channel.SMS] = sms = SmsSender(failover, sender=settings.sms_sender)
                stack.push_async_callback(sms.close)
                asker = ReceiptAsker(
                    db, sms, poll=settings.poll_seconds, now=utc_now, wake_reader=reader.wake
                )
                health.supervisor.run(asker)

            stack.push_async_callback(health.supervisor.stop)
            health.supervisor.start("relay", relay.run())
            health.supervisor.watch("relay", relay.stalled)
            policy = _policy(settings, longest_send)
            worker = Worker(db, senders, sealer=sealer, policy=policy, told=relay.wake)
            health.supervisor.start("worker", worker.run())
            health.supervisor.watch("worker", worker.stalled)
            health.supervisor.run(reader)
            await _take_in_mail(db, settings, health, stack, sealer=sealer, wake_reader=reader.wake)
            _keep_house(db, settings, health, sealer)

            def committed() -> None:
                worker.wake()
                relay.wake()

            handler = events.Events(
                channels=senders,
                message_id_domain=settings.mail_from.rpartition("@")[2],
                sealer=sealer,
                now=utc_now,
            )
            consumer = Consumer(
                topics=events.TOPICS,
                group=events.GROUP,
                handle=handler.handle,
                db=db,
                bootstrap=settings.kafka_bootstrap,
                after_commit=committed,
            )
            health.dependencies["kafka"] = consumer.ready
            health.supervisor.start("consumer", consumer.run())
            health.supervisor.watch("consumer", consumer.stalled)
            yield

    app = create_app(
        title="Einladung: notification",
        description="Sends invitations and tells what became of them. Takes gateways' receipts.",
        lifespan=lifespan,
        health=health,
        settings=settings,
    )
    app.include_router(api.router)
    app.include_router(previews.router)
    return app


def _keep_house(db: Database, settings: Settings, health: Health, sealer: Sealer) -> None:
    """Start what forgets and seals anew."""
    deeds: dict[str, Callable[[Connection], Awaitable[bool | None]]] = {
        "inbox": inbox.purge,
        "erasing": receipt_store.erase_old,
        "overdue": lambda tx: erasure_store.erase_overdue(tx, utc_now()),
        "purging": lambda tx: erasure_store.purge(tx, utc_now()),
        "resealing": lambda tx: letter_store.reseal(tx, sealer),
    }
    for name, deed in deeds.items():
        health.supervisor.start(name, periodic.every(HOUSEKEEPING, db, deed))
    health.supervisor.run(
        KafkaErasure(
            db,
            bootstrap=settings.kafka_bootstrap,
            group=events.GROUP,
            poll=settings.kafka_erasure_poll_seconds,
        )
    )


def _policy(settings: Settings, longest_send: float) -> WorkerPolicy:
    return WorkerPolicy(
        batch=settings.worker_batch,
        concurrency=settings.smtp_connections,
        lease=settings.lease_seconds,
        longest_send=longest_send,
        poll=settings.poll_seconds,
        drain=settings.drain_seconds,
        retry=RetryPolicy(
            first=timedelta(seconds=settings.retry_first_seconds),
            longest=timedelta(seconds=settings.retry_longest_seconds),
        ),
    )


async def _take_in_mail(
    db: Database,
    settings: Settings,
    health: Health,
    stack: AsyncExitStack,
    *,
    sealer: Sealer,
    wake_reader: Callable[[], None],
) -> None:
    """Open the ways in for bounces that are set up."""
    return_path = settings.return_path
    if settings.intake_protocol != "none":
        protocol = settings.intake_protocol
        intake = SmtpIntake(
            db, return_path, protocol=protocol, sealer=sealer, now=utc_now, wake_reader=wake_reader
        )
        await intake.start(settings.intake_host, settings.intake_port)
        stack.push_async_callback(intake.stop)
        health.supervisor.watch("intake", intake.stalled)
    if settings.imap_server is not None:
        mailbox = ImapIntake(
            db,
            settings.imap_server,
            return_path,
            sealer=sealer,
            now=utc_now,
            wake_reader=wake_reader,
        )
        health.supervisor.run(mailbox)
