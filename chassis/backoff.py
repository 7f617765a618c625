"""Exponential back-off with jitter, for loops that must outlive an outage."""

import asyncio
import random


class Backoff:
    """Waits longer after each failure: at most `first`, doubling up to `most` seconds."""

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._failures = 0

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._failures = 0

    async def wait(self) -> None:
        """Wait after a failure."""
        ceiling = min(self._most, self._first * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        await asyncio.sleep(ceiling * random.uniform(0.5, 1))  # noqa: S311 - jitter
