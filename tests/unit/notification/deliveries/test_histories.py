"""Whole histories of deliveries: repeats, disorder, loss, lateness and forgery break no promise.

What happens next is mostly what the present state knows, under the present lease and when it is
due, or next to nothing would ever happen; that the histories get everywhere is checked as well. A
thousand of them belong to every run, `make histories` takes as many as it is told.
"""

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import events as contract
from contracts.channels import Channel
from contracts.events import FailureReason
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
    FromOutside,
    Hastened,
    LeaseExpired,
    Misconfigured,
    Moved,
    OfTry,
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
from services.notification.deliveries.transitions import MOST_COPIES, RULES, transition
from services.notification.letters.letter import LetterKind
from tests.support.deliveries import ACTIVE, GREYLISTED, NOW, OK, UNKNOWN_USER, minutes, new

HISTORIES = int(os.environ.get("HISTORIES", "1000"))
STEPS = 24
STARTS = [minutes(20), timedelta(days=1), timedelta(days=9)]
PAUSES = [0, 0, 0, 1, 1, 7, 60, 3000]  # minutes
KINDS_OF_LETTERS = [*[LetterKind.INVITATION] * 4, *LetterKind]
REPLIES = [OK, GREYLISTED, UNKNOWN_USER, Reply(552, "5.2.2", FailureReason.MAILBOX_FULL)]
KINDS = sorted({kind for _, kind in RULES}, key=lambda kind: kind.__name__)
# What leads on is more likely than its share.
LEADING_ON: dict[State, list[type[object]]] = {
    State.QUEUED: [Claimed] * 20,
    State.RETRYING: [Claimed] * 10,
    State.SENDING: [FailedForNow, ReplyLost, ReplyLost, LeaseExpired] * 4,
}
KNOWN = {
    state: [kind for of, kind in RULES if of is state] + LEADING_ON.get(state, [])
    for state in State
}
# By each step of a history: one byte each for how it comes, what it is, its details and its time.
CODES = st.binary(min_size=2 + 4 * STEPS, max_size=2 + 4 * STEPS)


