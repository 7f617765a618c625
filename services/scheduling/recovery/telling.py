"""Tells again how appointments stand, and requests again what may not have been heard."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis import outbox
from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    ErasureReason,
    Event,
    NoticeKind,
    NoticeRequested,
    VisitRole,
)
from services.scheduling import appointments, notices, practice_store, quiet_hours
from services.scheduling import store as appointment_store
from services.scheduling.appointments import Appointment
from services.scheduling.links import Link, Links
from services.scheduling.notices import DueNotice
from services.scheduling.practice import Practice
from services.scheduling.recovery import store
from services.scheduling.recovery.store import Present
from services.scheduling.visits import joining

PAGE = 200  # appointments
FIRST = UUID(int=0)

Dated = tuple[Event, datetime | None]  # with when it happened; None: now


@dataclass(frozen=True, slots=True)
class Telling:
    """Of what has happened since then, or is still to come.

    `repeated` says that notification may have lost what it knew of requests: of what it does not
    know a copy may have gone out. Otherwise that was never read, and goes out as if for the first
    time.
    """

    links: Links
    channels: Sequence[Channel]
    sealer: Sealer
    source: str
    since: datetime
    now: datetime
    repeated: bool

    async def page(self, tx: Connection, after: UUID) -> tuple[UUID | None, int]:
        """A page of appointments; the last of them, None at the end, and how many events."""
        rows = await store.page(tx, after, PAGE)
        concerned = [each for each in rows if self._concerned(each)]
        ids = [each.id for each in concerned]
        practices = await practice_store.find_all(tx, {each.practice_id for each in concerned})
        held = await self._held(tx, concerned)
        asked = await store.requested_notices(tx, ids, self.since)
        events: list[Dated] = []
        for each in concerned:
            practice = practices[each.practice_id]
            appointment = held.get(each.id)
            events += self._told(each, appointment, practice)
            if appointment is not None and each.starts_at > self.now:
                events += self._requested(each, appointment, practice, asked.get(each.id, []))
        await self._put(tx, events)
        return (rows[-1].id if len(rows) == PAGE else None), len(events)

    async def erased(self, tx: Connection) -> int:
        """What was erased on request, of which no row is left; how many."""
        gone = await store.erased_since(tx, self.since)
        events = [
            appointments.erased(practice, each, 1, ErasureReason.REQUEST) for practice, each in gone
        ]
        await self._put(tx, [(each, None) for each in events])
        return len(events)

    def _concerned(self, row: Present) -> bool:
        times = (row.ends_at, row.created_at, row.deleted_at, row.erased_at)
        return any(time is not None and time >= self.since for time in times)

    async def _held(self, tx: Connection, rows: Sequence[Present]) -> dict[UUID, Appointment]:
        """Those whose patient is known, cancelled ones too."""
        found: dict[UUID, Appointment] = {}
        for practice_id in {each.practice_id for each in rows}:
            ids = [each.id for each in rows if each.practice_id == practice_id]
            for one in await appointment_store.named(tx, self.sealer, practice_id, ids, self.now):
                found[one.id] = one
        return found

    def _told(
        self, row: Present, appointment: Appointment | None, practice: Practice
    ) -> list[Dated]:
        if row.erased_at is not None:
            erased = appointments.erased(
                row.practice_id, row.id, row.version, ErasureReason.RETENTION
            )
            return [(erased, row.erased_at)]
        if row.deleted_at is not None:
            deleted = appointments.deleted(row.practice_id, row.id, row.version)
            return [(deleted, row.deleted_at)]
        if appointment is None:
            return []
        first = row.version == 1
        told: list[Dated] = [
            (appointments.rescheduled(appointment, practice), row.created_at if first else None)
        ]
        if row.requested is not None:
            as_requested = _as_requested(row, appointment)
            issued, _ = self._invitation(as_requested, practice)
            told.append((issued, row.requested_at))
            if appointment.unsent or appointment.link_outdated:  # or there and back again
                at = appointment.updated_at
                told.append((appointments.corrected(as_requested, at), at))
        return told + self._joined(row)

    def _joined(self, row: Present) -> list[Dated]:
        """Who was let into the room last."""
        joined = {VisitRole.PATIENT: row.patient_joined_at, VisitRole.HOST: row.host_joined_at}
        return [
            (joining.joined(row.practice_id, row.id, role, at), at)
            for role, at in joined.items()
            if at is not None and at >= self.since
        ]

    def _requested(
        self,
        row: Present,
        appointment: Appointment,
        practice: Practice,
        asked: Sequence[DueNotice],
    ) -> list[Dated]:
        if appointment.damaged:
            return []
        events: list[Event] = []
        if row.deleted_at is None and row.requested is not None:
            as_requested = _as_requested(row, appointment)
            # What was to go to an address that is corrected is not to go to either.
            if appointment.unsent:
                events.append(
                    appointments.withdrawn(as_requested, appointment.unsent, appointment.updated_at)
                )
            sent = [each for each in appointment.channels if each not in appointment.unsent]
            if sent and row.requested_at and row.requested_at >= self.since:
                again = replace(as_requested, channels=tuple(sent))
                _, requested = self._invitation(again, practice)
                events.append(requested)
        for each in notices.to_send(asked):
            if (each.kind is NoticeKind.CANCELLED) is (row.deleted_at is not None):
                notice = self._notice(each, appointment, practice)
                if notice is not None:
                    events.append(notice)
        return [(each, None) for each in events]

    def _invitation(self, appointment: Appointment, practice: Practice) -> list[Event]:
        waits_until = quiet_hours.of_invitation(
            practice, appointment.channels, self.now, appointment.starts_at
        )
        issued, requested = appointments.invitation(
            appointment, practice, self._link(appointment), waits_until
        )
        return [issued, requested.model_copy(update={"repeated": self.repeated})]

    def _notice(
        self, notice: DueNotice, appointment: Appointment, practice: Practice
    ) -> NoticeRequested | None:
        found = notices.requested(
            notice.id,
            notice.kind,
            appointment,
            practice,
            channels=self.channels,
            link=self._link(appointment),
            now=self.now,
            known_start=notice.previous_start,
        )
        return found and found.model_copy(update={"repeated": self.repeated})

    def _link(self, appointment: Appointment) -> str:
        return self.links.url(Link(appointment.id, appointment.link_version))

    async def _put(self, tx: Connection, events: Sequence[Dated]) -> None:
        await outbox.put(
            tx,
            [event for event, _ in events],
            source=self.source,
            sealer=self.sealer,
            times=[time for _, time in events],
        )


def _as_requested(row: Present, appointment: Appointment) -> Appointment:
    """As the attempt that was requested last, whatever numbers were raised since."""
    return replace(appointment, attempt=row.requested or appointment.attempt)
