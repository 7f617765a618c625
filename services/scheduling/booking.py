"""What a practice can do with its appointments: each deed is one transaction with its events."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis import outbox
from chassis.auth import Caller
from chassis.database import Connection, Database
from chassis.sealing import Sealer
from contracts.events import Channel, Event, NoticeKind
from services.scheduling import (
    appointments,
    erasure,
    forms,
    notice_store,
    notices,
    practice_store,
    store,
)
from services.scheduling.appointments import Appointment
from services.scheduling.audit import entry as audit
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action
from services.scheduling.links import Link, Links
from services.scheduling.practice import Practice
from services.scheduling.problems import Begun, Changed, KeyReused, NotFound, UnknownPractice
from services.scheduling.schemas import Change, Input, NewAppointment, Resend
from services.scheduling.wall_clock import day_bounds, offset_of

SOURCE = "/einladung/scheduling"


@dataclass(frozen=True, slots=True)
class Booked:
    """An appointment with the practice whose zone it is read in."""

    appointment: Appointment
    practice: Practice


@dataclass(frozen=True, slots=True)
class Booking:
    """The practice's desk. One per process."""

    db: Database
    links: Links
    channels: Sequence[Channel]
    wake_relay: Callable[[], None]
    sealer: Sealer
    settle: timedelta  # after a move, for moves that follow at once

    async def create(self, caller: Caller, wish: NewAppointment, key: str | None) -> Booked:
        """Create an appointment and issue its first invitation."""
        now = datetime.now(UTC)
        appointment_id = uuid7()
        async with self._practice(caller) as (tx, practice):
            earlier = await self._earlier(
                tx, practice, key=key, deed="create", wish=wish, appointment_id=appointment_id
            )
            if earlier is not None:
                await _note_reading(tx, caller, [earlier])
                return Booked(earlier, practice)
            faults = forms.Faults()
            name = forms.patient_name(wish.patient_name, faults)
            contact = forms.contact(
                wish.channels, wish.email, wish.phone, self.channels, practice.tariff, faults
            )
            slot = forms.slot(
                wish.date,
                wish.time,
                wish.utc_offset,
                wish.duration_minutes,
                practice=practice,
                now=now,
                faults=faults,
            )
            locale = forms.locale(wish.locale, practice, faults)
            forms.consent(wish.consent, faults)
            if not wish.send_anyway:
                await self._find_dead(tx, practice, contact, faults)
            faults.raise_if_any()
            assert slot is not None, "a slot without a fault is there"  # noqa: S101
            appointment = Appointment(
                id=appointment_id,
                practice_id=practice.id,
                version=1,
                starts_at=slot.starts_at,
                duration_minutes=slot.duration_minutes,
                patient_name=name,
                email=contact.email,
                phone=contact.phone,
                channels=contact.channels,
                locale=locale,
                consented_at=now,
                invitation_id=uuid7(),
                attempt=1,
                link_version=1,
                created_at=now,
                created_by=caller.subject,
            )
            await store.add(tx, self.sealer, appointment)
            await store.note_attempt(tx, self.sealer, appointment)
            await notice_store.plan(
                tx, appointment, notices.reminders(practice, appointment.starts_at, now)
            )
            await audit_store.add(tx, audit.entry(caller, Action.CREATED, now, appointment_id))
            await self._tell(
                tx,
                appointments.scheduled(appointment, practice),
                *self._invitation(appointment, practice),
            )
        self.wake_relay()
        return Booked(appointment, practice)

    async def resend(
        self, caller: Caller, appointment_id: UUID, wish: Resend, key: str | None
    ) -> Booked:
        """„Erneut senden": issue a new attempt, where needed to a corrected address."""
        now = datetime.now(UTC)
        async with self._practice(caller) as (tx, practice):
            earlier = await self._earlier(
                tx,
                practice,
                key=key,
                deed=f"resend {appointment_id}",
                wish=wish,
                appointment_id=appointment_id,
            )
            if earlier is not None:
                await _note_reading(tx, caller, [earlier])
                return Booked(earlier, practice)
            present = await self._locked(tx, practice, appointment_id)
            if present.starts_at <= now:
                raise Begun
            faults = forms.Faults()
            contact = forms.contact(
                [*present.channels] if wish.channels is None else wish.channels,
                present.email if wish.email is None else wish.email,
                present.phone if wish.phone is None else wish.phone,
                self.channels,
                practice.tariff,
                faults,
            )
            if not wish.send_anyway:
                await self._find_dead(tx, practice, contact, faults)
            faults.raise_if_any()
            appointment = appointments.invite_again(
                present, email=contact.email, phone=contact.phone, channels=contact.channels
            )
            await store.update(tx, self.sealer, appointment)
            await store.note_attempt(tx, self.sealer, appointment)
            await _note_change(tx, caller, Action.RESENT, now, present, appointment)
            await self._tell(tx, *self._invitation(appointment, practice))
        self.wake_relay()
        return Booked(appointment, practice)

    async def reschedule(
        self, caller: Caller, appointment_id: UUID, wish: Change, if_match: int | None
    ) -> Booked:
        """Move, shorten or lengthen; what changes nothing tells nobody."""
        now = datetime.now(UTC)
        async with self._practice(caller) as (tx, practice):
            present = await self._locked(tx, practice, appointment_id, if_match)
            local = present.starts_at.astimezone(practice.zone)
            kept_time = wish.date is None and wish.time is None
            faults = forms.Faults()
            slot = forms.slot(
                local.date().isoformat() if wish.date is None else wish.date,
                local.time().isoformat() if wish.time is None else wish.time,
                offset_of(local) if kept_time else wish.utc_offset,
                present.duration_minutes
                if wish.duration_minutes is None
                else wish.duration_minutes,
                practice=practice,
                now=now,
                faults=faults,
                present=present,
            )
            faults.raise_if_any()
            assert slot is not None, "a slot without a fault is there"  # noqa: S101
            if slot == forms.Slot(present.starts_at, present.duration_minutes):
                await _note_reading(tx, caller, [present])
                return Booked(present, practice)
            appointment = appointments.reschedule(
                present, starts_at=slot.starts_at, duration_minutes=slot.duration_minutes
            )
            await store.update(tx, self.sealer, appointment)
            if appointment.starts_at != present.starts_at:
                await self._plan_again(tx, practice, present, appointment, now, notify=wish.notify)
            await _note_change(tx, caller, Action.RESCHEDULED, now, present, appointment)
            await self._tell(tx, appointments.rescheduled(appointment, practice))
        self.wake_relay()
        return Booked(appointment, practice)

    async def delete(
        self, caller: Caller, appointment_id: UUID, if_match: int | None, *, notify: bool
    ) -> None:
        """Delete: the link is dead and the patient's data is gone from here, at once."""
        now = datetime.now(UTC)
        async with self._practice(caller) as (tx, practice):
            present = await self._locked(tx, practice, appointment_id, if_match)
            told: list[Event] = [appointments.deleted(present)]
            known_start = await notice_store.take_move(tx, present)
            if notify and present.starts_at > now:
                told += self._cancellation(present, practice, known_start)
            await notice_store.forget(tx, present)
            await store.delete(tx, present, now)
            await audit_store.add(tx, audit.entry(caller, Action.DELETED, now, appointment_id))
            await self._tell(tx, *told)
        self.wake_relay()

    async def erase(self, caller: Caller, appointment_id: UUID) -> None:
        """„Daten löschen": delete the appointment, or what is left of it, from all services."""
        async with self._practice(caller) as (tx, practice):
            if not await erasure.on_request(tx, practice.id, appointment_id, SOURCE):
                raise NotFound
            done = audit.entry(caller, Action.ERASED, datetime.now(UTC), appointment_id)
            await audit_store.add(tx, done)
        self.wake_relay()

    async def get(self, caller: Caller, appointment_id: UUID) -> Booked:
        """One appointment."""
        async with self._practice(caller) as (tx, practice):
            appointment = await store.get(tx, self.sealer, practice.id, appointment_id)
            if appointment is None:
                raise NotFound
            await _note_reading(tx, caller, [appointment])
        return Booked(appointment, practice)

    async def day(self, caller: Caller, day: date) -> tuple[Practice, Sequence[Appointment]]:
        """The appointments of one day in the practice's zone, by start."""
        faults = forms.Faults()
        forms.calendar_day(day, faults)
        faults.raise_if_any()
        async with self._practice(caller) as (tx, practice):
            first, until = day_bounds(day, practice.zone)
            found = await store.between(tx, self.sealer, practice.id, first, until)
            await _note_reading(tx, caller, found)
            return practice, found

    async def practice(self, caller: Caller) -> Practice:
        """The caller's practice."""
        async with self._practice(caller) as (_, practice):
            return practice

    @asynccontextmanager
    async def _practice(self, caller: Caller) -> AsyncIterator[tuple[Connection, Practice]]:
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.find(tx, caller.practice_id)
            if practice is None:
                raise UnknownPractice
            yield tx, practice

    async def _earlier(
        self,
        tx: Connection,
        practice: Practice,
        *,
        key: str | None,
        deed: str,
        wish: Input,
        appointment_id: UUID,
    ) -> Appointment | None:
        """The appointment as it now is, if this very request was carried out before."""
        if key is None:
            return None
        content = f"{deed}\0{wish.model_dump_json()}".encode()
        fingerprint = self.sealer.fingerprint(content)
        claim = await store.claim_key(tx, practice.id, key, fingerprint, appointment_id)
        if claim.new:
            return None
        if claim.fingerprint not in self.sealer.fingerprints(content):
            raise KeyReused
        appointment = await store.get(tx, self.sealer, practice.id, claim.appointment_id)
        if appointment is None:
            raise NotFound
        return appointment

    def _invitation(self, appointment: Appointment, practice: Practice) -> list[Event]:
        link = self.links.url(Link(appointment.id, appointment.link_version))
        return appointments.invitation(appointment, practice, link)

    async def _plan_again(
        self,
        tx: Connection,
        practice: Practice,
        before: Appointment,
        after: Appointment,
        now: datetime,
        *,
        notify: bool,
    ) -> None:
        """Reminders of the new start, and one notice of the moves since the patient was told.

        There and back is none. What the practice chose last counts for all of them.
        """
        await notice_store.plan(tx, after, notices.reminders(practice, after.starts_at, now))
        known_start = await notice_store.take_move(tx, after) or before.starts_at
        if notify and known_start != after.starts_at and after.starts_at > now:
            await notice_store.add_move(tx, after, known_start, now + self.settle)

    def _cancellation(
        self, appointment: Appointment, practice: Practice, known_start: datetime | None
    ) -> list[Event]:
        notice = notices.requested(
            uuid7(),
            NoticeKind.CANCELLED,
            appointment,
            practice,
            channels=self.channels,
            link=self.links.url(Link(appointment.id, appointment.link_version)),
            known_start=known_start,
        )
        return [] if notice is None else [notice]

    async def _tell(self, tx: Connection, *events: Event) -> None:
        await outbox.put(tx, events, source=SOURCE, sealer=self.sealer)

    async def _locked(
        self,
        tx: Connection,
        practice: Practice,
        appointment_id: UUID,
        if_match: int | None = None,
    ) -> Appointment:
        appointment = await store.get(tx, self.sealer, practice.id, appointment_id, lock=True)
        if appointment is None:
            raise NotFound
        if if_match is not None and if_match != appointment.version:
            raise Changed
        return appointment

    async def _find_dead(
        self, tx: Connection, practice: Practice, contact: forms.Contact, faults: forms.Faults
    ) -> None:
        for channel in contact.channels:
            address = contact.address(channel)
            if address is not None and await store.is_dead(
                tx, self.sealer, practice.id, channel, address
            ):
                faults.dead_address(channel)


async def _note_reading(tx: Connection, caller: Caller, shown: Sequence[Appointment]) -> None:
    ids = [appointment.id for appointment in shown]
    await audit_store.add_reading(tx, audit.entry(caller, Action.READ, datetime.now(UTC), *ids))


async def _note_change(
    tx: Connection,
    caller: Caller,
    action: Action,
    now: datetime,
    before: Appointment,
    after: Appointment,
) -> None:
    changed = audit.changes(before, after)
    await audit_store.add(tx, audit.entry(caller, action, now, after.id, changed=changed))
