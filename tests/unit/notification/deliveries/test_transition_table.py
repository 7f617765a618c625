"""Every state of a delivery against everything that can happen to it, as its module says."""

from dataclasses import replace
from datetime import timedelta
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
    FailureEvidence,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    NoticeOutcome,
    Pending,
)
from services.notification.deliveries import transitions
from services.notification.deliveries.delivery import Delivery, State, Transition
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
    EvidenceEvent,
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
    Restored,
    Superseded,
    Withdrawn,
    Withheld,
)
from services.notification.deliveries.transitions import transition
from services.notification.letters.letter import LetterKind
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

DISPUTE = Disputed(RECEIPT, Reply(None, "5.1.1", FailureReason.UNKNOWN_USER))

EVENTS: dict[str, DeliveryEvent] = {
    "Requested": Requested(),
    "Restored": Restored(),
    "ChannelMissing": ChannelMissing(),
    "Claimed": Claimed(OTHER_LEASE, LEASE_END),
    "Released": Released(LEASE),
    "LeaseExpired": LeaseExpired(),
    "Accepted": Accepted(OK),
    "Refused": Refused(LEASE, UNKNOWN_USER),
    "FailedForNow": FailedForNow(LEASE, GREYLISTED, NOW + minutes(1)),
    "ReplyLost": ReplyLost(LEASE, NOW + minutes(1)),
    "Misconfigured": Misconfigured(LEASE, UNKNOWN_USER),
    "Superseded": Superseded(),
    "Withdrawn": Withdrawn(),
    "Withheld": Withheld(contract.Withheld.NOT_INVITED),
    "Hastened": Hastened(),
    "Moved": Moved(NOW + minutes(99)),
    "Confirmed": Confirmed(RECEIPT, OK),
    "Permanent": HARD,
    "Temporary": SOFT,
    "Disputed": DISPUTE,
    "Delayed": Delayed(RECEIPT),
    "AutoReplied": AutoReplied(RECEIPT),
    "Complained": Complained(RECEIPT),
    "ReceiptMissing": ReceiptMissing(),
}

FAILURES = {"permanent", "temporary", "technical"}
HANDED_OVER = {State.ACCEPTED, State.DELIVERED, State.UNKNOWN, State.UNCONFIRMED}


def tables(first: str) -> dict[tuple[str, str], str]:
    """The cells, by state and event, of the module's tables whose head begins with this word."""
    found: dict[tuple[str, str], str] = {}
    for block in (transitions.__doc__ or "").split("\n\n"):
        head, *rows = [line.split() for line in block.strip().splitlines()]
        if head[0] == first:
            for state, *row in rows:
                found |= {(state, name): cell for name, cell in zip(head[1:], row, strict=True)}
    return found


MAIL = tables("state")
UNANSWERED = tables("unanswered")
DISPUTED = tables("disputed")
HELD = tables("held")
NOTICES = MAIL | tables("notice")
SMS = MAIL | {at: cell for at, cell in tables("sms").items() if cell != "="}


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


def test_the_tables_name_every_state_and_every_event() -> None:
    states = {state.value for state in State} - {"failed"} | FAILURES
    assert MAIL.keys() == set(product(states, EVENTS))
    assert {type(event) for event in EVENTS.values()} == set(get_args(DeliveryEvent))


@pytest.mark.parametrize("kind", [each for each in LetterKind if each is not LetterKind.INVITATION])
@pytest.mark.parametrize(("row", "name"), NOTICES)
def test_notices_go_the_same_way_and_are_told_of_by_events_of_their_own(
    row: str, name: str, kind: LetterKind
) -> None:
    before = replace(delivery(row), kind=kind)
    step = transition(before, EVENTS[name], NOW)
    assert cell(before, step) == NOTICES[row, name]
    for outcome in step.outcomes:
        assert isinstance(outcome, NoticeOutcome)
        assert (outcome.notice_id, outcome.kind) == (before.invitation_id, kind.value)
        assert outcome.appointment_version == before.requested_version


def test_what_is_withheld_says_why() -> None:
    before = replace(delivery("queued"), kind=LetterKind.MOVED)
    outcome = one(transition(before, Withheld(contract.Withheld.IN_INVITATION), NOW))
    assert isinstance(outcome, contract.NoticeFailed)
    assert (outcome.withheld, outcome.category) == ("in_invitation", "cancelled")


def test_text_messages_differ_where_the_module_says_so() -> None:
    differences = {at: cell for at, cell in tables("sms").items() if cell != "="}
    assert differences
    assert differences.keys() <= MAIL.keys()
    assert all(cell != MAIL[at] for at, cell in differences.items())
    assert all(cell != MAIL[at] for at, cell in UNANSWERED.items())


