"""The Celery worker: composes the invitation, hands it over, marks it as sent."""

import os
import smtplib
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from celery import Celery
from celery.signals import worker_ready
from psycopg.rows import dict_row

from benchmarks.peer import settings
from benchmarks.peer.mail import compose

app = Celery("peer", broker=settings.BROKER)
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=16,  # many short tasks; the default is 4
    worker_disable_rate_limits=True,
    broker_connection_retry_on_startup=True,
)


@cache
def database() -> "psycopg.Connection[dict[str, Any]]":
    """This process's connection."""
    return psycopg.connect(settings.DATABASE, autocommit=True, row_factory=dict_row)


@cache
def mail_server() -> smtplib.SMTP:
    """This process's connection, kept from mail to mail."""
    return smtplib.SMTP("127.0.0.1", settings.SMTP_PORT, timeout=30)


def hand_over(message: bytes, recipient: str) -> None:
    """Over the kept connection, or over a new one where the server has closed it."""
    try:
        mail_server().sendmail(settings.SENDER, recipient, message)
    except smtplib.SMTPServerDisconnected:
        mail_server.cache_clear()
        mail_server().sendmail(settings.SENDER, recipient, message)


@app.task(
    autoretry_for=(smtplib.SMTPException, OSError, psycopg.OperationalError),
    retry_backoff=True,
    max_retries=8,
)
def send_invitation(appointment_id: str) -> None:
    """Send it once or, where the worker dies in between, never or twice."""
    appointment = (
        database()
        .execute(
            """
            SELECT a.*, p.name AS practice_name, p.time_zone
            FROM appointments a JOIN practices p ON p.id = a.practice_id WHERE a.id = %s
            """,
            (appointment_id,),
        )
        .fetchone()
    )
    if appointment is None:
        return
    hand_over(compose(appointment), appointment["email"])
    database().execute(
        "UPDATE appointments SET sent_at = clock_timestamp() WHERE id = %s", (appointment_id,)
    )


@worker_ready.connect
def tell(**_: object) -> None:
    """Whoever has started the worker."""
    Path(os.environ["PEER_READY"]).touch()
