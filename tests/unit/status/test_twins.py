"""Outcomes that wrongly claim one place: whoever reads them, in whatever order, shows the same."""

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.events import (
    Answer,
    Evidence,
    FailureCategory,
    FailureEvidence,
    FailureReason,
    NoticeKind,
)
from services.status.facts import Answered, Deleted, Fact, Issued, Notice, Outcome, State
from services.status.indicators import Indicator, fold
from services.status.openness import Reason
from services.status.timeline import history

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
FAILED = Outcome(1, Channel.EMAIL, 3, State.FAILED, NOON, category=FailureCategory.PERMANENT)
DELIVERED = Outcome(1, Channel.EMAIL, 3, State.DELIVERED, NOON, evidence=Evidence.ACCEPTED)


@dataclass(frozen=True)
class Placed(Outcome):
    """An outcome with a place in the sets that hold it. As hashes of strings differ between
    processes, so does the order in which replicas come upon their facts.
    """

    place: int = field(default=0, compare=False)

    def __hash__(self) -> int:
        return self.place


def placed(outcome: Outcome, place: int) -> Placed:
    known = {each.name: getattr(outcome, each.name) for each in fields(Outcome)}
    return Placed(**known, place=place)


@dataclass(frozen=True)
class PlacedAttempt(Issued):
    """The same of an attempt."""

    place: int = field(default=0, compare=False)

    def __hash__(self) -> int:
        return self.place


# Of each pair the second one is shown.
TWINS = [
    (FAILED, replace(FAILED, category=FailureCategory.TEMPORARY)),
    (FAILED, replace(FAILED, reason=FailureReason.BLOCKED)),
    (FAILED, replace(FAILED, status_code="5.1.1")),
    (FAILED, replace(FAILED, late=True)),
    (FAILED, replace(FAILED, at=LATER)),
    (replace(FAILED, evidence=FailureEvidence.UNSIGNED), FAILED),
    (replace(FAILED, state=State.PENDING), FAILED),
    (replace(FAILED, state=State.UNCONFIRMED), replace(FAILED, state=State.PENDING)),
    (DELIVERED, replace(FAILED, state=State.UNCONFIRMED)),
    (replace(DELIVERED, evidence=Evidence.CONFIRMED), DELIVERED),
    # each part counts only where all before it are equal
    (replace(FAILED, at=LATER, late=True), replace(FAILED, sequence=4)),
    (replace(DELIVERED, at=LATER, status_code="5.0.0"), FAILED),
    (replace(DELIVERED, at=LATER, evidence=Evidence.CONFIRMED), DELIVERED),
    (replace(FAILED, category=FailureCategory.TEMPORARY), replace(FAILED, at=LATER)),
    (
        replace(FAILED, reason=FailureReason.UNKNOWN_USER),
        replace(FAILED, category=FailureCategory.TEMPORARY),
    ),
    (replace(FAILED, status_code="5.1.1"), replace(FAILED, reason=FailureReason.BLOCKED)),
    (replace(FAILED, late=True), replace(FAILED, status_code="5.1.1")),
]


@pytest.mark.parametrize(("passed_over", "shown"), TWINS)
def test_the_same_one_is_shown_in_any_order(passed_over: Outcome, shown: Outcome) -> None:
    for order in ((1, 2), (2, 1)):
        first, second = placed(passed_over, order[0]), placed(shown, order[1])
        for facts in permutations((first, second)):
            indicator = fold(facts)
            assert isinstance(indicator, Indicator)
            channel = indicator.channels[Channel.EMAIL]
            assert (channel.state, channel.evidence, channel.category, channel.reason) == (
                *(shown.state, shown.evidence, shown.category, shown.reason),
            )
            assert (channel.status_code, channel.late) == (shown.status_code, shown.late)
            assert (channel.occurred_at, indicator.updated_at) == (shown.at, shown.at)


