"""How much of what lasts one person may have open at once in this process: others want some too."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.problems import TooBusy


class Places:
    """Counts what each person has open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one_for(self, person: str) -> Iterator[None]:
        """A place, as long as there is need of it. Raises TooBusy."""
        if self._taken[person] >= self._most:
            raise TooBusy
        self._taken[person] += 1
        try:
            yield
        finally:
            self._taken[person] -= 1
            if not self._taken[person]:
                del self._taken[person]
