"""The life of a delivery: one attempt of an invitation over one channel.

Pure: `transition` takes what is and what happened, and says what is now and what to tell. The
table at the end is the whole truth; a pair of state and event that is not in it changes nothing,
so repeats and latecomers do no harm.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from contracts.events import (
    Channel,
    Evidence,
    FailureCategory,
    InvitationDelivered,
    InvitationFailed,
    InvitationPending,
    Outcome,
    PendingState,
)
from services.notification.happenings import (
    NO_REPLY,
    Accepted,
    ChannelMissing,
    Claimed,
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

LONGEST = timedelta(hours=72)  # from the request; after that nobody waits for a retry any more


class State(StrEnum):
    """Where a delivery stands."""

    NEW = "new"  # before its first transition; never stored
    QUEUED = "queued"
    SENDING = "sending"  # claimed under a lease
    RETRYING = "retrying"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row. `due_at` is when a worker has to look at it: the next try, or the lease's end."""

    id: UUID
    practice_id: UUID
    appointment_id: UUID
    invitation_id: UUID
    attempt: int
    channel: Channel
    message_id: str  # fixed before the first network call, the same for every try (RFC 5322)
    requested_at: datetime
    starts_at: datetime
    state: State = State.NEW
    category: FailureCategory | None = None
    status_code: str | None = None
    sequence: int = 0
    tries: int = 0
    due_at: datetime | None = None
    lease: UUID | None = None
    traceparent: str | None = None  # of the request, for what is told of it
    withdrawn: bool = False  # the appointment was deleted while a try was under way

    @property
    def deadline(self) -> datetime:
        """No try begins at or after this moment."""
        return min(self.requested_at + LONGEST, self.starts_at)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the delivery's history."""

    delivery_id: UUID
    practice_id: UUID
    at: datetime
    event: str
    before: State
    after: State
    reply: Reply = NO_REPLY


@dataclass(frozen=True, slots=True)
class Transition:
    """The delivery after an event, what to tell the other services, what to keep of it."""

    delivery: Delivery
    outcomes: tuple[Outcome, ...] = ()
    history: tuple[Entry, ...] = ()


Rule: TypeAlias = Callable[[Delivery, Any, datetime], Transition]


