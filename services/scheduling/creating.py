"""Creating appointments: many at the same moment in one transaction, what is special in its own.

A request shares a transaction with those of any practice that come while the one before commits
(`chassis.group_commit`); each statement of it enters the practice that it is of. What could be
refused there, or was done before, is left out, and carried out by itself: so nobody's refusal
costs another anything, and what is refused is refused for one reason alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import asyncpg
import structlog
from uuid_utils.compat import uuid7

from chassis import outbox, tracing
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import (
    CALLER_WAITS,
    Connection,
    Database,
    DatabaseBusy,
    DatabaseRefuses,
    DatabaseUnavailable,
)
from chassis.group_commit import GroupCommit
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from chassis.together import Together, fetch_each
from chassis.turns import Busy
from contracts.channels import Channel
from services.scheduling import (
    address_store,
    appointments,
    forms,
    idempotency,
    messages,
    notice_store,
    notices,
    practice_store,
    quiet_hours,
    store,
)
from services.scheduling.appointments import Appointment
from services.scheduling.audit import entry as audit
from services.scheduling.audit.entry import Action, Deed
from services.scheduling.audit.log import AuditLog
from services.scheduling.bounds import Bounds
from services.scheduling.headroom import Headroom
from services.scheduling.idempotency import Claim
from services.scheduling.links import Link, Links
from services.scheduling.practice import Practice
from services.scheduling.schemas import NewAppointment

log = structlog.get_logger(__name__)

OPERATION = "create"
# The server has refused a statement, so nothing was committed: others were in the way.
IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.TransactionRollbackError)


@dataclass(frozen=True, slots=True)
class Booked:
    """An appointment with the practice whose zone it is read in."""

    appointment: Appointment
    practice: Practice
    replayed: bool = False  # the request was carried out before, under the same key


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as it came, and all of it that does not depend on what is stored."""

    caller: Caller
    request: NewAppointment
    key: str | None
    now: datetime
    appointment_id: UUID
    deed: Deed
    traceparent: str | None

    @property
    def claim(self) -> Claim | None:
        """Its key, if it claims one."""
        return Claim.of_form(
            self.caller.practice_id, self.key, OPERATION, self.request, self.appointment_id
        )


@dataclass(frozen=True, slots=True)
class _Plain:
    """A draft that nothing was found against as yet."""

    draft: Draft
    practice: Practice
    appointment: Appointment


