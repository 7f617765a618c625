"""The command `practice`: setting practices up and changing them."""

import argparse
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Database
from contracts.languages import LANGUAGES
from contracts.terms import MAX_RETENTION_DAYS
from services.scheduling import practice_store
from services.scheduling.admin import registry
from services.scheduling.admin.command_line import Subcommands
from services.scheduling.audit.entry import COMMAND_LINE
from services.scheduling.practice import Practice, PracticeChange


def add_parsers(commands: Subcommands) -> None:
    """Add `practice` to the command line."""
    practice = commands.add_parser("practice", help="set practices up and change them")
    practice_commands = practice.add_subparsers(metavar="COMMAND", required=True)
    add = practice_commands.add_parser("add", help="set one up and print it")
    add.add_argument("--id", type=UUID, help="as the identity provider knows it; made if left out")
    _add_settings(add, name_required=True)
    add.set_defaults(command=_add)
    change = practice_commands.add_parser("set", help="change what is named")
    change.add_argument("practice", type=UUID)
    _add_settings(change, name_required=False)
    change.set_defaults(command=_set)
    show = practice_commands.add_parser("show", help="print one")
    show.add_argument("practice", type=UUID)
    show.set_defaults(command=_show)
    listing = practice_commands.add_parser("list", help="print all, one a line")
    listing.set_defaults(command=_list)


async def _add(db: Database, options: argparse.Namespace) -> int:
    async with db.operator() as tx:
        added = await registry.create(
            tx, options.audit_log, COMMAND_LINE, options.id or uuid7(), _change(options)
        )
    _print(added)
    return 0


async def _set(db: Database, options: argparse.Namespace) -> int:
    async with db.operator() as tx:
        changed = await registry.change(
            tx, options.audit_log, COMMAND_LINE, options.practice, _change(options)
        )
    _print(changed)
    return 0


async def _show(db: Database, options: argparse.Namespace) -> int:
    async with db.operator() as tx:
        found = await practice_store.get(tx, options.practice)
    _print(found)
    return 0


async def _list(db: Database, _options: argparse.Namespace) -> int:
    async with db.operator() as tx:
        after: UUID | None = None
        while page := await practice_store.page(tx, after):
            for each in page:
                print(f"{each.id}  {each.tariff:8}  {each.time_zone:20}  {each.name}")
            after = page[-1].id
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
        "--retention-days",
        type=int,
        help=f"for which patients' data is held after the end; 0 to {MAX_RETENTION_DAYS}",
    )
    parser.add_argument("--phone", help='on which patients reach it; "" none')
    parser.add_argument("--reply-address", help='where answers to a mail go; "" none')
    parser.add_argument(
        "--postal-address", nargs="+", metavar="LINE", help='each line in quotes; "" none'
    )
    parser.add_argument(
        "--asks-for-answer",
        action=argparse.BooleanOptionalAction,
        help="whether patients' calendars are asked to accept or decline",
    )
    parser.add_argument(
        "--quiet-hours",
        action=argparse.BooleanOptionalAction,
        help="whether SMS wait for the morning: from 21 to 8, invitations on Sundays too",
    )
    parser.add_argument(
        "--daily-mail-address", help='where a daily mail of how much is open goes; "" nowhere'
    )
    parser.add_argument(
        "--daily-mail-hour", type=int, help="at which hour of the practice's day; 0 to 23"
    )
    parser.add_argument(
        "--daily-messages", type=int, help="letters to patients in 24 hours; 0 as the tariff has"
    )
    parser.add_argument(
        "--daily-sms-per-country", type=int, help="SMS to one country in 24 hours; 0 as for all"
    )
    parser.add_argument(
        "--sms-countries", type=_countries, metavar="CODES", help='as DE,AT,CH; "" as for all'
    )


def _minutes(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")] if text.strip() else []
    except ValueError:
        raise argparse.ArgumentTypeError("whole minutes with commas between") from None


def _countries(text: str) -> list[str]:
    return text.split(",") if text.strip() else []


def _change(options: argparse.Namespace) -> PracticeChange:
    names = PracticeChange.__dataclass_fields__
    given: dict[str, Any] = {name: getattr(options, name) for name in names}
    if options.postal_address is not None:
        given["postal_address"] = "\n".join(options.postal_address)
    return PracticeChange(**given)


def _print(practice: Practice) -> None:
    reminders = ",".join(str(minutes) for minutes in practice.reminders)
    print(f"id:             {practice.id}")
    print(f"name:           {practice.name}")
    print(f"time-zone:      {practice.time_zone}")
    print(f"tariff:         {practice.tariff}")
    print(f"language:       {practice.language}")
    print(f"reminders:      {reminders}")
    print(f"retention-days: {practice.retention_days}")
    print(f"phone:          {practice.phone or 'none'}")
    print(f"reply-address:  {practice.reply_address or 'none'}")
    print(f"postal-address: {', '.join(practice.postal_address.splitlines()) or 'none'}")
    print(f"asks-for-answer: {'yes' if practice.asks_for_answer else 'no'}")
    print(f"quiet-hours:    {'yes' if practice.quiet_hours else 'no'}")
    print(f"daily-mail-address: {practice.daily_mail_address or 'none'}")
    print(f"daily-mail-hour: {practice.daily_mail_hour}")
    print(f"daily-messages: {practice.daily_messages or 'as the tariff'}")
    print(f"daily-sms-per-country: {practice.daily_sms_per_country or 'as all'}")
    print(f"sms-countries:  {','.join(practice.sms_countries) or 'as all'}")