class History:
    """A delivery, what happened to it so far, and what is still under way to it."""

    def __init__(
        self,
        channel: Channel,
        kind: LetterKind,
        starts_in: timedelta,
        reached: Counter[object],
        *,
        held: bool,
    ) -> None:
        self.reached = reached
        self.now = NOW
        self.delivery = replace(
            new(starts_in=starts_in),
            channel=channel,
            kind=kind,
            held_until=NOW + minutes(600) if held else None,
        )
        self.leases = 1  # and one before it that nobody knows of
        self.past: list[DeliveryEvent] = []
        self.under_way: list[DeliveryEvent] = []
        self.evidence = False
        self.told = 0
        self.apply(Requested())

    def step(self, way: int, kind: int, detail: int, pause: int) -> None:
        """Something happens, is held up, is lost, or happens again; or somebody makes it up."""
        known = KNOWN[self.delivery.state] if way % 8 else KINDS
        event = self.event(known[kind % len(known)], detail, PAUSES[pause % len(PAUSES)])
        match way // 8 % 16:
            case 0 | 1:
                self.under_way.append(event)
            case 2:
                pass  # lost
            case 3 | 4 if self.under_way:
                self.apply(self.under_way.pop(detail % len(self.under_way)))
            case 5 | 6:
                self.apply(self.past[detail % len(self.past)])
            case 7:
                self.forge(detail)
            case _:
                self.apply(event)

    def event(self, kind: type[object], detail: int, pause: int) -> DeliveryEvent:
        """One of this kind. What has its time comes then, the rest after a pause."""
        due = {
            Claimed: self.delivery.due_at,
            LeaseExpired: self.delivery.due_at,
            ReceiptMissing: self.delivery.receipt_due_at,
        }.get(kind)
        self.now = max(self.now, due or self.now + minutes(pause))
        reply, receipt = REPLIES[detail % 4], UUID(int=1000 + len(self.past))
        odd, lease = bool(detail & 4), UUID(int=self.leases - (detail > 220))
        retry_at = self.now + minutes(1 + detail) if detail % 8 else None
        if kind is Claimed:
            self.leases += 1
        events: tuple[DeliveryEvent, ...] = (
            *(Requested(), Restored(), ChannelMissing(), LeaseExpired(), Superseded(), Withdrawn()),
            Withheld(contract.Withheld.NOT_INVITED),
            Hastened(),
            Claimed(UUID(int=self.leases), self.now + minutes(5)),
            *(Released(lease), Refused(lease, reply), Misconfigured(lease, reply)),
            *(FailedForNow(lease, reply, retry_at), ReplyLost(lease, retry_at, "g1")),
            Moved(self.now + minutes(detail)),
            Accepted(reply, "g1" if odd else None, receipt_id=receipt if detail & 8 else None),
            *(Confirmed(receipt, reply), Bounced(receipt, reply, permanent=odd)),
            *(Disputed(receipt, reply), Delayed(receipt), AutoReplied(receipt)),
            *(Complained(receipt), ReceiptMissing()),
        )
        return next(event for event in events if type(event) is kind)

    def forge(self, detail: int) -> None:
        """A worker without the lease, and somebody who has seen the mail."""
        before, stranger = self.delivery, UUID(int=99_999)
        for event in (
            Refused(stranger, UNKNOWN_USER),
            Released(stranger),
            ReplyLost(stranger, self.now),
            FailedForNow(stranger, GREYLISTED, None),
            Misconfigured(stranger, UNKNOWN_USER),
        ):
            assert transition(before, event, self.now) == Transition(before)
        self.apply(Disputed(UUID(int=detail), UNKNOWN_USER))
        assert self.delivery in {before, replace(self.delivery, disputed=True)}
        self.reached["forged"] += self.delivery != before
        if before.channel is Channel.SMS or before.state is not State.ACCEPTED:
            assert self.delivery == before

    def apply(self, event: DeliveryEvent) -> None:
        """It happens, and every promise still holds."""
        before, now = self.delivery, self.now
        step = transition(before, event, now)
        after = self.delivery = step.delivery
        self.past.append(event)
        if step != Transition(before):
            self.reached[before.state, type(event)] += 1
        self.reached["second try"] += before.tries == 1 < after.tries
        self.reached["withdrawn"] += after.withdrawn > before.withdrawn
        self.evidence = (
            self.evidence
            or isinstance(event, Confirmed)
            or (after.channel is Channel.EMAIL and isinstance(event, Accepted))
        )
        assert after.sequence >= before.sequence
        if isinstance(event, Restored):  # above what may have been told and is not known
            self.told = after.sequence
        for outcome in step.outcomes:
            self.told += 1
            assert outcome.sequence == self.told == after.sequence
            assert self.evidence or not isinstance(outcome, contract.Delivered)
            of_invitation = after.kind is LetterKind.INVITATION
            assert isinstance(outcome, contract.Outcome) is of_invitation
        assert step.history or after == before
        assert after.message_id == before.message_id
        # A worker looks at it if and only if something may still be sent, which never comes back.
        assert (after.due_at is not None) == (after.state in ACTIVE)
        assert (after.lease is not None) == (after.state is State.SENDING)
        assert before.state in ACTIVE | {State.NEW} or after.state not in ACTIVE
        if after.tries > before.tries:
            assert now < after.deadline
            assert now >= (after.held_until or now)
            assert before.unanswered < MOST_COPIES[after.channel]
        assert before.unanswered <= after.unanswered <= MOST_COPIES[after.channel]
        if after.state is State.ACCEPTED is not before.state:
            assert isinstance(event, Accepted)
        if after.state is State.FAILED and before.state is State.DELIVERED:
            assert after.late
        if isinstance(event, FromOutside | Accepted):  # a repeat of evidence is none
            assert transition(after, event, now).delivery == after
        if isinstance(event, OfTry) and event.lease != before.lease:
            assert after == before
            self.reached["lost lease"] += before.state is State.SENDING

    def end(self) -> None:
        """Left alone, with workers that only ever die, it comes to an end."""
        for _ in range(8):
            self.now += timedelta(days=1)
            self.apply(LeaseExpired())
            self.apply(Claimed(UUID(int=77_777), self.now + minutes(5)))
            self.apply(ReceiptMissing())
        assert self.delivery.state not in ACTIVE | {State.UNKNOWN}


def test_histories() -> None:
    reached: Counter[object] = Counter()

    @settings(max_examples=HISTORIES, derandomize=HISTORIES <= 1000)  # few: always the same
    @given(CODES)
    def live(code: bytes) -> None:
        channel = Channel.SMS if code[0] % 2 == 0 else Channel.EMAIL
        kind = KINDS_OF_LETTERS[code[0] // 8 % len(KINDS_OF_LETTERS)]
        held = channel is Channel.SMS and code[0] % 8 != 0  # for the morning
        history = History(channel, kind, STARTS[code[1] % len(STARTS)], reached, held=held)
        for at in range(2, len(code), 4):
            history.step(*code[at : at + 4])
        history.end()

    live()
    assert {rule for rule in RULES if not reached[rule]} == set()
    assert min(reached[each] for each in ("second try", "withdrawn", "lost lease", "forged")) > 0
