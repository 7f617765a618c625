"""What clients ask of a system, ours or the peer: as fast as it answers, or when it is due."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.latency import due_times
from benchmarks.practice import Caller

CONNECTIONS = 32  # of clients


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was asked for; moments by `time.perf_counter`."""

    appointment_id: str
    due: float
    answered: float


class Clients:
    """Those of some practices; each connection takes one request at a time.

    The connections are shared out among `urls`, of replicas of one service.
    """

    def __init__(self, urls: Sequence[str], tokens: Sequence[str]) -> None:
        self._urls = urls
        self._tokens = tokens
        self._idle: asyncio.Queue[Caller] = asyncio.Queue()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """While there are clients."""
        callers = [Caller(self._urls[n % len(self._urls)]) for n in range(CONNECTIONS)]
        for caller in callers:
            self._idle.put_nowait(caller)
        try:
            yield
        finally:
            for caller in callers:
                caller.close()

    async def invite(self, count: int) -> list[Invited]:
        """As fast as it is answered over all connections."""
        asked: list[asyncio.Task[Invited]] = []
        for number in range(count):
            caller, token = await self._idle.get(), self._tokens[number % len(self._tokens)]
            asked.append(asyncio.create_task(self._invite(caller, token, time.perf_counter())))
        return await asyncio.gather(*asked)

    async def invite_at(self, per_second: float, count: int, *, seed: int) -> list[Invited]:
        """Each when it is due, whatever became of those before it."""
        began = time.perf_counter()
        asked: list[asyncio.Task[Invited]] = []
        for number, moment in enumerate(due_times(count, per_second, seed)):
            await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
            token = self._tokens[number % len(self._tokens)]
            asked.append(asyncio.create_task(self._wait_and_invite(token, began + moment)))
        return await asyncio.gather(*asked)

    async def _wait_and_invite(self, token: str, due: float) -> Invited:
        return await self._invite(await self._idle.get(), token, due)

    async def _invite(self, caller: Caller, token: str, due: float) -> Invited:
        try:
            appointment_id = await caller.invite(token)
            return Invited(appointment_id, due, time.perf_counter())
        finally:
            self._idle.put_nowait(caller)
