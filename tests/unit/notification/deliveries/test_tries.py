"""What follows from tries, one by one: counts, times, reasons and what is kept of them."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.events import (
    FailureCategory,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    InvitationPending,
    InvitationUnconfirmed,
)
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import (
    Accepted,
    Bounced,
    Claimed,
    Confirmed,
    DeliveryEvent,
    FailedForNow,
    LeaseExpired,
    Misconfigured,
    Moved,
    Refused,
    Released,
    Reply,
    ReplyLost,
    Requested,
    Superseded,
    Withdrawn,
)
from services.notification.deliveries.retries import RETRY_WITHIN, RetryPolicy, deadline
from services.notification.deliveries.transitions import MOST_COPIES, transition
from services.notification.letters.letter import LetterKind
from tests.support.deliveries import (
    GREYLISTED,
    LEASE,
    LEASE_END,
    NOW,
    OK,
    UNKNOWN_USER,
    after,
    claim,
    minutes,
    new,
    one,
    sending,
)

RECEIPT = UUID(int=9)
LATER = NOW + minutes(1)
OF_INVITATIONS = (
    InvitationPending,
    InvitationDelivered,
    InvitationUnconfirmed,
    InvitationFailed,
)


def second_try() -> Delivery:
    """A delivery that is being sent for the second time."""
    put_off = after(sending(), FailedForNow(LEASE, GREYLISTED, LATER)).delivery
    return after(put_off, claim(), now=LATER).delivery


def test_a_second_try_that_is_given_back_is_one_to_be_repeated() -> None:
    before = second_try()
    assert (before.state, before.tries) == (State.SENDING, 2)
    step = transition(before, Released(LEASE), LATER)
    assert (step.delivery.state, step.delivery.tries) == (State.RETRYING, 1)
    assert (step.delivery.due_at, step.delivery.lease, step.outcomes) == (LATER, None, ())
    assert [entry.event for entry in step.history] == ["Released"]


def test_a_claim_holds_its_lease_until_it_ends() -> None:
    claimed = sending()
    assert (claimed.lease, claimed.due_at) == (LEASE, LEASE_END)
    assert after(claimed, LeaseExpired(), now=LEASE_END - minutes(1)).delivery == claimed
    expired = after(claimed, LeaseExpired(), now=LEASE_END).delivery
    assert (expired.due_at, expired.lease, expired.unanswered) == (LEASE_END, None, 1)
    assert expired.gateway is None


def test_nothing_is_claimed_before_it_is_due() -> None:
    put_off = after(sending(), FailedForNow(LEASE, GREYLISTED, LATER)).delivery
    assert after(put_off, claim(), now=LATER - timedelta(seconds=1)).delivery == put_off
    assert after(put_off, claim(), now=LATER).delivery.state is State.SENDING


@pytest.mark.parametrize("retry_in", [timedelta(days=1), timedelta(days=2)])
def test_a_try_that_could_only_be_repeated_after_the_deadline_was_the_last(
    retry_in: timedelta,
) -> None:
    last = after(sending(), FailedForNow(LEASE, GREYLISTED, NOW + retry_in)).delivery
    assert (last.state, last.category) == (State.FAILED, FailureCategory.TEMPORARY)
    before = FailedForNow(LEASE, GREYLISTED, NOW + timedelta(days=1) - minutes(1))
    assert after(sending(), before).delivery.state is State.RETRYING


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (None, FailureReason.EXPIRED),
        (FailureReason.OTHER, FailureReason.EXPIRED),
        (FailureReason.MAILBOX_FULL, FailureReason.MAILBOX_FULL),
    ],
)
def test_what_was_not_taken_in_time_says_so_or_why(
    reason: FailureReason | None, told: FailureReason
) -> None:
    reply = Reply(452, "4.2.2", reason)
    at_once = after(sending(), FailedForNow(LEASE, reply, None)).delivery
    assert (at_once.reason, at_once.status_code) == (told, "4.2.2")
    put_off = after(sending(), FailedForNow(LEASE, reply, LATER)).delivery
    assert (put_off.reason, put_off.status_code) == (reason, "4.2.2")
    too_late = after(put_off, claim(), now=put_off.deadline).delivery
    assert (too_late.state, too_late.reason) == (State.FAILED, told)
    assert too_late.status_code == "4.2.2"


def test_tried_once_and_begun_is_not_called_cancelled() -> None:
    put_off = after(sending(), FailedForNow(LEASE, GREYLISTED, LATER)).delivery
    ended = after(put_off, claim(), now=put_off.starts_at).delivery
    assert (ended.state, ended.category) == (State.FAILED, FailureCategory.TEMPORARY)


def test_never_tried_until_nobody_waits_any_more_is_a_failure() -> None:
    waiting = after(new(starts_in=timedelta(days=9)), Requested()).delivery
    ended = after(waiting, claim(), now=NOW + timedelta(hours=72)).delivery
    assert (ended.state, ended.category) == (State.FAILED, FailureCategory.TEMPORARY)
    just = after(waiting, claim(), now=NOW + timedelta(hours=72) - minutes(1)).delivery
    assert just.state is State.SENDING


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (FailureReason.UNKNOWN_USER, None),
        (FailureReason.HOST_UNKNOWN, None),
        (FailureReason.MAILBOX_FULL, None),
        (FailureReason.POLICY, FailureReason.POLICY),
        (FailureReason.BLOCKED, FailureReason.BLOCKED),
    ],
)
def test_our_own_fault_is_not_put_on_the_recipient(
    reason: FailureReason, told: FailureReason | None
) -> None:
    failed = after(sending(), Misconfigured(LEASE, Reply(550, "5.7.1", reason))).delivery
    assert (failed.category, failed.reason) == (FailureCategory.TECHNICAL, told)
    assert failed.status_code == "5.7.1"


def test_our_own_fault_after_a_copy_that_may_have_arrived_leaves_it_unknown() -> None:
    lost = after(sending(), ReplyLost(LEASE, LATER)).delivery
    again = after(lost, claim(), now=LATER).delivery
    ended = after(again, Misconfigured(LEASE, GREYLISTED), now=LATER).delivery
    assert (ended.state, ended.status_code) == (State.UNKNOWN, "4.2.0")
    assert (ended.category, ended.reason) == (None, None)


def test_copies_are_counted_and_the_last_ends_it() -> None:
    assert MOST_COPIES == {Channel.EMAIL: 2, Channel.SMS: 1}
    lost = after(sending(), ReplyLost(LEASE, LATER)).delivery
    assert (lost.state, lost.unanswered, lost.due_at) == (State.RETRYING, 1, LATER)
    again = after(lost, claim(), now=LATER).delivery
    ended = after(again, ReplyLost(LEASE, LATER), now=LATER).delivery
    assert (ended.state, ended.unanswered) == (State.UNKNOWN, 2)


def test_accepted_forgets_why_a_try_before_had_failed() -> None:
    taken = after(second_try(), Accepted(OK), now=LATER).delivery
    assert (taken.status_code, taken.reason, taken.category) == ("2.0.0", None, None)
    failed = after(sending(), FailedForNow(LEASE, GREYLISTED, None)).delivery
    after_all = after(failed, Accepted(OK)).delivery
    assert (after_all.state, after_all.category, after_all.reason) == (State.ACCEPTED, None, None)


def test_what_is_late_stays_failed_whatever_is_accepted() -> None:
    taken = after(sending(), Accepted(OK)).delivery
    soft = Bounced(RECEIPT, GREYLISTED, permanent=False)
    late = after(taken, soft).delivery
    assert (late.state, late.category, late.late) == (
        State.FAILED,
        FailureCategory.TEMPORARY,
        True,
    )
    assert after(late, Accepted(OK)).delivery == late
    assert after(late, soft).delivery == late
    confirmed = after(late, Confirmed(RECEIPT, OK)).delivery
    assert (confirmed.state, confirmed.late) == (State.DELIVERED, False)


def test_moving_to_where_it_is_and_withdrawing_again_is_nothing_new() -> None:
    under_way = sending()
    assert after(under_way, Moved(under_way.starts_at)) == Transition(under_way)
    withdrawn = after(under_way, Withdrawn())
    assert (withdrawn.delivery.withdrawn, len(withdrawn.history)) == (True, 1)
    assert after(withdrawn.delivery, Withdrawn()) == Transition(withdrawn.delivery)


def test_withdrawn_under_way_it_is_sent_again_in_no_case() -> None:
    withdrawn = after(sending(), Withdrawn()).delivery
    for event in (
        Released(LEASE),
        FailedForNow(LEASE, GREYLISTED, LATER),
        ReplyLost(LEASE, LATER),
        FailedForNow(LEASE, GREYLISTED, None),
    ):
        ended = after(withdrawn, event).delivery
        assert (ended.state, ended.category) == (State.CANCELLED, FailureCategory.CANCELLED)
        assert (ended.due_at, ended.lease) == (None, None)
    assert after(withdrawn, LeaseExpired(), now=LEASE_END).delivery.state is State.CANCELLED
    assert after(withdrawn, Refused(LEASE, UNKNOWN_USER)).delivery.state is State.FAILED


def test_what_was_replaced_is_looked_at_no_more() -> None:
    for before in (sending(), second_try(), after(new(), Requested()).delivery):
        ended = after(before, Superseded()).delivery
        assert (ended.state, ended.due_at, ended.lease) == (State.SUPERSEDED, None, None)


STORY: list[tuple[DeliveryEvent, timedelta]] = [
    (Requested(), minutes(0)),
    (Claimed(LEASE, LEASE_END), minutes(0)),
    (FailedForNow(LEASE, GREYLISTED, LATER), minutes(0)),
    (Claimed(LEASE, LEASE_END), minutes(1)),
    (Accepted(OK), minutes(1)),
    (Confirmed(RECEIPT, OK), minutes(2)),
    (Bounced(RECEIPT, UNKNOWN_USER, permanent=True), minutes(3)),
]


@pytest.mark.parametrize("kind", [each for each in LetterKind if each is not LetterKind.INVITATION])
def test_of_a_notice_nothing_is_told_as_if_it_were_an_invitation(kind: LetterKind) -> None:
    delivery = replace(new(), kind=kind)
    states = []
    for event, passed in STORY:
        step = transition(delivery, event, NOW + passed)
        assert not [each for each in step.outcomes if isinstance(each, OF_INVITATIONS)]
        delivery = step.delivery
        states.append(delivery.state)
    assert states[-1] is State.FAILED
    assert State.DELIVERED in states


def test_each_line_of_the_history_says_what_happened() -> None:
    delivery = new()
    for event, passed in STORY:
        step = transition(delivery, event, NOW + passed)
        (entry,) = step.history
        assert (entry.delivery_id, entry.practice_id) == (delivery.id, delivery.practice_id)
        assert (entry.at, entry.event) == (NOW + passed, type(event).__name__)
        assert (entry.before, entry.after) == (delivery.state, step.delivery.state)
        assert entry.receipt_id == getattr(event, "receipt_id", None)
        delivery = step.delivery
    assert delivery.sequence == 5


def test_what_is_told_has_the_time_and_the_number_of_its_change() -> None:
    delivery = new()
    told = []
    for event, passed in STORY:
        step = transition(delivery, event, NOW + passed)
        told += [(each.sequence, each.occurred_at) for each in step.outcomes]
        delivery = step.delivery
    assert told == [(at + 1, NOW + minutes(passed)) for at, passed in enumerate([0, 0, 1, 2, 3])]
    assert isinstance(one(transition(new(), Requested(), NOW)), InvitationPending)


# --- the back-off, in the numbers that are documented ---------------------------------------------


def test_the_deadline_is_three_days_or_the_start() -> None:
    assert deadline(NOW, NOW + timedelta(days=9)) == NOW + timedelta(hours=72)
    assert deadline(NOW, NOW + minutes(9)) == NOW + minutes(9)


@pytest.mark.parametrize(
    ("tries", "left", "jitter", "seconds"),
    [
        (1, timedelta(days=3), 0.0, 15.0),
        (0, timedelta(days=3), 0.0, 15.0),
        (2, timedelta(days=3), 0.5, 45.0),
        (9, timedelta(days=3), 0.0, 900.0),
        (33, timedelta(days=3), 0.0, 900.0),
        (2, timedelta(seconds=40), 0.0, 20.0),  # half of what is left
        (2, timedelta(seconds=31), 0.0, 15.5),
        (2, timedelta(seconds=30), 0.5, 15.0),  # as long as the first wait, halved
        (2, timedelta(seconds=29), 0.0, None),  # no time for another one
        (1, timedelta(seconds=15), 0.0, None),
        (1, timedelta(seconds=16), 0.0, 15.0),
        (7, timedelta(minutes=20), 0.0, 600.0),
    ],
)
def test_waits_in_seconds(
    tries: int, left: timedelta, jitter: float, seconds: float | None
) -> None:
    at = RetryPolicy().next_try(tries=tries, now=NOW, deadline=NOW + left, jitter=jitter)
    assert at == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_tries_of_what_waits_for_the_morning_are_counted_from_it() -> None:
    morning, start = NOW + timedelta(hours=10), NOW + timedelta(days=9)
    held = replace(new(starts_in=timedelta(days=9)), held_until=morning)
    assert held.deadline == morning + RETRY_WITHIN
    assert replace(held, held_until=start - timedelta(hours=3)).deadline == start
