"""What other services tell of an appointment, and status as it is asked about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from contracts.channels import Channel
from contracts.envelope import Received
from contracts.events import (
    Answer,
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentFollowedUp,
    AppointmentRescheduled,
    AppointmentScheduled,
    ErasureReason,
    Event,
    Evidence,
    FailureCategory,
    InvitationAnswered,
    InvitationDelivered,
    InvitationFailed,
    InvitationIssued,
    InvitationPending,
    NoticeFailed,
    NoticeKind,
    NoticePending,
    PendingState,
    VisitJoined,
    VisitRole,
)
from services.status import events, open_store, store
from services.status.views import IndicatorView, is_gone

MINUTES = 20  # how long appointments last
SOON = timedelta(hours=24)


@dataclass
class Story:
    """One appointment's events, each a minute after the one before."""

    practice_id: UUID
    start: datetime
    appointment_id: UUID = field(default_factory=uuid7)
    version: int = 0
    attempt: int = 0
    sequence: int = 0
    moment: datetime = field(default_factory=lambda: utc_now() - timedelta(hours=2))

    def booked(self, **changes: Any) -> list[Received]:
        """Created and sent by mail; nothing is known of what became of it."""
        self.version += 1
        return [self._scheduled(AppointmentScheduled, **changes), self.issued(self.version)]

    def moved(self, start: datetime) -> Received:
        """To another time."""
        self.version += 1
        self.start = start
        return self._scheduled(AppointmentRescheduled)

    def issued(self, version: int | None = None) -> Received:
        if version is None:
            self.version += 1
        self.attempt += 1
        return self._told(
            InvitationIssued,
            **self._who,
            version=self.version,
            invitation_id=self.appointment_id,
            attempt=self.attempt,
            channels=[Channel.EMAIL],
        )

    def delivered(self) -> Received:
        return self._told(InvitationDelivered, **self._outcome, evidence=Evidence.ACCEPTED)

    def waits(self, until: datetime | None) -> Received:
        """The message is on its way; up to then on purpose."""
        return self._told(
            InvitationPending, **self._outcome, state=PendingState.QUEUED, waits_until=until
        )

    def failed(self) -> Received:
        return self._told(InvitationFailed, **self._outcome, category=FailureCategory.PERMANENT)

    def notice_failed(
        self, kind: NoticeKind, channel: Channel = Channel.EMAIL, notice_id: UUID | None = None
    ) -> Received:
        outcome = self._outcome
        return self._told(
            NoticeFailed,
            **outcome | {"channel": channel},
            notice_id=notice_id or uuid7(),
            kind=kind,
            appointment_version=self.version,
            category=FailureCategory.PERMANENT,
        )

    def notice_goes(self, kind: NoticeKind) -> Received:
        """By mail; nothing is known of what becomes of it."""
        return self._told(
            NoticePending,
            **self._outcome,
            notice_id=uuid7(),
            kind=kind,
            appointment_version=self.version,
            state=PendingState.QUEUED,
        )

    def answered(self, answer: Answer) -> Received:
        return self._told(
            InvitationAnswered,
            **self._who,
            invitation_id=self.appointment_id,
            appointment_version=self.version,
            answer=answer,
            occurred_at=self.now(),
        )

    def followed_up(self, *causes: UUID) -> Received:
        return self._told(
            AppointmentFollowedUp, **self._who, causes=list(causes), occurred_at=self.now()
        )

    def joined(self, role: VisitRole, at: datetime) -> Received:
        return self._told(VisitJoined, **self._who, role=role, occurred_at=at)

    def corrected(self, *unsent: Channel) -> Received:
        """Nothing was sent to the addresses over these."""
        self.version += 1
        return self._told(
            AppointmentCorrected,
            **self._who,
            version=self.version,
            attempt=self.attempt,
            unsent=unsent,
            occurred_at=self.now(),
        )

    def deleted(self) -> Received:
        self.version += 1
        return self._told(AppointmentDeleted, **self._who, version=self.version)

    def erased(self) -> Received:
        return self._told(
            AppointmentErased, **self._who, version=self.version + 1, reason=ErasureReason.REQUEST
        )

    def now(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment

    def _scheduled(self, kind: type[AppointmentScheduled], **changes: Any) -> Received:
        return self._told(
            kind,
            **self._who
            | {
                "version": self.version,
                "start": self.start,
                "duration_minutes": MINUTES,
                "time_zone": "Europe/Berlin",
            }
            | changes,
        )

    def _told(self, kind: type[Event], /, **said: Any) -> Received:
        """Happened when it says so, else a minute after the event before."""
        time = said.get("occurred_at") or self.now()
        return Received(uuid7(), time, kind(**said), None)

    @property
    def _who(self) -> dict[str, Any]:
        return {"appointment_id": self.appointment_id, "practice_id": self.practice_id}

    @property
    def _outcome(self) -> dict[str, Any]:
        self.sequence += 1
        return self._who | {
            "invitation_id": self.appointment_id,
            "attempt": self.attempt,
            "channel": Channel.EMAIL,
            "sequence": self.sequence,
            "occurred_at": self.now(),
        }


@dataclass
class Status:
    """The service without Kafka and HTTP, for one practice."""

    db: Database
    practice_id: UUID = field(default_factory=uuid7)

    def story(self, start: datetime | None = None) -> Story:
        return Story(self.practice_id, start or utc_now() + SOON)

    async def hear(self, told: Sequence[Received]) -> None:
        """One batch, under ids that no inbox knows; streams are handed what they would read."""
        async with self.db.system() as tx:
            news = await events.handle(tx, [replace(each, id=uuid7()) for each in told])
        if any(isinstance(each.event, AppointmentErased) for each in told):
            return  # what is erased is handed over as well, and read by nobody
        if each := news.get(self.practice_id):
            assert await self.changes(each.after) == list(each.changes)

    async def shown(self, story: Story, now: datetime | None = None) -> IndicatorView | None:
        moment = now or utc_now()
        async with self.db.practice(self.practice_id) as tx:
            found = await store.indicators(tx, self.practice_id, [story.appointment_id])
        visible = [shown for shown in found if not is_gone(shown, moment)]
        return IndicatorView.of(visible[0], moment) if visible else None

    async def open(self, now: datetime | None = None) -> list[UUID]:
        """Ids of what is open, as one page, which holds as much as the count says."""
        moment = now or utc_now()
        async with self.db.practice(self.practice_id) as tx:
            found = await open_store.page(tx, self.practice_id, moment, after=None, limit=100)
            assert len(found) == await open_store.count(tx, self.practice_id, moment)
        return [shown.appointment_id for shown in found]

    async def changes(self, after: int = 0) -> list[store.Shown | store.Moved]:
        async with self.db.practice(self.practice_id) as tx:
            return await store.changes(tx, self.practice_id, after=after, limit=100)
