"""The events. Within v1 only additions; whoever reads ignores what it does not know.

All times are aware and in UTC. No events but `InvitationRequested` and `NoticeRequested` carry
patient data.
"""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.channels import Channel
from contracts.tariffs import Tariff


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Version = Annotated[int, Field(ge=1, description="Rises with every change of the appointment.")]
EnhancedStatusCode = Annotated[
    str,
    Field(
        pattern=r"^[245]\.\d{1,3}\.\d{1,3}$",
        description="RFC 3463 status code, e.g. 5.1.1. Never the mail server's free text.",
    ),
]


# Of a practice: in ASCII, as it goes into the head of a mail.
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"
MOST_CAUSES = 20  # that one follow-up names

# What another system calls something: printable ASCII without space.
LONGEST_REFERENCE = 64
REFERENCE = rf"^[!-~]{{1,{LONGEST_REFERENCE}}}$"

# A text message that waits for the morning goes at least this long before the start: who has to
# call the patient as no receipt came hears of it two hours before, and receipts take their time.
SMS_LEAST_NOTICE = timedelta(hours=3)


class PendingState(StrEnum):
    """Why an invitation is still on its way."""

    QUEUED = "queued"
    RETRYING = "retrying"


class Evidence(StrEnum):
    """What stands behind a tick: the mail server took it, or a receipt says it arrived."""

    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"


class FailureEvidence(StrEnum):
    """What stands behind a failure where it is less than usual.

    `unsigned`: a report that proves nothing but that its writer has seen the mail. It may be true,
    so there is no tick any more; it may be made up, so it says nothing of the address.
    """

    UNSIGNED = "unsigned"


class FailureCategory(StrEnum):
    """What the practice can do about it: correct the address, send later, call operations."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    TECHNICAL = "technical"
    CANCELLED = "cancelled"


class FailureReason(StrEnum):
    """Why a message did not arrive, in words that fit any server and gateway."""

    UNKNOWN_USER = "unknown_user"
    MAILBOX_FULL = "mailbox_full"
    BLOCKED = "blocked"
    HOST_UNKNOWN = "host_unknown"
    MESSAGE_TOO_BIG = "message_too_big"
    EXPIRED = "expired"
    POLICY = "policy"
    SYSTEM = "system"
    OTHER = "other"


class NoticeKind(StrEnum):
    """What a patient who was invited is told later."""

    REMINDER = "reminder"
    MOVED = "moved"
    CANCELLED = "cancelled"


class Withheld(StrEnum):
    """Why a notice was not even tried; nobody has to do anything about it."""

    NOT_INVITED = "not_invited"  # nothing ever told the patient of the appointment
    IN_INVITATION = "in_invitation"  # which is still to be sent, or named the new time by itself


class ErasureReason(StrEnum):
    """Why an appointment is forgotten."""

    REQUEST = "request"
    RETENTION = "retention"


class Event(BaseModel):
    """Any event: always of one practice, and mostly of one of its appointments.

    Of what it says nothing stays in the JSON parser's cache, which never forgets.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")
    type: ClassVar[str]

    practice_id: UUID

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        cls.type = f"einladung.v1.{cls.__name__}"

    @property
    def subject(self) -> UUID:
        """What it is about, whose events stay in order: an appointment, or the practice itself."""
        return self.practice_id


class AppointmentEvent(Event):
    """Of one appointment."""

    appointment_id: UUID

    @property
    def subject(self) -> UUID:
        """The appointment."""
        return self.appointment_id


