"""What follows from what happens to a delivery.

Pure: `transition` takes what is and what happened, and says what is now and what to publish. A cell
is the state that follows; permanent, temporary and technical are failures. „!" says that the
outcome is published, „L" that it is late, „note" that only the history grows, „." that nothing
happens at all: repeats and latecomers do no harm.

    state        Claimed  Released  LeaseExpired  Refused     FailedForNow  ReplyLost  Misconfigured
    new          .        .         .             .           .             .          .
    queued       sending  .         .             .           .             .          .
    sending      .        queued    retrying!     permanent!  retrying!     retrying!  technical!
    retrying     sending  .         .             .           .             .          .
    accepted     .        .         .             .           .             .          .
    delivered    .        .         .             .           .             .          .
    unknown      .        .         .             .           .             .          .
    unconfirmed  .        .         .             .           .             .          .
    permanent    .        .         .             .           .             .          .
    temporary    .        .         .             .           .             .          .
    technical    .        .         .             .           .             .          .
    superseded   .        .         .             .           .             .          .
    cancelled    .        .         .             .           .             .          .

    state        Requested  ChannelMissing Superseded  Withdrawn  Withheld  Moved     ReceiptMissing
    new          queued!    .              .           .          .         .         .
    queued       .          technical!     superseded  cancelled! .         queued    .
    sending      .          .              superseded  sending    .         sending   .
    retrying     .          .              superseded  cancelled! .         retrying  .
    accepted     .          .              superseded  .          .         accepted  .
    delivered    .          .              .           .          .         .         .
    unknown      .          .              superseded  .          .         unknown   unconfirmed!
    unconfirmed  .          .              superseded  .          .         .         .
    permanent    .          .              superseded  .          .         .         .
    temporary    .          .              superseded  .          .         .         .
    technical    .          .              superseded  .          .         .         .
    superseded   .          .              .           .          .         .         .
    cancelled    .          .              superseded  .          .         .         .

What comes from outside; of a bounce, whether it is permanent makes the difference:

    state        Accepted   Confirmed   Permanent    Temporary    Delayed  AutoReplied  Complained
    new          .          .           .            .            .        .            .
    queued       accepted!  note        note         note         note     note         note
    sending      accepted!  .           .            .            .        .            .
    retrying     accepted!  note        note         note         note     note         note
    accepted     .          delivered!  permanent!L  temporary!L  note     note         note
    delivered    note       note        permanent!L  note         note     note         note
    unknown      accepted!  delivered!  permanent!L  temporary!L  note     note         note
    unconfirmed  note       delivered!  permanent!L  temporary!L  note     note         note
    permanent    note       note        note         note         note     note         note
    temporary    accepted!  delivered!  permanent!   note         note     note         note
    technical    accepted!  delivered!  note         note         note     note         note
    superseded   note       note        note         note         note     note         note
    cancelled    note       note        note         note         note     note         note

Between two tries something can only have gone out where a try ended without an answer. Then
evidence decides; a gateway that says afterwards that it took the message is heard alike:

    unanswered   Confirmed   Permanent
    queued       delivered!  permanent!
    retrying     delivered!  permanent!

What nobody has signed takes a tick back, so that the practice looks, and does nothing else: what is
to be sent is sent, what a server confirmed stays so. Such a failure names no reason, and whatever
is signed decides over it:

    state        Disputed
    new          .
    queued       note
    sending      .
    retrying     note
    accepted     temporary!L
    delivered    note
    unknown      note
    unconfirmed  note
    permanent    note
    temporary    note
    technical    note
    superseded   note
    cancelled    note

    disputed     Confirmed   Permanent    Temporary    Accepted  Disputed
    temporary    delivered!  permanent!L  temporary!L  note      note

No clean reply once a copy went out, or maybe did: of a mail one further copy is sent, ever, under
the same Message-ID. Then, and wherever no further try follows, the end is unknown: what may have
arrived is not called undelivered, unless the recipient is refused.

    unanswered   LeaseExpired  ReplyLost  Misconfigured
    sending      unknown       unknown    unknown

Text messages differ, as none is sent twice and a gateway's word is no tick; „=": the same:

    sms          Accepted   LeaseExpired  ReplyLost  ReceiptMissing  Disputed
    queued       accepted   =             =          =               =
    sending      accepted   unknown       unknown    =               =
    retrying     accepted   =             =          =               =
    accepted     =          =             =          unconfirmed!    note
    unknown      accepted   =             =          =               =
    temporary    accepted   =             =          =               =
    technical    accepted   =             =          =               =

Of notices alone some are not sent, before they were tried (`told`):

    notice       Withheld
    queued       cancelled!

„Jetzt senden" is for text messages that wait for the morning alone; a move counts where the
appointment now begins too soon after that morning:

    held         Hastened  Moved
    queued       queued!   queued!

    state        Hastened
    new          .
    queued       .
    sending      .
    retrying     .
    accepted     .
    delivered    .
    unknown      .
    unconfirmed  .
    permanent    .
    temporary    .
    technical    .
    superseded   .
    cancelled    .

Of what was restored, or is requested again after a recovery, a copy may have gone out; it counts as
unanswered, and what is told from then on stands above what may have been told since:

    state        Restored
    new          .
    queued       queued
    sending      sending
    retrying     retrying
    accepted     .
    delivered    .
    unknown      .
    unconfirmed  .
    permanent    .
    temporary    .
    technical    .
    superseded   .
    cancelled    .

    sms          Restored
    queued       unknown
    sending      unknown
    retrying     unknown

Besides the state these decide:

- The lease: what a worker says of its try (`OfTry`) counts under the delivery's own lease alone.
  While the try is under way the worker renews it: its end moves, and nothing happens here.
- The time: a delivery is claimed, its lease expires and its receipt is missing once it is due.
- The deadline: a claim after it ends the delivery, cancelled where nothing was tried until the
  start, unknown where a copy is unanswered, temporary otherwise; so does what could be tried again
  only after it.
- `withdrawn`: an appointment was deleted while a try was under way. Where that try would go on to
  queued or retrying, the delivery is cancelled.
- The kind: outcomes of invitations and of notices are events of their own.
- What is late stays failed whatever is accepted; to move an appointment to where it is, or to
  withdraw it again, changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from contracts.channels import Channel
from contracts.events import (
    SMS_LEAST_NOTICE,
    DeliveryOutcome,
    FailureCategory,
    FailureReason,
    NoticeFailed,
)
from services.notification.deliveries.delivery import Delivery, HistoryEntry, State, Transition
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
    Disputed,
    EvidenceEvent,
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
from services.notification.deliveries.outcomes import outcome_of
from services.notification.deliveries.receipt_deadline import ASK_AFTER, ASK_AFTER_SILENCE
from services.notification.letters.letter import LetterKind

E = TypeVar("E", bound=DeliveryEvent)
# Copies that may go out in all. Mailboxes know a second mail by its Message-ID; a second text
# message would ring again.
MOST_COPIES = {Channel.EMAIL: 2, Channel.SMS: 1}

Rule: TypeAlias = Callable[[Delivery, E, datetime], Transition]
_OF_THE_RECIPIENT = {
    FailureReason.UNKNOWN_USER,
    FailureReason.HOST_UNKNOWN,
    FailureReason.MAILBOX_FULL,
}
Rules: TypeAlias = dict[tuple[State, type[object]], Rule[Any]]


def transition(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    """Apply `event`. What is not in the table, or came under a lost lease, changes nothing."""
    rule = RULES.get((delivery.state, type(event)))
    if rule is None:
        return Transition(delivery)
    if isinstance(event, OfTry) and event.lease != delivery.lease:
        return Transition(delivery)
    return rule(delivery, event, now)


def _queue(delivery: Delivery, event: Requested, now: datetime) -> Transition:
    held_until = delivery.held_until
    if held_until is not None and (now >= held_until or _too_near(delivery, held_until)):
        held_until = None
    delivery = replace(delivery, held_until=held_until)
    return _enter(delivery, State.QUEUED, event, now, due_at=held_until or now)


def _restore(delivery: Delivery, event: Restored, now: datetime) -> Transition:
    # Outcomes that are not known here any more have sequences too: ours are to be above them.
    after = replace(delivery, sequence=max(delivery.sequence, int(now.timestamp())))
    if delivery.channel is Channel.SMS:
        return _hand_over(replace(after, unanswered=1), State.UNKNOWN, event, now)
    if delivery.state is not State.SENDING:  # of that try nobody will say how it ended
        after = replace(after, unanswered=max(1, delivery.unanswered))
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _too_near(delivery: Delivery, held_until: datetime) -> bool:
    """Whether a message that waits until then would come too soon before the start."""
    return delivery.starts_at - held_until < SMS_LEAST_NOTICE


def _hasten(delivery: Delivery, event: Hastened | Moved, now: datetime) -> Transition:
    if delivery.held_until is None or now >= delivery.held_until:
        return Transition(delivery)
    return _enter(replace(delivery, held_until=None), State.QUEUED, event, now, due_at=now)


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
        named_start=delivery.named_start if delivery.unanswered else event.start,
    )
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _too_late(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    if delivery.tries == 0 and now >= delivery.starts_at:
        return _enter(delivery, State.CANCELLED, event, now, category=FailureCategory.CANCELLED)
    last = Reply(status=delivery.status_code, reason=delivery.reason)
    return _give_up(delivery, event, now, last)


def _give_up(delivery: Delivery, event: DeliveryEvent, now: datetime, reply: Reply) -> Transition:
    """No further try fits."""
    if delivery.unanswered:
        return _hand_over(delivery, State.UNKNOWN, event, now, reply)
    category = FailureCategory.TEMPORARY
    if reply.reason in {None, FailureReason.OTHER}:  # nothing but that it was not taken in time
        reply = replace(reply, reason=FailureReason.EXPIRED)
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
    return _maybe_sent(delivery, event, now, retry_at=now, gateway=None)


def _retry(delivery: Delivery, event: FailedForNow, now: datetime) -> Transition:
    return _again(delivery, event, now, retry_at=event.retry_at, reply=event.reply)


def _reply_lost(delivery: Delivery, event: ReplyLost, now: datetime) -> Transition:
    return _maybe_sent(delivery, event, now, retry_at=event.retry_at, gateway=event.gateway)


def _maybe_sent(
    delivery: Delivery,
    event: LeaseExpired | ReplyLost,
    now: datetime,
    *,
    retry_at: datetime | None,
    gateway: str | None,
) -> Transition:
    delivery = replace(delivery, unanswered=delivery.unanswered + 1, gateway=gateway)
    if delivery.unanswered >= MOST_COPIES[delivery.channel]:
        return _hand_over(delivery, State.UNKNOWN, event, now)
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
        return _give_up(delivery, event, now, reply)
    return _enter(delivery, State.RETRYING, event, now, reply=reply, due_at=retry_at)


def _accept(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    delivery = replace(
        delivery,
        gateway=event.gateway or delivery.gateway,
        gateway_id=event.gateway_id or delivery.gateway_id,
    )
    return _hand_over(delivery, State.ACCEPTED, event, now, event.reply)


def _accept_between_tries(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    possible = event.receipt_id is None or delivery.unanswered
    return _accept(delivery, event, now) if possible else _note(delivery, event, now)


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
    publish = state is State.ACCEPTED and delivery.channel is Channel.EMAIL
    return _changed(delivery, after, event, now, reply, publish=publish)


def _accept_after_failure(delivery: Delivery, event: Accepted, now: datetime) -> Transition:
    # Two tries overlapped and ended differently. Refused by one: better a red mark too many.
    if delivery.category is FailureCategory.PERMANENT or delivery.late:
        return _note(delivery, event, now)
    return _accept(delivery, event, now)


def _confirm(delivery: Delivery, event: Confirmed, now: datetime) -> Transition:
    delivery = replace(delivery, handed_over_at=delivery.handed_over_at or now)
    return _enter(delivery, State.DELIVERED, event, now, reply=event.reply)


def _confirm_between_tries(delivery: Delivery, event: Confirmed, now: datetime) -> Transition:
    possible = delivery.unanswered > 0
    return _confirm(delivery, event, now) if possible else _note(delivery, event, now)


def _confirm_after_failure(delivery: Delivery, event: Confirmed, now: datetime) -> Transition:
    if delivery.disputed:
        return _confirm(delivery, event, now)
    if delivery.category is FailureCategory.PERMANENT or not delivery.tries:
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


def _bounce_between_tries(delivery: Delivery, event: Bounced, now: datetime) -> Transition:
    possible = delivery.unanswered > 0
    return _bounce_if_permanent(delivery, event, now) if possible else _note(delivery, event, now)


def _bounce_after_failure(delivery: Delivery, event: Bounced, now: datetime) -> Transition:
    if delivery.disputed:
        return _bounce(delivery, event, now)
    if delivery.category is FailureCategory.TEMPORARY:
        return _bounce_if_permanent(delivery, event, now)
    return _note(delivery, event, now)


def _dispute(delivery: Delivery, event: Disputed, now: datetime) -> Transition:
    if delivery.channel is not Channel.EMAIL:  # of a text message there is no tick yet
        return _note(delivery, event, now)
    # Neither reason nor status is told on: they would be the stranger's choice.
    category = FailureCategory.TEMPORARY
    step = _enter(delivery, State.FAILED, event, now, category=category, late=True, disputed=True)
    (entry,) = step.history
    return replace(step, history=(replace(entry, reply=event.reply),))


def _miss_receipt(delivery: Delivery, event: ReceiptMissing, now: datetime) -> Transition:
    if delivery.receipt_due_at is None or now < delivery.receipt_due_at:
        return Transition(delivery)
    return _enter(delivery, State.UNCONFIRMED, event, now)


def _note(delivery: Delivery, event: EvidenceEvent, now: datetime) -> Transition:
    return Transition(delivery, (), (_entry(delivery, delivery, event, now, event.reply),))


def _refuse(delivery: Delivery, event: Refused, now: datetime) -> Transition:
    category = FailureCategory.PERMANENT
    return _enter(delivery, State.FAILED, event, now, reply=event.reply, category=category)


def _misconfigured(delivery: Delivery, event: Misconfigured, now: datetime) -> Transition:
    reply = event.reply
    if reply.reason in _OF_THE_RECIPIENT:
        reply = replace(reply, reason=None)  # would mislead: the fault is ours
    if delivery.unanswered:
        return _hand_over(delivery, State.UNKNOWN, event, now, reply)
    category = FailureCategory.TECHNICAL
    return _enter(delivery, State.FAILED, event, now, reply=reply, category=category)


def _channel_missing(delivery: Delivery, event: ChannelMissing, now: datetime) -> Transition:
    return _enter(delivery, State.FAILED, event, now, category=FailureCategory.TECHNICAL)


def _supersede(delivery: Delivery, event: Superseded, now: datetime) -> Transition:
    # Whether it may have told the patient of the appointment is asked later (`told`): of a try that
    # is under way the end counts no more, and what nobody has signed proves nothing.
    under_way = delivery.state is State.SENDING
    after = replace(
        delivery,
        state=State.SUPERSEDED,
        category=None,
        late=delivery.late and not delivery.disputed,
        disputed=False,
        unanswered=delivery.unanswered + under_way,
        due_at=None,
        lease=None,
        ask_at=None,
    )
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _cancel(delivery: Delivery, event: DeliveryEvent, now: datetime) -> Transition:
    return _enter(delivery, State.CANCELLED, event, now, category=FailureCategory.CANCELLED)


def _withhold(delivery: Delivery, event: Withheld, now: datetime) -> Transition:
    if delivery.kind is LetterKind.INVITATION:
        return Transition(delivery)
    step = _cancel(delivery, event, now)
    told = tuple(
        outcome.model_copy(update={"withheld": event.because})
        for outcome in step.outcomes
        if isinstance(outcome, NoticeFailed)
    )
    return replace(step, outcomes=told)


def _withdraw_later(delivery: Delivery, event: Withdrawn, now: datetime) -> Transition:
    if delivery.withdrawn:
        return Transition(delivery)
    after = replace(delivery, withdrawn=True)
    return Transition(after, (), (_entry(delivery, after, event, now),))


def _move(delivery: Delivery, event: Moved, now: datetime) -> Transition:
    if event.starts_at == delivery.starts_at:
        return Transition(delivery)
    after = replace(delivery, starts_at=event.starts_at)
    held_until = delivery.held_until if delivery.state is State.QUEUED else None
    if held_until is not None and now < held_until and _too_near(after, held_until):
        return _hasten(after, event, now)
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
    disputed: bool = False,
) -> Transition:
    """Go to a state that is published, and in which no receipt is asked for."""
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
        disputed=disputed,
    )
    return _changed(delivery, after, event, now, reply)


def _changed(
    before: Delivery,
    after: Delivery,
    event: DeliveryEvent,
    now: datetime,
    reply: Reply,
    *,
    publish: bool = True,
) -> Transition:
    outcomes: tuple[DeliveryOutcome, ...] = ()
    if publish:
        after = replace(after, sequence=before.sequence + 1)
        outcomes = (outcome_of(after, now),)
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
        receipt_id=event.receipt_id if isinstance(event, FromOutside | Accepted) else None,
    )


def _on(event: type[E], *rules: tuple[Rule[E], tuple[State, ...]]) -> Rules:
    """What follows from one event: rules with the states in which they hold."""
    return {(state, event): rule for rule, states in rules for state in states}


_TO_BE_SENT = (State.QUEUED, State.RETRYING)
_HANDED_OVER = (State.ACCEPTED, State.UNKNOWN, State.UNCONFIRMED)
_ENDED = (State.SUPERSEDED, State.CANCELLED)
_AT_REST = (*_TO_BE_SENT, *_HANDED_OVER, State.DELIVERED, State.FAILED, *_ENDED)

RULES: Rules = {
    # What becomes of a try.
    **_on(Claimed, (_claim, _TO_BE_SENT)),
    **_on(Released, (_release, (State.SENDING,))),
    **_on(LeaseExpired, (_expire, (State.SENDING,))),
    **_on(Refused, (_refuse, (State.SENDING,))),
    **_on(FailedForNow, (_retry, (State.SENDING,))),
    **_on(ReplyLost, (_reply_lost, (State.SENDING,))),
    **_on(Misconfigured, (_misconfigured, (State.SENDING,))),
    # The request, and what becomes of the appointment.
    **_on(Requested, (_queue, (State.NEW,))),
    **_on(Restored, (_restore, (State.SENDING, *_TO_BE_SENT))),
    **_on(ChannelMissing, (_channel_missing, (State.QUEUED,))),
    **_on(
        Superseded,
        (_supersede, (State.SENDING, *_TO_BE_SENT, *_HANDED_OVER, State.FAILED, State.CANCELLED)),
    ),
    **_on(Withdrawn, (_cancel, _TO_BE_SENT), (_withdraw_later, (State.SENDING,))),
    **_on(Withheld, (_withhold, (State.QUEUED,))),
    **_on(Hastened, (_hasten, (State.QUEUED,))),
    **_on(Moved, (_move, (*_TO_BE_SENT, State.SENDING, State.ACCEPTED, State.UNKNOWN))),
    # Evidence, or the want of it.
    **_on(ReceiptMissing, (_miss_receipt, (State.ACCEPTED, State.UNKNOWN))),
    **_on(
        Accepted,
        # A try whose lease was lost may still bring proof that the message was taken.
        (_accept, (State.SENDING, State.UNKNOWN)),
        (_accept_between_tries, _TO_BE_SENT),
        (_accept_after_failure, (State.FAILED,)),
        (_note, (State.DELIVERED, State.UNCONFIRMED, *_ENDED)),
    ),
    **_on(
        Confirmed,
        (_confirm, _HANDED_OVER),
        (_confirm_between_tries, _TO_BE_SENT),
        (_confirm_after_failure, (State.FAILED,)),
        (_note, (State.DELIVERED, *_ENDED)),
    ),
    **_on(
        Bounced,
        (_bounce, _HANDED_OVER),
        (_bounce_if_permanent, (State.DELIVERED,)),
        (_bounce_between_tries, _TO_BE_SENT),
        (_bounce_after_failure, (State.FAILED,)),
        (_note, _ENDED),
    ),
    **_on(
        Disputed,
        (_dispute, (State.ACCEPTED,)),
        (_note, tuple(state for state in _AT_REST if state is not State.ACCEPTED)),
    ),
    **_on(Delayed, (_note, _AT_REST)),
    **_on(AutoReplied, (_note, _AT_REST)),
    **_on(Complained, (_note, _AT_REST)),
}
