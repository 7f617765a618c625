"""Background tasks that are watched: the death of one fails the liveness check."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, Self

import structlog

log = structlog.get_logger(__name__)

STOP_TIMEOUT = 30.0  # seconds; what takes longest drains, records and leaves its group


class Work(Protocol):
    """What goes on for ever and knows whether it is stuck."""

    @property
    def name(self) -> str:
        """What it is called in the responses of the health check."""
        ...

    async def run(self) -> None:
        """Go on until cancelled."""
        ...

    async def stalled(self) -> bool:
        """True when it makes no progress."""
        ...


class Supervisor:
    """Starts a service's background tasks and knows what is wrong with them."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._checks: dict[str, Callable[[], Awaitable[bool]]] = {}

    async def __aenter__(self) -> Self:
        """Whatever is started from now on is stopped at the end of the context."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def run(self, work: Work) -> None:
        """Start `work` and watch it."""
        self.start(work.name, work.run())
        self.watch(work.name, work.stalled)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, which is meant never to end."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    def watch(self, name: str, stalled: Callable[[], Awaitable[bool]]) -> None:
        """Ask `stalled` at each liveness check."""
        self._checks[name] = stalled

    async def faults(self) -> list[str]:
        """What is dead or stalled; empty when all is well."""
        faults = [f"{name} has ended" for name, task in self._tasks.items() if task.done()]
        for name, stalled in self._checks.items():
            if await stalled():
                faults.append(f"{name} makes no progress")
        return faults

    async def stop(self) -> None:
        """Cancel the tasks, latest first, and wait for their clean-up."""
        for task in reversed(self._tasks.values()):
            task.remove_done_callback(self._ended)
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=STOP_TIMEOUT)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        log.critical("background task ended", task=task.get_name(), exc_info=error)
