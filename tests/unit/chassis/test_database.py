"""Transactions on connections that were lost."""

from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from chassis.database import TRANSIENT_ERRORS, Database


class Unusable:
    """A pool and its one connection, which the server has ended with words nobody expected."""

    terminated = False

    def acquire(self, timeout: float) -> "Unusable":
        return self

    async def __aenter__(self) -> "Unusable":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def execute(self, query: str) -> None:
        raise asyncpg.InternalClientError('the protocol is in the "failed" state')

    def terminate(self) -> None:
        self.terminated = True


async def test_an_unusable_connection_is_dropped_and_counts_as_lost() -> None:
    pool = Unusable()
    with pytest.raises(TRANSIENT_ERRORS):
        async with Database(cast(Any, pool)).practice(UUID(int=1)):
            pytest.fail("nothing has begun")
    assert pool.terminated
