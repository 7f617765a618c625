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
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from chassis.database import TRANSIENT_ERRORS
from local.folder import cache_folder
from local.kafka import Kafka
from local.kafka_setup import Listener
from local.modules import SERVICES
from local.ports import Ports, free_base, free_port
from local.practice import DEMO_PRACTICE
from local.servers import Servers
from local.stack import Stack, embedded
from reliability.faults.doing import Doing, small_disk
from reliability.faults.evidence import drain, gather
from reliability.faults.inviting import Inviting
from reliability.faults.plan import Fault, draw
from reliability.faults.promises import check
from reliability.faults.proxy import Proxy
from reliability.faults.report import table

PRACTICES = 4
REPLICAS = 3
PER_SECOND = 5.0
LIBFAKETIME = "usr/lib/*/faketime/libfaketime.so.1"
DISKS = {"PostgreSQL": ("postgres", "2g"), "Kafka": ("kafka/log", "2g")}
SETTINGS = {
    "scheduling": {
        "SCHEDULING_WRITES_PER_MINUTE": "1000000",
        "SCHEDULING_DAILY_MESSAGES": ('{"basic": 100000, "standard": 100000, "premium": 100000}'),
        "SCHEDULING_DAILY_SMS_PER_COUNTRY": "100000",
        "SCHEDULING_DAILY_MESSAGES_PER_ADDRESS": "100000",
    },
    "notification": {
        "NOTIFICATION_LEASE_SECONDS": "10",
        "NOTIFICATION_POLL_SECONDS": "0.5",
        "NOTIFICATION_RETRY_FIRST_SECONDS": "1",
        "NOTIFICATION_RETRY_LONGEST_SECONDS": "10",
        "NOTIFICATION_SMTP_TIMEOUT_SECONDS": "8",
        "NOTIFICATION_SMTP_MESSAGE_TIMEOUT_SECONDS": "8",
        "NOTIFICATION_SMS_TIMEOUT_SECONDS": "8",
        "NOTIFICATION_SMS_PER_SECOND": "50",
        "NOTIFICATION_KAFKA_ERASURE_POLL_SECONDS": "3600",
    },
    "status": {"STATUS_POLL_SECONDS": "1"},
}


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
        stack, links = await open_now.enter_async_context(product(folder))
        replicas = [name for service in SERVICES for name in _replicas(service)]
        doing = Doing(stack, replicas=replicas, links=links, quotas=quotas, faketime=faketime())
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
        replicas = _replicas("scheduling")
        desks.append(Inviting(stack, practice_id, replicas, random.Random(dice.random())))
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


@asynccontextmanager
async def product(folder: Path) -> AsyncIterator[tuple[Stack, dict[str, Proxy]]]:
    """Three replicas of each service, with a proxy between any two that talk."""
    base = free_base()
    ports = Ports(base)
    links = {
        f"{name} to {server}": Proxy(free_port(), [target])
        for name in SERVICES
        for server, target in (("Kafka", free_port()), ("PostgreSQL", ports.postgres))
    }
    intake = free_port()
    links["notification to mailbox"] = Proxy(free_port(), [ports.smtp])
    links["notification to phones"] = Proxy(free_port(), [ports.phones])
    links["mailbox to notification"] = Proxy(ports.bounces, [intake])
    env = {name: dict(values) for name, values in SETTINGS.items()}
    for name in SERVICES:
        address = f"127.0.0.1:{links[f'{name} to Kafka'].port}"
        env[name][f"{name.upper()}_KAFKA_BOOTSTRAP"] = address
    receipts = free_port()
    env["notification"] |= {
        "NOTIFICATION_SMTP_PORT": str(links["notification to mailbox"].port),
        "NOTIFICATION_SMS_WEBHOOK_URL": (
            f"http://127.0.0.1:{links['notification to phones'].port}/v1"
        ),
        "NOTIFICATION_INTAKE_PORT": str(intake),
        "NOTIFICATION_SMS_RECEIPTS_URL": f"http://127.0.0.1:{receipts}",
    }
    listeners = [
        Listener(
            name.upper(),
            f"127.0.0.1:{links[f'{name} to Kafka'].targets[0]}",
            f"127.0.0.1:{links[f'{name} to Kafka'].port}",
        )
        for name in SERVICES
    ]
    plain = embedded(cache=cache_folder(), fsync=False)
    servers = Servers(
        lambda place: Kafka(
            place.folder / "kafka",
            cache=cache_folder(),
            ports=place.ports,
            logs=place.logs,
            listeners=listeners,
        ),
        plain.postgres,
    )
    stack = Stack(folder, base_port=base, env=env, servers=servers, journals=True)
    try:
        for link in links.values():
            if link.port != ports.bounces:
                await link.start()
        await stack.start(_say)
        await links["mailbox to notification"].start()
        for name in SERVICES:
            dsn = stack.dsn(name)
            port = links[f"{name} to PostgreSQL"].port
            stack.configure(
                name,
                **{f"{name.upper()}_DATABASE_URL": dsn.replace(f":{ports.postgres}/", f":{port}/")},
            )
        await asyncio.gather(*(stack.service(name).restart() for name in SERVICES))
        for replica in range(2, REPLICAS + 1):
            await asyncio.gather(*(stack.start_service(name, replica=replica) for name in SERVICES))
        targets = [int(stack.url(name).rpartition(":")[2]) for name in _replicas("notification")]
        links["phones to notification"] = Proxy(receipts, targets)
        await links["phones to notification"].start()
        _say("Everything is ready.")
        yield stack, links
    finally:
        await stack.stop()
        for link in links.values():
            await link.stop()


def _replicas(service: str) -> list[str]:
    return [service, *(f"{service}-{number}" for number in range(2, REPLICAS + 1))]


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
