"""What the API says: the published shapes of indicators and their history."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.channels import Channel
from contracts.events import (
    Answer,
    Evidence,
    FailureCategory,
    FailureEvidence,
    FailureReason,
    NoticeKind,
    VisitRole,
    Withheld,
)
from services.status.facts import State
from services.status.open_store import MOST_COUNTED
from services.status.openness import Reason, over, overdue
from services.status.store import Shown
from services.status.timeline import Start, TimelineEntry
from services.status.waiting import still_waiting
from services.status.weeks import Week

WAITS_UNTIL = "On purpose: a text message, for the morning. Null once it is past."


class ChannelView(BaseModel):
    """One channel of the newest attempt; `occurred_at` is null while there is no outcome."""

    state: State
    evidence: Evidence | FailureEvidence | None
    category: FailureCategory | None
    reason: FailureReason | None = None
    status_code: str | None = Field(description="RFC 3463, e.g. 5.1.1")
    late: bool = Field(description="Contradicts an earlier, better outcome.")
    occurred_at: datetime | None
    waits_until: datetime | None = Field(default=None, description=WAITS_UNTIL)
    address_changed: bool = Field(
        default=False,
        description="The address was corrected since, and nothing was sent to the present one.",
    )


class NoticeView(BaseModel):
    """The newest notice of its kind; `at` is the earliest that is known of it."""

    kind: NoticeKind
    at: datetime
    channels: dict[Channel, ChannelView]


class AnswerView(BaseModel):
    """What the patient's calendar answered last, to the appointment as it is."""

    answer: Answer
    at: datetime


EXAMPLE: dict[str, Any] = {
    "appointment_id": "01932c7e-5a00-7000-8000-00000000002a",
    "version": 17,
    "overall": "delivered",
    "attempt": 1,
    "channels": {
        "email": {
            "state": "delivered",
            "evidence": "accepted",
            "category": None,
            "reason": None,
            "status_code": "2.0.0",
            "late": False,
            "occurred_at": "2026-11-24T08:15:01Z",
            "waits_until": None,
        }
    },
    "updated_at": "2026-11-24T08:15:01Z",
    "starts_at": "2026-12-01T13:30:00Z",
    "open": [],
    "causes": [],
    "followed_up_at": None,
    "notices": [],
    "answer": None,
    "waiting_since": None,
    "cancelled": False,
}


class IndicatorView(BaseModel):
    """What to show for an appointment: the newest attempt, overall and by channel.

    And beside it what else became of it, and what somebody has to do.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    appointment_id: UUID
    version: int = Field(description="Position in the practice's feed; the stream's event id.")
    overall: State
    attempt: int
    channels: dict[Channel, ChannelView]
    updated_at: datetime
    starts_at: datetime | None = Field(default=None, description="Null while it is not known.")
    open: list[Reason] = Field(
        default=[],
        description="Why somebody has to do something, the gravest first; empty once the "
        "appointment is over. Time alone brings `call`: for what is on its way and has no outcome "
        "two hours before the start, or 72 hours after it was to go.",
    )
    causes: list[UUID] = Field(
        default=[],
        description="What stands behind `open`, to be named by who has dealt with it. Each name "
        "stays the same for the same fact; nothing can be read from it.",
    )
    followed_up_at: datetime | None = Field(
        default=None,
        description="Since then all that would be open is dealt with, as somebody says.",
    )
    notices: list[NoticeView] = Field(default=[], description="Of each kind the newest.")
    answer: AnswerView | None = None
    waiting_since: datetime | None = Field(
        default=None, description="The patient has joined since then, and the practice has not."
    )
    cancelled: bool = Field(
        default=False,
        description="The appointment is deleted, and the notice of it did not arrive: nothing is "
        "shown of it but that.",
    )

    @classmethod
    def of(cls, shown: Shown, now: datetime) -> "IndicatorView":
        """The view, as of now, of an indicator that is not deleted."""
        body = shown.body or {}
        reasons, causes = _open(shown, now)
        return cls.model_validate(
            body
            | {
                "appointment_id": shown.appointment_id,
                "version": shown.version,
                "starts_at": shown.starts_at,
                "channels": _as_of(now, body["channels"]),
                "notices": [
                    each | {"channels": _as_of(now, each["channels"])} for each in body["notices"]
                ],
                "open": reasons,
                "causes": causes,
                "followed_up_at": None if reasons else body["followed_up_at"],
                "waiting_since": still_waiting(_moment(body["waiting_since"]), shown.ends_at, now),
            }
        )


def _as_of(now: datetime, channels: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is shown of channels, without waiting that is over."""
    return {
        channel: {**view, "waits_until": until if until and until > now else None}
        for channel, view in channels.items()
        for until in [_moment(view["waits_until"])]
    }


