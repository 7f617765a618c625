"""Appointments: what they are, what may be asked of them, and the events that tell of it.

Pure: no I/O. All times are aware and in UTC. The next version is the table's to say (`store`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.channels import Channel, folded_address
from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentFollowedUp,
    AppointmentRescheduled,
    AppointmentScheduled,
    ErasureReason,
    Event,
    InvitationIssued,
    InvitationRequested,
    Recipients,
    References,
    SendNowRequested,
    WithdrawalRequested,
)
from services.scheduling.practice import Practice, contact

NO_REFERENCES = References()


@dataclass(frozen=True, slots=True)
class Appointment:
    """A video visit with its invitation. `attempt` counts how often the invitation was sent."""

    id: UUID
    practice_id: UUID
    version: int
    starts_at: datetime
    duration_minutes: int
    patient_name: str
    email: str | None
    phone: str | None
    channels: tuple[Channel, ...]
    locale: str
    consented_at: datetime
    invitation_id: UUID
    attempt: int
    link_version: int
    created_at: datetime
    created_by: str
    updated_at: datetime  # when the database took this version
    references: References = NO_REFERENCES
    # Channels whose address was corrected: the newest attempt went to another one.
    unsent: tuple[Channel, ...] = ()
    link_outdated: bool = False  # by a correction: the next attempt goes out under a new link
    cancelled: bool = False  # deleted; somebody may yet have to tell the patient
    damaged: bool = False  # what is stored of the patient can't be opened: name and addresses lack

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(minutes=self.duration_minutes)

    def address(self, channel: Channel) -> str | None:
        """Where this channel reaches the patient."""
        return self.email if channel is Channel.EMAIL else self.phone


@dataclass(frozen=True, slots=True)
class Gone:
    """An appointment that is deleted, or that is erased: nothing is known of its patient."""

    id: UUID
    version: int
    updated_at: datetime
    erased: bool


def reschedule(
    appointment: Appointment, *, starts_at: datetime, duration_minutes: int
) -> Appointment:
    """Move, shorten or lengthen; the link stays as it is."""
    return replace(appointment, starts_at=starts_at, duration_minutes=duration_minutes)


def correct(
    appointment: Appointment,
    *,
    patient_name: str,
    email: str | None,
    phone: str | None,
    locale: str,
    references: References,
) -> Appointment:
    """Correct what is known of the patient, or what others call it, and send nothing.

    The link stays, or a patient who has it could not come while nobody has sent another one. Where
    an address is another one now, or gone, the next attempt makes it void, as in `invite_again`.
    """
    corrected = replace(
        appointment,
        patient_name=patient_name,
        email=email,
        phone=phone,
        locale=locale,
        references=references,
    )
    outdated = appointment.link_outdated or _address_changed(appointment, corrected)
    return replace(corrected, link_outdated=outdated)


def invite_again(
    appointment: Appointment,
    *,
    patient_name: str,
    email: str | None,
    phone: str | None,
    channels: Sequence[Channel],
    locale: str,
) -> Appointment:
    """„Erneut senden": a new attempt, under a new link where an address changed.

    Whether an earlier attempt reached a stranger is not known for sure at this moment, so an
    address that is another one now, or gone, always makes the old link void. One that was missing
    had nothing sent to it: the link stays, as it does for the same addresses.
    """
    again = replace(
        appointment,
        patient_name=patient_name,
        locale=locale,
        email=email,
        phone=phone,
        channels=tuple(channels),
        attempt=appointment.attempt + 1,
        unsent=(),
        link_outdated=False,
    )
    changed = appointment.link_outdated or _address_changed(appointment, again)
    return replace(again, link_version=appointment.link_version + int(changed))


def scheduled(appointment: Appointment, practice: Practice) -> AppointmentScheduled:
    """The event of a new appointment."""
    return AppointmentScheduled(**_schedule(appointment, practice))


def rescheduled(appointment: Appointment, practice: Practice) -> AppointmentRescheduled:
    """The event of a moved, shortened or lengthened appointment."""
    return AppointmentRescheduled(**_schedule(appointment, practice))


def corrected(appointment: Appointment, now: datetime) -> AppointmentCorrected:
    """The event of a correction."""
    return AppointmentCorrected(
        appointment_id=appointment.id,
        practice_id=appointment.practice_id,
        version=appointment.version,
        attempt=appointment.attempt,
        unsent=list(appointment.unsent),
        occurred_at=now,
        **appointment.references.model_dump(),
    )


def withdrawal(
    before: Appointment, after: Appointment, now: datetime
) -> WithdrawalRequested | None:
    """What is still to go where nothing goes any more is not to go there; None: nothing.

    That is an address that is another one now, or is gone, and a channel that is not used any more.
    """
    channels = [
        each
        for each in before.channels
        if each not in after.channels
        or folded_address(before.address(each)) != folded_address(after.address(each))
    ]
    return withdrawn(after, channels, now) if channels else None


def withdrawn(
    appointment: Appointment, channels: Sequence[Channel], now: datetime
) -> WithdrawalRequested:
    """What was requested before this version is not to go out over these channels."""
    return WithdrawalRequested(
        appointment_id=appointment.id,
        practice_id=appointment.practice_id,
        appointment_version=appointment.version,
        attempt=appointment.attempt,
        channels=list(channels),
        occurred_at=now,
    )


def deleted(
    practice_id: UUID,
    appointment_id: UUID,
    version: int,
    references: References = NO_REFERENCES,
) -> AppointmentDeleted:
    """The event of a deletion, which is a version of its own."""
    return AppointmentDeleted(
        appointment_id=appointment_id,
        practice_id=practice_id,
        version=version,
        **references.model_dump(),
    )


def erased(
    practice_id: UUID, appointment_id: UUID, version: int, reason: ErasureReason
) -> AppointmentErased:
    """The event of an erasure, which is a version of its own."""
    return AppointmentErased(
        appointment_id=appointment_id, practice_id=practice_id, version=version, reason=reason
    )


def followed_up(
    practice_id: UUID, appointment_id: UUID, causes: Sequence[UUID], now: datetime
) -> AppointmentFollowedUp:
    """The event of „Erledigt", which is no new version: the appointment is as it was."""
    return AppointmentFollowedUp(
        appointment_id=appointment_id,
        practice_id=practice_id,
        causes=sorted(set(causes)),
        occurred_at=now,
    )


