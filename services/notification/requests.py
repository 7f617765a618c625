"""Kafka in: requests become queued deliveries, the appointment's life follows. Writes rows only.

Topics are not ordered with each other, and a consumer may see an event late. So what counts is
never the order of arrival but what is known after the batch: the appointment's highest version,
whether it was deleted, the newest attempt.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.envelope import Received
from contracts.events import (
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    Channel,
    InvitationRequested,
    NoticeRequested,
)
from contracts.topics import APPOINTMENTS, REQUESTED
from services.notification.deliveries import metrics, store
from services.notification.deliveries.delivery import Delivery, Transition
from services.notification.deliveries.events import (
    ChannelMissing,
    DeliveryEvent,
    Moved,
    Requested,
    Superseded,
    Withdrawn,
)
from services.notification.deliveries.store import Appointment
from services.notification.deliveries.transitions import transition
from services.notification.erasure import store as erasure_store
from services.notification.letters import store as letter_store
from services.notification.letters.letter import Letter, LetterKind

TOPICS = (APPOINTMENTS, REQUESTED)
GROUP = "notification"


class Events:
    """Handles batches of events. `channels` are those that this installation can send over."""

    def __init__(
        self,
        *,
        channels: Collection[Channel],
        message_id_domain: str,
        sealer: Sealer,
        now: Callable[[], datetime],
    ) -> None:
        self._channels = frozenset(channels)
        self._domain = message_id_domain
        self._sealer = sealer
        self._now = now

    async def handle(self, tx: Connection, batch: Sequence[Received]) -> None:
        """Take over a batch of fresh events."""
        news = merge(known for received in batch if (known := _appointment(received)) is not None)
        if not news:
            return
        appointments = await store.merge_appointments(tx, news)
        erased = [each.appointment_id for each in news if each.erased]
        await erasure_store.erase(tx, erased, self._now())
        appointments = {
            key: known
            for key, known in appointments.items()
            if not known.erased and key not in erased
        }
        existing = await store.lock_deliveries_of(tx, list(appointments))
        draft = _Draft(existing, self._now())
        for received in batch:
            if isinstance(received.event, InvitationRequested):
                known = appointments.get(received.event.appointment_id)
                if known is not None:
                    self._request(draft, received, received.event, known)
            elif (
                isinstance(received.event, NoticeRequested)
                and received.event.appointment_id in appointments
            ):
                self._notify(draft, received, received.event)
        moved = {
            received.event.appointment_id
            for received in batch
            if type(received.event) is AppointmentRescheduled
        }
        for appointment in appointments.values():
            _follow(draft, appointment, moved=appointment.appointment_id in moved)
        for delivery in draft.new:
            if delivery.channel not in self._channels or delivery.id in draft.not_permitted:
                draft.apply(delivery.id, ChannelMissing())
        letters = {
            delivery.id: letter_store.seal(
                self._sealer, delivery.practice_id, delivery.id, draft.letters[delivery.id]
            )
            for delivery in draft.new
        }
        metrics.count(await store.save(tx, draft.transitions, letters))

    def _request(
        self, draft: "_Draft", received: Received, request: InvitationRequested, known: Appointment
    ) -> None:
        """Queue what is not there yet, one delivery per channel."""
        starts_at = request.not_after
        if known.version > request.appointment_version and known.starts_at is not None:
            starts_at = known.starts_at
        there = {
            (each.invitation_id, each.attempt, each.channel)
            for each in draft.deliveries_of(request.appointment_id)
        }
        for channel in request.channels.channels:
            if (request.invitation_id, request.attempt, channel) in there:
                continue
            delivery_id: UUID = uuid7()
            delivery = Delivery(
                id=delivery_id,
                practice_id=request.practice_id,
                appointment_id=request.appointment_id,
                invitation_id=request.invitation_id,
                attempt=request.attempt,
                channel=channel,
                message_id=f"<{delivery_id}@{self._domain}>",
                requested_at=received.time,
                starts_at=starts_at,
                traceparent=received.traceparent,
            )
            draft.add(delivery, _letter(request, request.channels.address(channel) or ""))
            if channel not in request.tariff.channels:
                draft.not_permitted.add(delivery_id)

    def _notify(self, draft: "_Draft", received: Received, notice: NoticeRequested) -> None:
        """Queue a notice, one delivery per channel, unless it is there."""
        if any(
            each.invitation_id == notice.notice_id
            for each in draft.deliveries_of(notice.appointment_id)
        ):
            return
        for channel in notice.channels.channels:
            delivery_id: UUID = uuid7()
            delivery = Delivery(
                id=delivery_id,
                practice_id=notice.practice_id,
                appointment_id=notice.appointment_id,
                invitation_id=notice.notice_id,
                attempt=1,
                channel=channel,
                message_id=f"<{delivery_id}@{self._domain}>",
                requested_at=received.time,
                starts_at=notice.not_after,
                kind=LetterKind(notice.kind),
                traceparent=received.traceparent,
            )
            letter = _letter(notice, notice.channels.address(channel) or "")
            draft.add(
                delivery,
                replace(letter, kind=delivery.kind, previous_start=notice.previous_start),
            )


def merge(news: Iterable[Appointment]) -> list[Appointment]:
    """One entry per appointment: what the events together say of it."""
    merged: dict[UUID, Appointment] = {}
    for each in news:
        known = merged.get(each.appointment_id)
        merged[each.appointment_id] = each if known is None else _merged(known, each)
    return list(merged.values())


def _merged(one: Appointment, other: Appointment) -> Appointment:
    dated = [each for each in (one, other) if each.starts_at is not None]
    latest = max(dated, key=lambda each: each.version, default=one)
    return Appointment(
        appointment_id=one.appointment_id,
        practice_id=one.practice_id,
        version=max(one.version, other.version),
        starts_at=latest.starts_at,
        duration_minutes=latest.duration_minutes,
        time_zone=latest.time_zone,
        deleted=one.deleted or other.deleted,
        erased=one.erased or other.erased,
    )


def _appointment(received: Received) -> Appointment | None:
    event = received.event
    if isinstance(event, AppointmentDeleted | AppointmentErased):
        return Appointment(
            appointment_id=event.appointment_id,
            practice_id=event.practice_id,
            version=event.version,
            deleted=True,
            erased=isinstance(event, AppointmentErased),
        )
    start = getattr(event, "start", None)
    if isinstance(event, InvitationRequested | NoticeRequested):
        version, start = event.appointment_version, event.not_after
    elif isinstance(event, AppointmentRescheduled):
        version = event.version
    else:
        return None
    return Appointment(
        appointment_id=event.appointment_id,
        practice_id=event.practice_id,
        version=version,
        starts_at=start,
        duration_minutes=event.duration_minutes,
        time_zone=event.time_zone,
    )


def _letter(request: InvitationRequested | NoticeRequested, recipient: str) -> Letter:
    def storable(text: str) -> str:
        return text.replace("\x00", "")  # the one character that PostgreSQL can't store

    return Letter(
        recipient=storable(recipient),
        patient_name=storable(request.patient_name),
        sender_name=storable(request.sender_name),
        link=storable(request.link),
        locale=storable(request.locale),
        appointment_version=request.appointment_version,
        start=request.start,
        duration_minutes=request.duration_minutes,
        time_zone=request.time_zone,
    )


def _follow(draft: "_Draft", appointment: Appointment, *, moved: bool) -> None:
    """Let the appointment's deliveries follow what is known of it."""
    deliveries = list(draft.deliveries_of(appointment.appointment_id))
    newest: dict[UUID, int] = defaultdict(int)
    for delivery in deliveries:
        newest[delivery.invitation_id] = max(newest[delivery.invitation_id], delivery.attempt)
    for delivery in deliveries:
        if delivery.attempt < newest[delivery.invitation_id]:
            draft.apply(delivery.id, Superseded())
        if delivery.kind is LetterKind.CANCELLED:
            continue  # sent for the very reason that the appointment is deleted
        if (
            delivery.kind is not LetterKind.INVITATION
            and appointment.starts_at != delivery.starts_at
        ):
            draft.apply(delivery.id, Withdrawn())  # it names a time that is no longer true
        if appointment.deleted:
            draft.apply(delivery.id, Withdrawn())
        elif moved and appointment.starts_at is not None:
            draft.apply(delivery.id, Moved(appointment.starts_at))


