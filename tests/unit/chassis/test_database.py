"""Transactions on connections that were lost."""

from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from chassis.database import TRANSIENT_ERRORS, Database


class Unusable:
    """A pool and its one connection, which the server has ended with words nobody expected."""

    terminated = False

    def __init__(self, refuses: str = "") -> None:
        """`refuses`: the statements that fail."""
        self._refuses = refuses

    def is_closed(self) -> bool:
        return False  # asyncpg does not know yet

    def acquire(self, timeout: float) -> "Unusable":
        return self

    async def __aenter__(self) -> "Unusable":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def execute(self, query: str) -> None:
        if query.startswith(self._refuses):
            raise asyncpg.InternalClientError('the protocol is in the "failed" state')

    def terminate(self) -> None:
        self.terminated = True


async def test_an_unusable_connection_is_dropped_and_counts_as_lost() -> None:
    pool = Unusable()
    with pytest.raises(TRANSIENT_ERRORS):
        async with Database(cast(Any, pool)).practice(UUID(int=1)):
            pytest.fail("nothing has begun")
    assert pool.terminated


async def test_what_went_wrong_is_raised_where_nothing_can_be_undone() -> None:
    """A statement that took too long has its connection closed, and there is nothing to ask."""
    pool = Unusable(refuses="ROLLBACK")
    with pytest.raises(TimeoutError):
        async with Database(cast(Any, pool)).practice(UUID(int=1)):
            raise TimeoutError
    assert pool.terminated
