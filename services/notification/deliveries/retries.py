"""When to try again: exponential back-off with jitter, never past the deadline."""

from dataclasses import dataclass
from datetime import datetime, timedelta

RETRY_WITHIN = timedelta(hours=72)  # from when it was to go; then nobody waits for a retry any more


def deadline(from_when: datetime, starts_at: datetime) -> datetime:
    """No try of what was to go `from_when` on begins at or after this moment."""
    return min(from_when + RETRY_WITHIN, starts_at)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The first wait, doubling with each try up to the longest."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=30)

    def next_try(
        self,
        *,
        tries: int,
        now: datetime,
        deadline: datetime,
        jitter: float,
        not_before: datetime | None = None,
    ) -> datetime | None:
        """When to try again after `tries` tries, or None when no further try fits.

        `jitter` in [0, 1) spreads what failed together over the second half of the wait. Close
        to the deadline the waits shrink to half of what is left, so that a short outage before
        the appointment still leaves chances. `not_before` is what the server asked for.
        """
        doublings = min(max(tries - 1, 0), 32)
        wait = min(self.first * 2**doublings, self.longest) * (0.5 + jitter / 2)
        left = deadline - now
        if wait > left / 2 >= self.first / 2:
            wait = left / 2
        at = now + wait
        if not_before is not None:
            at = max(at, not_before)
        return at if at < deadline else None
