"""Builds the parts of the service from its settings, and starts what is set up."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta

from chassis import inbox
from chassis.clock import Clock
from chassis.database import Database
from chassis.loop import Loop, housekeeper
from chassis.resealing import Resealing
from chassis.sealing import Sealer
from chassis.service import Health
from contracts.channels import Channel
from services.notification.daily_mails import store as daily_mail_store
from services.notification.daily_mails.mail import DailyMails
from services.notification.daily_mails.sending import DailyMailSending
from services.notification.deliveries.retries import RetryPolicy
from services.notification.erasure import store as erasure_store
from services.notification.letters import store as letter_store
from services.notification.receipts import store as receipt_store
from services.notification.receipts.door import Door
from services.notification.receipts.imap import ImapIntake
from services.notification.receipts.smtp import SmtpIntake
from services.notification.sending.claims import SHARE
from services.notification.sending.email.sender import EmailSender
from services.notification.sending.email.smtp_pool import SmtpPool
from services.notification.sending.sms.failover import Failover, Line
from services.notification.sending.sms.gateway import Gateway
from services.notification.sending.sms.sender import SmsSender
from services.notification.sending.sms.seven import SevenAccount, SevenGateway
from services.notification.sending.sms.transport import HttpLimits
from services.notification.sending.sms.twilio import TwilioAccount, TwilioGateway
from services.notification.sending.sms.webhook import WebhookAccount, WebhookGateway
from services.notification.sending.worker import WorkerPolicy
from services.notification.settings import Settings

SMS_AT_A_TIME = 10  # as many as a gateway's pool has connections
BOUNDING = 60.0  # seconds between two looks at how much mail is kept
HOUSEKEEPING = 3600.0  # seconds between two looks for what is to be forgotten or sealed anew


def email_sender(settings: Settings, now: Clock) -> EmailSender:
    """Sends mail by the server that is set up."""
    return EmailSender(
        SmtpPool(settings.smtp_server),
        sender_address=settings.mail_from,
        envelope_sender=settings.return_path.of,
        envelope_id=settings.envelope_ids.of,
        organizer=settings.return_path.organizer.of if settings.has_intake else None,
        now=now,
    )


def daily_mail_sending(
    settings: Settings, db: Database, email: EmailSender, sealer: Sealer, now: Clock
) -> DailyMailSending:
    """Sends practices' daily mails over the same server."""
    return DailyMailSending(
        db,
        DailyMails(settings.mail_from),
        email.post,
        sealer=sealer,
        retry=_retry_policy(settings),
        longest_send=email.longest_send,
        poll=settings.poll_seconds,
        now=now,
    )


def sms_sender(settings: Settings, gateways: dict[str, Gateway]) -> SmsSender:
    """Sends text messages by these gateways, each while those before it fail."""
    lines = [Line(each, settings.sms_per_second) for each in gateways.values()]
    return SmsSender(Failover(lines), sender=settings.sms_sender)


def worker_policy(settings: Settings, channel: Channel) -> WorkerPolicy:
    """How much the worker of a channel does at a time, and how patiently."""
    at_a_time = settings.smtp_connections if channel is Channel.EMAIL else SMS_AT_A_TIME
    return WorkerPolicy(
        concurrency=at_a_time,
        share=max(1, int(at_a_time * SHARE)),
        lease=settings.lease_seconds,
        poll=settings.poll_seconds,
        drain=settings.drain_seconds,
        retry=_retry_policy(settings),
    )


def _retry_policy(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        first=timedelta(seconds=settings.retry_first_seconds),
        longest=timedelta(seconds=settings.retry_longest_seconds),
    )


def housekeepers(settings: Settings, db: Database, sealer: Sealer, now: Clock) -> Iterator[Loop]:
    """What forgets and seals anew."""
    for name, task in {
        "inbox": inbox.purge,
        "erasing": receipt_store.erase_old,
        "overdue": lambda tx: erasure_store.erase_overdue(tx, now()),
        "purging": lambda tx: erasure_store.purge(tx, now()),
        "purging daily mails": lambda tx: daily_mail_store.purge(tx, now()),
        "resealing letters": Resealing(sealer, letter_store.LETTERS).batch,
        "resealing mails": Resealing(sealer, receipt_store.MAILS).batch,
        "resealing daily mails": Resealing(sealer, daily_mail_store.MAILS_TO_SEND).batch,
    }.items():
        yield housekeeper(name, db, task, every=HOUSEKEEPING)
    kept = settings.kept_mail_megabytes * 1_000_000
    yield housekeeper(
        "kept mail", db, lambda tx: receipt_store.bound_kept(tx, kept), every=BOUNDING
    )


async def open_intakes(
    settings: Settings,
    db: Database,
    health: Health,
    stack: AsyncExitStack,
    *,
    sealer: Sealer,
    now: Clock,
    wake_reader: Callable[[], None],
) -> None:
    """Open the ways in for bounces that are set up. Raises OSError."""
    return_path = settings.return_path
    if settings.intake_protocol != "none":
        intake = SmtpIntake(
            db,
            return_path,
            protocol=settings.intake_protocol,
            door=Door(settings.intake_allow_from),
            sealer=sealer,
            now=now,
            wake_reader=wake_reader,
        )
        stack.push_async_callback(intake.stop)
        await intake.start(settings.intake_host, settings.intake_port)
        health.supervisor.watch("intake", intake.stalled)
    if settings.imap_server is not None:
        health.supervisor.run(
            ImapIntake(
                db,
                settings.imap_server,
                return_path,
                sealer=sealer,
                now=now,
                wake_reader=wake_reader,
            )
        )


def sms_gateways(settings: Settings, now: Clock) -> dict[str, Gateway]:
    """Each gateway by its name, in the order of the settings."""
    return {name: _gateway(name, settings, now) for name in settings.sms_gateways}


def _gateway(name: str, settings: Settings, now: Clock) -> Gateway:
    step = settings.sms_timeout_seconds / 2
    limits = HttpLimits(connect=step, write=step, read=step, total=settings.sms_timeout_seconds)
    receipts_url = f"{settings.sms_receipts_url}/v1/receipts/{name}"
    match name:
        case "seven":
            return SevenGateway(
                SevenAccount(
                    api_key=settings.sms_seven_api_key.get_secret_value(),
                    signing_key=settings.sms_seven_signing_key.get_secret_value(),
                    receipts_url=receipts_url,
                    url=settings.sms_seven_url,
                ),
                limits,
                now=now,
            )
        case "twilio":
            return TwilioGateway(
                TwilioAccount(
                    account_sid=settings.sms_twilio_account_sid,
                    auth_token=settings.sms_twilio_auth_token.get_secret_value(),
                    receipts_url=receipts_url,
                ),
                limits,
                now=now,
            )
        case _:
            return WebhookGateway(
                WebhookAccount(
                    url=settings.sms_webhook_url,
                    secret=settings.sms_webhook_secret.get_secret_value(),
                    receipts_url=receipts_url,
                ),
                limits,
                now=now,
            )
