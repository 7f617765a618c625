"""Kafka in: requests become queued deliveries, the appointment's life follows. Writes rows only.

Topics are not ordered with each other, and a consumer may see an event late. So what counts is
never the order of arrival but what is known after the batch: the appointment's highest version,
whether it was deleted, the newest attempt.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from chassis.clock import Clock
from chassis.consumer import of_types
from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.channels import Channel, folded_address
from contracts.envelope import Received
from contracts.events import (
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    DailyMailRequested,
    InvitationRequested,
    NoticeRequested,
    SendNowRequested,
    WithdrawalRequested,
)
from contracts.topics import APPOINTMENTS, REQUESTED
from services.notification.daily_mails import store as daily_mail_store
from services.notification.deliveries import metrics, store
from services.notification.deliveries.appointments import KnownAppointment, news_of
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.draft import Draft
from services.notification.deliveries.told import known_start
from services.notification.erasure import store as erasure_store
from services.notification.letters import store as letter_store
from services.notification.letters.letter import Letter, LetterKind

TOPICS = (APPOINTMENTS, REQUESTED)
GROUP = "notification"
TOLD_WITHIN = 0.05  # seconds that what is told of a request waits for what becomes of it at once
concerning = of_types(
    AppointmentDeleted, AppointmentErased, AppointmentRescheduled, *REQUESTED.events
)


@dataclass(frozen=True, slots=True)
class Wakes:
    """Who has to hear of what was taken over."""

    worker: Callable[[Channel], None] = lambda _: None
    daily_mails: Callable[[], None] = lambda: None
    relay: Callable[[], None] = lambda: None


NO_WAKES = Wakes()


class Events:
    """Handles batches of events, and wakes who has something to do then.

    `channels` are those that this installation can send over.
    """

    def __init__(
        self,
        *,
        channels: Collection[Channel],
        message_id_domain: str,
        sealer: Sealer,
        now: Clock,
        wakes: Wakes = NO_WAKES,
    ) -> None:
        self._channels = frozenset(channels)
        self._domain = message_id_domain
        self._sealer = sealer
        self._now = now
        self._wakes = wakes
        self._to_wake: list[Callable[[], None]] = []

    def tell(self) -> None:
        """What was handled last is committed."""
        for wake in self._to_wake:
            wake()
        self._to_wake = []

    async def handle(self, tx: Connection, batch: Sequence[Received]) -> None:
        """Take over a batch of fresh events."""
        self._to_wake = []
        for received in batch:
            if isinstance(received.event, DailyMailRequested):
                self._to_wake.append(self._wakes.daily_mails)
                await daily_mail_store.take(
                    tx, self._sealer, received.event, domain=self._domain, now=self._now()
                )
        news = [each for received in batch if (each := news_of(received.event)) is not None]
        if not news:
            return
        known = await store.merge_appointments(tx, news)
        await erasure_store.erase(
            tx, list({each.appointment_id for each in news if each.erased}), self._now()
        )
        appointments = {key: each for key, each in known.items() if not each.erased}
        draft = Draft(await store.lock_deliveries_of(tx, list(appointments)), self._now())
        not_permitted: set[UUID] = set()  # by the practice's tariff
        for received in batch:
            match received.event:
                case InvitationRequested() as request if request.appointment_id in appointments:
                    appointment = appointments[request.appointment_id]
                    not_permitted |= self._request(draft, received, request, appointment)
                case NoticeRequested() as notice if notice.appointment_id in appointments:
                    self._notify(draft, received, notice)
                case SendNowRequested() as wanted if wanted.appointment_id in appointments:
                    draft.hasten(wanted.appointment_id)
                case WithdrawalRequested() as gone if gone.appointment_id in appointments:
                    draft.withdraw(gone.appointment_id, gone.channels, gone.appointment_version)
        for appointment in appointments.values():
            draft.follow(appointment)
        draft.withhold()
        for delivery in draft.new:
            if delivery.channel not in self._channels or delivery.id in not_permitted:
                draft.channel_missing(delivery.id)
        letters = {
            each.id: letter_store.seal(
                self._sealer, each.practice_id, each.id, draft.letters[each.id]
            )
            for each in draft.new
        }
        outcomes = await store.save(tx, draft.transitions, letters)
        metrics.count(outcomes)
        if outcomes:
            self._to_wake.append(self._wakes.relay)
        # Also of those to which nothing happened: a worker that looked meanwhile has passed over
        # all that is locked here.
        due = {
            each.channel for key in appointments for each in draft.deliveries_of(key) if each.due_at
        }
        self._to_wake += [partial(self._wakes.worker, channel) for channel in due]

    def _request(
        self,
        draft: Draft,
        received: Received,
        request: InvitationRequested,
        known: KnownAppointment,
    ) -> set[UUID]:
        """Queue what is not there yet, one delivery per channel; returns those not permitted."""
        starts_at = request.not_after
        if known.version > request.appointment_version and known.starts_at is not None:
            starts_at = known.starts_at
        there = {
            (each.invitation_id, each.attempt, each.channel)
            for each in draft.deliveries_of(request.appointment_id)
        }
        not_permitted: set[UUID] = set()
        for channel in request.channels.channels:
            if (request.invitation_id, request.attempt, channel) in there:
                continue
            delivery = replace(
                self._delivery(draft, received, request, channel),
                starts_at=starts_at,
                link_version=request.link_version,
            )
            draft.add(delivery, _letter(request, channel), repeated=request.repeated)
            if channel not in request.tariff.channels:
                not_permitted.add(delivery.id)
        return not_permitted

    def _notify(self, draft: Draft, received: Received, notice: NoticeRequested) -> None:
        """Queue a notice, one delivery per channel, unless it is there."""
        there = draft.deliveries_of(notice.appointment_id)
        if any(each.invitation_id == notice.notice_id for each in there):
            return
        for channel in notice.channels.channels:
            delivery = replace(
                self._delivery(draft, received, notice, channel),
                recipient=self._told(notice, channel, there),
                kind=LetterKind(notice.kind),
            )
            start = notice.start
            if delivery.kind is LetterKind.CANCELLED:
                start = known_start(delivery, there) or start
            letter = replace(
                _letter(notice, channel),
                kind=delivery.kind,
                start=start,
                previous_start=notice.previous_start,
            )
            draft.add(replace(delivery, named_start=start), letter, repeated=notice.repeated)

    def _delivery(
        self,
        draft: Draft,
        received: Received,
        request: InvitationRequested | NoticeRequested,
        channel: Channel,
    ) -> Delivery:
        """What both kinds of requests say alike of a delivery over one of their channels."""
        if isinstance(request, InvitationRequested):
            invitation_id, attempt = request.invitation_id, request.attempt
        else:
            invitation_id, attempt = request.notice_id, 1
        delivery_id = self._delivery_id(request, invitation_id, attempt, channel)
        return Delivery(
            id=delivery_id,
            practice_id=request.practice_id,
            appointment_id=request.appointment_id,
            invitation_id=invitation_id,
            attempt=attempt,
            channel=channel,
            message_id=self._message_id(delivery_id),
            requested_at=received.time,
            requested_version=request.appointment_version,
            starts_at=request.not_after,
            held_until=request.sms_not_before if channel is Channel.SMS else None,
            recipient=self._recipient(request, channel),
            organizer=self._organizer(draft, request, channel),
            asks_for_answer=request.asks_for_answer,
            traceparent=received.traceparent,
        )

    def _told(
        self, notice: NoticeRequested, channel: Channel, there: Collection[Delivery]
    ) -> bytes:
        """Recognises the address at which this patient was told of the appointment, if at all."""
        invited = [
            each for each in there if each.channel is channel and each.kind is LetterKind.INVITATION
        ]
        if channel in notice.corrected and invited:
            return max(invited, key=lambda each: each.attempt).recipient
        return self._recipient(notice, channel)

    def _recipient(self, request: InvitationRequested | NoticeRequested, channel: Channel) -> bytes:
        """Recognises the address among those of the appointment, and nowhere else."""
        address = folded_address(request.channels.address(channel))
        return self._sealer.fingerprint(f"{request.appointment_id}\0{channel}\0{address}".encode())

    def _organizer(
        self, draft: Draft, request: InvitationRequested | NoticeRequested, channel: Channel
    ) -> UUID | None:
        """The organizer of mail to this address about this appointment.

        The one that earlier mail had, also where it was made with an older key.
        """
        if channel is not Channel.EMAIL:
            return None
        address = folded_address(request.channels.address(channel))
        content = f"organizer\0{request.appointment_id}\0{address}".encode()
        known = {each.organizer for each in draft.deliveries_of(request.appointment_id)}
        may_be = map(_uuid, self._sealer.fingerprints(content))
        newest = _uuid(self._sealer.fingerprint(content))
        return next((each for each in may_be if each in known), newest)

    def _delivery_id(
        self,
        request: InvitationRequested | NoticeRequested,
        invitation_id: UUID,
        attempt: int,
        channel: Channel,
    ) -> UUID:
        """The same whenever the same is requested: also by who has lost what was known of it.

        As a UUIDv7 of the invitation's time, with the attempt, so that ids rise; nobody who does
        not have the key can reckon it.
        """
        ids = f"{request.appointment_id}\0{invitation_id}\0{attempt}"
        content = f"delivery\0{ids}\0{channel}".encode()
        secret = self._sealer.fingerprint(content)[1:9]
        head = invitation_id.bytes[:6] + (0x7000 | attempt & 0xFFF).to_bytes(2)
        return UUID(bytes=head + bytes([0x80 | secret[0] & 0x3F]) + secret[1:])

    def _message_id(self, delivery_id: UUID) -> str:
        """As if at random: who names it has seen the mail, and learns nothing of the delivery.

        Stored with the delivery, so that every copy has the same (RFC 5322 section 3.6.4).
        """
        keyed = self._sealer.fingerprint(f"message\0{delivery_id}".encode())[1:17]
        return f"<{UUID(bytes=keyed, version=4)}@{self._domain}>"


def _uuid(fingerprint: bytes) -> UUID:
    return UUID(bytes=fingerprint[1:17])  # without the key's number


def _letter(request: InvitationRequested | NoticeRequested, channel: Channel) -> Letter:
    def storable(text: str) -> str:
        return text.replace("\x00", "")  # the one character that PostgreSQL can't store

    return Letter(
        recipient=storable(request.channels.address(channel) or ""),
        patient_name=storable(request.patient_name),
        sender_name=storable(request.sender_name),
        link=storable(request.link),
        locale=storable(request.locale),
        appointment_version=request.appointment_version,
        start=request.start,
        duration_minutes=request.duration_minutes,
        time_zone=request.time_zone,
        phone=request.practice_phone,
        reply_to=request.reply_to,
        postal_address=request.postal_address and storable(request.postal_address),
        asks_for_answer=request.asks_for_answer,
    )
