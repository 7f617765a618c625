"""Wiring of the notification service, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from chassis import inbox, periodic
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.outbox import Relay
from chassis.service import Health, create_app
from contracts.events import Channel
from services.notification import events, receipt_store
from services.notification.channels.email import EmailChannel
from services.notification.channels.smtp_pool import SmtpPool
from services.notification.intake.imap import ImapIntake
from services.notification.intake.smtp import SmtpIntake
from services.notification.receipt_reader import ReceiptReader
from services.notification.retries import RetryPolicy
from services.notification.settings import Settings
from services.notification.worker import Worker, WorkerPolicy, utc_now

PURGE = 3600.0  # seconds


def build(settings: Settings) -> FastAPI:
    """The service as an ASGI application; everything is opened when it starts."""
    health = Health()
    server = settings.smtp_server
    return_path = settings.return_path
    policy = WorkerPolicy(
        batch=settings.worker_batch,
        concurrency=server.connections,
        lease=settings.lease_seconds,
        longest_send=server.longest_send,
        poll=settings.poll_seconds,
        drain=settings.drain_seconds,
        retry=RetryPolicy(
            first=timedelta(seconds=settings.retry_first_seconds),
            longest=timedelta(seconds=settings.retry_longest_seconds),
        ),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            db = await Database.connect(
                settings.database_url.get_secret_value(), connections=settings.database_connections
            )
            stack.push_async_callback(db.close)
            health.dependencies["database"] = db.ping
            email = EmailChannel(
                SmtpPool(server),
                sender_address=settings.mail_from,
                envelope_sender=return_path.of,
                now=utc_now,
            )
            stack.push_async_callback(email.close)
            stack.push_async_callback(health.supervisor.stop)
            relay = Relay(db, settings.kafka_bootstrap)
            health.supervisor.start("relay", relay.run())
            health.supervisor.watch("relay", relay.stalled)
            worker = Worker(db, {Channel.EMAIL: email}, policy=policy, told=relay.wake)
            health.supervisor.start("worker", worker.run())
            health.supervisor.watch("worker", worker.stalled)
            reader = ReceiptReader(db, poll=settings.poll_seconds, told=relay.wake, now=utc_now)
            health.supervisor.start("receipts", reader.run())
            health.supervisor.watch("receipts", reader.stalled)
            if settings.intake_protocol != "none":
                intake = SmtpIntake(
                    db,
                    return_path,
                    protocol=settings.intake_protocol,
                    now=utc_now,
                    kept=reader.wake,
                )
                await intake.start(settings.intake_host, settings.intake_port)
                stack.push_async_callback(intake.stop)
                health.supervisor.watch("intake", intake.stalled)
            if settings.imap_server is not None:
                mailbox = ImapIntake(
                    db, settings.imap_server, return_path, now=utc_now, kept=reader.wake
                )
                health.supervisor.start("mailbox", mailbox.run())
                health.supervisor.watch("mailbox", mailbox.stalled)
            health.supervisor.start("inbox", periodic.every(PURGE, db, inbox.purge))
            health.supervisor.start("unread", periodic.every(PURGE, db, receipt_store.erase_old))

            def committed() -> None:
                worker.wake()
                relay.wake()

            handler = events.Events(
                channels={Channel.EMAIL},
                message_id_domain=settings.mail_from.rpartition("@")[2],
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

    return create_app(
        title="Einladung: notification",
        description="Sends invitations and tells what became of them. Health and metrics only.",
        lifespan=lifespan,
        health=health,
        max_body_bytes=settings.max_body_bytes,
    )
