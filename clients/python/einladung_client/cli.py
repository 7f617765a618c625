"""The command line: `einladung invite | open | watch`.

Where the installation is, and the key, it takes from EINLADUNG_SCHEDULING, EINLADUNG_STATUS,
EINLADUNG_KEY_ID and EINLADUNG_KEY_SECRET; `eval "$(make --silent key)"` sets them for the demo.
"""

import argparse
import datetime as dt
import sys
from collections.abc import Iterable
from uuid import UUID

from pydantic import ValidationError
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from einladung_client.client import Einladung
from einladung_client.connection import Installation, Refused, Unreachable
from einladung_client.models import Appointment, Deleted, Indicator, Moved, NewAppointment, Ready
from einladung_client.version import CONTRACTS, VERSION

MARKS = {
    "pending": "[dim]… pending[/]",
    "delivered": "[green]✓ delivered[/]",
    "failed": "[red]✗ failed[/]",
    "unconfirmed": "[yellow]? unconfirmed[/]",
}
MOST_ROWS = 40


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 with a sentence on standard error where it can't be done."""
    options = _parser().parse_args(arguments)
    try:
        with Einladung(Installation.from_environment()) as einladung:
            options.command(einladung, options)
    except KeyError as missing:
        return _fail(f"{missing.args[0]} is not set: see `einladung --help`.")
    except ValidationError as invalid:
        faults = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in invalid.errors())
        return _fail("; ".join(faults))
    except (Refused, Unreachable) as failed:
        return _fail(str(failed))
    except KeyboardInterrupt:
        return 130
    return 0


def invite(einladung: Einladung, options: argparse.Namespace) -> None:
    """Create an appointment and invite its patient."""
    addresses = {"email": options.email, "sms": options.phone}
    created = einladung.invite(
        NewAppointment.model_validate(
            {
                "patient_name": options.name,
                "channels": [channel for channel, address in addresses.items() if address],
                "email": options.email,
                "phone": options.phone,
                "date": options.date,
                "time": options.time,
                "duration_minutes": options.minutes,
                "consent": options.consent,
            }
        ),
        idempotency_key=options.idempotency_key,
    )
    print(created.id)


def show_open(einladung: Einladung, _options: argparse.Namespace) -> None:
    """What somebody has to do something about."""
    rows = Rows(einladung)
    rows.begin()
    Console().print(rows.table())


def watch(einladung: Einladung, options: argparse.Namespace) -> None:
    """What is open, and every change as it happens."""
    rows = Rows(einladung)
    with Live(rows.table(), auto_refresh=False) as live:
        for told, event in enumerate(einladung.watch(), 1):
            if isinstance(event, Ready):
                rows.begin()
            elif isinstance(event, Indicator):
                rows.show(event)
            elif isinstance(event, Deleted):
                rows.drop(event.appointment_id)
            elif isinstance(event, Moved):
                rows.forget(event.appointment_id)
            live.update(rows.table(), refresh=True)
            if told == options.events:
                return


class Rows:
    """What the table shows: the newest state of each appointment that is open or has changed."""

    def __init__(self, einladung: Einladung) -> None:
        self._einladung = einladung
        self._shown: dict[UUID, Indicator] = {}
        self._known: dict[UUID, Appointment] = {}

    def begin(self) -> None:
        """Load anew."""
        self._shown = {each.appointment_id: each for each in self._einladung.open()}
        self._known = {}
        self._learn(self._shown)

    def show(self, indicator: Indicator) -> None:
        """The newest state, at the end."""
        self._shown.pop(indicator.appointment_id, None)
        self._shown[indicator.appointment_id] = indicator
        self._learn([indicator.appointment_id])

    def drop(self, appointment_id: UUID) -> None:
        """It is deleted."""
        self._shown.pop(appointment_id, None)
        self._known.pop(appointment_id, None)

    def forget(self, appointment_id: UUID) -> None:
        """It has another time."""
        self._known.pop(appointment_id, None)
        if appointment_id in self._shown:
            self._learn([appointment_id])

    def _learn(self, ids: Iterable[UUID]) -> None:
        missing = [each for each in ids if each not in self._known]
        try:
            found = self._einladung.appointments_named(missing) if missing else []
        except Refused as refused:
            if refused.status != 403:  # the key may not read names: the table does without
                raise
            return
        self._known |= {each.id: each for each in found}

    def table(self) -> Table:
        """As it stands, the newest at the end."""
        table = Table("Appointment", "Patient", "Start", "Invitation", "Channels", "To do")
        for indicator in list(self._shown.values())[-MOST_ROWS:]:
            known = self._known.get(indicator.appointment_id)
            start = indicator.starts_at or (known and known.start)
            table.add_row(
                str(indicator.appointment_id),
                Text(known.patient_name if known else ""),  # a name is no markup
                f"{start.astimezone():%Y-%m-%d %H:%M}" if start else "",
                MARKS.get(indicator.overall, indicator.overall),
                ", ".join(f"{name} {each.state}" for name, each in indicator.channels.items()),
                ", ".join(indicator.open),
            )
        return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="einladung",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    told = f"%(prog)s {VERSION} (contracts {CONTRACTS})"
    parser.add_argument("--version", action="version", version=told)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    inviting = commands.add_parser("invite", help="create an appointment and invite the patient")
    inviting.add_argument("--name", required=True)
    inviting.add_argument("--email")
    inviting.add_argument("--phone", help="a mobile number, for an SMS")
    inviting.add_argument("--date", required=True, type=dt.date.fromisoformat, help="2026-12-01")
    inviting.add_argument("--time", required=True, type=dt.time.fromisoformat, help="14:30")
    inviting.add_argument("--minutes", type=int, default=20)
    inviting.add_argument(
        "--consent", action="store_true", help="the patient has agreed to be written to"
    )
    inviting.add_argument("--idempotency-key", help="sent again under it, it is done once")
    inviting.set_defaults(command=invite)
    commands.add_parser("open", help="what somebody has to do something about").set_defaults(
        command=show_open
    )
    watching = commands.add_parser("watch", help="the same, and every change as it happens")
    watching.add_argument("--events", type=int, help="end after so many; else at Ctrl-C")
    watching.set_defaults(command=watch)
    return parser


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
