"""Housekeeping: a deed in the database, now and then, for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from chassis.database import TRANSIENT_ERRORS, Connection, Database


async def every(
    seconds: float, db: Database, deed: Callable[[Connection], Awaitable[bool | None]]
) -> None:
    """Do `deed` in a system transaction every `seconds`; an outage is left to the next time.

    A deed that works in batches says True when there is more: then it is done again at once, in a
    transaction of its own.
    """
    while True:
        with suppress(*TRANSIENT_ERRORS):
            more: bool | None = True
            while more:
                async with db.system() as tx:
                    more = await deed(tx)
        await asyncio.sleep(seconds)
