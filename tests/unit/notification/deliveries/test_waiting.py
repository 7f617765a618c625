"""What a delivery that was handed over waits for: whom is asked for a receipt, when, until when."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from contracts.channels import Channel
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import (
    Accepted,
    Bounced,
    Confirmed,
    DeliveryEvent,
    Disputed,
    LeaseExpired,
    ReceiptMissing,
    Refused,
    ReplyLost,
    Requested,
    Superseded,
)
from services.notification.deliveries.receipt_deadline import receipt_deadline
from services.notification.deliveries.transitions import transition
from tests.support.deliveries import (
    LEASE,
    LEASE_END,
    NOW,
    OK,
    UNKNOWN_USER,
    after,
    claim,
    minutes,
    new,
)

RECEIPT = UUID(int=9)
TAKEN = Accepted(OK, "g1", "id-1")
LOST = ReplyLost(LEASE, NOW + minutes(1), "g1")


def begun(channel: Channel, *events: DeliveryEvent) -> Delivery:
    """A delivery by this channel that was claimed, after further events."""
    return after(replace(new(), channel=channel), Requested(), claim(), *events).delivery


def test_a_gateway_is_asked_after_a_minute_and_soon_where_it_gave_no_answer() -> None:
    assert begun(Channel.SMS, TAKEN).ask_at == NOW + timedelta(seconds=60)
    assert begun(Channel.SMS, LOST).ask_at == NOW + timedelta(seconds=5)


def test_of_a_mail_nobody_is_asked() -> None:
    again = transition(begun(Channel.EMAIL, LOST), claim(LEASE_END), NOW + minutes(1)).delivery
    assert again.state is State.SENDING
    for delivery in (
        begun(Channel.EMAIL, TAKEN),
        begun(Channel.EMAIL, LOST),
        transition(again, ReplyLost(LEASE, None), NOW).delivery,
    ):
        assert delivery.ask_at is None


@pytest.mark.parametrize(
    "end",
    [
        Confirmed(RECEIPT, OK),
        Bounced(RECEIPT, UNKNOWN_USER, permanent=True),
        ReceiptMissing(),
        Superseded(),
    ],
)
def test_of_what_has_ended_nobody_is_asked_any_more(end: DeliveryEvent) -> None:
    waiting = begun(Channel.SMS, TAKEN)
    assert waiting.ask_at is not None
    ended = transition(waiting, end, NOW + timedelta(days=2)).delivery
    assert ended.state is not waiting.state
    assert (ended.ask_at, ended.due_at, ended.lease) == (None, None, None)


def test_the_gateway_that_may_have_it_is_kept_and_its_own_name_for_it() -> None:
    taken = begun(Channel.SMS, TAKEN)
    assert (taken.gateway, taken.gateway_id) == ("g1", "id-1")
    assert begun(Channel.SMS, LOST).gateway == "g1"
    found = transition(begun(Channel.SMS, LOST), Accepted(OK), NOW).delivery
    assert (found.state, found.gateway, found.gateway_id) == (State.ACCEPTED, "g1", None)
    named = transition(begun(Channel.SMS, LOST), TAKEN, NOW).delivery
    assert (named.gateway, named.gateway_id) == ("g1", "id-1")


@pytest.mark.parametrize("event", [TAKEN, LOST])
def test_when_it_was_handed_over_is_the_first_time(event: DeliveryEvent) -> None:
    waiting = begun(Channel.SMS, event)
    assert waiting.handed_over_at == NOW
    again = transition(waiting, Accepted(OK), NOW + minutes(9)).delivery
    confirmed = transition(again, Confirmed(RECEIPT, OK), NOW + minutes(10)).delivery
    assert (again.handed_over_at, confirmed.handed_over_at) == (NOW, NOW)


def test_of_what_nobody_took_a_confirmation_is_the_first_word() -> None:
    failed = begun(Channel.SMS, Refused(LEASE, UNKNOWN_USER))
    assert failed.handed_over_at is None
    unanswered = begun(Channel.EMAIL, LeaseExpired())
    lost = after(unanswered, LeaseExpired(), now=LEASE_END).delivery
    assert (lost.state, lost.handed_over_at) == (State.RETRYING, None)
    confirmed = transition(lost, Confirmed(RECEIPT, OK), NOW + minutes(7)).delivery
    assert (confirmed.state, confirmed.handed_over_at) == (State.DELIVERED, NOW + minutes(7))
    late = transition(confirmed, Bounced(RECEIPT, UNKNOWN_USER, permanent=True), NOW).delivery
    assert late.late


def test_a_bounce_of_what_nobody_took_is_not_late() -> None:
    lost = begun(Channel.EMAIL, LOST)
    failed = transition(lost, Bounced(RECEIPT, UNKNOWN_USER, permanent=True), NOW).delivery
    assert (failed.state, failed.late) == (State.FAILED, False)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("state", State)
def test_a_receipt_is_awaited_of_what_is_unknown_and_of_a_text_that_was_taken(
    channel: Channel, state: State
) -> None:
    delivery = replace(new(), channel=channel, state=state, handed_over_at=NOW)
    awaited = state is State.UNKNOWN or (state, channel) == (State.ACCEPTED, Channel.SMS)
    assert (delivery.receipt_due_at is not None) is awaited
    assert replace(delivery, handed_over_at=None).receipt_due_at is None


@pytest.mark.parametrize(
    ("starts_in", "due_in"),
    [
        (timedelta(days=9), timedelta(hours=24)),
        (timedelta(hours=26), timedelta(hours=24)),
        (timedelta(hours=10), timedelta(hours=8)),
        (timedelta(hours=2, minutes=15), minutes(15)),
        (minutes(1), minutes(15)),
    ],
)
def test_until_when_a_receipt_is_awaited_as_documented(
    starts_in: timedelta, due_in: timedelta
) -> None:
    assert receipt_deadline(NOW, NOW + starts_in) == NOW + due_in


def test_no_receipt_is_missed_before_its_time_nor_where_none_is_awaited() -> None:
    waiting = begun(Channel.SMS, TAKEN)
    due = waiting.receipt_due_at
    assert due is not None
    assert transition(waiting, ReceiptMissing(), due - minutes(1)).delivery == waiting
    mail = begun(Channel.EMAIL, TAKEN)
    assert transition(mail, ReceiptMissing(), NOW + timedelta(days=9)).delivery == mail


def test_a_dispute_keeps_what_was_said_for_the_history_alone() -> None:
    step = transition(begun(Channel.EMAIL, TAKEN), Disputed(RECEIPT, UNKNOWN_USER), NOW)
    (entry,) = step.history
    assert (entry.reply, entry.receipt_id, entry.at) == (UNKNOWN_USER, RECEIPT, NOW)
    assert (step.delivery.reason, step.delivery.status_code) == (None, None)


def test_states_are_stored_under_these_names() -> None:
    assert [state.value for state in State] == [
        *("new", "queued", "sending", "retrying", "accepted", "delivered"),
        *("unknown", "unconfirmed", "failed", "superseded", "cancelled"),
    ]


def test_a_new_delivery_has_nothing_behind_it() -> None:
    begun_now = new()
    assert (begun_now.state, begun_now.sequence, begun_now.tries, begun_now.unanswered) == (
        *(State.NEW, 0, 0, 0),
    )
    assert (begun_now.late, begun_now.disputed, begun_now.withdrawn) == (False,) * 3
    assert begun_now.deadline == begun_now.starts_at
