"""Which tick is an attempt's first on a channel, and how long it took."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.channels import Channel
from services.status.facts import Deleted, Fact, Issued, Outcome, State
from services.status.time_to_tick import Tick, first_ticks

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def issued(attempt: int = 1, after: float = 0) -> Issued:
    return Issued(attempt, frozenset({EMAIL, SMS}), AT + timedelta(seconds=after))


def outcome(
    state: State, after: float, *, channel: Channel = EMAIL, attempt: int = 1, sequence: int = 2
) -> Outcome:
    return Outcome(attempt, channel, sequence, state, AT + timedelta(seconds=after))


def ticks(*facts: Fact, new: int) -> list[Tick]:
    """Of the last `new` facts."""
    known = {UUID(int=number): fact for number, fact in enumerate(facts)}
    return list(first_ticks(known, list(known)[-new:]))


def tick(number: int, channel: Channel, seconds: float) -> Tick:
    return Tick(UUID(int=number), channel, timedelta(seconds=seconds))


def test_each_channel_and_attempt_has_a_first_tick() -> None:
    first = outcome(State.DELIVERED, 3)
    by_sms = outcome(State.DELIVERED, 5, channel=SMS)
    again = outcome(State.DELIVERED, 104, attempt=2)
    assert ticks(issued(), first, by_sms, issued(2, 100), again, new=5) == [
        tick(1, EMAIL, 3),
        tick(2, SMS, 5),
        tick(4, EMAIL, 4),
    ]


def test_what_was_told_before_is_not_told_again() -> None:
    first, later = outcome(State.DELIVERED, 3), outcome(State.DELIVERED, 9, sequence=3)
    assert ticks(issued(), first, later, new=1) == []
    assert ticks(issued(), first, Deleted(AT), new=1) == []
    assert ticks(later, issued(), first, new=1) == [tick(2, EMAIL, 3)]


def test_other_outcomes_are_no_ticks() -> None:
    for state in (State.PENDING, State.FAILED, State.UNCONFIRMED):
        assert ticks(issued(), outcome(state, 3), new=2) == []
    pending = outcome(State.PENDING, 1, sequence=1)
    assert ticks(issued(), pending, outcome(State.DELIVERED, 3), new=1) == [tick(2, EMAIL, 3)]


def test_nothing_is_said_of_what_waited_or_of_what_was_never_issued() -> None:
    waited = Outcome(1, SMS, 1, State.PENDING, AT, waits_until=AT + timedelta(hours=9))
    by_sms, by_mail = outcome(State.DELIVERED, 3, channel=SMS), outcome(State.DELIVERED, 4)
    assert ticks(issued(), waited, by_sms, by_mail, new=2) == [tick(3, EMAIL, 4)]
    assert ticks(by_mail, new=1) == []


def test_clocks_that_disagree_make_no_tick_before_its_request() -> None:
    assert ticks(issued(), outcome(State.DELIVERED, -2), new=1) == [tick(1, EMAIL, 0)]


def test_an_event_that_is_not_kept_is_none() -> None:
    assert list(first_ticks({UUID(int=0): issued()}, [UUID(int=7)])) == []
