"""The database's time, which all processes share, whatever their own clocks say.

A lease that one process writes is read by others. With a clock that is ahead by more than a lease,
a process would take all that others have in hand, and each mail would go out a second time.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

import structlog

from chassis.clock import utc_now
from chassis.database import Database
from chassis.loop import Loop

log = structlog.get_logger(__name__)

LOOK_EVERY = 10.0  # seconds; between two looks our own monotonic clock carries it on
FAR_OFF = 5.0  # seconds that our own clock may be off before it is worth a line


class DatabaseClock:
    """A clock (chassis/clock.py) that goes by the database's: made by `started`, kept by `run`."""

    def __init__(
        self, db: Database, at: datetime, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = "database clock"
        self._db = db
        self._monotonic = monotonic
        self._at, self._read = at, monotonic()
        self._told = False
        self._loop = Loop(self.name, self.look, poll=LOOK_EVERY)
        self.stalled = self._loop.stalled
        self.run = self._loop.run

    @classmethod
    async def started(cls, db: Database) -> Self:
        """One that has looked. Raises what the database raises."""
        clock = cls(db, utc_now())
        await clock.look()
        return clock

    def __call__(self) -> datetime:
        """Now, aware, in UTC."""
        return self._at + timedelta(seconds=self._monotonic() - self._read)

    async def look(self) -> bool:
        """Ask the database. An answer that took its time is as of the middle of the wait."""
        async with self._db.system() as tx:
            asked = self._monotonic()
            at: datetime = await tx.fetchval("SELECT clock_timestamp()")
            answered = self._monotonic()
        self._at, self._read = at, (asked + answered) / 2
        off = (utc_now() - self()).total_seconds()
        if abs(off) > FAR_OFF and not self._told:
            log.warning("clock is not the database's", ahead_seconds=round(off, 1))
        self._told = abs(off) > FAR_OFF
        return False
