"""What the end of a try is to its delivery."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.events import FailureReason
from services.notification.deliveries.events import (
    Accepted,
    DeliveryEvent,
    FailedForNow,
    Misconfigured,
    Refused,
    Reply,
    ReplyLost,
)
from services.notification.deliveries.retries import RetryPolicy
from services.notification.sending.endings import ending
from services.notification.sending.sender import Contact, SendResult, Verdict
from tests.support.deliveries import LEASE, NOW, minutes, sending

HOURS = timedelta(hours=10)
LOGIN_REFUSED = SendResult(Verdict.TECHNICAL, Reply(535, "5.7.8"), contact=Contact.REFUSES_US)
NO_RELAYING = SendResult(Verdict.TECHNICAL, Reply(550, "5.7.1"), contact=Contact.SEEMS_TO_REFUSE_US)


def end(
    result: SendResult, *, tries: int = 1, doubted: bool = False, left: timedelta = HOURS
) -> DeliveryEvent:
    delivery = replace(sending(starts_in=left), tries=tries)
    return ending(
        result, delivery, LEASE, retry=RetryPolicy(), now=NOW, jitter=0.0, doubted=doubted
    )


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (SendResult(Verdict.ACCEPTED), Accepted),
        (SendResult(Verdict.PERMANENT), Refused),
        (SendResult(Verdict.TEMPORARY), FailedForNow),
        (SendResult(Verdict.REPLY_LOST), ReplyLost),
        (SendResult(Verdict.TECHNICAL), Misconfigured),
        (SendResult(Verdict.TECHNICAL, contact=Contact.GOOD), Misconfigured),
        (LOGIN_REFUSED, FailedForNow),
        (NO_RELAYING, FailedForNow),
    ],
)
def test_each_verdict(result: SendResult, kind: type[DeliveryEvent]) -> None:
    assert type(end(result)) is kind


@pytest.mark.parametrize("tries", [1, 2, 30])
def test_a_refusal_of_us_waits_as_long_as_a_further_try_fits(tries: int) -> None:
    assert isinstance(end(LOGIN_REFUSED, tries=tries), FailedForNow)
    assert isinstance(end(LOGIN_REFUSED, tries=tries, left=minutes(0.1)), Misconfigured)


def test_what_seems_to_refuse_us_waits_until_others_are_taken() -> None:
    assert isinstance(end(NO_RELAYING, tries=2, doubted=True), FailedForNow)
    assert isinstance(end(NO_RELAYING, tries=2, doubted=False), Misconfigured)


def test_the_reason_is_read_from_the_status_where_the_words_gave_none() -> None:
    event = end(SendResult(Verdict.PERMANENT, Reply(status="5.1.2")))
    assert isinstance(event, Refused)
    assert event.reply.reason is FailureReason.HOST_UNKNOWN
