"""How long first ticks took: from the attempt's issue to what the tick stands on."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeGuard
from uuid import UUID

from contracts.channels import Channel
from services.status.facts import Fact, Issued, Outcome, State


@dataclass(frozen=True, slots=True)
class Tick:
    """The first of an attempt on a channel, with the event that told it."""

    event_id: UUID
    channel: Channel
    after: timedelta


def first_ticks(known: Mapping[UUID, Fact], new: Collection[UUID]) -> Iterator[Tick]:
    """Those that events of `new` told, of all that is `known` of one appointment, by event.

    What waited for the morning on purpose says nothing of how fast ticks come, and of an attempt
    that is not known to have been issued nothing can be said.
    """
    issued = {each.attempt: each.at for each in known.values() if isinstance(each, Issued)}
    for event_id in new:
        tick = known.get(event_id)
        if not isinstance(tick, Outcome) or tick.state is not State.DELIVERED:
            continue
        same = [each for each in known.values() if _of_the_same(each, tick)]
        earlier = any(
            each.state is State.DELIVERED and each.sequence < tick.sequence for each in same
        )
        waited = any(each.waits_until is not None for each in same)
        if tick.attempt in issued and not earlier and not waited:
            after = max(timedelta(0), tick.at - issued[tick.attempt])
            yield Tick(event_id, tick.channel, after)


def _of_the_same(fact: Fact, tick: Outcome) -> TypeGuard[Outcome]:
    """Whether it is what became of the same attempt over the same channel."""
    if not isinstance(fact, Outcome):
        return False
    return (fact.attempt, fact.channel) == (tick.attempt, tick.channel)
