"""What the operator sees and does of webhooks: secrets and events are not among it.

    python -m services.webhooks.admin list [--practice UUID] [--disabled]
    python -m services.webhooks.admin log WEBHOOK_ID
    python -m services.webhooks.admin disable WEBHOOK_ID | enable WEBHOOK_ID

WEBHOOKS_ADMIN_DATABASE_URL is the database as its owner sees it.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

from chassis.clock import utc_now
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from services.webhooks import endpoint_store, store
from services.webhooks.endpoints import DisabledReason, Endpoint

DATABASE = "WEBHOOKS_ADMIN_DATABASE_URL"
LOG_LINES = 50
REFUSALS: tuple[type[BaseException], ...] = (asyncpg.PostgresError, *TRANSIENT_ERRORS)

Command = Callable[[Connection, argparse.Namespace], Awaitable[int]]


def main() -> int:
    """Command line; 1 with a sentence on standard error when it can't be done."""
    options = _parser().parse_args()
    url = os.environ.get(DATABASE)
    if not url:
        return _fail(f"{DATABASE} is not set.")
    try:
        return asyncio.run(_run(url, options))
    except asyncpg.InsufficientPrivilegeError:
        return _fail(f"{DATABASE} has to name the owner of the database.")
    except REFUSALS as error:
        return _fail(f"The database does not answer ({type(error).__name__}).")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.webhooks.admin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="webhooks, and whether they are reached")
    listing.add_argument("--practice", type=UUID)
    listing.add_argument("--disabled", action="store_true", help="only those given up or gone")
    listing.set_defaults(command=_list)
    for name, command, does in (
        ("log", _log, "the last calls of one"),
        ("disable", _disable, "send it nothing more; what waits for it is dropped"),
        ("enable", _enable, "send to it again; its practice replays what it missed"),
    ):
        one = commands.add_parser(name, help=does, description=does)
        one.add_argument("webhook", type=UUID, metavar="WEBHOOK_ID")
        one.set_defaults(command=command)
    return parser


async def _run(url: str, options: argparse.Namespace) -> int:
    async with Database.open(url, connections=1) as db, db.system() as tx:
        command: Command = options.command
        return await command(tx, options)


async def _list(tx: Connection, options: argparse.Namespace) -> int:
    found = await endpoint_store.every(tx, options.practice)
    waiting = await store.waiting(tx, [each.id for each in found])
    given_up = {DisabledReason.GONE, DisabledReason.FAILING}
    for each in found:
        if not options.disabled or each.disabled_reason in given_up:
            print(
                f"{each.id}  {each.practice_id}  {_state(each)}  {waiting.get(each.id, 0)} waiting"
                f"  {each.url}"
            )
    return 0


async def _log(tx: Connection, options: argparse.Namespace) -> int:
    found = await endpoint_store.lock_any(tx, [options.webhook])
    if not found:
        return _fail("There is no such webhook.")
    for each in await store.attempts(
        tx, found[0].practice_id, options.webhook, before=None, limit=LOG_LINES
    ):
        again = f"  again {each.next_try_at:%Y-%m-%d %H:%M}" if each.next_try_at else ""
        print(
            f"{each.at:%Y-%m-%d %H:%M:%S}  {each.event_id}  {each.event_type}  try {each.number}"
            f"  {each.result} {each.status or ''}  {each.milliseconds} ms{again}"
        )
    return 0


async def _disable(tx: Connection, options: argparse.Namespace) -> int:
    if not await endpoint_store.lock_any(tx, [options.webhook]):
        return _fail("There is no such webhook.")
    await endpoint_store.disable(tx, options.webhook, DisabledReason.OPERATOR, utc_now())
    print("Disabled.")
    return 0


async def _enable(tx: Connection, options: argparse.Namespace) -> int:
    if not await endpoint_store.lock_any(tx, [options.webhook]):
        return _fail("There is no such webhook.")
    await endpoint_store.enable(tx, options.webhook)
    print("Enabled. What came meanwhile its practice replays.")
    return 0


def _state(endpoint: Endpoint) -> str:
    if endpoint.disabled_at is not None:
        return f"{endpoint.disabled_reason} since {endpoint.disabled_at:%Y-%m-%d %H:%M}"
    if endpoint.failing_since is not None:
        return f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M}"
    return "reached"


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
