"""What the operator does with practices and keys.

    python -m services.scheduling.admin practice add --name "…" --tariff standard
    python -m services.scheduling.admin practice list | show UUID | set UUID --tariff basic
    python -m services.scheduling.admin operator create --name "…" | list | revoke KEY_ID
    python -m services.scheduling.admin create --practice UUID --name "…" --scope status:read
    python -m services.scheduling.admin list [--practice UUID]
    python -m services.scheduling.admin revoke KEY_ID

SCHEDULING_ADMIN_DATABASE_URL is the database as its owner sees it: the service's own role can
neither make a key nor revoke one.
"""

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from chassis.database import TRANSIENT_ERRORS, Database
from contracts.rights import RIGHTS_OF_KEYS, Right
from services.scheduling.admin import practices as admin_practices
from services.scheduling.audit import entry as audit
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action
from services.scheduling.keys import api_keys
from services.scheduling.keys import store as key_store

DATABASE = "SCHEDULING_ADMIN_DATABASE_URL"
UNANSWERED: tuple[type[BaseException], ...] = (*TRANSIENT_ERRORS, asyncpg.PostgresError)


def main() -> int:
    """Command line; 1 with a sentence on standard error when it can't be done."""
    options = _parser().parse_args()
    url = os.environ.get(DATABASE)
    if not url:
        return _fail(f"{DATABASE} is not set.")
    try:
        return asyncio.run(_run(url, options))
    except asyncpg.ForeignKeyViolationError:
        return _fail("There is no such practice.")
    except asyncpg.InsufficientPrivilegeError:
        return _fail(f"{DATABASE} has to name the owner of the database.")
    except UNANSWERED as error:
        return _fail(f"The database does not answer ({type(error).__name__}).")


async def _run(url: str, options: argparse.Namespace) -> int:
    db = await Database.connect(url, connections=1)
    try:
        if options.deed in {"practice", "operator"}:
            return await admin_practices.run(db, options)
        if options.deed == "create":
            return await _create(db, options)
        if options.deed == "revoke":
            return await _revoke(db, options.key)
        return await _list(db, options.practice)
    finally:
        await db.close()


async def _create(db: Database, options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    key, secret = api_keys.make(
        options.practice,
        options.name,
        options.scope,
        now=now,
        until=now + timedelta(days=options.days),
    )
    async with db.system() as tx:
        await key_store.add(tx, key)
        done = audit.operator_entry(key.practice_id, Action.KEY_CREATED, now, changed=[key.id])
        await audit_store.add(tx, done)
    print(f"id:      {key.id}")
    print(f"secret:  {secret}")
    print(f"scopes:  {' '.join(sorted(key.scopes))}")
    print(f"expires: {key.expires_at:%Y-%m-%d}")
    print("The secret is shown this once and kept nowhere.", file=sys.stderr)
    return 0


async def _list(db: Database, practice_id: UUID | None) -> int:
    async with db.system() as tx:
        keys = await key_store.listed(tx, practice_id)
    now = datetime.now(UTC)
    for key in keys:
        used = f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never"
        print(
            f"{key.id}  {key.practice_id}  {key.state(now):7}  until {key.expires_at:%Y-%m-%d}"
            f"  used {used:10}  {','.join(sorted(key.scopes))}  {key.name}"
        )
    return 0


async def _revoke(db: Database, key_id: str) -> int:
    now = datetime.now(UTC)
    async with db.system() as tx:
        practice_id = await key_store.revoke(tx, key_id, now)
        if practice_id is None:
            return _fail("There is no such key.")
        done = audit.operator_entry(practice_id, Action.KEY_REVOKED, now, changed=[key_id])
        await audit_store.add(tx, done)
    print("Revoked. Tokens that it was exchanged for hold for five more minutes at most.")
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.scheduling.admin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    deeds = parser.add_subparsers(dest="deed", required=True)
    create = deeds.add_parser("create", help="make a key and print its secret, once")
    create.add_argument("--practice", type=UUID, required=True)
    create.add_argument("--name", type=_name, required=True, help="of the system that will use it")
    create.add_argument(
        "--scope",
        type=Right,
        choices=sorted(RIGHTS_OF_KEYS),
        action="append",
        required=True,
        help="may come several times",
    )
    admin_practices.add_term(create)
    admin_practices.add_parsers(deeds)
    listing = deeds.add_parser("list", help="show keys, without secrets")
    listing.add_argument("--practice", type=UUID)
    deeds.add_parser("revoke", help="end a key for good").add_argument("key", metavar="KEY_ID")
    return parser


def _name(text: str) -> str:
    if not text.strip() or len(text) > 200:
        raise argparse.ArgumentTypeError("a name of 1 to 200 characters")
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())
