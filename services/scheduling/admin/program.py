"""What the operator does with practices and keys, and that the audit log stands.

    python -m services.scheduling.admin practice add --name "…" --tariff standard
    python -m services.scheduling.admin practice set UUID --tariff basic | list | show UUID
    python -m services.scheduling.admin key create --practice UUID --name "…" --scope status:read
    python -m services.scheduling.admin key list [--practice UUID] | revoke KEY_ID
    python -m services.scheduling.admin operator create --name "…" | list | revoke KEY_ID
    python -m services.scheduling.admin audit deeds | verify [--kept FILE]

SCHEDULING_ADMIN_DATABASE_URL is the database as its owner sees it: the service's own role can
neither make a key nor revoke one. With SCHEDULING_AUDIT_KEYS, as the service has them, what is done
here is proven in the audit log, and `audit verify` checks the proofs in it.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Annotated

import asyncpg
from fastapi_problem.error import Problem
from pydantic import AfterValidator, Field, SecretStr, TypeAdapter

from chassis.database import TRANSIENT_ERRORS, Database
from chassis.problems import InvalidInput
from chassis.said import in_english
from chassis.secret_keys import check_keys, decode_keys
from services.scheduling.admin import audit, keys, practices
from services.scheduling.admin.command_line import fail
from services.scheduling.audit.log import AuditLog
from services.scheduling.audit.proving import Prover

DATABASE = "SCHEDULING_ADMIN_DATABASE_URL"
AUDIT_KEYS = "SCHEDULING_AUDIT_KEYS"
KEYS: TypeAdapter[dict[int, SecretStr]] = TypeAdapter(
    Annotated[dict[int, SecretStr], Field(min_length=1), AfterValidator(check_keys)]
)
REFUSALS: tuple[type[BaseException], ...] = (Problem, asyncpg.PostgresError, *TRANSIENT_ERRORS)


async def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do it; the exit code, 1 with a sentence on standard error when it can't be done."""
    options = _parser().parse_args(arguments)
    url = environment.get(DATABASE)
    if not url:
        return fail(f"{DATABASE} is not set.")
    try:
        options.prover = _prover(environment.get(AUDIT_KEYS))
    except ValueError:  # names no key
        return fail(f"{AUDIT_KEYS} can't be used.")
    options.audit_log = AuditLog(options.prover)
    try:
        async with Database.open(url, connections=1) as db:
            code: int = await options.command(db, options)
            return code
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


def _prover(keys: str | None) -> Prover | None:
    return Prover(decode_keys(KEYS.validate_json(keys))) if keys else None


def _sentence(error: BaseException) -> str:
    match error:
        case InvalidInput():
            faults = (error.extras or {}).get("errors", [])
            return "\n".join(f"{fault['field']}: {fault['message']}" for fault in faults)
        case Problem():
            return str(in_english(error.title))
        case asyncpg.ForeignKeyViolationError():
            return "There is no such practice."
        case asyncpg.InsufficientPrivilegeError():
            return f"{DATABASE} has to name the owner of the database."
        case _:
            return f"The database does not answer ({type(error).__name__})."
