"""When a delivery is tried again, and when it and its endpoint are given up. Pure.

The waits are those that Standard Webhooks recommends: ten tries in little more than three days.
"""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_TRIES = len(WAITS) + 1
JITTER = 0.1  # of a wait, at most, on top: what failed together does not come back together
LONGEST_ASKED = timedelta(hours=24)  # that a receiver may ask us to wait

OK, GONE = range(200, 300), 410


class CallResult(StrEnum):
    """What a call came to."""

    DELIVERED = "delivered"
    STATUS = "status"  # another one than 2xx; redirects are not followed
    TIMEOUT = "timeout"
    CONNECTION = "connection"  # refused, broken off, no TLS that we believe
    NAME = "name"  # which leads nowhere
    ADDRESS = "address"  # which we do not call
    RESPONSE = "response"  # which is no HTTP


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended. `retry_after` is how long the receiver asks us to wait."""

    result: CallResult
    status: int | None = None
    retry_after: timedelta | None = None

    @classmethod
    def of_status(cls, status: int, retry_after: str | None = None) -> "Answer":
        """What a response with this status and Retry-After (RFC 9110: seconds) means."""
        if status in OK:
            return cls(CallResult.DELIVERED, status)
        wait = None
        if retry_after and retry_after.isascii() and retry_after.isdecimal():
            # six digits are eleven days: what is longer is as good as the longest
            seconds = int(retry_after) if len(retry_after) <= 6 else sys.maxsize
            wait = timedelta(seconds=min(seconds, LONGEST_ASKED.total_seconds()))
        return cls(CallResult.STATUS, status, wait)

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return self.result is CallResult.DELIVERED

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more of anything."""
        return self.status == GONE


def next_try(tries: int, answer: Answer, now: datetime, jitter: float) -> datetime | None:
    """When to try again after the `tries`-th try failed so; None: not any more.

    `jitter` is from 0 to 1.
    """
    if answer.delivered or answer.gone or tries >= MOST_TRIES:
        return None
    wait = WAITS[tries - 1] * (1 + JITTER * jitter)
    return now + max(wait, answer.retry_after or wait)


def lasting(failing_since: datetime, now: datetime, limit: timedelta) -> bool:
    """Whether an endpoint has failed for so long, without one success, that it gets no more."""
    return now - failing_since >= limit