class References(BaseModel):
    """What another system calls the appointment and those in it: opaque, and no data of patients.

    Whoever gives them sees to it that they tell nobody else who the patient is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    external_reference: str | None = Field(
        default=None,
        pattern=REFERENCE,
        description="Of the appointment; no other one of the practice that is not deleted has it.",
    )
    patient_reference: str | None = Field(default=None, pattern=REFERENCE)
    practitioner_reference: str | None = Field(default=None, pattern=REFERENCE)
    location_reference: str | None = Field(default=None, pattern=REFERENCE)


class AppointmentScheduled(AppointmentEvent, References):
    """A practice has created an appointment."""

    version: Version
    start: UtcDatetime
    duration_minutes: Annotated[int, Field(ge=5, le=480)]
    time_zone: str = Field(description="IANA name of the practice's zone, e.g. Europe/Berlin.")


class AppointmentRescheduled(AppointmentScheduled):
    """Moved, shortened or lengthened; the link stays as it is."""


class AppointmentCorrected(AppointmentEvent, References):
    """Name, addresses, language or references are others now, and nothing was sent.

    `unsent` are the channels of attempt `attempt` whose address is another one now than it went
    to: what became of it there says nothing of the present one. Of one attempt the highest version
    counts.
    """

    version: Version
    attempt: Annotated[int, Field(ge=1)]
    unsent: list[Channel]
    occurred_at: UtcDatetime


class AppointmentDeleted(AppointmentEvent, References):
    """Deleted by the practice; its link is dead and nothing more is sent."""

    version: Version


class AppointmentErased(AppointmentEvent):
    """Forget this appointment: whoever holds anything of it deletes it, queued work included.

    Told when the practice's term after its end is over, and at once on request, then behind
    AppointmentDeleted. Nothing that comes later brings the appointment back.
    """

    version: Version
    reason: ErasureReason


class VisitRole(StrEnum):
    """Who enters the video room."""

    PATIENT = "patient"
    HOST = "host"


class VisitJoined(AppointmentEvent):
    """Somebody was let into the video room, by a deed of their own: opening the link is none."""

    role: VisitRole
    occurred_at: UtcDatetime


class AppointmentFollowedUp(AppointmentEvent):
    """Somebody has dealt with what was open, as by calling the patient, and says so.

    It names what they had seen, so that nothing is ticked off that came later. By whom is in the
    audit log alone.
    """

    causes: Annotated[list[UUID], Field(min_length=1, max_length=MOST_CAUSES)] = Field(
        description="As the status service names what stands behind what is open."
    )
    occurred_at: UtcDatetime


class InvitationIssued(AppointmentEvent, References):
    """Attempt `attempt` of the invitation was requested over these channels.

    Tells readers who may not see patient data what to expect, before any outcome is known.
    """

    version: Version
    invitation_id: UUID
    attempt: Annotated[int, Field(ge=1)]
    channels: Annotated[list[Channel], Field(min_length=1)]


class Recipients(BaseModel):
    """The requested channels with their addresses; a channel that is None was not requested."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    email: str | None = None
    sms: str | None = Field(default=None, description="E.164")

    @model_validator(mode="after")
    def _at_least_one(self) -> "Recipients":
        if self.email is None and self.sms is None:
            raise ValueError("at least one channel needs an address")
        return self

    def address(self, channel: Channel) -> str | None:
        """The address for `channel`, or None where it was not requested."""
        return self.email if channel is Channel.EMAIL else self.sms

    @property
    def channels(self) -> list[Channel]:
        """The requested channels."""
        return [channel for channel in Channel if self.address(channel) is not None]


class PracticeContact(BaseModel):
    """How the patient reaches the practice; what is None the practice has not."""

    practice_phone: str | None = Field(
        default=None, pattern=r"^\+[1-9]\d{6,14}$", description="E.164"
    )
    reply_to: str | None = Field(
        default=None,
        max_length=254,
        pattern=ADDRESS,
        description="Where answers to a mail go.",
    )
    postal_address: str | None = Field(
        default=None, max_length=500, description="A few lines, between line feeds."
    )
    asks_for_answer: bool = Field(
        default=False, description="Whether the patient's calendar is asked to answer."
    )


class Waiting(BaseModel):
    """When a text message may go out: not while patients sleep, where the start allows."""

    sms_not_before: UtcDatetime | None = Field(
        default=None,
        description="A text message waits until then; of null, or once the appointment begins "
        "less than three hours later, it goes at once.",
    )


class Repeatable(BaseModel):
    """What is requested again after a recovery."""

    repeated: bool = Field(
        default=False,
        description="Told again after a recovery: what is known of it stays as it is. Of what is "
        "not, a copy may have gone out: a mail gets one more, under the same Message-ID; a text "
        "message is not sent, its gateway is asked.",
    )


class InvitationRequested(AppointmentEvent, PracticeContact, Waiting, Repeatable):
    """Send this invitation. Holds patient data: readable by the notification service only."""

    appointment_version: Version
    invitation_id: UUID
    attempt: Annotated[int, Field(ge=1)]
    sender_name: str
    start: UtcDatetime
    duration_minutes: Annotated[int, Field(ge=5, le=480)]
    time_zone: str
    locale: str
    patient_name: str
    channels: Recipients
    link: str
    link_version: Version = Field(
        default=1, description="Rises when an address changed: what went out before is void."
    )
    not_after: UtcDatetime = Field(description="No attempt begins after this moment.")
    tariff: Tariff = Field(
        default=Tariff.BASIC, description="Of the practice; it decides about the channels."
    )


