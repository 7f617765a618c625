"""Places that practices share: who waits for one takes turns, and nobody waits long.

What arrives when too much waits already is refused before anything of it has begun.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter as Count
from prometheus_client import Gauge

WAITING_OF_ONE = 100  # of a practice; the next is refused at once

waiting = Gauge("requests_waiting", "Requests that wait for their turn with the database")
refused = Count("requests_refused_total", "Requests refused because too many were under way")


class Busy(Exception):
    """No place came free in time, or too many wait for one."""


class Turns:
    """Lets in as many at a time as there are places, of one practice at most three quarters.

    When a place comes free it is the turn of the practice that has waited for one longest, not of
    the one that asks most.
    """

    def __init__(
        self, places: int, *, patience: float, waiting_of_one: int = WAITING_OF_ONE
    ) -> None:
        """`patience` in seconds, for a place."""
        self._free = places
        self._most = max(1, places * 3 // 4)
        self._patience = patience
        self._waiting_of_one = waiting_of_one
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def place(self, whose: str) -> AsyncIterator[None]:
        """A place while the context lasts. Raises Busy."""
        await self._take(whose)
        try:
            yield
        finally:
            self._give_back(whose)

    async def _take(self, whose: str) -> None:
        if self._free and self._taken[whose] < self._most:
            self._count(whose)
            return
        queue = self._waiting.setdefault(whose, deque())
        if len(queue) >= self._waiting_of_one:
            refused.inc()
            raise Busy
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            with waiting.track_inprogress():
                async with asyncio.timeout(self._patience):
                    await turn
        except TimeoutError:
            if not self._leave(whose, turn):
                refused.inc()
                raise Busy from None
        except asyncio.CancelledError:
            if self._leave(whose, turn):
                self._give_back(whose)
            raise

    def _leave(self, whose: str, turn: "asyncio.Future[None]") -> bool:
        """Wait no more; True if the place had come at the last moment."""
        if turn.done() and not turn.cancelled():
            return True
        queue = self._waiting.get(whose, deque())
        if turn in queue:  # else it was passed over
            queue.remove(turn)
            if not queue:
                del self._waiting[whose]
        return False

    def _count(self, whose: str) -> None:
        self._free -= 1
        self._taken[whose] += 1

    def _give_back(self, whose: str) -> None:
        self._free += 1
        self._taken[whose] -= 1
        if not self._taken[whose]:
            del self._taken[whose]
        self._hand_out()

    def _hand_out(self) -> None:
        for whose in list(self._waiting):
            if not self._free:
                return
            if self._taken[whose] >= self._most:
                continue
            queue = self._waiting.pop(whose)
            while queue and queue[0].done():
                queue.popleft()  # who gave up just now, and has not heard of it
            if not queue:
                continue
            turn = queue.popleft()
            if queue:
                self._waiting[whose] = queue  # behind all others
            self._count(whose)
            turn.set_result(None)
