"""Forgetting patients: when the practice's term is over, and at once on request.

What is told to the other services is AppointmentErased; each of them deletes what it holds.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chassis import outbox
from chassis.database import Connection
from contracts.events import AppointmentDeleted, AppointmentErased, ErasureReason, Event
from services.scheduling import erasure_store
from services.scheduling.erasure_store import Held


async def on_request(tx: Connection, practice_id: UUID, appointment_id: UUID, source: str) -> bool:
    """Delete an appointment with everything about it; False where nothing is held."""
    held = await erasure_store.lock(tx, practice_id, appointment_id)
    if held is None:
        return False
    await erasure_store.forget(tx, [held])
    await erasure_store.remove(tx, held)
    await outbox.put(tx, requested(held), source=source)
    return True


async def by_term(tx: Connection, source: str, now: Callable[[], datetime]) -> bool:
    """Erase a batch whose term is over; True if there may be more."""
    moment = now()
    held = await erasure_store.lock_due(tx, moment)
    if held:
        await erasure_store.forget(tx, held)
        await erasure_store.clear(tx, held, moment)
        events = [_erased(each, each.version + 1, ErasureReason.RETENTION) for each in held]
        await outbox.put(tx, events, source=source)
    more = await erasure_store.remove_dead(tx, moment)
    return more or len(held) >= erasure_store.AT_ONCE


def requested(held: Held) -> list[Event]:
    """The events of an erasure on request: a deletion, unless it was deleted before, and more."""
    if held.deleted:
        return [_erased(held, held.version + 1, ErasureReason.REQUEST)]
    deleted = AppointmentDeleted(
        appointment_id=held.id, practice_id=held.practice_id, version=held.version + 1
    )
    return [deleted, _erased(held, held.version + 2, ErasureReason.REQUEST)]


def _erased(held: Held, version: int, reason: ErasureReason) -> AppointmentErased:
    return AppointmentErased(
        appointment_id=held.id, practice_id=held.practice_id, version=version, reason=reason
    )
