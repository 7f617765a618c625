"""A circuit breaker: what fails again and again is left alone for a while, then tried once.

Own, because what counts as a failure here is a verdict and not an exception, and because the
libraries for asyncio are stale or tied to exceptions.
"""

from collections.abc import Callable

MAX_REST = 600.0  # seconds


class Breaker:
    """Closed until `failures` in a row; then open for `rest` seconds, doubling up to `most_rest`.

    After the rest one call is admitted; its end decides. Every admitted call must be followed by
    exactly one of `succeeded`, `failed`, `tripped`, `abandoned`.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        failures: int = 5,
        rest: float = 15.0,
        most_rest: float = MAX_REST,
    ) -> None:
        """`rest` and `most_rest` in seconds."""
        self._clock = clock
        self._failures = failures
        self._rest = rest
        self._most_rest = most_rest
        self._failed = 0  # in a row
        self._rests = 0  # in a row
        self._closed = True
        self._open_until = 0.0
        self._probing = False

    def admit(self) -> bool:
        """Whether a call may be made now."""
        if self._clock() < self._open_until:
            return False
        if self._closed:
            return True
        if self._probing:
            return False
        self._probing = True
        return True

    @property
    def closed(self) -> bool:
        """Whether any number of calls may be made."""
        return self._closed

    @property
    def wait(self) -> float:
        """Seconds until a call may be admitted; 0 when one may be now."""
        return max(self._open_until - self._clock(), 0.0)

    def succeeded(self) -> None:
        """The call was answered in good order: closed again."""
        self._failed = self._rests = 0
        self._closed = True
        self._probing = False

    def failed(self) -> None:
        """The call failed by the other side's fault."""
        self._failed += 1
        # Calls that were under way when it opened add nothing to what is known.
        if self._probing or (self._closed and self._failed >= self._failures):
            self._open()

    def tripped(self) -> None:
        """The call failed in a way that any other would: open at once."""
        self._failed += 1
        if self._probing or self._closed:
            self._open()

    def abandoned(self) -> None:
        """The call ended without a response to the question, as when it was cancelled."""
        self._probing = False

    def rest(self, seconds: float) -> None:
        """Admit nothing for so long, as the other side asked for it."""
        self._open_until = max(self._open_until, self._clock() + seconds)

    def _open(self) -> None:
        self._closed = self._probing = False
        self.rest(min(self._rest * 2.0 ** min(self._rests, 16), self._most_rest))
        self._rests += 1
