"""Deliveries as the notification service comes to have them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Received
from contracts.events import (
    Event,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
    Recipients,
)
from contracts.tariffs import Tariff
from services.notification.deliveries import store
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.events import Accepted, Claimed, DeliveryEvent, Reply
from services.notification.deliveries.transitions import transition
from services.notification.receipts.reader import ReceiptReader
from services.notification.requests import NO_WAKES, Events, Wakes
from tests.support import eventually


def now() -> datetime:
    return datetime.now(UTC)


def invitation(**changes: Any) -> InvitationRequested:
    """A request for an invitation by mail, of an appointment tomorrow."""
    start = now() + timedelta(days=1)
    return InvitationRequested(
        **{
            "appointment_id": uuid7(),
            "practice_id": uuid7(),
            "appointment_version": 1,
            "invitation_id": uuid7(),
            "attempt": 1,
            "sender_name": "Hausarztpraxis am Markt",
            "start": start,
            "duration_minutes": 20,
            "time_zone": "Europe/Berlin",
            "locale": "de",
            "patient_name": "Erika Mustermann",
            "channels": Recipients(email="erika@example.org"),
            "link": "https://einladung.example/besuch/abc",
            "not_after": start,
            "tariff": Tariff.STANDARD,
        }
        | changes
    )


def notice(request: InvitationRequested, kind: NoticeKind, **changes: Any) -> NoticeRequested:
    """A request for a notice to who is invited by `request`."""
    told = request.model_dump(exclude={"invitation_id", "attempt", "tariff"})
    return NoticeRequested(**{**told, "notice_id": uuid7(), "kind": kind} | changes)


def received(event: Event) -> Received:
    """The event as a consumer hands it over."""
    return Received(uuid7(), now(), event, None)


async def handle(db: Database, sealer: Sealer, *events: Event, wakes: Wakes = NO_WAKES) -> Events:
    """Take over these events, in one batch; whoever is to hear of it is not told yet."""
    handler = Events(
        channels=tuple(Channel),
        message_id_domain="praxis.example",
        sealer=sealer,
        now=now,
        wakes=wakes,
    )
    async with db.system() as tx:
        await handler.handle(tx, [received(event) for event in events])
    return handler


async def deliveries_of(db: Database, request: InvitationRequested) -> list[Delivery]:
    """The deliveries of its appointment, by id."""
    async with db.system() as tx:
        return await store.lock_deliveries_of(tx, [request.appointment_id])


async def delivery_of(db: Database, request: InvitationRequested) -> Delivery:
    """The one delivery of its appointment."""
    (delivery,) = await deliveries_of(db, request)
    return delivery


async def apply(db: Database, delivery_id: UUID, *events: DeliveryEvent) -> None:
    """Let this happen to a delivery, one after the other."""
    async with db.system() as tx:
        for event in events:
            present = (await store.lock_deliveries(tx, [delivery_id]))[delivery_id]
            await store.save(tx, [transition(present, event, now())])


async def claimed(db: Database, sealer: Sealer, **changes: Any) -> tuple[InvitationRequested, UUID]:
    """A request whose one delivery is being sent, with the lease."""
    request, lease = invitation(**changes), uuid7()
    await handle(db, sealer, request)
    delivery = await delivery_of(db, request)
    await apply(db, delivery.id, Claimed(lease, now() + timedelta(minutes=1)))
    return request, lease


async def invited(db: Database, sealer: Sealer) -> tuple[InvitationRequested, UUID]:
    """A request whose one delivery the mail server has taken, with the delivery's id."""
    request, _ = await claimed(db, sealer)
    delivery = await delivery_of(db, request)
    await apply(db, delivery.id, Accepted(Reply(250)))
    return request, delivery.id


async def turn_of(loop: str, turns: int = 1) -> None:
    """Wait until a loop in this process has ended so many turns from now on, one under way too."""

    def ended() -> float:
        labels = {"loop": loop}
        return REGISTRY.get_sample_value("loop_last_success_timestamp_seconds", labels) or 0

    for _ in range(turns):
        before = ended()

        async def turned(before: float = before) -> bool:
            return ended() > before

        await eventually(turned, f"a turn of {loop}")


@asynccontextmanager
async def running(loop: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let a loop turn meanwhile. What ends it raises at the end."""
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def reading(reader: ReceiptReader) -> AsyncIterator[None]:
    """Let all of a reader's loops turn meanwhile."""
    async with AsyncExitStack() as stack:
        for loop in reader.loops:
            await stack.enter_async_context(running(loop.run()))
        yield
