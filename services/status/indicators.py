"""What the practice sees of an invitation: a pure function of the set of known events.

The fold never looks at the order of arrival, so repeats, disorder and late arrivals cannot change
the final value: whoever knows the same events shows the same indicator. The rules:

1. `Deleted` wins over everything, whenever it comes. Only when the notice of it did not arrive
   something is still shown, as `cancelled`: somebody has to tell the patient. As long as the notice
   is on its way nothing is, until `awaited` says so. Of what is erased nothing is.
2. Only the newest attempt counts, the highest that any event names; what becomes of superseded
   attempts stays in the history.
3. The requested channels are those the attempt was issued for, united with those that already
   have an outcome: an outcome may overtake the event that announces its attempt.
4. Of one channel's outcomes the highest `sequence` wins; a channel without one is pending.
5. Overall: failed if any requested channel failed; else pending, unconfirmed, delivered.
6. Delivered needs evidence that is good for a tick. Without it the truth is that we do not know:
   unconfirmed.
7. Notices, answers and joining the visit say nothing of the invitation. What they say beside it is
   told in `notices`, `waiting` and, where somebody has to do something, `openness`.
   What somebody says to have dealt with is not open any more, and shows the same.
   Of what strangers can repeat at will some is passed over: see `condensing`.
8. Of an address that was corrected since, and that the newest attempt did not go to, nothing is
   known: unconfirmed, unless the attempt failed. What becomes of it where it went changes nothing.
   Of corrections the one of the highest version counts.
9. Start and length are those of the highest version; an answer to another start is none.

An appointment of which no invitation is known has no indicator at all, not a pending one: nothing
we know of is under way. It gets one with the first event that names an attempt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from contracts.channels import Channel
from contracts.events import Answer, FailureCategory, FailureReason, NoticeKind
from services.status import notices
from services.status.condensing import condensed, finality
from services.status.facts import (
    PRECEDENCE,
    Answered,
    AnyEvidence,
    Corrected,
    Deleted,
    Erased,
    Fact,
    FollowedUp,
    Issued,
    Joined,
    Notice,
    Outcome,
    Scheduled,
    State,
    winners,
)
from services.status.notices import Fate
from services.status.openness import (
    Awaited,
    Reason,
    awaited,
    awaited_of_cancelled,
    causes,
    causes_of_cancelled,
    current,
    dealt_with,
    holds,
    reasons,
)
from services.status.waiting import waiting_since

FactT = TypeVar("FactT", bound=Fact)


@dataclass(frozen=True, slots=True)
class ChannelIndicator:
    """What is shown for one channel; `occurred_at` is None while there is no outcome."""

    state: State
    evidence: AnyEvidence | None = None
    category: FailureCategory | None = None
    reason: FailureReason | None = None
    status_code: str | None = None
    late: bool = False
    occurred_at: datetime | None = None
    waits_until: datetime | None = None  # as if time stood still
    address_changed: bool = False  # since, and nothing was sent to the present one


@dataclass(frozen=True, slots=True)
class NoticeIndicator:
    """What became of the newest notice of a kind; `at` is the earliest that is known of it."""

    kind: NoticeKind
    at: datetime
    channels: Mapping[Channel, ChannelIndicator]


@dataclass(frozen=True, slots=True)
class AnswerIndicator:
    """What the patient's calendar answered last, to the appointment as it is."""

    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is shown for an appointment; `updated_at` is when the newest of its causes happened.

    What time alone ends is in it as if time stood still: see `openness` and `waiting`.
    """

    overall: State
    attempt: int
    channels: Mapping[Channel, ChannelIndicator]
    updated_at: datetime
    open: Sequence[Reason] = ()
    causes: Sequence[UUID] = ()  # what stands behind `open`
    followed_up_at: datetime | None = None  # since then nothing is, of what would be
    notices: Sequence[NoticeIndicator] = ()
    answer: AnswerIndicator | None = None
    waiting_since: datetime | None = None
    cancelled: bool = False  # the appointment is deleted, and the patient does not know
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    awaited: Sequence[Awaited] = ()  # what is on its way, the first to be open first


def fold(facts: Iterable[Fact]) -> Indicator | Deleted | None:
    """What to show for an appointment of which exactly `facts` are known, in any order."""
    known = condensed(facts)
    fates = notices.newest(_of(Notice, known))
    schedule = _of(Scheduled, known)
    done = dealt_with(_of(FollowedUp, known))
    undone = [cause for cause in causes_of_cancelled(fates, schedule) if cause.name not in done]
    on_its_way = awaited_of_cancelled(fates, schedule)
    untold = bool(undone) or any(each.name not in done for each in on_its_way)
    deletions: Sequence[Deleted] = _of(Erased, known) or _of(Deleted, known)
    gone = min(deletions, key=lambda fact: fact.at, default=None)
    if gone and (isinstance(gone, Erased) or not untold):
        return gone

    attempts: list[Issued | Outcome] = [*_of(Issued, known), *_of(Outcome, known)]
    if not attempts:
        return gone
    newest = max(fact.attempt for fact in attempts)
    issued = [fact for fact in _of(Issued, known) if fact.attempt == newest]
    last = winners(fact for fact in _of(Outcome, known) if fact.attempt == newest)
    correction = max(
        (fact for fact in _of(Corrected, known) if fact.attempt == newest), key=_age, default=None
    )
    unsent = correction.unsent if correction else frozenset()
    if correction:
        last |= {each: _unsent(last.get(each), each, correction) for each in unsent}
    told: list[Issued | Outcome] = [*issued, *last.values()]
    requested = frozenset(last).union(*(fact.channels for fact in issued))
    channels = {
        channel: replace(_shown(last.get(channel)), address_changed=channel in unsent)
        for channel in sorted(requested)
    }
    state = overall(channel.state for channel in channels.values())

    time = current(schedule)
    announced = min(issued, key=lambda fact: (fact.at, fact.version), default=None)
    answered = max(_of(Answered, known), key=finality, default=None)
    if answered and not holds(answered, announced, schedule):
        answered = None
    followed_up_at = None
    if not gone:
        found = causes(state, last.values(), fates, answered, announced, schedule)
        undone = [cause for cause in found if cause.name not in done]
        pending = [name for name, each in channels.items() if each.state is state is State.PENDING]
        on_its_way = awaited(pending, last, fates, announced, schedule)
        names = {each.name for each in found} | {each.name for each in on_its_way}
        settled = done.keys() & names
        if settled and not undone:
            followed_up_at = max(done[name] for name in settled)
    return Indicator(
        overall=state,
        attempt=newest,
        channels=channels,
        updated_at=max(fact.at for fact in told),
        open=reasons(undone),
        causes=tuple(sorted(cause.name for cause in undone)),
        followed_up_at=followed_up_at,
        notices=tuple(_shown_notice(fate) for fate in fates.values()),
        answer=AnswerIndicator(answered.answer, answered.at) if answered else None,
        waiting_since=waiting_since(_of(Joined, known), time.start if time else None),
        cancelled=gone is not None,
        starts_at=time.start if time else None,
        ends_at=time.end if time else None,
        awaited=tuple(each for each in on_its_way if each.name not in done),
    )


def overall(states: Iterable[State]) -> State:
    """One state for all requested channels, of which there is at least one."""
    return min(states, key=PRECEDENCE.index)


def _of(kind: type[FactT], facts: Iterable[Fact]) -> list[FactT]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _unsent(told: Outcome | None, channel: Channel, correction: Corrected) -> Outcome:
    """What is known of an address that the attempt, of which this was told, did not go to.

    Numbered by the correction, below all that the attempt tells of itself.
    """
    if told and told.state is State.FAILED and told.category is not FailureCategory.CANCELLED:
        return told
    return Outcome(
        correction.attempt, channel, -correction.version, State.UNCONFIRMED, correction.at
    )


def _age(correction: Corrected) -> tuple[int, datetime, list[Channel]]:
    """Total over the content; of two that wrongly claim one version the later counts."""
    return correction.version, correction.at, sorted(correction.unsent)


def _shown(told: Outcome | Notice | None) -> ChannelIndicator:
    if told is None:
        return ChannelIndicator(State.PENDING)
    return ChannelIndicator(
        state=told.state,
        evidence=told.evidence,
        category=told.category,
        reason=told.reason,
        status_code=told.status_code,
        late=told.late,
        occurred_at=told.at,
        waits_until=told.waits_until,
    )


def _shown_notice(fate: Fate) -> NoticeIndicator:
    shown = {channel: _shown(told) for channel, told in sorted(fate.channels.items())}
    return NoticeIndicator(fate.kind, fate.at, shown)
