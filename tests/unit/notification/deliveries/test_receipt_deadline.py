"""Until when a receipt is waited for."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import InvitationUnconfirmed
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import Moved, ReceiptMissing
from services.notification.deliveries.receipt_deadline import (
    RECEIPT_AHEAD,
    RECEIPT_AT_LEAST,
    RECEIPT_WITHIN,
)
from services.notification.deliveries.transitions import transition
from tests.support.deliveries import NOW, minutes, new, one


def handed_over(
    row: str = "unknown", *, starts_in: timedelta, channel: Channel = Channel.SMS
) -> Delivery:
    return replace(
        new(starts_in=starts_in), channel=channel, state=State(row), tries=1, handed_over_at=NOW
    )


@given(st.sampled_from(["accepted", "unknown"]), st.integers(1, 10_000).map(minutes))
def test_missing_receipt_is_told_in_time_to_call(row: str, starts_in: timedelta) -> None:
    waiting = handed_over(row, starts_in=starts_in)
    due = waiting.receipt_due_at
    assert due is not None
    assert NOW + RECEIPT_AT_LEAST <= due <= NOW + RECEIPT_WITHIN
    assert due <= max(waiting.starts_at - RECEIPT_AHEAD, NOW + RECEIPT_AT_LEAST)
    just_before = transition(waiting, ReceiptMissing(), due - timedelta(microseconds=1))
    assert just_before == Transition(waiting)
    assert isinstance(one(transition(waiting, ReceiptMissing(), due)), InvitationUnconfirmed)


def test_moving_the_appointment_moves_the_receipt_deadline() -> None:
    waiting = handed_over(starts_in=timedelta(hours=30))
    assert waiting.receipt_due_at == NOW + timedelta(hours=24)
    earlier = transition(waiting, Moved(NOW + timedelta(hours=5)), NOW).delivery
    assert earlier.receipt_due_at == NOW + timedelta(hours=3)


def test_no_receipt_is_awaited_for_accepted_mail() -> None:
    assert (
        handed_over("accepted", starts_in=minutes(1), channel=Channel.EMAIL).receipt_due_at is None
    )
