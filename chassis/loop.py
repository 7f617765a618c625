"""Work that goes on for ever: one skeleton with a pause, back-off, a log and a stall check."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import structlog
from prometheus_client import Gauge

from chassis.backoff import Backoff
from chassis.database import TRANSIENT_ERRORS, Connection, Database

log = structlog.get_logger(__name__)

# What is woken for each request pauses six times as long as its turn took, within bounds: the
# busier everything is, the more requests share a transaction. Behind an idle moment it turns at
# once.
PAUSES = 6
LONGEST_PAUSE = 0.05  # seconds
MAX_TURN = 120.0  # seconds that a turn may take before it counts as stalled

last_success = Gauge(
    "loop_last_success_timestamp_seconds", "When a loop's last turn succeeded (Unix time)", ["loop"]
)


def pause_after(took: float, longest: float = LONGEST_PAUSE) -> float:
    """Seconds to leave between a turn that took so long and the next. Pure."""
    return min(longest, PAUSES * took)


class Loop:
    """Takes turn after turn until cancelled.

    `turn` does a piece of work and returns True where there may be more: then the next follows at
    once, else after `poll` seconds, or when woken. One of the `transient` errors is logged and
    waited out with back-off; any other ends the loop, which fails the liveness check.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[bool]],
        *,
        poll: float,
        longest_pause: float = 0,
        backoff: Backoff | None = None,
        transient: tuple[type[BaseException], ...] = TRANSIENT_ERRORS,
        max_turn: float = MAX_TURN,
    ) -> None:
        """`poll`, `longest_pause` and `max_turn` in seconds.

        A turn that was woken begins a pause after the one before at the least (`pause_after`).
        """
        self.name = name
        self._turn = turn
        self._poll = poll
        self._longest_pause = longest_pause
        self._backoff = backoff or Backoff(first=0.2, most=10)
        self._transient = transient
        self._max_turn = max_turn
        self._wake = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None
        self._in_turn_since: float | None = None

    def wake(self) -> None:
        """Take the next turn now."""
        self._wake.set()

    def wake_within(self, seconds: float) -> None:
        """Take the next turn by then, with all that comes meanwhile."""
        loop = asyncio.get_running_loop()
        if self._later is not None:
            if self._later.when() <= loop.time() + seconds:
                return
            self._later.cancel()
        self._later = loop.call_later(seconds, self.wake)

    def progress(self) -> None:
        """From within a turn: a part of it succeeded. The back-off and the clock begin anew."""
        self._backoff.reset()
        self._in_turn_since = time.monotonic()

    async def stalled(self) -> bool:
        """True when a turn has made no progress for too long."""
        since = self._in_turn_since
        return since is not None and time.monotonic() - since > self._max_turn

    async def run(self) -> None:
        """Turn until cancelled."""
        while True:
            self._wake.clear()
            if self._later is not None:
                self._later.cancel()
                self._later = None
            began = self._in_turn_since = time.monotonic()
            try:
                more = await self._turn()
            except self._transient as error:
                self._in_turn_since = None
                cause = type(error.__cause__ or error).__qualname__
                said = error if isinstance(error, asyncpg.PostgresError) else None
                log.warning("loop waits", loop=self.name, error=cause, exc_info=said)
                await self._backoff.wait()
                continue
            self._in_turn_since = None
            self._backoff.reset()
            last_success.labels(self.name).set_to_current_time()
            if not more:
                ended = time.monotonic()
                pause = pause_after(ended - began, self._longest_pause)
                # Not wait_for: before Python 3.12 it may take a cancellation for the wake.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._wake.wait()
                await asyncio.sleep(max(0.0, ended + pause - time.monotonic()))


def housekeeper(
    name: str,
    db: Database,
    task: Callable[[Connection], Awaitable[bool | None]],
    *,
    every: float,
) -> Loop:
    """A loop that does `task` in a system transaction every `every` seconds.

    A task that works in batches returns True where there is more: then it is done again at once,
    in a transaction of its own.
    """

    async def turn() -> bool:
        async with db.system() as tx:
            return bool(await task(tx))

    return Loop(name, turn, poll=every, backoff=Backoff(first=1, most=60))
