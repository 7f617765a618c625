"""Forgetting patients: when the practice's term is over (contracts/terms.py), and on request.

The other services hear of it by AppointmentErased; each of them deletes what it holds.
"""

from collections.abc import Sequence
from datetime import datetime

from chassis import outbox
from chassis.database import Connection
from contracts.events import ErasureReason, Event
from services.scheduling import appointments, erasure_store, store
from services.scheduling.erasure_store import Held


async def on_request(tx: Connection, held: Held, source: str, now: datetime) -> None:
    """Delete an appointment with everything about it.

    The events are a deletion, unless it was deleted before, and an erasure.
    """
    await erasure_store.forget(tx, [held])
    events: list[Event] = []
    if not held.deleted:
        version = await store.delete(tx, held.practice_id, held.id, now)
        events.append(appointments.deleted(held.practice_id, held.id, version))
    events += _erased(await erasure_store.clear(tx, [held], now), ErasureReason.REQUEST)
    await erasure_store.remove(tx, held)
    await outbox.put(tx, events, source=source)


async def by_term(tx: Connection, source: str, now: datetime) -> bool:
    """Erase a batch whose term is over; True if there may be more.

    The patients of cancelled appointments go before, once nobody has to call them.
    """
    cancelled = await erasure_store.forget_cancelled(tx, now)
    held = await erasure_store.lock_due(tx, now)
    if held:
        await erasure_store.forget(tx, held)
        cleared = await erasure_store.clear(tx, held, now)
        await outbox.put(tx, _erased(cleared, ErasureReason.RETENTION), source=source)
    more = await erasure_store.remove_dead(tx, now)
    return more or cancelled or len(held) >= erasure_store.BATCH


def _erased(cleared: Sequence[Held], reason: ErasureReason) -> list[Event]:
    return [
        appointments.erased(each.practice_id, each.id, each.version, reason) for each in cleared
    ]
