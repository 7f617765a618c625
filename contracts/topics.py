"""The topics: names, partitions, retention, and which events they carry.

The key is the appointment id on every topic, so that one appointment's events stay in order; of
what is of a practice alone it is the practice's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentFollowedUp,
    AppointmentRescheduled,
    AppointmentScheduled,
    DailyMailRequested,
    Event,
    InvitationAnswered,
    InvitationDelivered,
    InvitationFailed,
    InvitationIssued,
    InvitationPending,
    InvitationRequested,
    InvitationUnconfirmed,
    NoticeDelivered,
    NoticeFailed,
    NoticePending,
    NoticeRequested,
    NoticeUnconfirmed,
    SendNowRequested,
    VisitJoined,
    WithdrawalRequested,
)

DEAD_LETTER_SUFFIX = ".dlq"
SEGMENT_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic as it is created."""

    name: str
    purpose: str
    retention: timedelta
    producer: str = ""  # the one service that writes it
    readers: tuple[str, ...] = ()  # the services that do
    events: tuple[type[Event], ...] = ()
    patient_data: bool = False
    partitions: int = 6

    @property
    def retention_ms(self) -> int:
        """`retention.ms` of the topic, in milliseconds."""
        return int(self.retention.total_seconds() * 1000)

    @property
    def segment_ms(self) -> int | None:
        """`segment.ms`, in milliseconds, where what was removed has to leave the disk soon too."""
        return SEGMENT_MS if self.patient_data else None

    @property
    def dead_letters(self) -> "Topic":
        """Where what could not be read from this topic is parked, with the reason."""
        return Topic(
            name=self.name + DEAD_LETTER_SUFFIX,
            purpose=f"What could not be read from {self.name}, with the reason.",
            retention=timedelta(days=14),
            patient_data=self.patient_data,
            partitions=1,
        )


APPOINTMENTS = Topic(
    name="clinic.appointments.v1",
    purpose="The life of appointments and their invitations, without patient data.",
    retention=timedelta(days=30),
    producer="scheduling",
    readers=("notification", "status"),
    events=(
        AppointmentScheduled,
        AppointmentRescheduled,
        AppointmentCorrected,
        AppointmentDeleted,
        AppointmentErased,
        InvitationIssued,
        VisitJoined,
        AppointmentFollowedUp,
    ),
)
REQUESTED = Topic(
    name="clinic.invitations.requested.v1",
    purpose="What to send to patients and practices. Patient data: readable by the notification "
    "service only.",
    retention=timedelta(days=7),
    producer="scheduling",
    readers=("notification",),
    events=(
        InvitationRequested,
        NoticeRequested,
        SendNowRequested,
        WithdrawalRequested,
        DailyMailRequested,
    ),
    patient_data=True,
)
OUTCOMES = Topic(
    name="clinic.invitations.outcomes.v1",
    purpose="What became of invitations and notices, without patient data.",
    retention=timedelta(days=30),
    producer="notification",
    readers=("scheduling", "status"),
    events=(
        InvitationPending,
        InvitationDelivered,
        InvitationFailed,
        InvitationUnconfirmed,
        InvitationAnswered,
        NoticePending,
        NoticeDelivered,
        NoticeFailed,
        NoticeUnconfirmed,
    ),
)

TOPICS: Sequence[Topic] = (APPOINTMENTS, REQUESTED, OUTCOMES)
ALL_TOPICS: Sequence[Topic] = (*TOPICS, *(topic.dead_letters for topic in TOPICS))

TOPIC_OF: dict[type[Event], Topic] = {event: topic for topic in TOPICS for event in topic.events}
EVENT_OF: dict[str, type[Event]] = {event.type: event for event in TOPIC_OF}
