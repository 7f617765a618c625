"""The commands `key` and `operator`: keys of clinics' systems, and of operators."""

import argparse
import sys
from datetime import datetime, timedelta
from uuid import UUID

from chassis.clock import utc_now
from chassis.database import Connection, Database
from contracts.rights import RIGHTS_OF_KEYS, Right
from services.scheduling.admin.command_line import Subcommands, fail
from services.scheduling.audit import entry as audit
from services.scheduling.audit.entry import COMMAND_LINE, Action
from services.scheduling.audit.log import AuditLog
from services.scheduling.keys import key as keys
from services.scheduling.keys.key import ClinicSystem, Key, Operator, OwnerT
from services.scheduling.keys.store import API_KEYS, OPERATOR_KEYS

MAX_DAYS = 730


def add_parsers(commands: Subcommands) -> None:
    """Add `key` and `operator` to the command line."""
    key = commands.add_parser("key", help="API keys of clinics' systems, each for one practice")
    key_commands = key.add_subparsers(metavar="COMMAND", required=True)
    create = _add_create(key_commands)
    create.add_argument("--practice", type=UUID, required=True)
    create.add_argument(
        "--scope",
        type=_scope,
        action="append",
        required=True,
        metavar="SCOPE",
        help=f"{', '.join(sorted(RIGHTS_OF_KEYS))}; may come several times",
    )
    create.set_defaults(command=_create_key)
    listing = key_commands.add_parser("list", help="show keys, without secrets")
    listing.add_argument("--practice", type=UUID)
    listing.set_defaults(command=_list_keys)
    revoke = key_commands.add_parser("revoke", help="end a key for good")
    revoke.add_argument("key", metavar="KEY_ID")
    revoke.set_defaults(command=_revoke_key)

    operator = commands.add_parser("operator", help="keys of the API for practices (/v1/admin)")
    operator_commands = operator.add_subparsers(metavar="COMMAND", required=True)
    _add_create(operator_commands).set_defaults(command=_create_operator)
    listing = operator_commands.add_parser("list", help="show keys, without secrets")
    listing.set_defaults(command=_list_operators)
    revoke = operator_commands.add_parser("revoke", help="end a key at once")
    revoke.add_argument("key", metavar="KEY_ID")
    revoke.set_defaults(command=_revoke_operator)


def _add_create(commands: Subcommands) -> argparse.ArgumentParser:
    parser = commands.add_parser("create", help="make a key and print its secret, once")
    parser.add_argument("--name", type=_name, required=True, help="of the system that will use it")
    parser.add_argument("--days", type=_days, default=365, help="until it expires; 365 if left out")
    return parser


def _scope(text: str) -> Right:
    if text not in RIGHTS_OF_KEYS:
        scopes = ", ".join(sorted(RIGHTS_OF_KEYS))
        raise argparse.ArgumentTypeError(f"{text!r} is no scope of a key; there are {scopes}.")
    return Right(text)


async def _create_key(db: Database, options: argparse.Namespace) -> int:
    owner = ClinicSystem(options.practice, frozenset(options.scope))
    key, secret = _create(owner, options, utc_now())
    async with db.system() as tx:
        await API_KEYS.add(tx, key)
        await _note(tx, options.audit_log, key, key.owner.practice_id, Action.KEY_CREATED)
    _show_created(key, secret, f"scopes:  {' '.join(sorted(key.owner.scopes))}")
    return 0


async def _list_keys(db: Database, options: argparse.Namespace) -> int:
    async with db.system() as tx:
        found = await API_KEYS.all(tx)
    now = utc_now()
    for key in sorted(found, key=lambda each: each.owner.practice_id):
        if options.practice in {None, key.owner.practice_id}:
            scopes = ",".join(sorted(key.owner.scopes))
            print(f"{key.id}  {key.owner.practice_id}  {_state(key, now)}  {scopes}  {key.name}")
    return 0


async def _revoke_key(db: Database, options: argparse.Namespace) -> int:
    async with db.system() as tx:
        key = await API_KEYS.revoke(tx, options.key, utc_now())
        if key is None:
            return fail("There is no such key.")
        await _note(tx, options.audit_log, key, key.owner.practice_id, Action.KEY_REVOKED)
    print("Revoked. Tokens that it was exchanged for hold for five more minutes at most.")
    return 0


async def _create_operator(db: Database, options: argparse.Namespace) -> int:
    key, secret = _create(Operator(), options, utc_now())
    async with db.operator() as tx:
        await OPERATOR_KEYS.add(tx, key)
        await _note(tx, options.audit_log, key, None, Action.OPERATOR_KEY_CREATED)
    _show_created(key, secret)
    return 0


async def _list_operators(db: Database, _options: argparse.Namespace) -> int:
    async with db.operator() as tx:
        found = await OPERATOR_KEYS.all(tx)
    now = utc_now()
    for key in found:
        print(f"{key.id}  {_state(key, now)}  {key.name}")
    return 0


async def _revoke_operator(db: Database, options: argparse.Namespace) -> int:
    async with db.operator() as tx:
        key = await OPERATOR_KEYS.revoke(tx, options.key, utc_now())
        if key is None:
            return fail("There is no such key.")
        await _note(tx, options.audit_log, key, None, Action.OPERATOR_KEY_REVOKED)
    print("Revoked.")
    return 0


def _create(owner: OwnerT, options: argparse.Namespace, now: datetime) -> tuple[Key[OwnerT], str]:
    expires_at = now + timedelta(days=options.days)
    return keys.create(owner, options.name, now=now, expires_at=expires_at)


def _show_created(key: Key[OwnerT], secret: str, *lines: str) -> None:
    print(f"id:      {key.id}", f"secret:  {secret}", *lines, sep="\n")
    print(f"expires: {key.expires_at:%Y-%m-%d}")
    print("The secret is shown this once and stored nowhere.", file=sys.stderr)


def _state(key: Key[OwnerT], now: datetime) -> str:
    used = f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never"
    return f"{key.state(now):7}  until {key.expires_at:%Y-%m-%d}  used {used:10}"


async def _note(
    tx: Connection, log: AuditLog, key: Key[OwnerT], practice_id: UUID | None, action: Action
) -> None:
    done = audit.operator_deed(COMMAND_LINE, practice_id, action, changed=[key.id])
    await log.enter(tx, done)


def _name(text: str) -> str:
    try:
        return keys.checked_name(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"1 to {MAX_DAYS} days")
    return int(text)