class _Draft:
    """The deliveries of the batch's appointments, as they change."""

    def __init__(self, existing: Sequence[Delivery], now: datetime) -> None:
        self._now = now
        self._of: dict[UUID, dict[UUID, Delivery]] = defaultdict(dict)
        self._current: dict[UUID, Delivery] = {}
        self.transitions: list[Transition] = []
        self.letters: dict[UUID, Letter] = {}
        self.not_permitted: set[UUID] = set()  # by the practice's tariff
        for delivery in existing:
            self._keep(delivery)

    @property
    def new(self) -> list[Delivery]:
        """Those that were not stored before."""
        return [self._current[delivery_id] for delivery_id in self.letters]

    def deliveries_of(self, appointment_id: UUID) -> Collection[Delivery]:
        """All deliveries of one appointment as they are now."""
        return self._of[appointment_id].values()

    def add(self, delivery: Delivery, letter: Letter) -> None:
        """A new delivery is requested."""
        self.letters[delivery.id] = letter
        self._keep(delivery)
        self.apply(delivery.id, Requested())

    def apply(self, delivery_id: UUID, event: DeliveryEvent) -> None:
        """Something happened to a delivery."""
        step = transition(self._current[delivery_id], event, self._now)
        self.transitions.append(step)
        self._keep(step.delivery)

    def _keep(self, delivery: Delivery) -> None:
        self._current[delivery.id] = delivery
        self._of[delivery.appointment_id][delivery.id] = delivery
