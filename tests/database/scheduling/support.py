"""A practice's desk over the use cases, at a time that the test sets, and what it publishes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.auth import Caller
from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import decode
from contracts.events import Event
from contracts.rights import RIGHTS_OF, Role
from services.scheduling.audit.log import AuditLog
from services.scheduling.audit.proving import Prover
from services.scheduling.booking import SOURCE, Booking
from services.scheduling.bounds import Bounds
from services.scheduling.creating import Creating
from services.scheduling.links import Links
from services.scheduling.schemas import NewAppointment
from tests.support import Practice

CHANNELS = (Channel.EMAIL, Channel.SMS)
PROVER = Prover({1: bytes(32)})
AUDIT_LOG = AuditLog(PROVER)
LINKS = Links("https://einladung.example/besuch", {1: bytes(32)})


class Desk:
    """Booking for one practice, and how often the relay was woken. `moment` is its clock."""

    def __init__(
        self, db: Database, sealer: Sealer, practice_id: UUID, *, bounds: Bounds | None = None
    ) -> None:
        self.practice_id = practice_id
        self.moment = utc_now()
        self.woken = 0
        self.caller = Caller(
            practice_id=practice_id,
            subject="praxisleitung",
            expires_at=self.moment + timedelta(hours=1),
            rights=RIGHTS_OF[Role.APPOINTMENT_ADMIN],
            roles=(Role.APPOINTMENT_ADMIN,),
        )
        self.booking = Booking(
            db,
            LINKS,
            CHANNELS,
            self._wake_relay,
            sealer,
            AUDIT_LOG,
            Creating(
                db,
                LINKS,
                CHANNELS,
                sealer,
                AUDIT_LOG,
                bounds or Bounds(),
                self.now,
                source=SOURCE,
            ),
            settle=timedelta(0),
            now=self.now,
            bounds=bounds or Bounds(),
        )

    def now(self) -> datetime:
        return self.moment

    def _wake_relay(self) -> None:
        self.woken += 1

    async def create(self, key: str | None = None, **changes: Any) -> UUID:
        wanted = NewAppointment(**Practice.form(**changes))
        booked = await self.booking.create(self.caller, wanted, key)
        return booked.appointment.id

    async def published(self) -> list[Event]:
        """The events in the outbox, in order."""
        async with self.booking.db.practice(self.practice_id) as tx:
            rows = await tx.fetch("SELECT headers, value, sealed FROM outbox ORDER BY id")
        return [
            decode(
                [(name, text.encode()) for name, text in row["headers"].items()],
                self.booking.sealer.open(row["value"], ("outbox.value", row["headers"]["ce_id"]))
                if row["sealed"]
                else row["value"],
            ).event
            for row in rows
        ]

    async def version(self, appointment_id: UUID) -> int | None:
        """The version of the row, or None where there is none any more."""
        async with self.booking.db.practice(self.practice_id) as tx:
            found: int | None = await tx.fetchval(
                "SELECT version FROM appointments WHERE id = $1", appointment_id
            )
        return found


def version_of(event: Event) -> int:
    """The version of its appointment that an event tells of."""
    version: int = getattr(event, "version", None) or event.appointment_version  # type: ignore[attr-defined]
    return version
