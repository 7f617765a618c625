"""How many letters may surely be written before those of the day have to be counted again.

Counting them reads each letter of the day: a practice that has written a thousand would read a
thousand for each further one.
"""

from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

# A practice, the country if its letters to one are meant, and how many a day it may write there.
Scope: TypeAlias = tuple[UUID, str | None, int]

# Of what is left a process may write so much without looking: ten keep the bound between them.
SHARE = 10
KNOWN_FOR = timedelta(minutes=1)  # what others write meanwhile is not seen
MOST = 10_000  # scopes in memory


class Headroom:
    """What this process may write without counting, by scope. Not for several threads."""

    def __init__(self) -> None:
        self._left: dict[Scope, tuple[datetime, int]] = {}

    def take(self, scope: Scope, now: datetime) -> bool:
        """Whether a letter more may be written without counting; it then is counted here."""
        counted_at, left = self._left.get(scope, (now, 0))
        if left < 1 or not timedelta() <= now - counted_at < KNOWN_FOR:
            return False
        self._left[scope] = counted_at, left - 1
        return True

    def counted(self, scope: Scope, left: int, now: datetime) -> None:
        """As the database says, so many may still be written."""
        if len(self._left) >= MOST:
            self._left.clear()
        self._left[scope] = now, left // SHARE
