"""Kafka in: public events are queued for the endpoints of their practice.

Where a practice has no endpoint nothing of it is kept.
"""

from collections.abc import Sequence
from uuid import UUID

from chassis.clock import Clock, utc_now
from chassis.consumer import Concerning
from chassis.database import Connection, Database
from contracts.envelope import Label, Received
from contracts.events import AppointmentErased
from services.webhooks import bodies, endpoint_store, store
from services.webhooks.store import Kept

TOPICS = bodies.PUBLIC_TOPICS
GROUP = "webhooks"
PAUSE = 0.25  # seconds between batches: of a busy hour's events many are read together


def concerning(db: Database) -> Concerning:
    """Events of practices with an endpoint, and all erasures: there may have been one."""

    async def of(labels: Sequence[Label]) -> Sequence[bool]:
        named = {each.practice_id for each in labels if each.practice_id is not None}
        async with db.system() as tx:
            practices = await endpoint_store.practices(tx, named)
        return [
            issubclass(each.type, AppointmentErased)
            or each.practice_id is None
            or each.practice_id in practices
            for each in labels
        ]

    return of


async def handle(tx: Connection, received: Sequence[Received], clock: Clock = utc_now) -> None:
    """Take in one batch within the consumer's transaction."""
    now = clock()
    endpoints = await endpoint_store.lock_of(tx, {each.event.practice_id for each in received})
    practices = {each.practice_id for each in endpoints}
    # Of every practice: one that has no endpoint any more may have had one.
    being_erased = {_about(each) for each in received if isinstance(each.event, AppointmentErased)}
    gone = await store.erased(tx, {_about(each) for each in received})
    if being_erased - gone:
        await store.erase(tx, being_erased - gone, now)
    concerned = [
        each
        for each in received
        if each.event.practice_id in practices and each.event.type in bodies.PUBLIC
    ]
    if not concerned:
        return
    events = [
        each
        for each in concerned
        if _about(each) not in gone
        and (isinstance(each.event, AppointmentErased) or _about(each) not in being_erased)
    ]
    await store.keep(
        tx,
        [
            Kept(
                id=each.id,
                practice_id=each.event.practice_id,
                subject=each.event.subject,
                type=each.event.type,
                time=each.time,
                received_at=now,
                body=bodies.of_event(each),
                traceparent=each.traceparent,
            )
            for each in events
        ],
    )
    await store.queue(
        tx,
        [
            (endpoint, each.id, each.event.subject)
            for each in events
            for endpoint in endpoints
            if endpoint.practice_id == each.event.practice_id and endpoint.wants(each.event.type)
        ],
        now,
    )


def _about(received: Received) -> tuple[UUID, UUID]:
    return received.event.practice_id, received.event.subject
