"""What strangers can repeat at will is kept in bounds: joining the visit, and answering. Pure.

1. Of answers the last of each kind is kept: no other can ever become the newest.
2. Of follow-ups of the very same causes the first is: the others change nothing.
3. Of joinings the first and the last of each role within ten minutes are.
4. Of an attempt that is announced again (after a restore) the first announcement is.

Whatever is condensed again with more comes to the same, so the order of arrival and what has been
dropped on the way change nothing.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta

from contracts.events import Answer
from services.status.facts import Answered, Fact, FollowedUp, Issued, Joined

SLOT = timedelta(minutes=10)
CALM = (Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED)


def condensed(facts: Iterable[Fact]) -> frozenset[Fact]:
    """The facts that count."""
    kept: set[Fact] = set()
    answers: dict[Answer, list[Answered]] = defaultdict(list)
    issued: dict[Hashable, list[Issued]] = defaultdict(list)
    followed: dict[Hashable, list[FollowedUp]] = defaultdict(list)
    joined: dict[Hashable, list[Joined]] = defaultdict(list)
    for fact in facts:
        match fact:
            case Answered():
                answers[fact.answer].append(fact)
            case FollowedUp():
                followed[fact.causes].append(fact)
            case Issued():
                issued[fact.attempt, fact.channels].append(fact)
            case Joined():
                joined[fact.role, fact.at.timestamp() // SLOT.total_seconds()].append(fact)
            case _:
                kept.add(fact)
    kept.update(max(alike, key=finality) for alike in answers.values())
    kept.update(min(alike, key=_moment) for alike in followed.values())
    kept.update(min(alike, key=lambda one: (one.at, one.version)) for alike in issued.values())
    for slot in joined.values():
        kept.update((min(slot, key=_moment), max(slot, key=_moment)))
    return frozenset(kept)


def finality(answered: Answered) -> tuple[int, datetime, int]:
    """Total over the content: of two answers at once the one counts that needs somebody."""
    return answered.version, answered.at, CALM.index(answered.answer)


def _moment(fact: FollowedUp | Joined) -> datetime:
    return fact.at