class NoticeRequested(AppointmentEvent, PracticeContact, Waiting, Repeatable):
    """Send this notice. Holds patient data: readable by the notification service only."""

    appointment_version: Version
    notice_id: UUID
    kind: NoticeKind
    sender_name: str
    start: UtcDatetime = Field(description="Of a cancelled appointment: as the patient knew it.")
    previous_start: UtcDatetime | None = Field(default=None, description="Before a move.")
    duration_minutes: Annotated[int, Field(ge=5, le=480)]
    time_zone: str
    locale: str
    patient_name: str
    channels: Recipients
    link: str
    not_after: UtcDatetime = Field(
        description="The appointment's start; no attempt begins after this moment."
    )
    corrected: list[Channel] = Field(
        default=[],
        description="Over these the newest attempt went to another address, which was corrected "
        "since: whoever was told there is told here.",
    )


class SendNowRequested(AppointmentEvent):
    """„Jetzt senden": what was requested of this appointment does not wait for the morning."""

    appointment_version: Version
    occurred_at: UtcDatetime


class WithdrawalRequested(AppointmentEvent):
    """What is still to go to an address that was corrected, or over a channel left out, is not to.

    That is everything of the appointment over these channels that was requested before this.
    """

    appointment_version: Version
    attempt: Annotated[int, Field(ge=1)]
    channels: Annotated[list[Channel], Field(min_length=1)]
    occurred_at: UtcDatetime


class DailyMailRequested(Event):
    """Tell a practice by mail how much is open. Of patients it says how many, and nothing else."""

    day: date = Field(description="Of the practice's calendar. One mail a day is sent, no more.")
    recipient: str = Field(
        max_length=254, pattern=ADDRESS, description="The practice's, as it was set up."
    )
    practice_name: str
    open_count: Annotated[int, Field(ge=1, description="Coming appointments that need a person.")]
    link: str = Field(description='To „Offen" in the dashboard; it opens nothing by itself.')
    not_after: UtcDatetime = Field(description="No attempt begins after this moment.")


class DeliveryOutcome(AppointmentEvent):
    """What became of one delivery over one channel.

    `sequence` rises with every outcome of one delivery. Readers keep the highest, so that
    repeats and disorder on the wire never change what they show.
    """

    channel: Channel
    sequence: Annotated[int, Field(ge=1)]
    occurred_at: UtcDatetime
    status_code: EnhancedStatusCode | None = None
    late: bool = Field(default=False, description="Contradicts an earlier, better outcome.")


class Outcome(DeliveryOutcome):
    """Of an attempt of an invitation."""

    invitation_id: UUID
    attempt: Annotated[int, Field(ge=1)]


class NoticeOutcome(DeliveryOutcome):
    """Of a notice, which says nothing of the invitation."""

    notice_id: UUID
    kind: NoticeKind
    appointment_version: Version


class Pending(BaseModel):
    """What is said of a delivery that is on its way."""

    state: PendingState
    next_try_at: UtcDatetime | None = None
    waits_until: UtcDatetime | None = Field(
        default=None, description="On purpose: a text message, for the morning."
    )


class Delivered(BaseModel):
    """What is said of a delivery that arrived."""

    evidence: Evidence


class Failed(BaseModel):
    """What is said of a delivery that will not arrive."""

    category: FailureCategory
    reason: FailureReason | None = None
    evidence: FailureEvidence | None = Field(
        default=None, description="Of null nothing is to be doubted."
    )


class InvitationPending(Outcome, Pending):
    """On its way: queued, or to be tried again."""


class InvitationDelivered(Outcome, Delivered):
    """Delivered, with the evidence for it."""


class InvitationFailed(Outcome, Failed):
    """Will not arrive without somebody doing something."""


class InvitationUnconfirmed(Outcome):
    """Sent, but nobody said in time whether it arrived: somebody should call the patient."""


class NoticePending(NoticeOutcome, Pending):
    """A notice is on its way: queued, or to be tried again."""


class NoticeDelivered(NoticeOutcome, Delivered):
    """A notice was delivered, with the evidence for it."""


class NoticeFailed(NoticeOutcome, Failed):
    """A notice will not arrive: somebody should tell the patient, unless it was withheld."""

    withheld: Withheld | None = Field(
        default=None, description="Why it was not even tried; the category then is cancelled."
    )


class NoticeUnconfirmed(NoticeOutcome):
    """A notice was sent, but nobody said in time whether it arrived."""


class Answer(StrEnum):
    """What a patient's calendar answers (iTIP's PARTSTAT, RFC 5546)."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


class InvitationAnswered(AppointmentEvent):
    """The patient's calendar has answered; of several the one of the highest version, then time."""

    invitation_id: UUID
    appointment_version: Version = Field(description="To which the answer was given.")
    answer: Answer
    occurred_at: UtcDatetime
