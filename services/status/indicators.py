"""What the practice sees of an invitation: a pure function of the set of known events.

The fold never looks at the order of arrival, so repeats, disorder and late arrivals cannot change
the final value: whoever knows the same events shows the same indicator. The rules:

1. `Deleted` wins over everything, whenever it comes.
2. Only the newest attempt counts, the highest that any event names; what becomes of superseded
   attempts stays in the history.
3. The requested channels are those the attempt was issued for, united with those that already
   have an outcome: an outcome may overtake the event that announces its attempt.
4. Of one channel's outcomes the highest `sequence` wins; a channel without one is pending.
5. Overall: failed if any requested channel failed; else pending, unconfirmed, delivered.
6. Delivered needs evidence that is good for a tick. Without it the truth is that we do not know:
   unconfirmed.

An appointment of which no invitation is known has no indicator at all, not a pending one: nothing
we know of is under way. It gets one with the first event that names an attempt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.channels import Channel
from contracts.events import Evidence, FailureCategory, FailureEvidence, FailureReason


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
Rank = tuple[int, int, int, datetime, str, str, str, bool]


@dataclass(frozen=True, slots=True)
class Issued:
    """Attempt `attempt` was requested over these channels."""

    attempt: int
    channels: frozenset[Channel]
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


@dataclass(frozen=True, slots=True)
class Deleted:
    """The appointment was deleted; nothing of it is shown any more."""

    at: datetime


Fact = Issued | Outcome | Deleted


@dataclass(frozen=True, slots=True)
class Erased(Deleted):
    """Nothing is to be known of the appointment any more; beside this one, no fact is kept."""


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


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is shown for an appointment; `updated_at` is when the newest of its causes happened."""

    overall: State
    attempt: int
    channels: Mapping[Channel, ChannelIndicator]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history; `type` is "requested" or the state the channel then took."""

    at: datetime
    channel: Channel
    attempt: int
    type: str
    evidence: AnyEvidence | None = None
    category: FailureCategory | None = None
    reason: FailureReason | None = None
    status_code: str | None = None
    late: bool = False


def fold(facts: Iterable[Fact]) -> Indicator | Deleted | None:
    """What to show for an appointment of which exactly `facts` are known, in any order."""
    known = frozenset(facts)
    deletions = [fact for fact in known if isinstance(fact, Deleted)]
    if deletions:
        return min(deletions, key=lambda deletion: deletion.at)

    issued = [fact for fact in known if isinstance(fact, Issued)]
    outcomes = [fact for fact in known if isinstance(fact, Outcome)]
    if not issued and not outcomes:
        return None
    attempts: list[Issued | Outcome] = [*issued, *outcomes]
    newest = max(fact.attempt for fact in attempts)
    issued = [fact for fact in issued if fact.attempt == newest]
    winners = _winners(fact for fact in outcomes if fact.attempt == newest)
    causes: list[Issued | Outcome] = [*issued, *winners.values()]
    requested = frozenset(winners).union(*(fact.channels for fact in issued))
    channels = {channel: _shown(winners.get(channel)) for channel in sorted(requested)}
    return Indicator(
        overall=overall(channel.state for channel in channels.values()),
        attempt=newest,
        channels=channels,
        updated_at=max(fact.at for fact in causes),
    )


def overall(states: Iterable[State]) -> State:
    """One state for all requested channels, of which there is at least one."""
    return min(states, key=PRECEDENCE.index)


def history(facts: Iterable[Fact]) -> list[HistoryEntry]:
    """Everything that happened to all attempts, in order of occurrence."""
    shown = [fact for fact in frozenset(facts) if not isinstance(fact, Deleted)]
    return [entry for fact in sorted(shown, key=_place) for entry in _entries(fact)]


def _winners(outcomes: Iterable[Outcome]) -> dict[Channel, Outcome]:
    winners: dict[Channel, Outcome] = {}
    for outcome in map(_evidenced, outcomes):
        best = winners.get(outcome.channel)
        if best is None or _rank(outcome) > _rank(best):
            winners[outcome.channel] = outcome
    return winners


def _evidenced(outcome: Outcome) -> Outcome:
    if outcome.state is State.DELIVERED and not isinstance(outcome.evidence, Evidence):
        return replace(outcome, state=State.UNCONFIRMED)
    return outcome


def _rank(outcome: Outcome) -> Rank:
    """Total over the content, so that even outcomes that break the contract fold to one value."""
    return (
        outcome.sequence,
        -PRECEDENCE.index(outcome.state),
        -CAUTION.index(outcome.evidence),
        outcome.at,
        outcome.category or "",
        outcome.reason or "",
        outcome.status_code or "",
        outcome.late,
    )


def _shown(outcome: Outcome | None) -> ChannelIndicator:
    if outcome is None:
        return ChannelIndicator(State.PENDING)
    return ChannelIndicator(
        state=outcome.state,
        evidence=outcome.evidence,
        category=outcome.category,
        reason=outcome.reason,
        status_code=outcome.status_code,
        late=outcome.late,
        occurred_at=outcome.at,
    )


def _place(fact: Issued | Outcome) -> tuple[datetime, int, int, str, Rank | None]:
    """By occurrence; an attempt's announcement stands before outcomes of the same instant."""
    if isinstance(fact, Issued):
        return fact.at, fact.attempt, 0, ",".join(sorted(fact.channels)), None
    return fact.at, fact.attempt, fact.sequence, fact.channel, _rank(fact)


def _entries(fact: Issued | Outcome) -> Iterable[HistoryEntry]:
    if isinstance(fact, Issued):
        for channel in sorted(fact.channels):
            yield HistoryEntry(fact.at, channel, fact.attempt, "requested")
    else:
        yield HistoryEntry(
            at=fact.at,
            channel=fact.channel,
            attempt=fact.attempt,
            type=_evidenced(fact).state.value,
            evidence=fact.evidence,
            category=fact.category,
            reason=fact.reason,
            status_code=fact.status_code,
            late=fact.late,
        )