def send_now(
    practice_id: UUID, appointment_id: UUID, version: int, now: datetime
) -> SendNowRequested:
    """The event of „Jetzt senden", which is no new version: the appointment is as it was."""
    return SendNowRequested(
        appointment_id=appointment_id,
        practice_id=practice_id,
        appointment_version=version,
        occurred_at=now,
    )


def invitation(
    appointment: Appointment,
    practice: Practice,
    link: str,
    sms_not_before: datetime | None = None,
) -> list[Event]:
    """The events of one attempt: one for everybody, one with the patient's data."""
    issued = InvitationIssued(
        appointment_id=appointment.id,
        practice_id=practice.id,
        version=appointment.version,
        invitation_id=appointment.invitation_id,
        attempt=appointment.attempt,
        channels=list(appointment.channels),
        **appointment.references.model_dump(),
    )
    requested = InvitationRequested(
        appointment_id=appointment.id,
        practice_id=practice.id,
        appointment_version=appointment.version,
        invitation_id=appointment.invitation_id,
        attempt=appointment.attempt,
        sender_name=practice.name,
        start=appointment.starts_at,
        duration_minutes=appointment.duration_minutes,
        time_zone=practice.time_zone,
        locale=appointment.locale,
        patient_name=appointment.patient_name,
        channels=Recipients(
            **{channel.value: appointment.address(channel) for channel in appointment.channels}
        ),
        link=link,
        link_version=appointment.link_version,
        tariff=practice.tariff,
        not_after=appointment.starts_at,
        sms_not_before=sms_not_before,
        **contact(practice).model_dump(),
    )
    return [issued, requested]


def _address_changed(before: Appointment, after: Appointment) -> bool:
    """Whether an address is another one now, or gone; one that was missing does not count."""
    return any(before.address(channel) not in {None, after.address(channel)} for channel in Channel)


def _schedule(appointment: Appointment, practice: Practice) -> dict[str, object]:
    return {
        "appointment_id": appointment.id,
        "practice_id": practice.id,
        "version": appointment.version,
        "start": appointment.starts_at,
        "duration_minutes": appointment.duration_minutes,
        "time_zone": practice.time_zone,
        **appointment.references.model_dump(),
    }
