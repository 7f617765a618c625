"""A system under load, ours or the peer, as what is compared sees it."""

import asyncio
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.load import Clients, Invited
from benchmarks.processor_time import ProcessorTime

PRACTICES = 16  # ours have a dashboard open each
WARM_UP = 200  # invitations that are not counted: Java compiles, plans are made
PATIENCE = 60.0  # seconds for the last tick


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to: a rate, milliseconds for an invitation, and seconds of latency."""

    per_second: float
    processor: Mapping[str, float]  # of each part
    clients: float  # of the load generator, in no part's
    answered: Sequence[float]
    ticked: Sequence[float]
    missing: int  # that were not ticked in time


class System(ABC):
    """It runs, is warm, and has its clients."""

    def __init__(self, clients: Clients, processor: ProcessorTime) -> None:
        self._clients = clients
        self.processor = processor

    @abstractmethod
    async def ticks(self, appointment_ids: Sequence[str]) -> Mapping[str, float]:
        """When each was shown as sent, by `time.perf_counter`; those that never were are missing.

        Waits for the last of them.
        """

    @asynccontextmanager
    async def under_load(self, per_second: float) -> AsyncIterator[None]:
        """Meanwhile clients invite at this rate."""
        ending = asyncio.Event()

        async def invite() -> None:
            seeds = itertools.count()
            while not ending.is_set():
                count = max(1, int(per_second))  # about a second
                await self._clients.invite_at(per_second, count, seed=next(seeds))

        inviting = asyncio.create_task(invite())
        try:
            yield
        finally:
            ending.set()
            await inviting

    async def run(self, count: int, *, per_second: float | None = None, seed: int = 0) -> Run:
        """`count` invitations, as fast as they are answered or at a rate; ends with their ticks."""
        before, own = self.processor.read(), time.process_time()
        began = time.perf_counter()
        if per_second is None:
            invited = await self._clients.invite(count)
        else:
            invited = await self._clients.invite_at(per_second, count, seed=seed)
        ticks = await self.ticks([each.appointment_id for each in invited])
        after, own = self.processor.read(), time.process_time() - own
        return Run(
            per_second=len(ticks) / (max(ticks.values()) - began),
            processor={name: (after[name] - before[name]) / count * 1000 for name in after},
            clients=own / count * 1000,
            answered=[each.answered - each.due for each in invited],
            ticked=_latencies(invited, ticks),
            missing=count - len(ticks),
        )


def _latencies(invited: Sequence[Invited], ticks: Mapping[str, float]) -> list[float]:
    return [
        ticks[each.appointment_id] - each.due for each in invited if each.appointment_id in ticks
    ]
