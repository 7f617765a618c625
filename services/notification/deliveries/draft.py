"""The deliveries of some appointments as they change, before they are saved."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from contracts.channels import Channel
from services.notification.deliveries.appointments import KnownAppointment
from services.notification.deliveries.delivery import Delivery, Transition
from services.notification.deliveries.events import (
    ChannelMissing,
    DeliveryEvent,
    Hastened,
    Moved,
    Requested,
    Restored,
    Superseded,
    Withdrawn,
    Withheld,
)
from services.notification.deliveries.told import Send, fate
from services.notification.deliveries.transitions import transition
from services.notification.letters.letter import Letter, LetterKind


class Draft:
    """Begins with the stored deliveries; `transitions` and `letters` are what is to be saved."""

    def __init__(self, stored: Sequence[Delivery], now: datetime) -> None:
        self._now = now
        self._of: dict[UUID, dict[UUID, Delivery]] = defaultdict(dict)
        self._current: dict[UUID, Delivery] = {}
        self._withdrawn_before: dict[tuple[UUID, Channel], int] = defaultdict(int)
        self.transitions: list[Transition] = []
        self.letters: dict[UUID, Letter] = {}
        for delivery in stored:
            self._put(delivery)

    @property
    def new(self) -> list[Delivery]:
        """Those that were not stored before."""
        return [self._current[delivery_id] for delivery_id in self.letters]

    def deliveries_of(self, appointment_id: UUID) -> Collection[Delivery]:
        """All deliveries of one appointment as they are now."""
        return self._of[appointment_id].values()

    def add(self, delivery: Delivery, letter: Letter, *, repeated: bool = False) -> None:
        """A new delivery is requested; `repeated`: by who does not know whether it was before."""
        self.letters[delivery.id] = letter
        self._put(delivery)
        self._apply(delivery.id, Requested())
        if repeated:
            self._apply(delivery.id, Restored())

    def channel_missing(self, delivery_id: UUID) -> None:
        """The delivery can't go over its channel."""
        self._apply(delivery_id, ChannelMissing())

    def hasten(self, appointment_id: UUID) -> None:
        """Nothing of the appointment is to wait for the morning any more."""
        for delivery in list(self.deliveries_of(appointment_id)):
            self._apply(delivery.id, Hastened())

    def withdraw(self, appointment_id: UUID, channels: Collection[Channel], version: int) -> None:
        """Of what was requested before this version nothing is to go out over these any more."""
        for channel in channels:
            before = self._withdrawn_before[appointment_id, channel]
            self._withdrawn_before[appointment_id, channel] = max(before, version)

    def follow(self, appointment: KnownAppointment) -> None:
        """Let the appointment's deliveries follow what is known of it, whoever told it first."""
        deliveries = list(self.deliveries_of(appointment.appointment_id))
        newest: dict[UUID, int] = defaultdict(int)
        for delivery in deliveries:
            newest[delivery.invitation_id] = max(newest[delivery.invitation_id], delivery.attempt)
        for delivery in deliveries:
            if delivery.attempt < newest[delivery.invitation_id]:
                self._apply(delivery.id, Superseded())  # before it is withdrawn: nobody is told
            before = self._withdrawn_before[delivery.appointment_id, delivery.channel]
            if delivery.requested_version < before:
                self._apply(delivery.id, Withdrawn())
            if delivery.kind is LetterKind.CANCELLED:
                continue  # sent for the very reason that the appointment is deleted
            is_notice = delivery.kind is not LetterKind.INVITATION
            if is_notice and appointment.starts_at != delivery.starts_at:
                self._apply(delivery.id, Withdrawn())  # it names a time that is no longer true
            if appointment.deleted:
                self._apply(delivery.id, Withdrawn())
            elif appointment.starts_at is not None:
                self._apply(delivery.id, Moved(appointment.starts_at))

    def withhold(self) -> None:
        """Of the new notices, those that are not to be sent; others wait or go out."""
        for notice in self.new:
            if notice.kind is LetterKind.INVITATION:
                continue
            verdict = fate(notice, self.deliveries_of(notice.appointment_id))
            if not isinstance(verdict, Send):
                self._apply(notice.id, Withheld(verdict))

    def _apply(self, delivery_id: UUID, event: DeliveryEvent) -> None:
        step = transition(self._current[delivery_id], event, self._now)
        self.transitions.append(step)
        self._put(step.delivery)

    def _put(self, delivery: Delivery) -> None:
        self._current[delivery.id] = delivery
        self._of[delivery.appointment_id][delivery.id] = delivery
