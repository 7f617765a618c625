"""What practices can do with appointments. Each use case is one transaction with its events."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis import outbox
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.sealing import Sealer
from chassis.together import Writer
from contracts.channels import Channel
from contracts.events import Event, NoticeKind, NoticeRequested
from contracts.terms import valid_until
from services.scheduling import (
    address_store,
    appointments,
    erasure,
    erasure_store,
    forms,
    idempotency,
    messages,
    notice_store,
    notices,
    pasted,
    practice_store,
    quiet_hours,
    store,
)
from services.scheduling.addresses import KnownAddress
from services.scheduling.appointments import Appointment
from services.scheduling.audit import entry as audit
from services.scheduling.audit.entry import Action
from services.scheduling.audit.log import AuditLog
from services.scheduling.bounds import Bounds
from services.scheduling.creating import Booked, Creating
from services.scheduling.idempotency import Claim
from services.scheduling.links import Link, Links
from services.scheduling.practice import Practice
from services.scheduling.problems import Begun, Changed, Damaged, NotFound
from services.scheduling.schemas import (
    AddressLookup,
    Change,
    FollowUp,
    NewAppointment,
    Resend,
)
from services.scheduling.wall_clock import day_bounds

SOURCE = "/einladung/scheduling"

# Of an appointment; where given, the present one has to be among them.
Versions: TypeAlias = Collection[int]


@dataclass(frozen=True, slots=True)
class PatientLink:
    """The link as it is now, and until when it holds unless something changes."""

    url: str
    version: int
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Booking:
    """The practice's desk. One per process."""

    db: Database
    links: Links
    channels: Sequence[Channel]  # of this installation
    wake_relay: Callable[[], None]
    sealer: Sealer
    audit_log: AuditLog
    creating: Creating
    settle: timedelta  # after a move, for moves that follow at once
    now: Clock
    bounds: Bounds = field(default_factory=Bounds)

    async def create(self, caller: Caller, request: NewAppointment, key: str | None) -> Booked:
        """Create an appointment and issue its first invitation."""
        booked = await self.creating.create(caller, request, key)
        if not booked.replayed:
            self.wake_relay()
        return booked

    async def resend(
        self,
        caller: Caller,
        appointment_id: UUID,
        request: Resend,
        key: str | None,
        if_match: Versions | None = None,
    ) -> Booked:
        """„Erneut senden": issue a new attempt, where needed to a corrected address or name."""
        now, operation = self.now(), f"resend {appointment_id}"
        async with self._practice(caller) as (tx, practice):
            claim = Claim.of_form(practice.id, key, operation, request, appointment_id)
            earlier = await idempotency.carried_out(tx, self.sealer, claim)
            if earlier is not None:
                await self._note_reading(tx, caller, [earlier])
                return Booked(earlier, practice, replayed=True)
            present = await self._changeable(tx, practice, appointment_id)
            if present.starts_at <= now:
                raise Begun
            _agree(present.version, if_match)
            valid = await forms.resend(
                request,
                present,
                practice,
                available=self.channels,
                countries=self.bounds.countries(practice),
                is_dead=self._is_dead(tx, practice),
            )
            invited = appointments.invite_again(
                present,
                patient_name=valid.patient_name,
                email=valid.contact.email,
                phone=valid.contact.phone,
                channels=valid.contact.channels,
                locale=valid.locale,
            )
            await self._write_to(tx, practice, invited, now)
            appointment = await store.update(tx, self.sealer, invited)
            await address_store.add_attempt(tx, self.sealer, appointment)
            await self._note_change(tx, caller, Action.RESENT, present, appointment)
            events = self._invitation(appointment, practice, now, send_now=request.send_now)
            withdrawal = appointments.withdrawal(present, appointment, now)
            if withdrawal is not None:
                events.insert(0, withdrawal)
            await self._publish(tx, *events)
        self.wake_relay()
        return Booked(appointment, practice)

    async def change(
        self, caller: Caller, appointment_id: UUID, request: Change, if_match: Versions | None
    ) -> Booked:
        """Move, shorten, lengthen or correct, without sending it again.

        What changes nothing tells nobody.
        """
        now = self.now()
        async with self._practice(caller) as (tx, practice):
            present = await self._changeable(tx, practice, appointment_id, if_match)
            valid = forms.change(
                request, present, practice, countries=self.bounds.countries(practice), now=now
            )
            moved = appointments.reschedule(
                present,
                starts_at=valid.slot.starts_at,
                duration_minutes=valid.slot.duration_minutes,
            )
            corrected = appointments.correct(
                moved,
                patient_name=valid.patient_name,
                email=valid.email,
                phone=valid.phone,
                locale=valid.locale,
                references=valid.references,
            )
            if corrected == present:
                await self._note_reading(tx, caller, [present])
                return Booked(present, practice)
            if valid.references.external_reference != present.references.external_reference:
                await store.take_reference(tx, corrected)
            unsent = await address_store.unsent(tx, self.sealer, present, corrected)
            if corrected.starts_at != present.starts_at:
                await self._plan_again(tx, practice, present, corrected, now, notify=request.notify)
            appointment = await store.update(tx, self.sealer, replace(corrected, unsent=unsent))
            events: list[Event] = []
            if moved != present:
                await self._note_change(tx, caller, Action.RESCHEDULED, present, moved)
                events.append(appointments.rescheduled(appointment, practice))
            if corrected != moved:
                await self._note_change(tx, caller, Action.CORRECTED, moved, appointment)
                events.append(appointments.corrected(appointment, now))
            withdrawal = appointments.withdrawal(present, appointment, now)
            if withdrawal is not None:
                events.append(withdrawal)
            await self._publish(tx, *events)
        self.wake_relay()
        return Booked(appointment, practice)

    async def delete(
        self, caller: Caller, appointment_id: UUID, if_match: Versions | None, *, notify: bool
    ) -> None:
        """Delete: the link is dead at once, and the patient's data gone from here.

        Who is told stays known until that has arrived (`cancellations`).
        """
        now = self.now()
        async with self._practice(caller) as (tx, practice):
            present = await self._locked(tx, practice, appointment_id, if_match)
            known_start = await notice_store.take_move(tx, present)
            await notice_store.forget_waiting(tx, present)
            told = None
            if notify and present.starts_at > now and not present.damaged:
                told = self._cancellation(present, practice, known_start, now)
            known_until = present.starts_at if told else None
            version = await store.delete(
                tx, practice.id, appointment_id, now, contact_until=known_until
            )
            events: list[Event] = [
                appointments.deleted(practice.id, appointment_id, version, present.references)
            ]
            if told is not None:
                told = told.model_copy(update={"appointment_version": version})
                events.append(told)
                await notice_store.add_cancellation(tx, present, told, now)
                await messages.count_notice(tx, self.sealer, present, told, now)
            await self.audit_log.enter(tx, audit.deed(caller, Action.DELETED, appointment_id))
            await self._publish(tx, *events)
        self.wake_relay()

    async def erase(
        self, caller: Caller, appointment_id: UUID, if_match: Versions | None = None
    ) -> None:
        """„Daten löschen": delete the appointment, or what is left of it, from all services."""
        now = self.now()
        async with self._practice(caller) as (tx, practice):
            held = await erasure_store.lock(tx, practice.id, appointment_id)
            if held is None:
                raise NotFound
            _agree(held.version, if_match)
            await erasure.on_request(tx, held, SOURCE, now)
            await self.audit_log.enter(tx, audit.deed(caller, Action.ERASED, appointment_id))
        self.wake_relay()

    async def follow_up(
        self,
        caller: Caller,
        appointment_id: UUID,
        request: FollowUp,
        key: str | None,
        if_match: Versions | None = None,
    ) -> bool:
        """„Erledigt": somebody has dealt with what they saw; also of a deleted appointment.

        Whether that was carried out before, under the same key.
        """
        now = self.now()
        async with self._practice(caller) as (tx, practice):
            version = await store.lock_held(tx, practice.id, appointment_id)
            if version is None:
                raise NotFound
            operation = f"follow up {appointment_id}"
            if key is not None and await idempotency.claim(
                tx, self.sealer, Claim(practice.id, key, operation, request, appointment_id)
            ):
                return True
            _agree(version, if_match)
            await self.audit_log.enter(tx, audit.deed(caller, Action.FOLLOWED_UP, appointment_id))
            event = appointments.followed_up(practice.id, appointment_id, request.causes, now)
            await self._publish(tx, event)
        self.wake_relay()
        return False

    async def send_now(self, caller: Caller, appointment_id: UUID) -> None:
        """„Jetzt senden": what waits for the morning goes out; also of a deleted appointment."""
        now = self.now()
        async with self._practice(caller) as (tx, practice):
            version = await store.lock_held(tx, practice.id, appointment_id)
            if version is None:
                raise NotFound
            await self.audit_log.enter(tx, audit.deed(caller, Action.SENT_NOW, appointment_id))
            await self._publish(
                tx, appointments.send_now(practice.id, appointment_id, version, now)
            )
        self.wake_relay()

    async def sms_time(
        self, caller: Caller, day: str, at: str, utc_offset: str | None
    ) -> datetime | None:
        """Until when an SMS that invites now to this time would wait; None: not at all."""
        async with self._practice(caller) as (_, practice):
            start = forms.start(day, at, utc_offset, practice)
            return quiet_hours.sms_not_before(practice, self.now(), start, sundays=True)

    async def known_addresses(
        self, caller: Caller, request: AddressLookup
    ) -> tuple[Practice, dict[Channel, KnownAddress]]:
        """What is known of addresses that are being typed, by channel."""
        typed = forms.readable(request.email, request.phone)
        found: dict[Channel, KnownAddress] = {}
        async with self._practice(caller) as (tx, practice):
            for channel, address in typed.items():
                known = await address_store.known(
                    tx,
                    self.sealer,
                    practice.id,
                    channel,
                    address,
                    pasted.name(request.patient_name),
                    besides=request.appointment_id,
                )
                if known is not None:
                    found[channel] = known
        return practice, found

    async def get(self, caller: Caller, appointment_id: UUID) -> Booked:
        """One appointment."""
        async with self._practice(caller) as (tx, practice):
            appointment = await self._found(tx, practice, appointment_id)
            await self._note_reading(tx, caller, [appointment])
        return Booked(appointment, practice)

    async def patient_link(self, caller: Caller, appointment_id: UUID) -> PatientLink:
        """The patient's link, for a portal or a letter of the practice's own. Always noted."""
        async with self._practice(caller) as (tx, practice):
            appointment = await self._found(tx, practice, appointment_id)
            await self.audit_log.enter(tx, audit.deed(caller, Action.LINK_READ, appointment_id))
        return PatientLink(
            self._link(appointment),
            appointment.link_version,
            valid_until(appointment.ends_at, practice.zone),
        )

    async def day(self, caller: Caller, day: date) -> tuple[Practice, Sequence[Appointment]]:
        """The appointments of one day in the practice's zone, by start."""
        forms.check_days({"date": day})
        async with self._practice(caller) as (tx, practice):
            first, until = day_bounds(day, practice.zone)
            found = await store.between(tx, self.sealer, practice.id, first, until)
            await self._note_reading(tx, caller, found)
            return practice, found

    async def named(
        self, caller: Caller, ids: Collection[UUID]
    ) -> tuple[Practice, Sequence[Appointment]]:
        """Those of these appointments that there are, by start.

        Cancelled ones too, as long as the patient may have to be called.
        """
        async with self._practice(caller) as (tx, practice):
            found = await store.named(tx, self.sealer, practice.id, ids, self.now())
            await self._note_reading(tx, caller, found)
            return practice, found

    async def practice(self, caller: Caller) -> Practice:
        """The caller's practice."""
        async with self._practice(caller) as (_, practice):
            return practice

    @asynccontextmanager
    async def _practice(self, caller: Caller) -> AsyncIterator[tuple[Connection, Practice]]:
        async with self.db.practice(caller.practice_id) as tx:
            yield tx, await practice_store.of_caller(tx, caller.practice_id)

    async def _found(
        self, tx: Connection, practice: Practice, appointment_id: UUID, *, lock: bool = False
    ) -> Appointment:
        appointment = await store.find(tx, self.sealer, practice.id, appointment_id, lock=lock)
        if appointment is None:
            raise NotFound
        return appointment

    async def _locked(
        self,
        tx: Connection,
        practice: Practice,
        appointment_id: UUID,
        if_match: Versions | None = None,
    ) -> Appointment:
        appointment = await self._found(tx, practice, appointment_id, lock=True)
        _agree(appointment.version, if_match)
        return appointment

    async def _changeable(
        self,
        tx: Connection,
        practice: Practice,
        appointment_id: UUID,
        if_match: Versions | None = None,
    ) -> Appointment:
        """As `_locked`. Writing seals the contact anew, which must not be lost by it."""
        appointment = await self._locked(tx, practice, appointment_id, if_match)
        if appointment.damaged:
            raise Damaged
        return appointment

    def _is_dead(self, tx: Connection, practice: Practice) -> forms.IsDead:
        return partial(address_store.is_dead, tx, self.sealer, practice.id)

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
            await messages.check(tx, self.sealer, self.bounds, practice, after, now)
            await notice_store.add_move(tx, after, known_start, now + self.settle)

    async def _write_to(
        self, tx: Connection, practice: Practice, appointment: Appointment, now: datetime
    ) -> None:
        """Count an attempt, within the bounds. Raises TooManyMessages."""
        await messages.check(tx, self.sealer, self.bounds, practice, appointment, now)
        await messages.count(tx, self.sealer, appointment, appointment.channels, now)

    def _link(self, appointment: Appointment) -> str:
        return self.links.url(Link(appointment.id, appointment.link_version))

    def _invitation(
        self, appointment: Appointment, practice: Practice, now: datetime, *, send_now: bool
    ) -> list[Event]:
        waits_until = quiet_hours.of_invitation(
            practice, appointment.channels, now, appointment.starts_at
        )
        return appointments.invitation(
            appointment, practice, self._link(appointment), None if send_now else waits_until
        )

    def _cancellation(
        self,
        appointment: Appointment,
        practice: Practice,
        known_start: datetime | None,
        now: datetime,
    ) -> NoticeRequested | None:
        return notices.requested(
            uuid7(),
            NoticeKind.CANCELLED,
            appointment,
            practice,
            channels=self.channels,
            link=self._link(appointment),
            now=now,
            known_start=known_start,
        )

    async def _note_reading(
        self, tx: Connection, caller: Caller, shown: Sequence[Appointment]
    ) -> None:
        await self.audit_log.enter_shown(tx, caller, [each.id for each in shown])

    async def _note_change(
        self,
        tx: Connection,
        caller: Caller,
        action: Action,
        before: Appointment,
        after: Appointment,
    ) -> None:
        changed = audit.changes(before, after)
        await self.audit_log.enter(tx, audit.deed(caller, action, after.id, changed=changed))

    async def _publish(self, tx: Writer, *events: Event) -> None:
        await outbox.put(tx, events, source=SOURCE, sealer=self.sealer)


def _agree(version: int, if_match: Versions | None) -> None:
    """Nobody changes what they have not seen. Raises Changed."""
    if if_match is not None and version not in if_match:
        raise Changed
