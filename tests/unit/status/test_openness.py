"""What needs a person: each rule, and that nothing which does is passed over."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Answer, NoticeKind
from services.status.facts import Answered, Deleted, Fact, FollowedUp, Scheduled, State
from services.status.indicators import Indicator, fold
from services.status.openness import LONGEST, Reason, open_until, over
from tests.unit.status.stories import (
    at,
    deletions,
    followed_up,
    invitations,
    issued,
    notice,
    others,
    outcome,
    scheduled,
)

GREEN: tuple[Fact, ...] = (scheduled(1), issued(1), outcome(State.DELIVERED, 1))
MOVED: Fact = scheduled(2, 2000)
DECLINED: Fact = Answered(1, Answer.DECLINED, at(300))


def reasons(*facts: Fact) -> list[Reason]:
    shown = fold(facts)
    assert isinstance(shown, Indicator)
    return list(shown.open)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.FAILED, [Reason.INVITATION_FAILED]),
        (State.UNCONFIRMED, [Reason.CALL]),
        (State.PENDING, []),
        (State.DELIVERED, []),
    ],
)
def test_the_invitation(state: State, expected: list[Reason]) -> None:
    assert reasons(scheduled(1), issued(1), outcome(state, 1)) == expected


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        (NoticeKind.MOVED, State.FAILED, [Reason.MOVED_FAILED]),
        (NoticeKind.MOVED, State.UNCONFIRMED, [Reason.CALL]),
        (NoticeKind.MOVED, State.PENDING, []),
        (NoticeKind.MOVED, State.DELIVERED, []),
        (NoticeKind.REMINDER, State.FAILED, [Reason.REMINDER_FAILED]),
        (NoticeKind.REMINDER, State.UNCONFIRMED, []),
        (NoticeKind.REMINDER, State.DELIVERED, []),
    ],
)
def test_notices(kind: NoticeKind, state: State, expected: list[Reason]) -> None:
    assert reasons(*GREEN, MOVED, notice(kind, state)) == expected


def test_a_failed_move_is_over_once_a_newer_one_arrived() -> None:
    lost = notice(NoticeKind.MOVED, State.FAILED)
    again = notice(NoticeKind.MOVED, State.DELIVERED, number=2, version=3, minutes=400)
    assert reasons(*GREEN, MOVED, lost, scheduled(3, 3000)) == [Reason.MOVED_FAILED]
    assert reasons(*GREEN, MOVED, lost, scheduled(3, 3000), again) == []


def test_a_failed_move_is_over_with_an_attempt_that_says_the_new_time() -> None:
    lost = notice(NoticeKind.MOVED, State.FAILED)
    again = issued(2, version=3)
    assert reasons(*GREEN, MOVED, lost, again) == []
    failed = outcome(State.FAILED, 1, attempt=2)
    assert reasons(*GREEN, MOVED, lost, again, failed) == [Reason.INVITATION_FAILED]


def test_a_silent_move_leaves_a_failed_one_open() -> None:
    lost = notice(NoticeKind.MOVED, State.FAILED)
    longer = Scheduled(3, at(2000), 45, at(3))
    assert reasons(*GREEN, MOVED, lost, longer) == [Reason.MOVED_FAILED]


def test_a_reminder_of_another_start_or_before_a_new_attempt_is_over() -> None:
    lost = notice(NoticeKind.REMINDER, State.FAILED, version=1, minutes=150)
    assert reasons(*GREEN, lost) == [Reason.REMINDER_FAILED]
    assert reasons(*GREEN, lost, MOVED) == []
    assert reasons(*GREEN, lost, issued(2)) == []


def test_declined_until_moved_or_sent_again() -> None:
    assert reasons(*GREEN, DECLINED) == [Reason.DECLINED]
    assert reasons(*GREEN, DECLINED, Answered(1, Answer.ACCEPTED, at(310))) == []
    assert reasons(*GREEN, DECLINED, Answered(1, Answer.TENTATIVE, at(310))) == []
    assert reasons(*GREEN, DECLINED, MOVED) == []
    assert reasons(*GREEN, DECLINED, Scheduled(2, at(1000), 45, at(2))) == [Reason.DECLINED]
    assert reasons(*GREEN, DECLINED, issued(4), outcome(State.DELIVERED, 1, attempt=4)) == []
    before = Answered(1, Answer.DECLINED, at(99))
    assert reasons(*GREEN, before) == [], "an answer to an attempt before the newest"


def test_what_a_stranger_answered_is_not_shown_once_the_address_is_corrected() -> None:
    accepted = Answered(1, Answer.ACCEPTED, at(300))
    shown, corrected = fold([*GREEN, accepted]), fold([*GREEN, accepted, issued(4)])
    assert isinstance(shown, Indicator)
    assert isinstance(corrected, Indicator)
    assert shown.answer is not None
    assert corrected.answer is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.FAILED, [Reason.CANCELLED_FAILED]),
        (State.UNCONFIRMED, [Reason.CALL]),
        (State.PENDING, []),
        (State.DELIVERED, None),
    ],
)
def test_a_deleted_appointment(state: State, expected: list[Reason] | None) -> None:
    lost = outcome(State.FAILED, 9)
    shown = fold([*GREEN, lost, Deleted(at(240)), notice(NoticeKind.CANCELLED, state)])
    if expected is None:
        assert isinstance(shown, Deleted)
    else:
        assert isinstance(shown, Indicator)
        assert list(shown.open) == expected


def test_several_reasons_stand_with_the_gravest_first() -> None:
    found = reasons(
        scheduled(1),
        issued(1),
        outcome(State.FAILED, 1),
        notice(NoticeKind.REMINDER, State.FAILED),
        notice(NoticeKind.MOVED, State.UNCONFIRMED, number=2),
    )
    assert found == [Reason.INVITATION_FAILED, Reason.CALL, Reason.REMINDER_FAILED]


@given(st.lists(invitations | others | deletions, max_size=12))
def test_no_mark_is_passed_over_and_no_tick_made_open_by_it(known: list[Fact]) -> None:
    shown = fold(known)
    if isinstance(shown, Indicator) and not shown.cancelled:
        assert (shown.overall is State.FAILED) == (Reason.INVITATION_FAILED in shown.open)
        assert shown.overall is not State.UNCONFIRMED or Reason.CALL in shown.open


@given(st.lists(invitations | others, max_size=12), st.integers(0, 200))
def test_time_ends_it_at_the_end_and_not_before(known: list[Fact], minutes: int) -> None:
    shown = fold(known)
    if isinstance(shown, Indicator):
        times = shown.starts_at, shown.ends_at
        now = at(minutes)
        ended = shown.ends_at is not None and shown.ends_at <= now
        assert over(*times, now, cancelled=False) == ended
        if shown.starts_at is not None and shown.starts_at <= now - LONGEST:
            assert ended, "what begins earlier is not looked for"


def test_a_cancellation_is_of_use_until_the_start() -> None:
    times = at(0), at(20)
    assert open_until(*times, cancelled=True) == at(0)
    assert open_until(*times, cancelled=False) == at(0) + timedelta(minutes=20)
    assert open_until(None, None, cancelled=True) is None


# --- what is on its way -----------------------------------------------------------------------

HOUR = 60  # minutes
FAR = 200 * HOUR


def overdue_at(*facts: Fact) -> list[datetime]:
    """From when on what is on its way is open, each once."""
    shown = fold(facts)
    assert isinstance(shown, Indicator)
    assert shown.open == (), "no clock has said so"
    return sorted({each.since for each in shown.awaited})


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (FAR, 100 + 72 * HOUR),  # nobody tries for longer
        (50 * HOUR, 48 * HOUR),  # as a missing receipt is told
        (200, 115),  # not at once
        (90, 115),
    ],
)
def test_what_never_ends_is_open_once_no_outcome_can_come(start: int, expected: int) -> None:
    assert overdue_at(scheduled(1, start), issued(1)) == [at(expected)]
    tried = outcome(State.PENDING, 9)
    assert overdue_at(scheduled(1, start), issued(1), tried) == [at(expected)]


def test_without_a_start_it_is_open_after_the_last_try() -> None:
    assert overdue_at(issued(1)) == [at(100 + 72 * HOUR)]
    assert overdue_at(outcome(State.PENDING, 1)) == [at(101 + 72 * HOUR)]


def test_it_is_counted_from_the_morning_that_it_waits_for() -> None:
    waits = replace(outcome(State.PENDING, 1), waits_until=at(10 * HOUR))
    assert overdue_at(scheduled(1, FAR), issued(1), waits) == [at(82 * HOUR)]


@pytest.mark.parametrize("end", [State.DELIVERED, State.FAILED, State.UNCONFIRMED])
def test_whatever_has_an_outcome_is_not_on_its_way(end: State) -> None:
    shown = fold([scheduled(1), issued(1), outcome(State.PENDING, 1), outcome(end, 2)])
    assert isinstance(shown, Indicator)
    assert shown.awaited == ()


def test_what_has_failed_is_dealt_with_once() -> None:
    """Whoever is called for one channel is not called for the other."""
    seen = (scheduled(1), issued(1, Channel.EMAIL, Channel.SMS), outcome(State.FAILED, 1))
    shown = fold(seen)
    assert isinstance(shown, Indicator)
    assert (shown.open, shown.awaited) == ((Reason.INVITATION_FAILED,), ())


def test_a_move_that_nobody_was_told_of_is_open_before_its_start() -> None:
    moved = scheduled(2, FAR)
    goes = notice(NoticeKind.MOVED, State.PENDING)
    assert overdue_at(*GREEN, moved, goes) == [at(250 + 72 * HOUR)]
    assert overdue_at(*GREEN, scheduled(2, 50 * HOUR), goes) == [at(48 * HOUR)]
    told = notice(NoticeKind.MOVED, State.DELIVERED, channel=Channel.SMS)
    assert overdue_at(*GREEN, moved, goes, told) == []
    again = (issued(2, version=2), outcome(State.DELIVERED, 1, attempt=2))
    assert overdue_at(*GREEN, moved, goes, *again) == [], "the attempt says the new time"
    assert overdue_at(*GREEN, notice(NoticeKind.REMINDER, State.PENDING)) == []


def test_a_cancellation_that_nobody_was_told_of_is_open_before_the_start() -> None:
    gone = (*GREEN, scheduled(2, 50 * HOUR), Deleted(at(240)))
    goes = notice(NoticeKind.CANCELLED, State.PENDING)
    assert overdue_at(*gone, goes) == [at(48 * HOUR)]
    told = notice(NoticeKind.CANCELLED, State.DELIVERED, channel=Channel.SMS)
    assert isinstance(fold([*gone, goes, told]), Deleted)
    shown = fold([*gone, goes])
    assert isinstance(shown, Indicator)
    called = followed_up(*(each.name for each in shown.awaited))
    assert isinstance(fold([*gone, goes, called]), Deleted)


def test_who_was_called_is_not_called_again_for_another_try() -> None:
    seen = (scheduled(1), issued(1), outcome(State.PENDING, 1))
    before = fold(seen)
    assert isinstance(before, Indicator)
    follow_up = followed_up(*(each.name for each in before.awaited))
    after = fold([*seen, outcome(State.PENDING, 2), follow_up])
    assert isinstance(after, Indicator)
    assert (after.overall, after.awaited, after.followed_up_at) == (State.PENDING, (), at(900))
    moved = fold([*seen, follow_up, MOVED])
    assert isinstance(moved, Indicator)
    assert len(moved.awaited) == 1
    assert reasons(*seen, follow_up, outcome(State.FAILED, 2)) == [Reason.INVITATION_FAILED]


@given(st.lists(invitations | others, max_size=12))
def test_no_clock_is_left_to_run_for_ever(known: list[Fact]) -> None:
    """What shows the clock is on its way, unless somebody has dealt with it."""
    shown = fold([fact for fact in known if not isinstance(fact, FollowedUp)])
    if isinstance(shown, Indicator):
        assert shown.overall is not State.PENDING or shown.awaited
        assert list(shown.awaited) == sorted(shown.awaited, key=lambda one: (one.since, one.name))
        start = shown.starts_at
        for each in shown.awaited:
            if start is not None:
                assert each.since <= max(start - timedelta(hours=2), at(5) + timedelta(minutes=15))


# --- „Erledigt" -------------------------------------------------------------------------------

SMS = Channel.SMS
FAILED = (scheduled(1), issued(1, Channel.EMAIL, SMS), outcome(State.FAILED, 1))
facts = st.lists(invitations | others, max_size=12)


def causes(*facts: Fact) -> tuple[UUID, ...]:
    shown = fold(facts)
    assert isinstance(shown, Indicator)
    return tuple(shown.causes)


def done(*seen: Fact) -> FollowedUp:
    """By somebody who had this before them."""
    return followed_up(*causes(*seen))


@pytest.mark.parametrize(
    "lost",
    [
        (outcome(State.FAILED, 2),),
        (outcome(State.UNCONFIRMED, 2),),
        (MOVED, notice(NoticeKind.MOVED, State.FAILED)),
        (MOVED, notice(NoticeKind.MOVED, State.UNCONFIRMED)),
        (notice(NoticeKind.REMINDER, State.FAILED),),
        (DECLINED,),
    ],
)
def test_what_was_seen_is_dealt_with_and_shows_the_same(lost: tuple[Fact, ...]) -> None:
    seen = (*GREEN, *lost)
    before, after = fold(seen), fold([*seen, done(*seen)])
    assert isinstance(before, Indicator)
    assert isinstance(after, Indicator)
    assert before.open
    assert (after.open, after.causes, after.followed_up_at) == ((), (), at(900))
    assert (after.overall, after.channels) == (before.overall, before.channels)
    assert (after.notices, after.answer) == (before.notices, before.answer)
    assert after.updated_at == before.updated_at


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (outcome(State.FAILED, 1, channel=SMS), Reason.INVITATION_FAILED),
        (outcome(State.FAILED, 3), Reason.INVITATION_FAILED),  # after a tick in between
        (notice(NoticeKind.REMINDER, State.FAILED, minutes=400), Reason.REMINDER_FAILED),
        (notice(NoticeKind.MOVED, State.FAILED), Reason.MOVED_FAILED),
        (Answered(1, Answer.DECLINED, at(150)), Reason.DECLINED),  # by a clock that is slow
        (MOVED, Reason.INVITATION_FAILED),  # the patient was told the start before
        (outcome(State.FAILED, 1, attempt=2), Reason.INVITATION_FAILED),
    ],
)
def test_what_comes_later_is_open(later: Fact, expected: Reason) -> None:
    follow_up = done(*FAILED)
    assert reasons(*FAILED, follow_up) == []
    assert reasons(*FAILED, follow_up, later) == [expected]
    again = done(*FAILED, follow_up, later)
    assert reasons(*FAILED, follow_up, later, again) == []


def test_there_and_back_is_dealt_with_as_before() -> None:
    assert reasons(*FAILED, done(*FAILED), MOVED, scheduled(3)) == []


def test_a_failure_that_nobody_had_seen_is_not_ticked_off() -> None:
    """It was on its way to the page while somebody said „Erledigt", by a clock that is fast."""
    follow_up = followed_up(*causes(*FAILED), minutes=5000)
    unseen = outcome(State.FAILED, 1, channel=SMS)
    assert reasons(*FAILED, unseen, follow_up) == [Reason.INVITATION_FAILED]
    assert len(causes(*FAILED, unseen, follow_up)) == 1


