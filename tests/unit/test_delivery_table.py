"""Every state of a delivery against everything that can happen to it, written out.

A cell is the state that follows. „!" says that the other services are told, „L" that the outcome is
late, „note" that only the history grows, „." that nothing happens at all.
"""

from dataclasses import replace
from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import (
    Channel,
    FailureCategory,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    InvitationUnconfirmed,
)
from services.notification.deliveries.delivery import (
    RECEIPT_AHEAD,
    RECEIPT_AT_LEAST,
    RECEIPT_WITHIN,
    Delivery,
    State,
    Transition,
)
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
    EvidenceEvent,
    FailedForNow,
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
)
from services.notification.deliveries.transitions import transition
from tests.support.deliveries import (
    ACTIVE,
    GREYLISTED,
    LEASE,
    LEASE_END,
    NOW,
    OK,
    OTHER_LEASE,
    UNKNOWN_USER,
    minutes,
    new,
    one,
)

RECEIPT = UUID(int=9)
HARD = Bounced(RECEIPT, Reply(None, "5.1.1", FailureReason.UNKNOWN_USER), permanent=True)
SOFT = Bounced(RECEIPT, Reply(None, "4.4.7", FailureReason.EXPIRED), permanent=False)

EVENTS: dict[str, DeliveryEvent] = {
    "Requested": Requested(),
    "NoChannel": ChannelMissing(),
    "Claimed": Claimed(OTHER_LEASE, LEASE_END),
    "Released": Released(LEASE),
    "LeaseEnds": LeaseExpired(),
    "Accepted": Accepted(OK),
    "Refused": Refused(LEASE, UNKNOWN_USER),
    "NotNow": FailedForNow(LEASE, GREYLISTED, NOW + minutes(1)),
    "ReplyLost": ReplyLost(LEASE, NOW + minutes(1)),
    "Misconfig": Misconfigured(LEASE, UNKNOWN_USER),
    "Superseded": Superseded(),
    "Withdrawn": Withdrawn(),
    "Moved": Moved(NOW + minutes(99)),
    "Confirmed": Confirmed(RECEIPT, OK),
    "Hard": HARD,
    "Soft": SOFT,
    "Delayed": Delayed(RECEIPT),
    "AutoReply": AutoReplied(RECEIPT),
    "Complaint": Complained(RECEIPT),
    "Overdue": ReceiptMissing(),
}

SENDING = """
state      Requested NoChannel  Claimed Released LeaseEnds Accepted  Refused     NotNow    ReplyLost Misconfig
new        queued!   .          .       .        .         .         .           .         .         .
queued     .         technical! sending .        .         accepted! .           .         .         .
sending    .         .          .       queued   retrying! accepted! permanent!  retrying! retrying! technical!
retrying   .         .          sending .        .         accepted! .           .         .         .
accepted   .         .          .       .        .         .         .           .         .         .
delivered  .         .          .       .        .         note      .           .         .         .
unknown    .         .          .       .        .         accepted! .           .         .         .
unconfirmed .        .          .       .        .         note      .           .         .         .
permanent  .         .          .       .        .         note      .           .         .         .
temporary  .         .          .       .        .         accepted! .           .         .         .
technical  .         .          .       .        .         accepted! .           .         .         .
superseded .         .          .       .        .         note      .           .         .         .
cancelled  .         .          .       .        .         note      .           .         .         .
"""  # noqa: E501

AFTERWARDS = """
state      Superseded Withdrawn  Moved    Confirmed  Hard         Soft         Delayed AutoReply Complaint Overdue
new        .          .          .        .          .            .            .       .         .         .
queued     superseded cancelled! queued   delivered! permanent!   note         note    note      note      .
sending    superseded sending    sending  .          .            .            .       .         .         .
retrying   superseded cancelled! retrying delivered! permanent!   note         note    note      note      .
accepted   superseded .          accepted delivered! permanent!L  temporary!L  note    note      note      .
delivered  .          .          .        note       permanent!L  note         note    note      note      .
unknown    superseded .          unknown  delivered! permanent!L  temporary!L  note    note      note      unconfirmed!
unconfirmed superseded .         .        delivered! permanent!L  temporary!L  note    note      note      .
permanent  superseded .          .        note       note         note         note    note      note      .
temporary  superseded .          .        delivered! permanent!   note         note    note      note      .
technical  superseded .          .        delivered! note         note         note    note      note      .
superseded .          .          .        note       note         note         note    note      note      .
cancelled  superseded .          .        note       note         note         note    note      note      .
"""  # noqa: E501

# Where text messages differ: nothing is sent twice, and a gateway's word is no tick.
SMS = {
    ("queued", "Accepted"): "accepted",
    ("sending", "Accepted"): "accepted",
    ("retrying", "Accepted"): "accepted",
    ("unknown", "Accepted"): "accepted",
    ("temporary", "Accepted"): "accepted",
    ("technical", "Accepted"): "accepted",
    ("sending", "LeaseEnds"): "unknown",
    ("sending", "ReplyLost"): "unknown",
    ("accepted", "Overdue"): "unconfirmed!",
}