@pytest.mark.parametrize(("row", "name"), MAIL)
def test_email(row: str, name: str) -> None:
    before = delivery(row)
    assert cell(before, transition(before, EVENTS[name], NOW)) == MAIL[row, name]


@pytest.mark.parametrize(("row", "name"), UNANSWERED)
def test_email_of_which_a_copy_is_unanswered(row: str, name: str) -> None:
    before = replace(delivery(row), unanswered=1)
    assert cell(before, transition(before, EVENTS[name], NOW)) == UNANSWERED[row, name]


@pytest.mark.parametrize(("row", "name"), DISPUTED)
def test_email_whose_tick_is_disputed(row: str, name: str) -> None:
    before = transition(delivery("accepted"), DISPUTE, NOW).delivery
    assert before.category == row
    step = transition(before, EVENTS[name], NOW)
    assert cell(before, step) == DISPUTED[row, name]
    assert step.delivery.disputed is (step.delivery == before)


@pytest.mark.parametrize(("row", "name"), SMS)
def test_sms(row: str, name: str) -> None:
    before = delivery(row, Channel.SMS)
    assert cell(before, transition(before, EVENTS[name], NOW)) == SMS[row, name]


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize(("row", "name"), HELD)
def test_what_waits_for_the_morning_goes_at_once(row: str, name: str, kind: LetterKind) -> None:
    held = {"held_until": NOW + minutes(60), "due_at": NOW + minutes(60), "kind": kind}
    before = replace(delivery(row, Channel.SMS), **held)  # type: ignore[arg-type]
    step = transition(before, EVENTS[name], NOW)
    assert cell(before, step) == HELD[row, name]
    assert (step.delivery.due_at, step.delivery.held_until) == (NOW, None)
    outcome = one(step)
    assert isinstance(outcome, Pending)
    assert outcome.waits_until is None


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


def test_a_dispute_is_told_as_one_and_says_nothing_of_the_address() -> None:
    step = transition(delivery("accepted"), DISPUTE, NOW)
    outcome = one(step)
    assert isinstance(outcome, InvitationFailed)
    assert (outcome.evidence, outcome.reason, outcome.status_code, outcome.late) == (
        FailureEvidence.UNSIGNED,
        None,
        None,
        True,
    )
    (entry,) = step.history
    assert (entry.event, entry.receipt_id, entry.reply) == ("Disputed", RECEIPT, DISPUTE.reply)


@pytest.mark.parametrize("row", ["queued", "retrying"])
def test_what_a_gateway_says_it_took_between_two_tries_counts_where_it_is_possible(
    row: str,
) -> None:
    told = Accepted(OK, gateway="webhook", receipt_id=RECEIPT)
    before = delivery(row, Channel.SMS)
    assert cell(before, transition(before, told, NOW)) == "note"
    unanswered = replace(before, unanswered=1)
    assert cell(unanswered, transition(unanswered, told, NOW)) == "accepted"


def test_what_was_never_tried_is_not_confirmed() -> None:
    before = replace(delivery("technical"), tries=0)
    assert cell(before, transition(before, Confirmed(RECEIPT), NOW)) == "note"


def test_confirmation_raises_the_evidence() -> None:
    outcome = one(transition(delivery("accepted"), Confirmed(RECEIPT, OK), NOW))
    assert isinstance(outcome, InvitationDelivered)
    assert outcome.evidence == "confirmed"


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


@given(
    st.lists(EVIDENCE | st.just(DISPUTE), max_size=6).flatmap(
        lambda told: st.tuples(st.just(told), st.permutations(told))
    )
)
def test_reports_on_a_mail_end_alike_in_any_order(
    orders: tuple[list[EvidenceEvent], list[EvidenceEvent]],
) -> None:
    ends = []
    for order in orders:
        after = delivery("accepted")
        for event in order:
            after = transition(after, event, NOW).delivery
        ends.append((after.state, after.category, after.reason, after.disputed))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("row", ["queued", "sending", "retrying"])
@pytest.mark.parametrize("channel", Channel)
def test_what_was_restored_counts_as_sent_once_and_tells_above_all_that_was_told(
    row: str, channel: Channel
) -> None:
    before = replace(delivery(row, channel), sequence=3)
    after = transition(before, Restored(), NOW).delivery
    of_a_try = row == "sending" and channel is Channel.EMAIL  # its end counts by itself
    assert after.unanswered == (0 if of_a_try else 1)
    assert after.sequence == NOW.timestamp()
    again = transition(replace(after, sequence=2**40), Restored(), NOW).delivery
    assert (again.unanswered, again.sequence) == (after.unanswered, 2**40)
