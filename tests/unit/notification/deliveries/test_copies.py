"""However leases, replies and restarts fall: never more copies than may go out, and an end."""

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.channels import Channel
from services.notification.deliveries.delivery import State
from services.notification.deliveries.events import (
    Accepted,
    Bounced,
    Claimed,
    Confirmed,
    DeliveryEvent,
    FailedForNow,
    LeaseExpired,
    ReceiptMissing,
    Released,
    ReplyLost,
    Requested,
    Superseded,
    Withdrawn,
)
from services.notification.deliveries.transitions import transition
from tests.support.deliveries import ACTIVE, GREYLISTED, LEASE_END, NOW, OK, minutes, new

LEASE_TERM = LEASE_END - NOW
PROMISED = {Channel.EMAIL: 2, Channel.SMS: 1}
RECEIPT = UUID(int=9)
WHICH = st.sampled_from([0, 0, 1, 2])
WAITS = st.sampled_from([1, 5, 30, 600])  # minutes


@dataclass
class Try:
    """What one worker does under one lease. It may be late by any time, as when it was stopped."""

    lease: UUID
    copies: int = 0
    ended: bool = False


class Copies(RuleBasedStateMachine):
    """Workers that are killed, wake up late, get no reply or one that nobody records in time.

    Worse than the real ones: these do not look at the clock before they hand a message over.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.leases = (UUID(int=each) for each in itertools.count(1))
        self.tries: list[Try] = []

    @initialize(channel=st.sampled_from(Channel), hours=st.sampled_from([1, 100]))
    def request(self, channel: Channel, hours: int) -> None:
        self.delivery = replace(new(starts_in=timedelta(hours=hours)), channel=channel)
        self.apply(Requested())

    def apply(self, event: DeliveryEvent) -> None:
        self.delivery = transition(self.delivery, event, self.now).delivery

    def pick(self, which: int) -> Try | None:
        """One of those under way, 0 being the last one begun."""
        under_way = [each for each in reversed(self.tries) if not each.ended]
        return under_way[which % len(under_way)] if under_way else None

    @rule(copies=st.sampled_from([0, 1, 1]))
    def a_worker_looks_when_it_is_due(self, copies: int) -> None:
        """What it claims goes out at once, or only later, or never."""
        if self.delivery.due_at is not None:
            self.now = max(self.now, self.delivery.due_at)
        self.a_worker_looks(copies)

    def a_worker_looks(self, copies: int = 0) -> None:
        if self.delivery.state is State.SENDING:
            self.apply(LeaseExpired())
        lease = next(self.leases)
        self.apply(Claimed(lease, self.now + LEASE_TERM))
        if self.delivery.lease == lease:
            self.tries.append(Try(lease, copies))

    @rule(which=WHICH)
    def it_renews(self, which: int) -> None:
        found = self.pick(which)
        if found is not None and found.lease == self.delivery.lease:
            self.delivery = replace(self.delivery, due_at=self.now + LEASE_TERM)

    @rule(which=WHICH)
    def a_copy_goes_out(self, which: int) -> None:
        found = self.pick(which)
        if found is not None:
            found.copies = 1

    @rule(which=WHICH, wait=WAITS)
    def no_reply_comes(self, which: int, wait: int) -> None:
        found = self.pick(which)
        if found is not None and found.copies:
            found.ended = True
            self.apply(ReplyLost(found.lease, self.now + minutes(wait)))

    @rule(which=WHICH, wait=WAITS)
    def it_is_refused_for_now(self, which: int, wait: int) -> None:
        """After the dot as well: a clean refusal is none that may have arrived."""
        found = self.pick(which)
        if found is not None:
            found.ended, found.copies = True, 0
            self.apply(FailedForNow(found.lease, GREYLISTED, self.now + minutes(wait)))

    @rule(which=WHICH)
    def it_is_taken(self, which: int) -> None:
        found = self.pick(which)
        if found is not None:
            found.ended, found.copies = True, 1
            self.apply(Accepted(OK))

    @rule(which=WHICH)
    def it_is_given_back(self, which: int) -> None:
        found = self.pick(which)
        if found is not None and not found.copies:
            found.ended = True
            self.apply(Released(found.lease))

    @rule(which=WHICH)
    def the_worker_is_killed(self, which: int) -> None:
        found = self.pick(which)
        if found is not None:
            found.ended = True

    @rule(passed=WAITS)
    def time_passes(self, passed: int) -> None:
        self.now += minutes(passed)

    @rule(
        event=st.sampled_from(
            [
                ReceiptMissing(),
                Confirmed(RECEIPT, OK),
                Bounced(RECEIPT, GREYLISTED, permanent=False),
                Withdrawn(),
                Superseded(),
            ]
        )
    )
    def something_else_happens(self, event: DeliveryEvent) -> None:
        if self.delivery.state is not State.SENDING:  # evidence waits for the end of a try
            self.apply(event)

    @invariant()
    def no_more_copies_than_may_go_out(self) -> None:
        assert sum(each.copies for each in self.tries) <= PROMISED[self.delivery.channel]

    def teardown(self) -> None:
        """Left alone, with workers that only ever die, it comes to an end."""
        for _ in range(10):
            self.now += timedelta(days=1)
            self.a_worker_looks()
            self.apply(ReceiptMissing())
        assert self.delivery.state not in ACTIVE | {State.UNKNOWN}


Copies.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestCopies = Copies.TestCase
