"""Statements that go to the database in one round trip, as the parts of one WITH query.

For writes that do not need each other's results: they see the rows as they were before all of
them, and their order is the database's. Constraints are checked once all are done.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol

from asyncpg import Record

from chassis.database import Connection

PARAMETER = re.compile(r"\$(\d+)")


class Writer(Protocol):
    """What a statement is given to: a connection, or one that collects."""

    async def execute(self, query: str, /, *args: Any) -> Any:
        """Take a statement that returns nothing."""
        ...


class Together:
    """Collects statements: INSERT, UPDATE or DELETE, of different tables."""

    def __init__(self) -> None:
        self._statements: list[tuple[str, int]] = []
        self._arguments: list[Any] = []

    async def execute(self, query: str, /, *args: Any) -> None:
        """Collect a statement."""
        self._statements.append((query, len(args)))
        self._arguments += args

    async def send(self, tx: Connection) -> None:
        """Execute what was collected. Raises what the database says of any of them."""
        if self._statements:
            await tx.execute(_joined(tuple(self._statements)), *self._arguments)

    def _returning(self) -> str:
        return _joined(tuple(self._statements), returning=True)


@asynccontextmanager
async def together(tx: Connection) -> AsyncIterator[Together]:
    """Collects within the context, and sends at its end."""
    collected = Together()
    yield collected
    await collected.send(tx)


async def fetch_each(tx: Connection, collected: Sequence[Together]) -> Sequence[Record]:
    """One after the other, in one round trip; of each the row that its last one returns.

    All have collected the same statements.
    """
    if not collected:
        return []
    [query] = {each._returning() for each in collected}
    rows: list[Record] = await tx.fetchmany(query, [each._arguments for each in collected])
    return rows


@lru_cache(maxsize=100)
def _joined(statements: tuple[tuple[str, int], ...], *, returning: bool = False) -> str:
    """One query of all, whose parameters are numbered through."""
    numbered: list[str] = []
    before = 0
    for query, arguments in statements:
        numbered.append(_renumbered(query, before))
        before += arguments
    last = numbered.pop() if returning else "SELECT"
    parts = [f"part_{number} AS ({query})" for number, query in enumerate(numbered, start=1)]
    return f"WITH {', '.join(parts)} {last}" if parts else last


def _renumbered(query: str, before: int) -> str:
    return PARAMETER.sub(lambda found: f"${int(found[1]) + before}", query)