def test_one_of_two_channels_that_is_mended_opens_nothing() -> None:
    both = (*FAILED, outcome(State.FAILED, 1, channel=SMS))
    mended = outcome(State.DELIVERED, 2, channel=SMS)
    assert reasons(*both, done(*both), mended) == []


def test_a_deleted_appointment_goes_once_the_patient_was_called() -> None:
    seen = (*GREEN, Deleted(at(240)), notice(NoticeKind.CANCELLED, State.FAILED))
    follow_up = done(*seen)
    assert isinstance(fold([*seen, follow_up]), Deleted)
    again = notice(NoticeKind.CANCELLED, State.FAILED, channel=SMS)
    assert reasons(*seen, follow_up, again) == [Reason.CANCELLED_FAILED]


@given(facts, st.integers(0, 5).map(at), st.data())
def test_in_any_order_exactly_what_was_seen_is_dealt_with(
    seen: list[Fact], moment: datetime, data: st.DataObject
) -> None:
    before = fold(seen)
    if not isinstance(before, Indicator) or not before.open:
        return
    known = [*seen, FollowedUp(frozenset(before.causes), moment)]
    after = fold(data.draw(st.permutations(known)))
    assert isinstance(after, Indicator)
    assert (after.open, after.causes) == ((), ())
    assert after.followed_up_at is not None
    later = data.draw(facts)
    shown = fold([*known, *later])
    unfollowed = fold([*seen, *later])
    assert isinstance(shown, Indicator)
    assert isinstance(unfollowed, Indicator)
    assert set(shown.causes) == set(unfollowed.causes) - set(before.causes)
    assert (shown.overall, shown.channels) == (unfollowed.overall, unfollowed.channels)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        (
            (scheduled(1), issued(1), outcome(State.FAILED, 1)),
            "f84b250a-de7b-5b38-a43a-3975d14c267e",
        ),
        ((issued(1), outcome(State.FAILED, 1)), "d200429a-4a9d-54e6-9f7c-d55c676523aa"),
        ((scheduled(1), issued(1), DECLINED), "f868dc97-f55c-5b1f-bc66-3a28d463410f"),
        (
            (scheduled(2), issued(1), notice(NoticeKind.MOVED, State.FAILED)),
            "5fb406be-c53f-56f9-b0ff-60eb81b6c27d",
        ),
        (
            (
                scheduled(2),
                issued(1),
                Deleted(at(500)),
                notice(NoticeKind.CANCELLED, State.UNCONFIRMED),
            ),
            "539fbfa1-bff7-571e-be5d-5e1ee9f88577",
        ),
    ],
)
def test_what_somebody_has_dealt_with_keeps_its_name(known: tuple[Fact, ...], name: str) -> None:
    """With another one all of it would be open anew."""
    assert [str(each) for each in causes(*known)] == [name]


def test_reasons_are_told_under_these_names() -> None:
    assert [each.value for each in Reason] == [
        *("cancelled_failed", "moved_failed", "invitation_failed", "declined", "call"),
        "reminder_failed",
    ]


def test_of_two_starts_that_claim_one_version_the_later_counts() -> None:
    early, late = scheduled(1, 1000), Scheduled(1, at(2000), 5, at(0))
    shown = [fold([*order, issued(1)]) for order in ((early, late), (late, early))]
    assert shown[0] == shown[1]
    assert isinstance(shown[0], Indicator)
    assert shown[0].starts_at == at(2000)


def test_at_its_end_it_is_over() -> None:
    for cancelled, end in ((False, at(20)), (True, at(0))):
        assert over(at(0), at(20), end, cancelled=cancelled)
        assert not over(at(0), at(20), end - timedelta(seconds=1), cancelled=cancelled)
