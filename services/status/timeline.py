"""Everything that happened, line by line. Pure.

`history` tells of the invitation alone, as it always did; `timeline` of notices, answers and the
visit as well. Both are in order of occurrence and name superseded attempts too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.channels import Channel
from contracts.events import Answer, FailureCategory, FailureReason, VisitRole, Withheld
from services.status.condensing import condensed
from services.status.facts import (
    Answered,
    AnyEvidence,
    Corrected,
    Fact,
    FollowedUp,
    Issued,
    Joined,
    Notice,
    Outcome,
    Scheduled,
    rank,
    shown_state,
)

HIGHEST = 2**63  # behind any attempt of the same instant


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of what happened.

    `type` is "requested", a channel's state, "answered", "corrected", "followed_up" or "joined";
    `about` is "invitation", a notice's kind, "appointment" or "visit".
    """

    at: datetime
    type: str
    about: str = "invitation"
    channel: Channel | None = None
    attempt: int | None = None
    evidence: AnyEvidence | None = None
    category: FailureCategory | None = None
    reason: FailureReason | None = None
    status_code: str | None = None
    late: bool = False
    answer: Answer | None = None
    role: VisitRole | None = None
    withheld: Withheld | None = None
    notice_id: UUID | None = None
    waits_until: datetime | None = None
    sequence: int | None = None
    unsent: Sequence[Channel] | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """From `since` on the appointment was to begin at `starts_at`."""

    since: datetime
    starts_at: datetime


def timeline(facts: Iterable[Fact]) -> list[TimelineEntry]:
    """All that happened, in order of occurrence."""
    known = sorted(condensed(facts), key=_place)
    return [entry for fact in known for entry in _entries(fact)]


def history(facts: Iterable[Fact]) -> list[TimelineEntry]:
    """What happened to all attempts, in order of occurrence."""
    return timeline(fact for fact in facts if isinstance(fact, Issued | Outcome))


def starts(facts: Iterable[Fact]) -> list[Start]:
    """The starts that the appointment had, the first one first; another length is none."""
    found: list[Start] = []
    schedule = [fact for fact in facts if isinstance(fact, Scheduled)]
    for each in sorted(schedule, key=lambda one: (one.version, one.at, one.start)):
        if not found or found[-1].starts_at != each.start:
            found.append(Start(each.at, each.start))
    return found


def _place(fact: Fact) -> tuple[datetime, int, int, str, str]:
    """By occurrence; an attempt's announcement stands before outcomes of the same instant."""
    place: tuple[int, int, str, str]
    match fact:
        case Issued():
            place = fact.attempt, 0, ",".join(sorted(fact.channels)), ""
        case Outcome():
            place = fact.attempt, fact.sequence, fact.channel, repr(rank(fact))
        case Notice():
            identity = f"{fact.notice_id} {fact.channel} {rank(fact)}"
            place = HIGHEST, fact.sequence, fact.kind, identity
        case Answered():
            place = HIGHEST, fact.version, fact.answer, ""
        case Corrected():
            place = HIGHEST, fact.version, ",".join(sorted(fact.unsent)), str(fact.attempt)
        case Joined():
            place = HIGHEST, HIGHEST, fact.role, ""
        case _:
            place = HIGHEST, HIGHEST, "", ""
    return fact.at, *place


def _entries(fact: Fact) -> Iterator[TimelineEntry]:
    match fact:
        case Issued():
            for channel in sorted(fact.channels):
                yield TimelineEntry(fact.at, "requested", channel=channel, attempt=fact.attempt)
        case Outcome():
            yield _told(fact, "invitation", fact.attempt)
        case Notice():
            yield _told(fact, fact.kind.value, None)
        case Answered():
            yield TimelineEntry(fact.at, "answered", answer=fact.answer)
        case Corrected():
            yield TimelineEntry(
                fact.at,
                "corrected",
                "appointment",
                attempt=fact.attempt,
                sequence=fact.version,
                unsent=sorted(fact.unsent),
            )
        case FollowedUp():
            yield TimelineEntry(fact.at, "followed_up", "appointment")
        case Joined():
            yield TimelineEntry(fact.at, "joined", "visit", role=fact.role)


def _told(fact: Outcome | Notice, about: str, attempt: int | None) -> TimelineEntry:
    return TimelineEntry(
        at=fact.at,
        type=shown_state(fact).value,
        about=about,
        channel=fact.channel,
        attempt=attempt,
        evidence=fact.evidence,
        category=fact.category,
        reason=fact.reason,
        status_code=fact.status_code,
        late=fact.late,
        withheld=fact.withheld if isinstance(fact, Notice) else None,
        notice_id=fact.notice_id if isinstance(fact, Notice) else None,
        waits_until=fact.waits_until,
        sequence=fact.sequence,
    )