def _open(shown: Shown, now: datetime) -> tuple[list[Reason], list[str]]:
    """Why somebody has to do something, and what stands behind it."""
    body = shown.body or {}
    if is_over(shown, now):
        return [], []
    late = overdue(body, now)
    there = {*body["open"], *([Reason.CALL] if late else ())}
    return [reason for reason in Reason if reason in there], sorted([*body["causes"], *late])


def is_over(shown: Shown, now: datetime) -> bool:
    """Whether it is too late for anybody to do something."""
    cancelled = shown.body is None or shown.body["cancelled"]
    return over(shown.starts_at, shown.ends_at, now, cancelled=cancelled)


def is_gone(shown: Shown, now: datetime) -> bool:
    """Whether nothing is shown of it: deleted, and nobody has to tell the patient, or not yet."""
    return shown.body is None or (shown.body["cancelled"] and not _open(shown, now)[0])


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)


class HistoryEntryView(BaseModel):
    """One line of the invitation's history; codes only, never a mail server's text."""

    at: datetime
    channel: Channel
    attempt: int
    type: Literal["requested", "pending", "delivered", "failed", "unconfirmed"]
    evidence: Evidence | FailureEvidence | None
    category: FailureCategory | None
    reason: FailureReason | None
    status_code: str | None
    late: bool

    @classmethod
    def of(cls, entry: TimelineEntry) -> "HistoryEntryView":
        """The view of a line."""
        return cls.model_validate(entry, from_attributes=True)


class TimelineEntryView(BaseModel):
    """One line of all that happened."""

    at: datetime
    type: Literal[
        "requested",
        "pending",
        "delivered",
        "failed",
        "unconfirmed",
        "answered",
        "joined",
        "followed_up",
        "corrected",
    ]
    about: Literal["invitation", "reminder", "moved", "cancelled", "visit", "appointment"]
    channel: Channel | None = Field(description="Of what was sent.")
    attempt: int | None = Field(description="Of the invitation.")
    evidence: Evidence | FailureEvidence | None
    category: FailureCategory | None
    reason: FailureReason | None
    status_code: str | None
    late: bool
    answer: Answer | None = Field(description="Of a line of type answered.")
    role: VisitRole | None = Field(description="Who joined.")
    withheld: Withheld | None = Field(description="Why a notice was not even tried.")
    notice_id: UUID | None = Field(default=None, description="Of a notice.")
    waits_until: datetime | None = Field(
        default=None, description="Of a line of type pending: on purpose, for the morning."
    )
    sequence: int | None = Field(
        default=None,
        description="Of what became of one attempt, or one notice, over one channel, and of "
        "corrections since an attempt: the highest counts, in whichever order the lines stand.",
    )
    unsent: list[Channel] | None = Field(
        default=None,
        description="Of a line of type corrected: channels whose address is another one now than "
        "the attempt went to.",
    )

    @classmethod
    def of(cls, entry: TimelineEntry) -> "TimelineEntryView":
        """The view of a line."""
        return cls.model_validate(entry, from_attributes=True)


class IndicatorWithHistoryView(IndicatorView):
    """An indicator with everything that happened, superseded attempts included, oldest first."""

    model_config = ConfigDict(json_schema_extra=None)

    history: list[HistoryEntryView] = Field(description="Of the invitation alone.")
    timeline: list[TimelineEntryView] = Field(
        default=[], description="The same, with notices, answers, and who joined the visit."
    )


