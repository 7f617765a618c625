"""Opening rooms for those who lead visits; at any time, since date and time are guide values."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from chassis.auth import Caller
from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import VisitRole
from services.scheduling import practice_store, store
from services.scheduling.audit import entry as audit
from services.scheduling.audit.entry import Action
from services.scheduling.audit.log import AuditLog
from services.scheduling.problems import (
    AppointmentOver,
    NotFound,
    NoVideoRooms,
)
from services.scheduling.visits.joining import tell
from services.scheduling.visits.opening import link_holds
from services.scheduling.visits.rooms import Role, Rooms


@dataclass(frozen=True, slots=True)
class Hosting:
    """The way in for whoever leads the visit."""

    db: Database
    rooms: Rooms | None
    sealer: Sealer
    audit_log: AuditLog
    wake_relay: Callable[[], None]

    async def enter(self, caller: Caller, appointment_id: UUID) -> str:
        """The address of the appointment's room, as its host; that a visit started is audited.

        It is told too (`joining`). Raises UnknownPractice, NotFound, NoVideoRooms, AppointmentOver.
        """
        now = utc_now()
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.of_caller(tx, caller.practice_id)
            appointment = await store.find(tx, self.sealer, practice.id, appointment_id)
            if appointment is None:
                raise NotFound
            if self.rooms is None:
                raise NoVideoRooms
            if not link_holds(appointment, practice.zone, now):
                raise AppointmentOver
            started = audit.deed(caller, Action.VISIT_STARTED, appointment_id)
            await self.audit_log.enter(tx, started)
            told = await tell(tx, practice.id, appointment_id, VisitRole.HOST, now)
        if told:
            self.wake_relay()
        return self.rooms.way_in(
            appointment, Role.HOST, name=practice.name, language=practice.language, now=now
        )