class Creating:
    """The use case of creating. One per process."""

    def __init__(
        self,
        db: Database,
        links: Links,
        channels: Sequence[Channel],
        sealer: Sealer,
        audit_log: AuditLog,
        bounds: Bounds,
        now: Clock,
        *,
        source: str,
    ) -> None:
        """`channels` of this installation; `source` of the events."""
        self._db = db
        self._links = links
        self._channels = channels
        self._sealer = sealer
        self._audit_log = audit_log
        self._bounds = bounds
        self._now = now
        self._source = source
        self._headroom = Headroom()
        self._sharing = GroupCommit(self._in_one, patience=CALLER_WAITS)

    async def create(self, caller: Caller, request: NewAppointment, key: str | None) -> Booked:
        """Create an appointment and issue its first invitation, or find what was created before."""
        appointment_id = uuid7()
        draft = Draft(
            caller,
            request,
            key,
            self._now(),
            appointment_id,
            audit.deed(caller, Action.CREATED, appointment_id),
            tracing.traceparent(),
        )
        try:
            booked = await self._sharing.share(draft, str(caller.practice_id))
        except Busy:
            raise DatabaseBusy from None
        return booked or await self._by_itself(draft)

    async def _in_one(self, drafts: Sequence[Draft]) -> Sequence[Booked | None]:
        """What is plain of these, in one transaction; None: to be carried out by itself."""
        # By practices, as whoever writes for several of them takes their clocks.
        ordered = sorted(drafts, key=lambda draft: draft.caller.practice_id)
        try:
            async with self._db.shared() as tx:
                done = await self._book_plain(tx, ordered)
        except DatabaseUnavailable as error:
            refused = isinstance(error, DatabaseRefuses)  # over one of them, it may be
            if not refused and not isinstance(error.__cause__, IN_THE_WAY):
                raise
            done = {}
        except Exception as error:  # over one of them, and the others are no part of it
            log.warning("shared transaction undone", requests=len(drafts), exc_info=error)
            done = {}
        for booked in done.values():
            messages.tell(booked.appointment.channels)
        return [done.get(draft.appointment_id) for draft in drafts]

    async def _book_plain(self, tx: Connection, drafts: Sequence[Draft]) -> dict[UUID, Booked]:
        practices = await practice_store.of_each(
            tx, sorted({draft.caller.practice_id for draft in drafts})
        )
        plain = [
            _Plain(draft, practice, appointment)
            for draft in drafts
            if (practice := practices.get(draft.caller.practice_id)) is not None
            and (appointment := await self._valid(draft, practice)) is not None
        ]
        plain = await self._without_dead_addresses(tx, plain)
        plain = await _without_taken_references(tx, plain)
        free = await messages.surely_free(
            tx,
            self._sealer,
            self._bounds,
            self._headroom,
            [(each.appointment, each.practice) for each in plain],
            self._now(),
        )
        plain = await self._with_fresh_keys(
            tx, [each for each in plain if each.appointment.id in free]
        )
        collected = [Together() for _ in plain]
        for writer, each in zip(collected, plain, strict=True):
            await self._write(writer, each.draft, each.practice, each.appointment)
        rows = await fetch_each(tx, collected)
        return {
            each.appointment.id: Booked(
                replace(each.appointment, updated_at=row["updated_at"]), each.practice
            )
            for each, row in zip(plain, rows, strict=True)
        }

    async def _valid(self, draft: Draft, practice: Practice) -> Appointment | None:
        try:
            return await self._appointment(draft, practice, _not_asked)
        except InvalidInput:
            return None

    async def _without_dead_addresses(
        self, tx: Connection, plain: Sequence[_Plain]
    ) -> list[_Plain]:
        asked = [
            (each, channel, address)
            for each in plain
            if not each.draft.request.send_anyway
            for channel in each.appointment.channels
            if (address := each.appointment.address(channel)) is not None
        ]
        found = await address_store.are_dead(
            tx,
            self._sealer,
            [(each.practice.id, channel, address) for each, channel, address in asked],
        )
        dead = {
            each.appointment.id
            for (each, _, _), is_dead in zip(asked, found, strict=True)
            if is_dead
        }
        return [each for each in plain if each.appointment.id not in dead]

    async def _with_fresh_keys(self, tx: Connection, plain: Sequence[_Plain]) -> list[_Plain]:
        """Those whose keys nobody has used."""
        claims: dict[tuple[UUID, str], Claim] = {}
        for each in plain:
            claim = each.draft.claim
            if claim is not None:
                claims.setdefault((claim.practice_id, claim.key), claim)
        fresh = await idempotency.claim_fresh(tx, self._sealer, list(claims.values()))
        return [each for each in plain if each.draft.claim is None or each.appointment.id in fresh]

    async def _by_itself(self, draft: Draft) -> Booked:
        """As one request to the practice alone. Raises what refuses it."""
        practice_id = draft.caller.practice_id
        async with self._db.practice(practice_id) as tx:
            practice = await practice_store.of_caller(tx, practice_id)
            earlier = await idempotency.carried_out(tx, self._sealer, draft.claim)
            if earlier is not None:
                await self._audit_log.enter_shown(tx, draft.caller, [earlier.id])
                return Booked(earlier, practice, replayed=True)
            appointment = await self._appointment(
                draft, practice, partial(address_store.is_dead, tx, self._sealer, practice_id)
            )
            await store.take_reference(tx, appointment)
            await messages.check(tx, self._sealer, self._bounds, practice, appointment, draft.now)
            all_at_once = Together()
            await self._write(all_at_once, draft, practice, appointment)
            [row] = await fetch_each(tx, [all_at_once])
        messages.tell(appointment.channels)
        return Booked(replace(appointment, updated_at=row["updated_at"]), practice)

    async def _appointment(
        self, draft: Draft, practice: Practice, is_dead: forms.IsDead
    ) -> Appointment:
        """What is to be created. Raises InvalidInput."""
        valid = await forms.new_appointment(
            draft.request,
            practice,
            available=self._channels,
            countries=self._bounds.countries(practice),
            now=draft.now,
            is_dead=is_dead,
        )
        return Appointment(
            id=draft.appointment_id,
            practice_id=practice.id,
            version=1,
            starts_at=valid.slot.starts_at,
            duration_minutes=valid.slot.duration_minutes,
            patient_name=valid.patient_name,
            email=valid.contact.email,
            phone=valid.contact.phone,
            channels=valid.contact.channels,
            locale=valid.locale,
            consented_at=draft.now,
            invitation_id=uuid7(),
            attempt=1,
            link_version=1,
            created_at=draft.now,
            created_by=draft.caller.subject,
            updated_at=draft.now,
            references=valid.references,
        )

    async def _write(
        self, tx: Together, draft: Draft, practice: Practice, appointment: Appointment
    ) -> None:
        """All that is stored of it; the last statement returns `updated_at`."""
        now = draft.now
        waits_until = quiet_hours.of_invitation(
            practice, appointment.channels, now, appointment.starts_at
        )
        events = [
            appointments.scheduled(appointment, practice),
            *appointments.invitation(
                appointment,
                practice,
                self._links.url(Link(appointment.id, appointment.link_version)),
                None if draft.request.send_now else waits_until,
            ),
        ]
        await messages.add(tx, self._sealer, appointment, appointment.channels, now)
        await address_store.add_attempt(tx, self._sealer, appointment)
        await notice_store.add_reminders(
            tx, appointment, notices.reminders(practice, appointment.starts_at, now)
        )
        await self._audit_log.enter(tx, draft.deed)
        await outbox.put(
            tx,
            events,
            source=self._source,
            sealer=self._sealer,
            traceparents=[draft.traceparent] * len(events),
        )
        await store.add(tx, self._sealer, appointment)


async def _without_taken_references(tx: Connection, plain: Sequence[_Plain]) -> list[_Plain]:
    """Those whose external reference no other has; they are locked, until the commit."""
    referred: dict[tuple[UUID, str], _Plain] = {}
    for each in plain:
        if (reference := each.appointment.references.external_reference) is not None:
            referred.setdefault((each.practice.id, reference), each)
    others = await store.lock_references(tx, list(referred))
    free = {
        each.appointment.id
        for each, other in zip(referred.values(), others, strict=True)
        if other is None
    }
    return [
        each
        for each in plain
        if each.appointment.references.external_reference is None or each.appointment.id in free
    ]


async def _not_asked(_channel: Channel, _address: str) -> bool:
    """Of all together it is asked at once."""
    return False
