"""An event loop whose clock jumps to the next deadline whenever nothing else is left to do.

What waits ten minutes over real sockets ends at once, in the right order; a slow machine is never
late. Only for what happens in one process: what comes from another is not waited for.
"""

import asyncio
import selectors
from collections.abc import Callable
from selectors import SelectorKey

# Real seconds in which what was sent over the loopback interface is surely there.
_IN_FLIGHT = 0.02


class _Selector(selectors.DefaultSelector):
    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(_IN_FLIGHT)
        if not found:
            self._skip(timeout)
        return found


class HurriedLoop(asyncio.SelectorEventLoop):
    """For `asyncio.Runner(loop_factory=HurriedLoop)`."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Selector(self._skip))

    def time(self) -> float:
        """Seconds that were waited for, and not one more."""
        return self._now

    def _skip(self, seconds: float) -> None:
        self._now += seconds
