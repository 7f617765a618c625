"""Wiring of the notification service, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from chassis.auth import Access, TokenVerifier, identity_provider
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.database_clock import DatabaseClock
from chassis.jwks import key_source
from chassis.kafka import Cluster
from chassis.outbox import Relay
from chassis.parameters import STRICT
from chassis.sealing import Sealer
from chassis.secret_keys import decode_keys
from chassis.service import Application, Health, create_app
from chassis.supervisor import Work
from contracts.channels import Channel
from services.notification import requests, wiring
from services.notification.bounces.confined import ConfinedReader
from services.notification.dependencies import Services
from services.notification.erasure.kafka import KafkaErasure
from services.notification.letters import preview_api
from services.notification.receipts import api as receipts_api
from services.notification.receipts.asker import ReceiptAsker
from services.notification.receipts.reader import ReceiptReader
from services.notification.sending.sender import NoSender, Sender
from services.notification.sending.traced import TracedSender
from services.notification.sending.worker import Worker
from services.notification.settings import Settings

RELAY_PAUSE = 0.02  # seconds: what wakes it paused before, and two long pauses would add up


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
            clock = await DatabaseClock.started(db)
            sealer = Sealer(decode_keys(settings.contact_keys))
            email = wiring.email_sender(settings, clock)
            stack.push_async_callback(email.close)
            senders: dict[Channel, Sender] = {Channel.EMAIL: email}

            relay = Relay(
                db, kafka, settings.event_signer, sealer=sealer, longest_pause=RELAY_PAUSE
            )
            confined = ConfinedReader()
            stack.push_async_callback(confined.close)
            reader = ReceiptReader(
                db,
                read_mail=confined.read,
                sealer=sealer,
                envelope_ids=settings.envelope_ids,
                organizers=settings.return_path.organizer,
                poll=settings.poll_seconds,
                wake_relay=relay.wake,
                now=clock,
            )
            work: list[Work] = [relay, *reader.loops]
            gateways = wiring.sms_gateways(settings, clock)
            if gateways:
                sms = wiring.sms_sender(settings, gateways)
                stack.push_async_callback(sms.close)
                senders[Channel.SMS] = sms
                work.append(
                    ReceiptAsker(
                        db,
                        sms,
                        poll=settings.poll_seconds,
                        now=clock,
                        wake_reader=reader.wake_gateways,
                    )
                )
            workers = {
                channel: Worker(
                    db,
                    channel,
                    TracedSender(senders.get(channel, NoSender()), channel),
                    sealer=sealer,
                    policy=wiring.worker_policy(settings, channel),
                    wake_relay=relay.wake,
                    now=clock,
                )
                for channel in Channel
            }

            daily_mails = wiring.daily_mail_sending(settings, db, email, sealer, clock)
            handler = requests.Events(
                channels=senders,
                message_id_domain=settings.mail_from.rpartition("@")[2],
                sealer=sealer,
                now=clock,
                wakes=requests.Wakes(
                    worker=lambda channel: workers[channel].wake(),
                    daily_mails=daily_mails.wake,
                    relay=lambda: relay.wake_within(requests.TOLD_WITHIN),
                ),
            )
            consumer = Consumer(
                topics=requests.TOPICS,
                group=requests.GROUP,
                handle=handler.handle,
                db=db,
                cluster=kafka,
                verifier=settings.event_verifier,
                opener=settings.body_opener,
                concerning=requests.concerning,
                after_commit=handler.tell,
            )
            erasure = KafkaErasure(
                db,
                cluster=kafka,
                group=requests.GROUP,
                poll=settings.kafka_erasure_poll_seconds,
            )

            app.state.access = Access(
                TokenVerifier(
                    identity_provider(
                        settings, key_source(settings.auth_jwks, settings.tls.for_peers())
                    )
                )
            )
            app.state.services = Services(
                db=db.for_callers(),
                gateways=gateways,
                wake_reader=reader.wake_gateways,
                clock=clock,
            )
            health.dependencies |= {"database": db.ping, "kafka": consumer.ready}
            supervisor = await stack.enter_async_context(health.supervisor)
            work += [
                clock,
                *workers.values(),
                daily_mails,
                erasure,
                *wiring.housekeepers(settings, db, sealer, clock),
                consumer,
            ]
            for each in work:
                supervisor.run(each)
            await wiring.open_intakes(
                settings,
                db,
                health,
                stack,
                sealer=sealer,
                now=clock,
                wake_reader=reader.wake_mail,
            )
            yield

    app = create_app(
        title="Einladung: notification",
        description="Sends invitations and tells what became of them. Takes gateways' receipts.",
        lifespan=lifespan,
        health=health,
        settings=settings,
        tags={
            "receipts": "What SMS gateways report.",
            "previews": "What would be sent.",
        },
        keys=False,
    )
    app.include_router(receipts_api.router)
    app.include_router(preview_api.router, **STRICT)
    return app
