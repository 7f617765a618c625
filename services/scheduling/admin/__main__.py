"""What the operator does with practices and keys, and that the audit log stands.

    python -m services.scheduling.admin practice add --name "…" --tariff standard
    python -m services.scheduling.admin practice set UUID --tariff basic | list | show UUID
    python -m services.scheduling.admin key create --practice UUID --name "…" --scope status:read
    python -m services.scheduling.admin key list [--practice UUID] | revoke KEY_ID
    python -m services.scheduling.admin operator create --name "…" | list | revoke KEY_ID
    python -m services.scheduling.admin audit deeds | verify [--kept FILE]

SCHEDULING_ADMIN_DATABASE_URL is the database as its owner sees it: the service's own role can
neither make a key nor revoke one.
"""

import argparse
import asyncio
import os
import sys

import asyncpg
from fastapi_problem.error import Problem

from chassis.database import TRANSIENT_ERRORS, Database
from chassis.problems import InvalidInput
from services.scheduling.admin import audit, keys, practices
from services.scheduling.admin.command_line import fail

DATABASE = "SCHEDULING_ADMIN_DATABASE_URL"
REFUSALS: tuple[type[BaseException], ...] = (Problem, asyncpg.PostgresError, *TRANSIENT_ERRORS)


def main() -> int:
    """Command line; 1 with a sentence on standard error when it can't be done."""
    options = _parser().parse_args()
    url = os.environ.get(DATABASE)
    if not url:
        return fail(f"{DATABASE} is not set.")
    try:
        return asyncio.run(_run(url, options))
    except REFUSALS as error:
        return fail(_sentence(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.scheduling.admin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    practices.add_parsers(commands)
    keys.add_parsers(commands)
    audit.add_parsers(commands)
    return parser


async def _run(url: str, options: argparse.Namespace) -> int:
    async with Database.open(url, connections=1) as db:
        code: int = await options.command(db, options)
        return code


def _sentence(error: BaseException) -> str:
    match error:
        case InvalidInput():
            faults = (error.extras or {}).get("errors", [])
            return "\n".join(f"{fault['field']}: {fault['message']}" for fault in faults)
        case Problem():
            return error.title
        case asyncpg.ForeignKeyViolationError():
            return "There is no such practice."
        case asyncpg.InsufficientPrivilegeError():
            return f"{DATABASE} has to name the owner of the database."
        case _:
            return f"The database does not answer ({type(error).__name__})."


if __name__ == "__main__":
    sys.exit(main())
