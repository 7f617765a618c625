"""What the end of a try is to its delivery. Pure."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.events import (
    Accepted,
    DeliveryEvent,
    FailedForNow,
    Misconfigured,
    Refused,
    ReplyLost,
)
from services.notification.deliveries.retries import RetryPolicy
from services.notification.refusals.statuses import reason_of
from services.notification.sending.sender import Contact, SendResult, Verdict


def ending(
    result: SendResult,
    delivery: Delivery,
    lease: UUID,
    *,
    retry: RetryPolicy,
    now: datetime,
    jitter: float,
    doubted: bool = False,
) -> DeliveryEvent:
    """The event that tells of the end; `doubted` says that the try before this one went wrong, too.

    That try may have been another delivery's, as long as it was over the same channel.
    """
    reply = result.reply
    if reply.reason is None:
        reply = replace(reply, reason=reason_of(reply.status))
    match result.verdict:
        case Verdict.ACCEPTED:
            return Accepted(reply, result.gateway, result.gateway_id)
        case Verdict.PERMANENT:
            return Refused(lease, reply)
        case Verdict.TECHNICAL if not _of_all_others(result, delivery, doubted=doubted):
            return Misconfigured(lease, reply)
    retry_at = retry.next_try(
        tries=delivery.tries,
        now=now,
        deadline=delivery.deadline,
        jitter=jitter,
        not_before=result.not_before,
    )
    if result.verdict is Verdict.REPLY_LOST:
        return ReplyLost(lease, retry_at, result.gateway)
    if result.verdict is Verdict.TECHNICAL and retry_at is None:
        return Misconfigured(lease, reply)  # rather than temporary: the fault is ours
    return FailedForNow(lease, reply, retry_at)


def _of_all_others(result: SendResult, delivery: Delivery, *, doubted: bool) -> bool:
    """Whether a technical failure would be that of all others, too: then it waits with them.

    What refuses us when it knows the recipient may be about that recipient's server after all: it
    is, where other messages are taken between two tries.
    """
    if result.contact is Contact.SEEMS_TO_REFUSE_US:
        return delivery.tries < 2 or doubted
    return result.contact is Contact.REFUSES_US
