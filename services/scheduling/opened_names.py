"""Patients' names that searches have opened: for some minutes in this process's memory (ADR 57).

Of a practice they are those of its appointments that start last, down to where searches have read.
They are folded: enough to look into, and nothing to show. They are as they were at a moment of the
practice's clock of changes; each search first takes what has changed since. So what is corrected,
deleted or erased is found no more, whichever process did it, and leaves the memory soon.
"""

import asyncio
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from services.scheduling.name_search import Named, NameSearch
from services.scheduling.places import ListPlace

SECONDS = 600
MOST = 100_000  # names of all practices, of 300 bytes each; who looked longest ago goes first
LONG = 100  # letters; a longer name counts for several, since some letters unfold into many
PATIENCE = 2.0  # seconds that a search waits for one before it, until it opens names for itself

_start = itemgetter(1)
_place = itemgetter(1, 2)


def size(named: Sequence[Named]) -> int:
    """How many names of usual length take as much memory."""
    return len(named) + sum(len(each[0]) // LONG for each in named)


class Names:
    """Those of one practice."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.clear()

    def clear(self) -> None:
        """Know nothing."""
        self.as_of: datetime | None = None
        self.reach: ListPlace | None = None  # known down to here; None: nothing is
        self.complete = False  # nothing starts before those that are known
        self.size = 0
        self._named: list[Named] = []  # the one that starts first first

    def covers(self, begin: datetime) -> bool:
        """Whether all that start at this moment or later are known."""
        return self.complete or (self.reach is not None and self.reach.at < begin)

    def found(
        self, wanted: NameSearch, begin: datetime, until: datetime, after: ListPlace | None
    ) -> Iterable[Named]:
        """Those that are looked for, start in [begin, until) and come behind a place in the list.

        The one that starts last first.
        """
        first = bisect_left(self._named, begin, key=_start)
        end = bisect_left(self._named, until, key=_start)
        if after is not None:
            end = min(end, bisect_left(self._named, (after.at, after.appointment_id), key=_place))
        return reversed(wanted.among(self._named[first:end]))

    def read_on(self, named: Sequence[Named], *, last: bool) -> None:
        """Take those that come next in the list; after the last ones there are none."""
        self._named[:0] = reversed(named)
        self.size += size(named)
        if named:
            self.reach = ListPlace.of_named(named[-1])
        self.complete = last

    def change(self, ids: Collection[UUID], named: Iterable[Named]) -> None:
        """Forget these appointments, and take those that have a name as far as it is known."""
        self._named = [each for each in self._named if each[2] not in ids]
        for each in named:
            if self.complete or (self.reach and ListPlace.of_named(each) >= self.reach):
                insort(self._named, each, key=_place)
        self.size = size(self._named)


class OpenedNames:
    """Those of all practices that look for names; one per process."""

    def __init__(self, seconds: float = SECONDS, most: int = MOST) -> None:
        """`seconds` after its last search a practice's names are forgotten."""
        self._seconds = seconds
        self.most = most
        self._of: OrderedDict[UUID, Names] = OrderedDict()
        self._ends: dict[UUID, asyncio.TimerHandle] = {}

    @asynccontextmanager
    async def of(self, practice_id: UUID) -> AsyncIterator[Names]:
        """A practice's, for one search at a time; nothing is known to whom that takes too long."""
        names = self._of.setdefault(practice_id, Names())
        try:
            async with asyncio.timeout(PATIENCE):
                await names.turn.acquire()
        except TimeoutError:
            yield Names()
            return
        try:
            self._stays(practice_id)
            yield names
        finally:
            self._keep(practice_id, names)
            names.turn.release()

    def all(self) -> Sequence[tuple[UUID, Names]]:
        """Each practice's, to be brought up to date in its turn; nobody looks."""
        return [*self._of.items()]

    def forget_all(self) -> None:
        """Of every practice."""
        for practice_id, _ in self.all():
            self._forget(practice_id)

    def _keep(self, practice_id: UUID, names: Names) -> None:
        self._of[practice_id] = names
        self._of.move_to_end(practice_id)
        while sum(each.size for each in self._of.values()) > self.most:
            self._forget(next(iter(self._of)))
        if practice_id in self._of:
            self._stays(practice_id)
            self._ends[practice_id] = asyncio.get_running_loop().call_later(
                self._seconds, self._forget, practice_id
            )

    def _stays(self, practice_id: UUID) -> None:
        if end := self._ends.pop(practice_id, None):
            end.cancel()

    def _forget(self, practice_id: UUID) -> None:
        self._stays(practice_id)
        del self._of[practice_id]
