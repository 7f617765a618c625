"""Of what was told of one channel one is last, and everybody agrees on which."""

from dataclasses import replace

import pytest

from contracts.events import FailureCategory, FailureReason, NoticeKind, Withheld
from services.status.facts import Issued, Notice, State, Told, rank, winners
from tests.unit.status.stories import at, notice, outcome

FAILED = outcome(State.FAILED, 2)
OF_NOTICE = notice(NoticeKind.MOVED, State.FAILED)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (FAILED, replace(FAILED, category=FailureCategory.CANCELLED)),
        (FAILED, replace(FAILED, reason=FailureReason.BLOCKED)),
        (FAILED, replace(FAILED, status_code="2.0.0")),
        (FAILED, replace(FAILED, late=True)),
        (OF_NOTICE, replace(OF_NOTICE, version=OF_NOTICE.version + 1)),
        (OF_NOTICE, replace(OF_NOTICE, withheld=Withheld.IN_INVITATION)),
        (
            replace(OF_NOTICE, withheld=Withheld.IN_INVITATION),
            replace(OF_NOTICE, withheld=Withheld.NOT_INVITED),
        ),
        (
            replace(OF_NOTICE, withheld=Withheld.NOT_INVITED),
            replace(OF_NOTICE, version=OF_NOTICE.version + 1),
        ),
    ],
)
def test_of_two_that_claim_one_place_one_is_last(earlier: Told, later: Told) -> None:
    assert rank(earlier) < rank(later)
    assert winners([earlier, later]) == winners([later, earlier]) == {later.channel: later}


def test_what_is_not_said_is_as_it_was_before_it_could_be() -> None:
    assert Issued(1, frozenset(), at(0)).version == 0
    assert not FAILED.late
    assert not Notice(*(getattr(OF_NOTICE, name) for name in OF_NOTICE.__match_args__[:7])).late
