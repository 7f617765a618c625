"""Housekeeping: a deed in the database, now and then, for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from chassis.database import TRANSIENT_ERRORS, Connection, Database


async def every(
    seconds: float, db: Database, deed: Callable[[Connection], Awaitable[None]]
) -> None:
    """Do `deed` in a system transaction every `seconds`; an outage is left to the next time."""
    while True:
        with suppress(*TRANSIENT_ERRORS):
            async with db.system() as tx:
                await deed(tx)
        await asyncio.sleep(seconds)