BY_MAIL = frozenset({Channel.EMAIL})


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_that_announce_one_attempt_the_earlier_counts_then_the_lower_version(
    order: tuple[int, int],
) -> None:
    def open_because(earlier: tuple[datetime, int], later: tuple[datetime, int]) -> object:
        announced = [
            PlacedAttempt(1, BY_MAIL, at, version, place=place)
            for (at, version), place in zip((earlier, later), order, strict=True)
        ]
        declined = Answered(2, Answer.DECLINED, LATER)
        moved = Notice(UUID(int=1), NoticeKind.MOVED, 2, Channel.EMAIL, 1, State.FAILED, LATER)
        indicator = fold([*announced, declined, moved])
        assert isinstance(indicator, Indicator)
        return indicator.open

    much_later = LATER + timedelta(minutes=1)
    both = (Reason.MOVED_FAILED, Reason.DECLINED)
    assert open_because((NOON, 1), (much_later, 2)) == both
    assert open_because((NOON, 2), (much_later, 1)) == (Reason.DECLINED,)
    assert open_because((NOON, 1), (NOON, 2)) == both


def test_the_history_is_the_same_in_any_order() -> None:
    everything = [each for pair in TWINS for each in pair]
    there = [placed(each, place) for place, each in enumerate(everything)]
    back = [placed(each, place) for place, each in enumerate(reversed(everything))]
    assert history(there) == history(back)


def test_updated_is_when_the_newest_cause_happened() -> None:
    issued = Issued(1, frozenset({Channel.EMAIL, Channel.SMS}), NOON)
    newest_last: list[Fact] = [issued, replace(DELIVERED, at=LATER)]
    newest_first: list[Fact] = [replace(issued, at=LATER), DELIVERED]
    for facts in (newest_last, newest_first):
        indicator = fold(facts)
        assert isinstance(indicator, Indicator)
        assert indicator.updated_at == LATER


def test_of_one_instant_a_request_stands_before_what_became_of_it() -> None:
    issued = Issued(1, frozenset({Channel.SMS, Channel.EMAIL}), NOON)
    entries = history([FAILED, replace(FAILED, sequence=1), issued, replace(issued, attempt=2)])
    assert [(each.attempt, each.channel, each.type) for each in entries] == [
        (1, Channel.EMAIL, "requested"),
        (1, Channel.SMS, "requested"),
        (1, Channel.EMAIL, "failed"),
        (1, Channel.EMAIL, "failed"),
        (2, Channel.EMAIL, "requested"),
        (2, Channel.SMS, "requested"),
    ]


def test_a_line_of_the_history_says_all_that_is_known() -> None:
    outcome = replace(
        FAILED,
        evidence=FailureEvidence.UNSIGNED,
        reason=FailureReason.BLOCKED,
        status_code="5.7.1",
        late=True,
    )
    (entry,) = history([outcome])
    for each in fields(outcome):
        if each.name not in {"sequence", "state"}:
            assert getattr(entry, each.name) == getattr(outcome, each.name)
    (entry,) = history([replace(DELIVERED, evidence=None)])
    assert entry.type == "unconfirmed"


def test_states_are_shown_and_stored_under_these_names() -> None:
    assert [state.value for state in State] == ["pending", "delivered", "failed", "unconfirmed"]


def test_of_two_deletions_the_first_is_known() -> None:
    first, second = Deleted(NOON), Deleted(LATER)
    assert fold([first, second]) == fold([second, DELIVERED, first]) == first


def test_of_what_is_only_requested_nothing_is_said() -> None:
    issued = Issued(1, frozenset({Channel.EMAIL}), NOON)
    indicator = fold([issued])
    assert isinstance(indicator, Indicator)
    (entry,) = history([issued])
    for shown in (indicator.channels[Channel.EMAIL], entry):
        assert (shown.evidence, shown.category, shown.reason) == (None, None, None)
        assert (shown.status_code, shown.late) == (None, False)
    assert indicator.channels[Channel.EMAIL].occurred_at is None


def test_an_outcome_is_in_time_unless_it_is_said_otherwise() -> None:
    assert not Outcome(1, Channel.EMAIL, 1, State.PENDING, NOON).late