FAILURES = {"permanent", "temporary", "technical"}
HANDED_OVER = {State.ACCEPTED, State.DELIVERED, State.UNKNOWN, State.UNCONFIRMED}


def cells() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for table in (SENDING, AFTERWARDS):
        head, *rows = [line.split() for line in table.strip().splitlines()]
        for state, *row in rows:
            found |= {(state, name): cell for name, cell in zip(head[1:], row, strict=True)}
    return found


def delivery(row: str, channel: Channel = Channel.EMAIL) -> Delivery:
    """A delivery in the state of this row; it is due, and its receipt overdue."""
    state = State.FAILED if row in FAILURES else State(row)
    return replace(
        new(),
        channel=channel,
        state=state,
        category=FailureCategory(row) if row in FAILURES else None,
        tries=1,
        due_at=NOW if state in ACTIVE else None,
        lease=LEASE if state is State.SENDING else None,
        handed_over_at=NOW - timedelta(days=2) if state in HANDED_OVER else None,
    )


def cell(before: Delivery, step: Transition) -> str:
    after = step.delivery
    if step == Transition(before):
        return "."
    assert step.history, "whatever happens leaves a line in the history"
    if after == before:
        assert not step.outcomes
        return "note"
    failed = after.state is State.FAILED and after.category is not None
    name = after.category.value if failed and after.category else after.state.value
    return name + "!" * len(step.outcomes) + "L" * after.late


def test_the_table_names_every_state_and_every_event() -> None:
    rows = {row for row, _ in cells()}
    assert rows == {state.value for state in State} - {"failed"} | FAILURES
    assert {name for _, name in cells()} == set(EVENTS)
    assert {type(event) for event in EVENTS.values()} == set(get_args(DeliveryEvent))


@pytest.mark.parametrize(("row", "name"), cells())
def test_email(row: str, name: str) -> None:
    before = delivery(row)
    assert cell(before, transition(before, EVENTS[name], NOW)) == cells()[row, name]


@pytest.mark.parametrize(("row", "name"), cells())
def test_sms(row: str, name: str) -> None:
    before = delivery(row, Channel.SMS)
    expected = SMS.get((row, name), cells()[row, name])
    assert cell(before, transition(before, EVENTS[name], NOW)) == expected


def test_late_bounce_says_why_and_by_which_receipt() -> None:
    step = transition(delivery("accepted"), HARD, NOW)
    outcome = one(step)
    assert isinstance(outcome, InvitationFailed)
    assert (outcome.category, outcome.reason, outcome.status_code, outcome.late) == (
        FailureCategory.PERMANENT,
        FailureReason.UNKNOWN_USER,
        "5.1.1",
        True,
    )
    (entry,) = step.history
    assert (entry.event, entry.before, entry.after) == ("Bounced", State.ACCEPTED, State.FAILED)
    assert (entry.receipt_id, entry.reply) == (RECEIPT, HARD.reply)


def test_confirmation_raises_the_evidence() -> None:
    outcome = one(transition(delivery("accepted"), Confirmed(RECEIPT, OK), NOW))
    assert isinstance(outcome, InvitationDelivered)
    assert outcome.evidence == "confirmed"


def handed_over(
    row: str = "unknown", *, starts_in: timedelta, channel: Channel = Channel.SMS
) -> Delivery:
    before = delivery(row, channel)
    return replace(before, handed_over_at=NOW, starts_at=NOW + starts_in)


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


EVIDENCE: st.SearchStrategy[EvidenceEvent] = st.sampled_from(
    [Confirmed(RECEIPT), HARD, SOFT, Delayed(RECEIPT), AutoReplied(RECEIPT), Complained(RECEIPT)]
)


@given(
    st.sampled_from(["accepted", "unknown", "unconfirmed"]),
    st.lists(EVIDENCE, max_size=6).flatmap(
        lambda told: st.tuples(st.just(told), st.permutations(told))
    ),
)
def test_receipts_end_alike_in_any_order(
    row: str, orders: tuple[list[EvidenceEvent], list[EvidenceEvent]]
) -> None:
    before = delivery(row, Channel.SMS)
    ends: list[Delivery] = []
    for order in orders:
        after = before
        for event in order:
            after = transition(after, event, NOW).delivery
        ends.append(after)
    one_way, other_way = ends
    assert (one_way.state, one_way.category, one_way.reason, one_way.late) == (
        other_way.state,
        other_way.category,
        other_way.reason,
        other_way.late,
    )
    if HARD in orders[0]:
        assert (one_way.state, one_way.late) == (State.FAILED, True)
    elif any(isinstance(event, Confirmed) for event in orders[0]):
        assert one_way.state is State.DELIVERED
