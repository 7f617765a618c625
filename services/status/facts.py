"""What is known of an appointment: facts, each from one event, in no order.

Facts compare by their content alone, so whoever knows the same ones says the same, however often
and in whichever order they came.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

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


class State(StrEnum):
    """What is shown: clock, green tick, red mark, or amber („bitte anrufen")."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"


# The first of these that any requested channel shows is the overall state. It also decides between
# outcomes that wrongly claim the same `sequence`: the more cautious one wins, never the green one.
PRECEDENCE = (State.FAILED, State.PENDING, State.UNCONFIRMED, State.DELIVERED)
CAUTION = (None, FailureEvidence.UNSIGNED, Evidence.ACCEPTED, Evidence.CONFIRMED)

AnyEvidence = Evidence | FailureEvidence

# How outcomes of one channel compare; every part comes from the outcome's content.
Rank = tuple[int, int, int, datetime, str, str, str, bool, int, str, str]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """As of `version` the appointment has this start and length."""

    version: int
    start: datetime
    duration_minutes: int
    at: datetime

    @property
    def end(self) -> datetime:
        """When the appointment is over."""
        return self.start + timedelta(minutes=self.duration_minutes)


@dataclass(frozen=True, slots=True)
class Issued:
    """Attempt `attempt` was requested over these channels, with the time as of `version`."""

    attempt: int
    channels: frozenset[Channel]
    at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True)
class Corrected:
    """As of `version` attempt `attempt` went to other addresses, over these, than there are."""

    version: int
    attempt: int
    unsent: frozenset[Channel]
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt over one channel; `sequence` rises with every transition."""

    attempt: int
    channel: Channel
    sequence: int
    state: State
    at: datetime
    evidence: AnyEvidence | None = None
    category: FailureCategory | None = None
    reason: FailureReason | None = None
    status_code: str | None = None
    late: bool = False
    waits_until: datetime | None = None  # on purpose


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of one notice over one channel; `sequence` rises with every transition."""

    notice_id: UUID
    kind: NoticeKind
    version: int
    channel: Channel
    sequence: int
    state: State
    at: datetime
    evidence: AnyEvidence | None = None
    category: FailureCategory | None = None
    reason: FailureReason | None = None
    status_code: str | None = None
    late: bool = False
    waits_until: datetime | None = None  # on purpose
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The patient's calendar answered to the appointment as of `version`."""

    version: int
    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """Somebody has dealt with what these name (see `openness`), which they had before them."""

    causes: frozenset[UUID]
    at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody was let into the video room."""

    role: VisitRole
    at: datetime


@dataclass(frozen=True, slots=True)
class Deleted:
    """The appointment was deleted; nothing of it is shown any more."""

    at: datetime


Fact = Scheduled | Issued | Corrected | Outcome | Notice | Answered | FollowedUp | Joined | Deleted
Told = TypeVar("Told", Outcome, Notice)


@dataclass(frozen=True, slots=True)
class Erased(Deleted):
    """Nothing is to be known of the appointment any more; beside this one, no fact is kept."""


def winners(told: Iterable[Told]) -> dict[Channel, Told]:
    """Of each channel what was told last, of one attempt or one notice."""
    found: dict[Channel, Told] = {}
    for one in told:
        each = replace(one, state=shown_state(one))
        best = found.get(each.channel)
        if best is None or rank(each) > rank(best):
            found[each.channel] = each
    return found


def shown_state(told: Outcome | Notice) -> State:
    """Its state, but nothing is delivered without evidence that is good for a tick."""
    if told.state is State.DELIVERED and not isinstance(told.evidence, Evidence):
        return State.UNCONFIRMED
    return told.state


def rank(told: Outcome | Notice) -> Rank:
    """Total over the content, so that even outcomes that break the contract fold to one value."""
    version, withheld = (told.version, told.withheld) if isinstance(told, Notice) else (0, None)
    return (
        told.sequence,
        -PRECEDENCE.index(told.state),
        -CAUTION.index(told.evidence),
        told.at,
        told.category or "",
        told.reason or "",
        told.status_code or "",
        told.late,
        version,
        withheld or "",
        told.waits_until.isoformat() if told.waits_until else "",
    )
