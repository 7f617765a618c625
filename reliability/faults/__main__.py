"""`make faults`: invitations while parts are killed, paused and cut off, and whether all held.

    python -m reliability.faults [--invitations 2000] [--faults 60] [--seed N] [--keep FOLDER]

Ends with 1 if a promise is broken. The seed draws the same faults again; when exactly each hits is
up to the machine.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from chassis.database import TRANSIENT_ERRORS
from local.practice import DEMO_PRACTICE
from local.stack import Stack
from reliability import SERVICES
from reliability.faults.doing import Doing, small_disk
from reliability.faults.evidence import drain, gather
from reliability.faults.inviting import Inviting
from reliability.faults.plan import Fault, draw
from reliability.faults.product import product, replicas
from reliability.faults.promises import check
from reliability.faults.report import table

PRACTICES = 4
PER_SECOND = 5.0
LIBFAKETIME = "usr/lib/*/faketime/libfaketime.so.1"
DISKS = {"PostgreSQL": ("postgres", "2g"), "Kafka": ("kafka/log", "2g")}


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    invitations: int
    faults: int
    per_second: float
    seed: int
    keep: Path | None


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reliability.faults")
    parser.add_argument("--invitations", type=int, default=2_000)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--per-second", type=float, default=PER_SECOND)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", type=Path, help="where all data stays, to look into")
    options = Options(**vars(parser.parse_args()))
    print(f"seed {options.seed}", flush=True)
    return asyncio.run(campaign(options))


async def campaign(options: Options) -> int:
    """Everything; 1 where a promise is broken."""
    async with AsyncExitStack() as open_now:
        folder = options.keep or Path(
            open_now.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        )
        quotas = {}
        for server, (place, size) in DISKS.items():
            if await open_now.enter_async_context(small_disk(folder / place, size)):
                quotas[server] = folder / place
        stack, links = await open_now.enter_async_context(product(folder, _say))
        everyone = [name for service in SERVICES for name in replicas(service)]
        doing = Doing(stack, replicas=everyone, links=links, quotas=quotas, faketime=faketime())
        left_out = [kind for kind, found in doing.targets().items() if not found]
        print(f"not here: {', '.join(left_out) or 'nothing'}; small disks: {[*quotas]}", flush=True)
        seconds = options.invitations / options.per_second
        plan = draw(
            options.seed,
            doing.targets(),
            count=options.faults,
            every=seconds / max(1, options.faults),
        )
        return await under_load(stack, doing, plan, options)


def faketime() -> Path | None:
    """Debian's library that lies about the time, where it is installed."""
    return next(iter(sorted(Path("/").glob(LIBFAKETIME))), None)


async def under_load(stack: Stack, doing: Doing, plan: Sequence[Fault], options: Options) -> int:
    """Invite while the plan is done, wait until nothing is under way, check and print."""
    since = datetime.now(UTC)
    dice = random.Random(options.seed)
    practices = [UUID(int=options.seed * 100 + number + 1) for number in range(PRACTICES)]
    desks = []
    for practice_id in practices:
        await stack.add_practice(replace(DEMO_PRACTICE, id=practice_id))
        desks.append(
            Inviting(stack, practice_id, replicas("scheduling"), random.Random(dice.random()))
        )
    looking = asyncio.create_task(look(stack, desks))
    each = options.invitations // PRACTICES
    work = [desk.run(each, options.per_second / PRACTICES) for desk in desks]
    doings = asyncio.create_task(doing.run(plan, _say))
    await asyncio.gather(doings, *work)
    happened = doings.result()
    _say("All faults are over and all requests answered; what is under way comes to its end.")
    await drain(stack, practices)
    looking.cancel()
    accounts = [desk.account for desk in desks]
    seen = await gather(stack, practices, accounts, since=since)
    broken = check(seen)
    print(table(seen, broken, happened, accounts))
    print("A promise is BROKEN." if broken else "Every promise was kept.")
    for desk in desks:
        await desk.close()
    return 1 if broken else 0


async def look(stack: Stack, desks: Sequence[Inviting]) -> None:
    """Note for ever what has come to an end."""
    while True:
        with suppress(*TRANSIENT_ERRORS, asyncpg.PostgresError):
            connection = await asyncpg.connect(stack.owner_dsn("status"), timeout=5)
            try:
                while True:
                    for desk in desks:
                        await desk.look(connection)
                    await asyncio.sleep(0.5)
            finally:
                connection.terminate()
        await asyncio.sleep(0.5)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