class StartView(BaseModel):
    """From `since` on the appointment was to begin at `starts_at`."""

    since: datetime
    starts_at: datetime

    @classmethod
    def of(cls, start: Start) -> "StartView":
        """The view of a start."""
        return cls.model_validate(start, from_attributes=True)


class TimelineView(BaseModel):
    """Everything that happened to one appointment, deleted or not, oldest first."""

    appointment_id: UUID
    starts: list[StartView] = Field(description="Those that it had, the first one first.")
    timeline: list[TimelineEntryView]


class TimelinesView(BaseModel):
    """Those of the appointments asked for of which anything is known."""

    timelines: list[TimelineView]
    as_of: datetime | None = Field(description="As of indicators.")


class IndicatorsView(BaseModel):
    """Those of the appointments asked for that have an indicator, or a page of what is open."""

    indicators: list[IndicatorView]
    next: str | None = Field(
        default=None, description="`cursor` of the next page of what is open; null on the last one."
    )
    open_count: int = Field(description=f"Of all that is open, counted up to {MOST_COUNTED}.")
    awaited_count: int = Field(
        default=0,
        description="Coming appointments of which something is on its way: an invitation, or "
        f"notice of a move. Those that are open for it, too; counted up to {MOST_COUNTED}.",
    )
    as_of: datetime | None = Field(
        description="When this was last certain: everything that other services had told until "
        "then is in it. A few seconds ago, unless something stands still; null before the first."
    )


class OpenView(BaseModel):
    """How much is open."""

    open_count: int = Field(description=f"Counted up to {MOST_COUNTED}.")


class DeletedView(BaseModel):
    """The appointment is deleted; show nothing of it."""

    appointment_id: UUID
    version: int


class MovedView(BaseModel):
    """The appointment has another start or end; load it anew where it is shown."""

    appointment_id: UUID
    version: int


class PositionView(BaseModel):
    """Where the stream begins."""

    version: int


class BeatView(BaseModel):
    """The stream is alive."""

    interval_seconds: float = Field(
        description="The stream is never silent for longer; after two and a half times this "
        "it is lost, whatever the connection says."
    )


class MeasuresView(BaseModel):
    """The practice's measures; the times are null where there was no tick."""

    days: int
    ticks: int
    proven_wrong: int = Field(description="Ticks that a later bounce contradicted.")
    share_proven_wrong: float | None = Field(description="0 to 1")
    request_to_tick_ms_p50: float | None
    request_to_tick_ms_p95: float | None


class WeekView(BaseModel):
    """What became of the invitations whose first attempt was in this week, as it stands now.

    Each appointment is counted once, whatever it was sent over; the times are of every tick, and
    null where there was none. Appointments whose data are erased are not counted any more.
    """

    week: str = Field(description="ISO 8601, e.g. 2026-W48")
    first_day: date = Field(description="Monday")
    arrived_at_once: int
    arrived_corrected: int = Field(description="After an attempt that had not arrived.")
    failed: int = Field(description="The newest attempt shows the red mark.")
    open: int = Field(description="Pending, or unconfirmed.")
    request_to_tick_ms_p50: float | None
    request_to_tick_ms_p95: float | None

    @classmethod
    def of(cls, week: Week) -> "WeekView":
        """The view of a week."""
        counted = week.counted
        return cls(
            week=week.name,
            first_day=week.monday,
            arrived_at_once=counted.at_once,
            arrived_corrected=counted.corrected,
            failed=counted.failed,
            open=counted.open,
            request_to_tick_ms_p50=None if counted.p50 is None else counted.p50 * 1000,
            request_to_tick_ms_p95=None if counted.p95 is None else counted.p95 * 1000,
        )


class WeeksView(BaseModel):
    """The last weeks, the oldest first, the present one included."""

    time_zone: str
    weeks: list[WeekView]
