"""The parts of the operator's command line about practices, and about keys of the API for them."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.problems import InvalidInput
from contracts.languages import LANGUAGES
from services.scheduling import practice_store
from services.scheduling.keys import operators
from services.scheduling.practice import Practice, PracticeChange, new_practice
from services.scheduling.problems import NoSuchPractice, PracticeExists

LONGEST_DAYS = 730


def add_parsers(deeds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add „practice" and „operator" to the command line."""
    practice = deeds.add_parser("practice", help="set practices up and change them")
    practice_deeds = practice.add_subparsers(dest="practice_deed", required=True)
    add = practice_deeds.add_parser("add", help="set one up and print it")
    add.add_argument("--id", type=UUID, help="as the identity provider knows it; made if left out")
    _add_settings(add, name_required=True)
    change = practice_deeds.add_parser("set", help="change what is named")
    change.add_argument("practice", type=UUID)
    _add_settings(change, name_required=False)
    practice_deeds.add_parser("show", help="print one").add_argument("practice", type=UUID)
    practice_deeds.add_parser("list", help="print all, one a line")

    operator = deeds.add_parser("operator", help="keys of the API for practices (/v1/admin)")
    operator_deeds = operator.add_subparsers(dest="operator_deed", required=True)
    create = operator_deeds.add_parser("create", help="make a key and print its secret, once")
    create.add_argument("--name", required=True, help="of the system that will use it")
    add_term(create)
    operator_deeds.add_parser("list", help="show keys, without secrets")
    operator_deeds.add_parser("revoke", help="end a key at once").add_argument("key")


def add_term(parser: argparse.ArgumentParser) -> None:
    """Add `--days`, for which a key is to hold."""
    parser.add_argument("--days", type=_days, default=365, help="until it expires; 365 if left out")


async def run(db: Database, options: argparse.Namespace) -> int:
    """Carry it out; 1 with a sentence on standard error when it can't be done."""
    try:
        if options.deed == "operator":
            return await _operator(db, options)
        return await _practice(db, options)
    except InvalidInput as refused:
        for fault in (refused.extras or {}).get("errors", []):
            print(f"{fault['field']}: {fault['message']}", file=sys.stderr)
    except (NoSuchPractice, PracticeExists) as refused:
        print(refused.title, file=sys.stderr)
    return 1


async def _practice(db: Database, options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    async with db.operator() as tx:
        if options.practice_deed == "list":
            after: UUID | None = None
            while page := await practice_store.page(tx, after):
                for each in page:
                    print(f"{each.id}  {each.tariff:8}  {each.time_zone:20}  {each.name}")
                after = page[-1].id
            return 0
        if options.practice_deed == "add":
            found = new_practice(options.id or uuid7(), _settings(options))
            await practice_store.add(tx, found, now)
        elif options.practice_deed == "set":
            found = await practice_store.change(tx, options.practice, _settings(options), now)
        else:
            found = await practice_store.get(tx, options.practice)
    _show(found)
    return 0


async def _operator(db: Database, options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    async with db.operator() as tx:
        if options.operator_deed == "create":
            if not options.name.strip() or len(options.name) > 200:
                print("A name of 1 to 200 characters is needed.", file=sys.stderr)
                return 1
            until = now + timedelta(days=options.days)
            made, secret = operators.make(options.name.strip(), now=now, until=until)
            await operators.add(tx, made)
            print(f"id:      {made.id}\nsecret:  {secret}\nexpires: {until:%Y-%m-%d}")
            print("The secret is shown this once and kept nowhere.", file=sys.stderr)
        elif options.operator_deed == "revoke":
            if not await operators.revoke(tx, options.key, now):
                print("There is no such key.", file=sys.stderr)
                return 1
            print("Revoked.")
        else:
            for key in await operators.listed(tx):
                used = f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never"
                print(
                    f"{key.id}  {key.state(now):7}  until {key.expires_at:%Y-%m-%d}"
                    f"  used {used:10}  {key.name}"
                )
    return 0


def _add_settings(parser: argparse.ArgumentParser, *, name_required: bool) -> None:
    parser.add_argument("--name", required=name_required, help="the sender's name in invitations")
    parser.add_argument("--time-zone", help="as Europe/Berlin")
    parser.add_argument("--tariff", help="basic, standard or premium")
    parser.add_argument("--language", help=", ".join(LANGUAGES))
    parser.add_argument(
        "--reminders",
        type=_minutes,
        metavar="MINUTES",
        help='before the start, as 1440,60; "" none',
    )
    parser.add_argument(
        "--retention-days", type=int, help="for which patients' data is kept after the end; 0 to 88"
    )


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"1 to {LONGEST_DAYS} days")
    return int(text)


def _minutes(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")] if text.strip() else []
    except ValueError:
        raise argparse.ArgumentTypeError("whole minutes with commas between") from None


def _settings(options: argparse.Namespace) -> PracticeChange:
    names = PracticeChange.__dataclass_fields__
    given: dict[str, Any] = {name: getattr(options, name) for name in names}
    return PracticeChange(**given)


def _show(practice: Practice) -> None:
    reminders = ",".join(str(minutes) for minutes in practice.reminders)
    print(f"id:             {practice.id}")
    print(f"name:           {practice.name}")
    print(f"time-zone:      {practice.time_zone}")
    print(f"tariff:         {practice.tariff}")
    print(f"language:       {practice.language}")
    print(f"reminders:      {reminders}")
    print(f"retention-days: {practice.retention_days}")
