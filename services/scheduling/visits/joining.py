"""Telling that somebody was let into the room: an event without patient data.

Joining is a deed, opening the link is none. However often somebody presses, it is told once a
minute, or sooner where the other side has come since: else who came back within the minute would
still be waited for. How much a valid link can make us write is bounded in the database, for all
processes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chassis import outbox
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from contracts.events import VisitJoined, VisitRole

log = structlog.get_logger(__name__)

ONCE_IN = timedelta(minutes=1)
SOONEST = timedelta(seconds=10)  # of the patient, where the practice has come since
PATIENCE = 2.0  # seconds that a patient at the door is kept for it
SOURCE = "/einladung/scheduling"
_COLUMNS = {
    VisitRole.PATIENT: ("patient_joined_at", "host_joined_at", SOONEST),
    # At once, which is no more often than patients are told of.
    VisitRole.HOST: ("host_joined_at", "patient_joined_at", timedelta(0)),
}


@dataclass(frozen=True, slots=True)
class Joining:
    """One per process."""

    db: Database
    wake_relay: Callable[[], None]

    async def patient(self, practice_id: UUID, appointment_id: UUID, now: datetime) -> None:
        """The patient is let in, whether it can be told or not: the visit matters more."""
        try:
            async with asyncio.timeout(PATIENCE), self.db.practice(practice_id) as tx:
                told = await tell(tx, practice_id, appointment_id, VisitRole.PATIENT, now)
        except TRANSIENT_ERRORS as error:
            log.warning("joining is not told", error=type(error).__qualname__)
            return
        if told:
            self.wake_relay()


async def tell(
    tx: Connection, practice_id: UUID, appointment_id: UUID, role: VisitRole, now: datetime
) -> bool:
    """Put VisitJoined into the outbox, unless it was told just now; True if so."""
    own, other, soonest = _COLUMNS[role]
    found = await tx.fetchval(
        f"""
        UPDATE appointments SET {own} = $3
        WHERE practice_id = $1 AND id = $2 AND deleted_at IS NULL
          AND ({own} IS NULL OR {own} <= $3::timestamptz - $4::interval
            OR ({other} > {own} AND {own} <= $3::timestamptz - $5::interval))
        RETURNING true
        """,  # noqa: S608 - constant names
        practice_id,
        appointment_id,
        now,
        ONCE_IN,
        soonest,
    )
    if found is None:
        return False
    await outbox.put(tx, [joined(practice_id, appointment_id, role, now)], source=SOURCE)
    return True


def joined(practice_id: UUID, appointment_id: UUID, role: VisitRole, at: datetime) -> VisitJoined:
    """The event of somebody who was let in."""
    return VisitJoined(
        appointment_id=appointment_id, practice_id=practice_id, role=role, occurred_at=at
    )
