"""What follows from what happens to a delivery.

Pure: `transition` takes what is and what happened, and says what is now and what to tell. The
table at the end is the whole truth; a pair of state and event that is not in it changes nothing,
so repeats and latecomers do no harm.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any, TypeAlias

from contracts.events import (
    Channel,
    Evidence,
    FailureCategory,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    InvitationPending,
    InvitationUnconfirmed,
    Outcome,
    PendingState,
)
from services.notification.deliveries.delivery import (
    ASK_AFTER,
    ASK_AFTER_SILENCE,
    Delivery,
    HistoryEntry,
    State,
    Transition,
)
from services.notification.deliveries.events import (
    NO_REPLY,
    Accepted,
    AutoReplied,
    Bounced,
    ChannelMissing,
    Claimed,
    Complained,
    Confirmed,
    Delayed,
    DeliveryEvent,
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
from services.notification.letters.letter import LetterKind

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
    last = Reply(status=delivery.status_code, reason=delivery.reason)
    return _fail_temporarily(delivery, event, now, last)


def _fail_temporarily(
    delivery: Delivery, event: DeliveryEvent, now: datetime, reply: Reply
) -> Transition:
    category = FailureCategory.TEMPORARY
    reply = replace(reply, reason=reply.reason or FailureReason.EXPIRED)
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
    return _maybe_sent(delivery, event, now, retry_at=now)


def _retry(delivery: Delivery, event: FailedForNow, now: datetime) -> Transition:
    return _again(delivery, event, now, retry_at=event.retry_at, reply=event.reply)


def _reply_lost(delivery: Delivery, event: ReplyLost, now: datetime) -> Transition:
    return _maybe_sent(delivery, event, now, retry_at=event.retry_at)


def _maybe_sent(
    delivery: Delivery, event: DeliveryEvent, now: datetime, *, retry_at: datetime | None
) -> Transition:
    # Mailboxes know a second copy by its Message-ID; a second text message would ring again.
    if delivery.channel is Channel.SMS:
        told_by = getattr(event, "gateway", None)
        return _hand_over(replace(delivery, gateway=told_by), State.UNKNOWN, event, now)
    return _again(delivery, event, now, retry_at=retry_at, reply=NO_REPLY)


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
    delivery = replace(
        delivery,
        gateway=event.gateway or delivery.gateway,
        gateway_id=event.gateway_id or delivery.gateway_id,
    )
    return _hand_over(delivery, State.ACCEPTED, event, now, event.reply)


def _hand_over(
    delivery: Delivery, state: State, event: DeliveryEvent, now: datetime, reply: Reply = NO_REPLY
) -> Transition:
    """Go to a state in which nothing is left to do but to wait for what comes back."""
    after = replace(
        delivery,
        state=state,
        category=None,
        reason=None,
        status_code=reply.status,
        due_at=None,
        lease=None,
        handed_over_at=delivery.handed_over_at or now,
    )
    if delivery.channel is Channel.SMS:
        pause = ASK_AFTER_SILENCE if state is State.UNKNOWN else ASK_AFTER
        after = replace(after, ask_at=now + pause)
    # A gateway's word for a text message is no evidence yet: the clock stays.
    told = state is State.ACCEPTED and delivery.channel is Channel.EMAIL
    return _changed(delivery, after, event, now, reply, told=told)


def _accept_after_failure(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    # Two tries overlapped and ended differently. Refused by one: better a red mark too many.
    if delivery.category is FailureCategory.PERMANENT or delivery.late:
        return _note(delivery, event, now)
    return _accept(delivery, event, now)


def _confirm(delivery: Delivery, event: Confirmed, now: datetime) -> Transition:
    delivery = replace(delivery, handed_over_at=delivery.handed_over_at or now)
    return _enter(delivery, State.DELIVERED, event, now, reply=event.reply)


def _confirm_after_failure(delivery: Delivery, event: Confirmed, now: datetime) -> Transition:
    if delivery.category is FailureCategory.PERMANENT:
        return _note(delivery, event, now)
    return _confirm(delivery, event, now)


def _bounce(delivery: Delivery, event: Bounced, now: datetime) -> Transition:
    return _enter(
        delivery,
        State.FAILED,
        event,
        now,
        reply=event.reply,
        category=FailureCategory.PERMANENT if event.permanent else FailureCategory.TEMPORARY,
        late=delivery.handed_over_at is not None,
    )


def _bounce_if_permanent(delivery: Delivery, event: Bounced, now: datetime) -> Transition:
    """A copy that somebody gave up says nothing against a better one, or one still to be sent."""
    return _bounce(delivery, event, now) if event.permanent else _note(delivery, event, now)


def _bounce_after_failure(delivery: Delivery, event: Bounced, now: datetime) -> Transition:
    if delivery.category is FailureCategory.TEMPORARY:
        return _bounce_if_permanent(delivery, event, now)
    return _note(delivery, event, now)


def _miss_receipt(delivery: Delivery, event: ReceiptMissing, now: datetime) -> Transition:
    if delivery.receipt_due_at is None or now < delivery.receipt_due_at:
        return Transition(delivery)
    return _enter(delivery, State.UNCONFIRMED, event, now)


def _note(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    reply = getattr(event, "reply", NO_REPLY)
    return Transition(delivery, (), (_entry(delivery, delivery, event, now, reply),))


def _refuse(delivery: Delivery, event: Refused, now: datetime) -> Transition:
    category = FailureCategory.PERMANENT
    return _enter(delivery, State.FAILED, event, now, reply=event.reply, category=category)


def _misconfigured(delivery: Delivery, event: Misconfigured, now: datetime) -> Transition:
    # What the code says of the recipient would mislead: the fault is ours.
    reply = replace(event.reply, reason=None)
    category = FailureCategory.TECHNICAL
    return _enter(delivery, State.FAILED, event, now, reply=reply, category=category)


def _channel_missing(delivery: Delivery, event: ChannelMissing, now: datetime) -> Transition:
    return _enter(delivery, State.FAILED, event, now, category=FailureCategory.TECHNICAL)


def _supersede(delivery: Delivery, event: Superseded, now: datetime) -> Transition:
    after = replace(delivery, state=State.SUPERSEDED, due_at=None, lease=None, ask_at=None)
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
    late: bool = False,
) -> Transition:
    """Go to a state that the practice is told of."""
    after = replace(
        delivery,
        state=state,
        category=category,
        reason=reply.reason,
        status_code=reply.status,
        due_at=due_at,
        lease=None,
        ask_at=None,
        late=late,
    )
    return _changed(delivery, after, event, now, reply)


def _changed(
    before: Delivery,
    after: Delivery,
    event: DeliveryEvent,
    now: datetime,
    reply: Reply,
    *,
    told: bool = True,
) -> Transition:
    outcomes: tuple[Outcome, ...] = ()
    if told and after.kind is LetterKind.INVITATION:
        after = replace(after, sequence=before.sequence + 1)
        outcomes = (_outcome(after, now),)
    return Transition(after, outcomes, (_entry(before, after, event, now, reply),))


def _entry(
    before: Delivery, after: Delivery, event: DeliveryEvent, now: datetime, reply: Reply = NO_REPLY
) -> HistoryEntry:
    return HistoryEntry(
        delivery_id=before.id,
        practice_id=before.practice_id,
        at=now,
        event=type(event).__name__,
        before=before.state,
        after=after.state,
        reply=reply,
        receipt_id=getattr(event, "receipt_id", None),
    )


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
        "late": delivery.late,
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
        case State.DELIVERED:
            return InvitationDelivered(**common, evidence=Evidence.CONFIRMED)
        case State.UNCONFIRMED:
            return InvitationUnconfirmed(**common)
        case State.FAILED | State.CANCELLED if delivery.category is not None:
            return InvitationFailed(**common, category=delivery.category, reason=delivery.reason)
    raise AssertionError(f"{delivery.state} has no outcome")


_ENDED = (State.SUPERSEDED, State.CANCELLED)
_HANDED_OVER = (State.ACCEPTED, State.UNKNOWN, State.UNCONFIRMED)
_TO_BE_SENT = (State.QUEUED, State.RETRYING)

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
    **dict.fromkeys(product((State.DELIVERED, State.UNCONFIRMED, *_ENDED), [Accepted]), _note),
    **dict.fromkeys(product((*_TO_BE_SENT, *_HANDED_OVER), [Confirmed]), _confirm),
    (State.FAILED, Confirmed): _confirm_after_failure,
    **dict.fromkeys(product((State.DELIVERED, *_ENDED), [Confirmed]), _note),
    **dict.fromkeys(product(_HANDED_OVER, [Bounced]), _bounce),
    **dict.fromkeys(product((*_TO_BE_SENT, State.DELIVERED), [Bounced]), _bounce_if_permanent),
    (State.FAILED, Bounced): _bounce_after_failure,
    **dict.fromkeys(product(_ENDED, [Bounced]), _note),
    **dict.fromkeys(
        product(
            [state for state in State if state not in {State.NEW, State.SENDING}],
            [Delayed, AutoReplied, Complained],
        ),
        _note,
    ),
    (State.ACCEPTED, ReceiptMissing): _miss_receipt,
    (State.UNKNOWN, ReceiptMissing): _miss_receipt,
    (State.QUEUED, Withdrawn): _cancel,
    (State.RETRYING, Withdrawn): _cancel,
    (State.SENDING, Withdrawn): _withdraw_later,
    (State.QUEUED, Moved): _move,
    (State.RETRYING, Moved): _move,
    (State.SENDING, Moved): _move,
    (State.ACCEPTED, Moved): _move,
    (State.UNKNOWN, Moved): _move,
    **{
        (state, Superseded): _supersede
        for state in State
        if state not in {State.NEW, State.DELIVERED, State.SUPERSEDED}
    },
}
