"""Group commit: what many ask at the same moment shares one transaction.

What comes while one is under way is the next one's, of each practice by turns. Who is alone begins
at once. Right behind others a transaction waits a little for company.
"""

import asyncio
import contextvars
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from prometheus_client import Histogram

from chassis.loop import pause_after
from chassis.turns import WAITING_OF_ONE, Busy, refused, waiting

MOST = 32  # that share a transaction; what is more waits for the next
COMPANY = 8  # for which nobody waits any longer
LONGEST_WAIT = 0.02  # seconds from one transaction to the next, until there is such company

shared = Histogram(
    "shared_transaction_requests",
    "Requests that shared a transaction",
    buckets=(1, 2, 4, 8, 16, MOST),
)

T = TypeVar("T")
R = TypeVar("R")
_Waiting = deque[tuple[T, "asyncio.Future[R]"]]


class GroupCommit(Generic[T, R]):
    """Collects pieces of work and hands them on as many at a time as have come meanwhile.

    `work` gets one transaction's and returns the result of each; what it raises is raised to all.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        patience: float,
        most: int = MOST,
        waiting_of_one: int = WAITING_OF_ONE,
    ) -> None:
        """`patience` in seconds, until the work on a piece begins."""
        self._work = work
        self._patience = patience
        self._most = most
        self._waiting_of_one = waiting_of_one
        self._waiting: OrderedDict[str, _Waiting[T, R]] = OrderedDict()
        self._under_way: asyncio.Task[None] | None = None
        self._number = 0  # that wait
        self._not_before = 0.0  # on the loop's clock: until then the next one waits for company
        self._company = asyncio.Event()
        # Of no request: what one is traced by would pass for what all of them are.
        self._context = contextvars.copy_context()

    async def share(self, piece: T, whose: str) -> R:
        """The result of a piece of a practice's work. Raises Busy."""
        queue = self._waiting.setdefault(whose, deque())
        if len(queue) >= self._waiting_of_one:
            refused.inc()
            raise Busy
        loop = asyncio.get_running_loop()
        result: asyncio.Future[R] = loop.create_future()
        queue.append((piece, result))
        self._count(1)
        if self._number >= COMPANY:
            self._company.set()
        if self._under_way is None:
            self._under_way = loop.create_task(self._run(), context=self._context.copy())
        timer = loop.call_later(self._patience, self._give_up, whose, result)
        try:
            return await result
        finally:
            timer.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await self._gather()
                began = loop.time()
                if taken := self._next():
                    shared.observe(len(taken))
                    await self._do(taken)
                    if len(taken) > 1 or self._waiting:  # else there is nobody to wait for
                        ended = loop.time()
                        self._not_before = ended + pause_after(ended - began, LONGEST_WAIT)
        finally:
            self._under_way = None

    async def _gather(self) -> None:
        """Wait for company, if a transaction has just ended."""
        self._company.clear()
        if self._number < COMPANY and asyncio.get_running_loop().time() < self._not_before:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._not_before):
                    await self._company.wait()

    def _count(self, more: int) -> None:
        self._number += more
        waiting.inc(more)

    async def _do(self, taken: Sequence[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._work([piece for piece, _ in taken])
            answered = list(zip(taken, results, strict=True))
        except asyncio.CancelledError:
            for _, result in taken:
                result.cancel()
            raise
        except Exception as error:
            for _, result in taken:
                if not result.done():
                    result.set_exception(error)
            return
        for (_, result), found in answered:
            if not result.done():  # else whoever asked has gone
                result.set_result(found)

    def _next(self) -> list[tuple[T, "asyncio.Future[R]"]]:
        """One of each practice, and again, until there are enough."""
        taken: list[tuple[T, asyncio.Future[R]]] = []
        while self._waiting and len(taken) < self._most:
            whose, queue = self._waiting.popitem(last=False)
            piece, result = queue.popleft()
            self._count(-1)
            if queue:
                self._waiting[whose] = queue  # behind all others
            if not result.done():
                taken.append((piece, result))
        return taken

    def _give_up(self, whose: str, result: "asyncio.Future[R]") -> None:
        """Too late, unless the work on it is under way."""
        queue = self._waiting.get(whose, deque())
        for place, (_, other) in enumerate(queue):
            if other is result:
                del queue[place]
                self._count(-1)
                if not queue:
                    del self._waiting[whose]
                if not result.done():
                    refused.inc()
                    result.set_exception(Busy())
                return
