"""Ticks counted when they are recorded, by the minute and by how long they took. Pure.

What appointments count as follows from their facts alone. Who records facts adds what they count
as now and takes away what they counted as before, so that whoever asks reads sums and no events.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.channels import Channel
from services.status.facts import Erased, Fact, Issued, Outcome, State

KEPT = timedelta(hours=25)  # so far back ticks are counted, by when their attempts were issued
STEP = 1.01  # a step is so many times as long as the one before: known to half a percent
SHORTEST = 0.001  # seconds
COUNTS = Issued | Outcome | Erased


@dataclass(frozen=True, slots=True)
class Ticked:
    """What alike ticks have in common: first ones, each of an attempt on a channel."""

    issued_at: datetime  # the minute
    step: int | None  # of how long they took; None: waited on purpose, which says nothing of it
    proven_wrong: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """How fast ticks came, and how many were later proven wrong. Times in seconds."""

    ticks: int
    proven_wrong: int
    p50: float | None
    p95: float | None


def counted(facts: Iterable[Fact], since: datetime) -> Counter[Ticked]:
    """What the facts of one appointment count as, of attempts issued since then."""
    issued: dict[tuple[int, Channel], datetime] = {}
    told = defaultdict[tuple[int, Channel], list[Outcome]](list)
    for fact in facts:
        match fact:
            case Erased():
                return Counter()
            case Issued():
                for channel in fact.channels:
                    key = fact.attempt, channel
                    issued[key] = min(fact.at, issued.get(key, fact.at))
            case Outcome():
                told[fact.attempt, fact.channel].append(fact)
    found = Counter[Ticked]()
    for key, outcomes in told.items():
        ticks = [each for each in outcomes if each.state is State.DELIVERED]
        began = issued.get(key)
        if not ticks or began is None or began < since:
            continue
        waited = any(each.waits_until is not None for each in outcomes)
        first = min(each.sequence for each in ticks)
        step = None if waited else step_of(min(each.at for each in ticks) - began)
        wrong = any(_disproves(each) and each.sequence > first for each in outcomes)
        found[Ticked(began.replace(second=0, microsecond=0), step, wrong)] += 1
    return found


def changes(known: Mapping[UUID, Fact], new: Collection[UUID], since: datetime) -> Counter[Ticked]:
    """What events of `new` add to the counts, and, below zero, take away.

    Of all that is `known` of one appointment, by event.
    """
    found = Counter[Ticked]()
    if any(isinstance(known.get(each), COUNTS) for each in new) and any(
        isinstance(each, Outcome) and each.state is State.DELIVERED for each in known.values()
    ):
        found = counted(known.values(), since)
        found.subtract(counted((known[each] for each in known.keys() - new), since))
    return Counter({each: number for each, number in found.items() if number})


def step_of(took: timedelta) -> int:
    """The step that this time is in."""
    return math.ceil(math.log(max(took.total_seconds(), SHORTEST), STEP))


def measures(ticks: Mapping[int | None, int], proven_wrong: int) -> Measures:
    """Of ticks by step."""
    timed = sorted((step, number) for step, number in ticks.items() if step is not None)
    return Measures(
        sum(ticks.values()), proven_wrong, _quantile(timed, 0.5), _quantile(timed, 0.95)
    )


def _disproves(outcome: Outcome) -> bool:
    """A report that nobody has signed doesn't."""
    return outcome.state is State.FAILED and outcome.evidence is None


def _quantile(timed: Sequence[tuple[int, int]], share: float) -> float | None:
    """As `percentile_cont` of PostgreSQL: between the two that are nearest to the share."""
    place = share * (sum(number for _, number in timed) - 1)
    if place < 0:
        return None
    below, above = _seconds(timed, math.floor(place)), _seconds(timed, math.ceil(place))
    return below + (above - below) * (place % 1)


def _seconds(timed: Sequence[tuple[int, int]], place: int) -> float:
    """Of the one at this place, counted from 0, the middle of its step."""
    for step, number in timed:
        if place < number:
            return float(STEP ** (step - 0.5))
        place -= number
    raise IndexError(place)