def transition(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    """Apply `event`. What is not in the table, or came under a lost lease, changes nothing."""
    rule = RULES.get((delivery.state, type(event)))
    if rule is None:
        return Transition(delivery)
    if getattr(event, "lease", delivery.lease) != delivery.lease and not isinstance(event, Claimed):
        return Transition(delivery)
    return rule(delivery, event, now)


def _queue(delivery: Delivery, event: Requested, now: datetime) -> Transition:
    return _enter(delivery, State.QUEUED, event, now, due_at=now)


def _claim(delivery: Delivery, event: Claimed, now: datetime) -> Transition:
    if delivery.due_at is None or now < delivery.due_at:
        return Transition(delivery)
    if now >= delivery.deadline:
        return _too_late(delivery, event, now)
    after = replace(
        delivery,
        state=State.SENDING,
        tries=delivery.tries + 1,
        due_at=event.until,
        lease=event.lease,
    )
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _too_late(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    if delivery.tries == 0 and now >= delivery.starts_at:
        return _enter(delivery, State.CANCELLED, event, now, category=FailureCategory.CANCELLED)
    return _fail_temporarily(delivery, event, now, Reply(status=delivery.status_code))


def _fail_temporarily(
    delivery: Delivery, event: DeliveryEvent, now: datetime, reply: Reply
) -> Transition:
    category = FailureCategory.TEMPORARY
    return _enter(delivery, State.FAILED, event, now, reply=reply, category=category)


def _release(delivery: Delivery, event: Released, now: datetime) -> Transition:
    if delivery.withdrawn:
        return _cancel(delivery, event, now)
    tries = delivery.tries - 1
    after = replace(
        delivery,
        state=State.RETRYING if tries else State.QUEUED,
        tries=tries,
        due_at=now,
        lease=None,
    )
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _expire(delivery: Delivery, event: LeaseExpired, now: datetime) -> Transition:
    if delivery.due_at is None or now < delivery.due_at:
        return Transition(delivery)
    return _again(delivery, event, now, retry_at=now, reply=NO_REPLY)


def _retry(delivery: Delivery, event: FailedForNow, now: datetime) -> Transition:
    return _again(delivery, event, now, retry_at=event.retry_at, reply=event.reply)


def _reply_lost(delivery: Delivery, event: ReplyLost, now: datetime) -> Transition:
    return _again(delivery, event, now, retry_at=event.retry_at, reply=NO_REPLY)


def _again(
    delivery: Delivery,
    event: DeliveryEvent,
    now: datetime,
    *,
    retry_at: datetime | None,
    reply: Reply,
) -> Transition:
    if delivery.withdrawn:
        return _cancel(delivery, event, now)
    # At once rather than at the deadline: nothing more will be tried, the practice should know.
    if retry_at is None or retry_at >= delivery.deadline:
        return _fail_temporarily(delivery, event, now, reply)
    return _enter(delivery, State.RETRYING, event, now, reply=reply, due_at=retry_at)


def _accept(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    return _enter(delivery, State.ACCEPTED, event, now, reply=event.reply)


def _accept_after_failure(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    # Two tries overlapped and ended differently. Refused by one: better a red mark too many.
    if delivery.category is FailureCategory.PERMANENT:
        return _note(delivery, event, now)
    return _accept(delivery, event, now)


def _note(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    return Transition(delivery, (), (_entry(delivery, delivery, event, now, event.reply),))


def _refuse(delivery: Delivery, event: Refused, now: datetime) -> Transition:
    category = FailureCategory.PERMANENT
    return _enter(delivery, State.FAILED, event, now, reply=event.reply, category=category)


def _misconfigured(delivery: Delivery, event: Misconfigured, now: datetime) -> Transition:
    category = FailureCategory.TECHNICAL
    return _enter(delivery, State.FAILED, event, now, reply=event.reply, category=category)


def _channel_missing(delivery: Delivery, event: ChannelMissing, now: datetime) -> Transition:
    return _enter(delivery, State.FAILED, event, now, category=FailureCategory.TECHNICAL)


def _supersede(delivery: Delivery, event: Superseded, now: datetime) -> Transition:
    after = replace(delivery, state=State.SUPERSEDED, due_at=None, lease=None)
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _cancel(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    return _enter(delivery, State.CANCELLED, event, now, category=FailureCategory.CANCELLED)


def _withdraw_later(delivery: Delivery, event: Withdrawn, now: datetime) -> Transition:
    if delivery.withdrawn:
        return Transition(delivery)
    after = replace(delivery, withdrawn=True)
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _move(delivery: Delivery, event: Moved, now: datetime) -> Transition:
    if event.starts_at == delivery.starts_at:
        return Transition(delivery)
    after = replace(delivery, starts_at=event.starts_at)
    if delivery.state is not State.SENDING and delivery.due_at is not None:
        after = replace(after, due_at=min(delivery.due_at, after.deadline))
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _enter(
    delivery: Delivery,
    state: State,
    event: DeliveryEvent,
    now: datetime,
    *,
    reply: Reply = NO_REPLY,
    category: FailureCategory | None = None,
    due_at: datetime | None = None,
) -> Transition:
    """Go to a state that the practice is told of."""
    after = replace(
        delivery,
        state=state,
        category=category,
        status_code=reply.status,
        sequence=delivery.sequence + 1,
        due_at=due_at,
        lease=None,
    )
    entry = _entry(delivery, after, event, now, reply)
    return Transition(after, (_outcome(after, now),), (entry,))


def _entry(
    before: Delivery, after: Delivery, event: DeliveryEvent, now: datetime, reply: Reply = NO_REPLY
) -> Entry:
    name = type(event).__name__
    return Entry(before.id, before.practice_id, now, name, before.state, after.state, reply)


def _outcome(delivery: Delivery, now: datetime) -> Outcome:
    common: dict[str, Any] = {
        "appointment_id": delivery.appointment_id,
        "practice_id": delivery.practice_id,
        "invitation_id": delivery.invitation_id,
        "attempt": delivery.attempt,
        "channel": delivery.channel,
        "sequence": delivery.sequence,
        "occurred_at": now,
        "status_code": delivery.status_code,
    }
    match delivery.state:
        case State.QUEUED:
            return InvitationPending(**common, state=PendingState.QUEUED)
        case State.RETRYING:
            return InvitationPending(
                **common, state=PendingState.RETRYING, next_try_at=delivery.due_at
            )
        case State.ACCEPTED:
            return InvitationDelivered(**common, evidence=Evidence.ACCEPTED)
        case State.FAILED | State.CANCELLED if delivery.category is not None:
            return InvitationFailed(**common, category=delivery.category)
    raise AssertionError(f"{delivery.state} has no outcome")


# A late bounce or receipt is one more event class and its rows here.
RULES: dict[tuple[State, type[DeliveryEvent]], Rule] = {
    (State.NEW, Requested): _queue,
    (State.QUEUED, ChannelMissing): _channel_missing,
    (State.QUEUED, Claimed): _claim,
    (State.RETRYING, Claimed): _claim,
    (State.SENDING, Released): _release,
    (State.SENDING, LeaseExpired): _expire,
    (State.SENDING, Refused): _refuse,
    (State.SENDING, FailedForNow): _retry,
    (State.SENDING, ReplyLost): _reply_lost,
    (State.SENDING, Misconfigured): _misconfigured,
    # A try whose lease was lost may still bring proof that the message was taken.
    (State.SENDING, Accepted): _accept,
    (State.QUEUED, Accepted): _accept,
    (State.RETRYING, Accepted): _accept,
    (State.UNKNOWN, Accepted): _accept,
    (State.FAILED, Accepted): _accept_after_failure,
    (State.SUPERSEDED, Accepted): _note,
    (State.CANCELLED, Accepted): _note,
    (State.QUEUED, Withdrawn): _cancel,
    (State.RETRYING, Withdrawn): _cancel,
    (State.SENDING, Withdrawn): _withdraw_later,
    (State.QUEUED, Moved): _move,
    (State.RETRYING, Moved): _move,
    (State.SENDING, Moved): _move,
    **{
        (state, Superseded): _supersede
        for state in State
        if state not in {State.NEW, State.DELIVERED, State.SUPERSEDED}
    },
}
