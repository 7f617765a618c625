"""What ticks are counted as, and what an event changes in it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.events import Evidence, FailureEvidence, VisitRole
from services.status.facts import Deleted, Erased, Fact, Issued, Joined, Outcome, State
from services.status.measures import PUBLISHED
from services.status.tick_counts import KEPT, Measures, Ticked, changes, counted, measures, step_of

AT = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)
MINUTE = AT.replace(second=0)
LONG_AGO = AT - timedelta(days=1)
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def issued(attempt: int = 1, seconds: float = 0) -> Issued:
    return Issued(attempt, frozenset({EMAIL, SMS}), after(seconds))


def outcome(
    state: State,
    seconds: float,
    *,
    channel: Channel = EMAIL,
    attempt: int = 1,
    sequence: int = 2,
    evidence: Evidence | FailureEvidence | None = None,
) -> Outcome:
    return Outcome(attempt, channel, sequence, state, after(seconds), evidence)


def ticked(seconds: float | None, minute: datetime = MINUTE, *, wrong: bool = False) -> Ticked:
    step = None if seconds is None else step_of(timedelta(seconds=seconds))
    return Ticked(minute, step, wrong)


def changed(*facts: Fact, new: int) -> Counter[Ticked]:
    """By the last `new` facts."""
    known = {UUID(int=number): fact for number, fact in enumerate(facts)}
    return changes(known, list(known)[-new:], LONG_AGO)


TICK = outcome(State.DELIVERED, 3, evidence=Evidence.ACCEPTED)
BOUNCED = outcome(State.FAILED, 60, sequence=3)


def test_each_attempt_counts_once_on_each_channel_by_its_minute() -> None:
    told: list[Fact] = [
        *(issued(), TICK, outcome(State.DELIVERED, 5, channel=SMS)),
        outcome(State.DELIVERED, 50, sequence=3, evidence=Evidence.CONFIRMED),
        *(issued(2, 90), outcome(State.DELIVERED, 94, attempt=2)),
    ]
    second_minute = MINUTE + timedelta(minutes=2)
    assert counted(told, LONG_AGO) == Counter([ticked(3), ticked(5), ticked(4, second_minute)])
    assert counted(told, after(90)) == Counter([ticked(4, second_minute)])


def test_a_tick_is_wrong_by_a_later_failure_that_a_server_stands_for() -> None:
    earlier = outcome(State.FAILED, 1, sequence=1)
    disputed = outcome(State.FAILED, 60, sequence=3, evidence=FailureEvidence.UNSIGNED)
    elsewhere = outcome(State.FAILED, 60, sequence=3, channel=SMS)
    at_once = outcome(State.FAILED, 60)
    assert counted([issued(), TICK, BOUNCED], LONG_AGO) == Counter([ticked(3, wrong=True)])
    for none in (earlier, disputed, elsewhere, at_once):
        assert counted([issued(), TICK, none], LONG_AGO) == Counter([ticked(3)])


def test_of_what_waited_on_purpose_the_time_is_not_known() -> None:
    waited = Outcome(1, EMAIL, 1, State.PENDING, AT, waits_until=after(3600))
    assert counted([issued(), waited, TICK], LONG_AGO) == Counter([ticked(None)])


@pytest.mark.parametrize(
    "told",
    [
        [issued()],
        [issued(), outcome(State.PENDING, 1), outcome(State.UNCONFIRMED, 2)],
        [TICK],
        [issued(2), TICK],
        [issued(), TICK, Erased(after(9))],
    ],
)
def test_what_is_no_tick_of_a_known_attempt_does_not_count(told: list[Fact]) -> None:
    assert counted(told, LONG_AGO) == Counter()


def test_events_change_what_is_counted_in_whichever_order_they_come() -> None:
    assert changed(issued(), TICK, new=2) == Counter([ticked(3)])
    assert changed(TICK, issued(), new=1) == Counter([ticked(3)])
    assert changed(issued(), TICK, BOUNCED, new=1) == {ticked(3): -1, ticked(3, wrong=True): 1}
    assert changed(issued(), BOUNCED, TICK, new=1) == {ticked(3, wrong=True): 1}
    assert changed(issued(), TICK, BOUNCED, Erased(after(99)), new=1) == {ticked(3, wrong=True): -1}


def test_what_changes_nothing_changes_no_count() -> None:
    again = outcome(State.DELIVERED, 50, sequence=3, evidence=Evidence.CONFIRMED)
    for nothing in (again, Deleted(after(9)), Joined(VisitRole.PATIENT, after(9))):
        assert changed(issued(), TICK, nothing, new=1) == Counter()
    assert changed(issued(), TICK, Erased(after(9)), TICK, new=1) == Counter()


@pytest.mark.parametrize("seconds", [0.001, 0.4, 1.0, 59.0, 86_400.0])
def test_times_are_known_to_half_a_percent(seconds: float) -> None:
    step = step_of(timedelta(seconds=seconds))
    for number in (1, 3):
        assert measures({step: number}, 0).p50 == pytest.approx(seconds, rel=0.005)


def test_ticks_are_counted_for_longer_than_their_metrics_say() -> None:
    assert KEPT > PUBLISHED


def test_shares_are_those_of_all_that_is_timed() -> None:
    one, two, ten = (step_of(timedelta(seconds=each)) for each in (1, 2, 10))
    found = measures({two: 8, None: 5, ten: 2, one: 10}, 4)
    assert (found.ticks, found.proven_wrong) == (25, 4)
    assert found.p50 == pytest.approx(1.5, rel=0.01)  # between the tenth and the eleventh
    assert found.p95 == pytest.approx(10, rel=0.01)
    assert measures({None: 5}, 0) == Measures(5, 0, None, None)
    assert measures({}, 0) == Measures(0, 0, None, None)


def test_clocks_that_disagree_make_no_tick_before_its_request() -> None:
    early = outcome(State.DELIVERED, -2)
    assert counted([issued(), early], LONG_AGO) == Counter([ticked(0)])
