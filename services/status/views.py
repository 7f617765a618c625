"""What the API says: the published shapes of indicators and their history."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.channels import Channel
from contracts.events import Evidence, FailureCategory, FailureEvidence, FailureReason
from services.status.indicators import HistoryEntry, State
from services.status.store import Shown


class ChannelView(BaseModel):
    """One channel of the newest attempt; `occurred_at` is null while there is no outcome."""

    state: State
    evidence: Evidence | FailureEvidence | None
    category: FailureCategory | None
    reason: FailureReason | None = None
    status_code: str | None = Field(description="RFC 3463, e.g. 5.1.1")
    late: bool = Field(description="Contradicts an earlier, better outcome.")
    occurred_at: datetime | None


class IndicatorView(BaseModel):
    """What to show for an appointment: the newest attempt, overall and by channel."""

    appointment_id: UUID
    version: int = Field(description="Position in the practice's feed; the stream's event id.")
    overall: State
    attempt: int
    channels: dict[Channel, ChannelView]
    updated_at: datetime

    @classmethod
    def of(cls, shown: Shown) -> "IndicatorView":
        """The view of an indicator that is not deleted."""
        return cls.model_validate(
            {"appointment_id": shown.appointment_id, "version": shown.version} | (shown.body or {})
        )


class HistoryEntryView(BaseModel):
    """One line of the history; codes only, never a mail server's text."""

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
    def of(cls, entry: HistoryEntry) -> "HistoryEntryView":
        """The view of a line."""
        return cls.model_validate(entry, from_attributes=True)


class IndicatorWithHistoryView(IndicatorView):
    """An indicator with everything that happened, superseded attempts included, oldest first."""

    history: list[HistoryEntryView]


class IndicatorsView(BaseModel):
    """Those of the appointments asked for that have an indicator."""

    indicators: list[IndicatorView]


class DeletedView(BaseModel):
    """The appointment is deleted; show nothing of it."""

    appointment_id: UUID
    version: int


class MovedView(BaseModel):
    """The appointment has another time or length; load it anew where it is shown."""

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
