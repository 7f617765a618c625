"""What follows from what happens to a delivery, told as stories."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import events as contract
from contracts.channels import Channel
from contracts.events import (
    FailureCategory,
    InvitationDelivered,
    InvitationFailed,
    InvitationPending,
    InvitationUnconfirmed,
    PendingState,
)
from services.notification.deliveries.delivery import State, Transition
from services.notification.deliveries.events import (
    Accepted,
    AutoReplied,
    Bounced,
    ChannelMissing,
    Claimed,
    Complained,
    Confirmed,
    Delayed,
    DeliveryEvent,
    Disputed,
    FailedForNow,
    Hastened,
    LeaseExpired,
    Misconfigured,
    Moved,
    ReceiptMissing,
    Refused,
    Released,
    Reply,
    ReplyLost,
    Requested,
    Superseded,
    Withdrawn,
    Withheld,
)
from services.notification.deliveries.retries import RETRY_WITHIN
from services.notification.deliveries.transitions import RULES, transition
from tests.support.deliveries import (
    ACTIVE,
    GREYLISTED,
    LEASE,
    LEASE_END,
    NOW,
    OK,
    OTHER_LEASE,
    UNKNOWN_USER,
    after,
    claim,
    minutes,
    new,
    one,
    sending,
)


def test_request_is_queued_and_told() -> None:
    step = after(new(), Requested())
    assert step.delivery.state is State.QUEUED
    outcome = one(step)
    assert isinstance(outcome, InvitationPending)
    assert (outcome.state, outcome.sequence) == (PendingState.QUEUED, 1)


def held(hours: float, *, starts_in: timedelta = timedelta(days=2)) -> Transition:
    """The first transition of a text message that is to wait for as long."""
    until = NOW + timedelta(hours=hours)
    return after(
        replace(new(starts_in=starts_in), channel=Channel.SMS, held_until=until), Requested()
    )


def test_what_waits_for_the_morning_is_told_and_not_claimed_before() -> None:
    step = held(10)
    until = NOW + timedelta(hours=10)
    outcome = one(step)
    assert isinstance(outcome, InvitationPending)
    assert (outcome.state, outcome.waits_until) == (PendingState.QUEUED, until)
    early = Claimed(LEASE, until, None)
    assert transition(step.delivery, early, until - minutes(1)) == Transition(step.delivery)
    claimed = transition(step.delivery, early, until).delivery
    assert claimed.state is State.SENDING
    # Given back untried it waits for nothing any more.
    released = transition(claimed, Released(LEASE), until).delivery
    assert (released.state, released.due_at) == (State.QUEUED, until)
    assert transition(released, Hastened(), until) == Transition(released)


@pytest.mark.parametrize("hours", [0, -5])
def test_a_morning_that_is_over_is_not_waited_for(hours: float) -> None:
    step = held(hours)
    outcome = one(step)
    assert isinstance(outcome, InvitationPending)
    assert (step.delivery.due_at, step.delivery.held_until, outcome.waits_until) == (
        NOW,
        None,
        None,
    )


@pytest.mark.parametrize(("after_morning", "waits"), [(minutes(180), True), (minutes(179), False)])
def test_moved_too_near_it_goes_at_once_and_moved_away_it_waits(
    after_morning: timedelta, waits: bool
) -> None:
    start = NOW + timedelta(hours=10) + after_morning
    moved = after(held(10).delivery, Moved(start))
    assert moved.delivery.starts_at == start
    assert (moved.delivery.due_at != NOW) is waits
    assert bool(moved.outcomes) is not waits
    # So it is where the move is known before the request.
    assert (held(10, starts_in=start - NOW).delivery.due_at != NOW) is waits


def test_what_waits_ends_with_its_appointment_or_the_next_attempt() -> None:
    waiting = held(10).delivery
    assert after(waiting, Withdrawn()).delivery.state is State.CANCELLED
    assert after(waiting, Superseded()).delivery.state is State.SUPERSEDED


def test_same_request_again_changes_nothing() -> None:
    queued = after(new(), Requested()).delivery
    assert transition(queued, Requested(), NOW) == Transition(queued)


def test_claim_is_not_told_and_keeps_the_message_id() -> None:
    delivery = new()
    step = after(delivery, Requested(), claim())
    assert step.outcomes == ()
    assert step.delivery.state is State.SENDING
    assert (step.delivery.message_id, step.delivery.tries) == (delivery.message_id, 1)


def test_a_claim_names_the_start_unless_a_copy_that_names_another_may_have_gone_out() -> None:
    first = after(new(), Requested(), Claimed(LEASE, LEASE_END, NOW + minutes(60))).delivery
    assert first.named_start == NOW + minutes(60)
    again = Claimed(LEASE, LEASE_END, NOW + minutes(90))
    for event, named in (
        (FailedForNow(LEASE, GREYLISTED, NOW + minutes(1)), NOW + minutes(90)),
        (ReplyLost(LEASE, NOW + minutes(1)), NOW + minutes(60)),
    ):
        waiting = after(first, event).delivery
        second = after(waiting, again, now=NOW + minutes(1)).delivery
        assert (second.state, second.named_start) == (State.SENDING, named)


@pytest.mark.parametrize(
    "event",
    [
        Accepted(OK),
        ReplyLost(LEASE, None),
        Refused(LEASE, UNKNOWN_USER),
        Misconfigured(LEASE, UNKNOWN_USER),
        FailedForNow(LEASE, GREYLISTED, None),
        Superseded(),
    ],
)
def test_of_what_has_ended_nothing_is_due_or_leased(event: DeliveryEvent) -> None:
    ended = after(sending(), event).delivery
    assert (ended.due_at, ended.lease) == (None, None)


def test_accepted_is_told_with_its_evidence() -> None:
    step = after(sending(), Accepted(OK))
    outcome = one(step)
    assert step.delivery.state is State.ACCEPTED
    assert isinstance(outcome, InvitationDelivered)
    assert (outcome.evidence, outcome.status_code) == ("accepted", "2.0.0")
    assert step.history[0].reply == OK


@pytest.mark.parametrize(
    ("event", "category"),
    [
        (Refused(LEASE, UNKNOWN_USER), "permanent"),
        (Misconfigured(LEASE, Reply(535, "5.7.8")), "technical"),
        (FailedForNow(LEASE, GREYLISTED, None), "temporary"),
        (FailedForNow(LEASE, GREYLISTED, NOW + timedelta(days=1)), "temporary"),
    ],
)
def test_failures_are_told_with_their_category(event: DeliveryEvent, category: str) -> None:
    outcome = one(after(sending(), event))
    assert isinstance(outcome, InvitationFailed)
    assert outcome.category == category


@pytest.mark.parametrize(
    "event",
    [FailedForNow(LEASE, GREYLISTED, NOW + minutes(1)), ReplyLost(LEASE, NOW + minutes(1))],
)
def test_retry_is_told_with_its_time_and_sent_under_the_same_id(event: DeliveryEvent) -> None:
    first = sending()
    step = after(first, event)
    outcome = one(step)
    assert isinstance(outcome, InvitationPending)
    assert (outcome.state, outcome.next_try_at) == (PendingState.RETRYING, NOW + minutes(1))
    assert after(step.delivery, claim()).delivery == step.delivery  # not due yet
    again = after(step.delivery, claim(NOW + minutes(6)), now=NOW + minutes(1)).delivery
    assert (again.state, again.tries, again.message_id) == (State.SENDING, 2, first.message_id)


def test_lease_that_ran_out_is_sent_again() -> None:
    delivery = sending()
    assert transition(delivery, LeaseExpired(), NOW) == Transition(delivery)
    step = after(delivery, LeaseExpired(), now=NOW + minutes(5))
    assert (step.delivery.state, step.delivery.due_at) == (State.RETRYING, NOW + minutes(5))


@pytest.mark.parametrize("event", [LeaseExpired(), ReplyLost(LEASE, NOW + minutes(6))])
def test_without_a_clean_reply_one_further_copy_goes_out_and_then_the_end_is_unknown(
    event: DeliveryEvent,
) -> None:
    first = after(sending(), event, now=NOW + minutes(5))
    assert isinstance(one(first), InvitationPending)
    again = after(first.delivery, claim(NOW + minutes(11)), now=NOW + minutes(6)).delivery
    assert again.state is State.SENDING
    second = after(again, event, now=NOW + minutes(11))
    assert (second.delivery.state, second.outcomes) == (State.UNKNOWN, ())
    assert second.delivery.receipt_due_at is not None
    told = after(second.delivery, ReceiptMissing(), now=second.delivery.receipt_due_at)
    assert isinstance(one(told), InvitationUnconfirmed)


def test_of_a_text_message_no_further_copy_goes_out() -> None:
    text = replace(sending(), channel=Channel.SMS)
    assert after(text, ReplyLost(LEASE, NOW + minutes(1))).delivery.state is State.UNKNOWN


@pytest.mark.parametrize(
    "event",
    [ReplyLost(LEASE, None), ReplyLost(LEASE, NOW + timedelta(days=1))],
)
def test_what_may_have_gone_out_is_unknown_where_no_further_try_fits(event: DeliveryEvent) -> None:
    assert after(sending(), event).delivery.state is State.UNKNOWN


def test_what_may_have_gone_out_before_is_not_called_undelivered() -> None:
    lost = after(sending(), ReplyLost(LEASE, NOW + minutes(1))).delivery
    again = after(lost, claim(NOW + minutes(6)), now=NOW + minutes(1)).delivery
    failed = after(again, FailedForNow(LEASE, GREYLISTED, None)).delivery
    assert (failed.state, failed.unanswered) == (State.UNKNOWN, 1)
    refused = after(again, Refused(LEASE, UNKNOWN_USER)).delivery
    assert refused.state is State.FAILED  # better a red mark too many
    too_late = after(lost, claim(), now=lost.deadline).delivery
    assert too_late.state is State.UNKNOWN


def test_results_under_a_lost_lease_change_nothing_but_acceptance_counts() -> None:
    delivery = replace(sending(), lease=OTHER_LEASE)
    for event in (
        Refused(LEASE, UNKNOWN_USER),
        Misconfigured(LEASE, UNKNOWN_USER),
        FailedForNow(LEASE, GREYLISTED, NOW + minutes(1)),
        ReplyLost(LEASE, NOW + minutes(1)),
        Released(LEASE),
    ):
        assert transition(delivery, event, NOW) == Transition(delivery)
    assert after(delivery, Accepted(OK)).delivery.state is State.ACCEPTED


def test_acceptance_after_the_lease_was_lost_wins_over_retry_and_temporary_failure() -> None:
    retrying = after(sending(), LeaseExpired(), now=NOW + minutes(5)).delivery
    assert after(retrying, Accepted(OK)).delivery.state is State.ACCEPTED
    failed = after(sending(), FailedForNow(LEASE, GREYLISTED, None)).delivery
    assert after(failed, Accepted(OK)).delivery.state is State.ACCEPTED
    refused = after(sending(), Refused(LEASE, UNKNOWN_USER)).delivery
    assert after(refused, Accepted(OK)).delivery.state is State.FAILED


def test_release_gives_the_try_back() -> None:
    step = after(sending(), Released(LEASE))
    assert (step.delivery.state, step.delivery.tries, step.outcomes) == (State.QUEUED, 0, ())


def test_never_tried_and_begun_is_cancelled() -> None:
    queued = after(new(starts_in=minutes(10)), Requested()).delivery
    outcome = one(after(queued, claim(), now=NOW + minutes(10)))
    assert isinstance(outcome, InvitationFailed)
    assert outcome.category is FailureCategory.CANCELLED


@pytest.mark.parametrize("starts_in", [minutes(10), timedelta(days=30)])
def test_no_try_begins_after_the_deadline(starts_in: timedelta) -> None:
    retry = FailedForNow(LEASE, GREYLISTED, NOW + minutes(5))
    retrying = after(sending(starts_in=starts_in), retry).delivery
    step = after(retrying, claim(), now=NOW + min(starts_in, RETRY_WITHIN))
    outcome = one(step)
    assert isinstance(outcome, InvitationFailed)
    assert (outcome.category, outcome.status_code) == (FailureCategory.TEMPORARY, "4.2.0")


def test_deleted_appointment_cancels_at_once_or_after_the_try() -> None:
    queued = after(new(), Requested()).delivery
    assert after(queued, Withdrawn()).delivery.state is State.CANCELLED
    retry = FailedForNow(LEASE, GREYLISTED, NOW + minutes(1))
    assert after(sending(), Withdrawn(), retry).delivery.state is State.CANCELLED
    assert after(sending(), Withdrawn(), Released(LEASE)).delivery.state is State.CANCELLED
    assert after(sending(), Withdrawn(), Accepted(OK)).delivery.state is State.ACCEPTED


def test_moving_the_appointment_moves_the_deadline() -> None:
    retrying = after(sending(), FailedForNow(LEASE, GREYLISTED, NOW + minutes(30))).delivery
    earlier = after(retrying, Moved(NOW + minutes(20))).delivery
    assert earlier.due_at == earlier.deadline == NOW + minutes(20)
    later = after(retrying, Moved(NOW + timedelta(days=9))).delivery
    assert later.due_at == NOW + minutes(30)
    assert later.deadline == NOW + RETRY_WITHIN
    lease_end = after(sending(), Moved(NOW + minutes(1))).delivery.due_at
    assert lease_end == LEASE_END


def test_newer_attempt_supersedes_all_but_delivered() -> None:
    for state in set(State) - {State.NEW, State.DELIVERED, State.SUPERSEDED}:
        step = after(replace(new(), state=state), Superseded())
        assert (step.delivery.state, step.outcomes) == (State.SUPERSEDED, ())
    delivered = replace(new(), state=State.DELIVERED)
    assert after(delivered, Superseded()) == Transition(delivered)


def test_missing_channel_is_a_technical_failure() -> None:
    outcome = one(after(new(), Requested(), ChannelMissing()))
    assert isinstance(outcome, InvitationFailed)
    assert outcome.category is FailureCategory.TECHNICAL


LEASES = st.sampled_from([LEASE, OTHER_LEASE])
REPLIES = st.sampled_from([OK, GREYLISTED, UNKNOWN_USER, Reply()])
MOMENTS = st.integers(0, 100 * 60).map(lambda each: NOW + minutes(each))
MAYBE = st.none() | MOMENTS
EVENTS: st.SearchStrategy[DeliveryEvent] = st.one_of(
    st.builds(Claimed, LEASES, MOMENTS),
    st.builds(Claimed, LEASES, MOMENTS),
    st.builds(Accepted, REPLIES),
    st.builds(FailedForNow, LEASES, REPLIES, MAYBE),
    st.builds(ReplyLost, LEASES, MAYBE),
    st.builds(Refused, LEASES, REPLIES),
    st.builds(Misconfigured, LEASES, REPLIES),
    st.builds(Released, LEASES),
    st.builds(Moved, MOMENTS),
    st.builds(Confirmed, st.uuids(), REPLIES),
    st.builds(Bounced, st.uuids(), REPLIES, permanent=st.booleans()),
    st.sampled_from([Requested(), LeaseExpired(), Superseded(), Withdrawn(), ChannelMissing()]),
    st.sampled_from([Delayed(UUID(int=3)), AutoReplied(UUID(int=3)), Complained(UUID(int=3))]),
    st.builds(Withheld, st.sampled_from(contract.Withheld)),
    st.sampled_from([ReceiptMissing(), Disputed(UUID(int=3), UNKNOWN_USER)]),
)


@given(EVENTS, st.sampled_from(State), MOMENTS)
def test_what_is_not_in_the_table_changes_nothing(
    event: DeliveryEvent, state: State, now: datetime
) -> None:
    delivery = replace(new(), state=state)
    if (state, type(event)) not in RULES:
        assert transition(delivery, event, now) == Transition(delivery)


def test_ended_deliveries_are_never_sent_again() -> None:
    ended = set(State) - ACTIVE - {State.NEW}
    starting = {Claimed, Requested, LeaseExpired, Released, FailedForNow, ReplyLost}
    assert not set(product(ended, starting)) & set(RULES)
    assert {kind for _, kind in RULES} == set(get_args(DeliveryEvent))
