"""What may be set of a practice, and its table. Written in the operator's scope alone."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import asyncpg
from asyncpg import Record
from fastapi_problem.error import Problem

from chassis.database import Connection
from chassis.problems import FieldError, InvalidInput
from contracts.events import Tariff
from contracts.languages import LANGUAGES
from services.scheduling.appointments import Practice
from services.scheduling.audit import entry as audit
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action

NAME_LENGTH = 100
MOST_REMINDERS = 5
REMINDER_MINUTES = range(1, 20_161)  # up to two weeks
# Three calendar months are 89 days at least, and by then everything has to be gone.
RETENTION_DAYS = range(90)
NOT_PLACES = {"Factory", "localtime"}
PAGE = 100

DEFAULTS: dict[str, Any] = {
    "name": "",
    "time_zone": "Europe/Berlin",
    "tariff": Tariff.BASIC,
    "language": "de",
    "reminders": (1440, 60),
    "retention_days": 89,
}
_COLUMNS = "id, name, time_zone, tariff, language, reminders, retention_days"


class PracticeExists(Problem):
    """409: the id is taken."""

    def __init__(self) -> None:
        super().__init__(
            title="There is a practice with this id.", type_="practice-exists", status=409
        )


class NoSuchPractice(Problem):
    """404: there is no such practice."""

    def __init__(self) -> None:
        super().__init__(title="There is no such practice.", type_="not-found", status=404)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to set; None leaves it as it is."""

    name: str | None = None
    time_zone: str | None = None
    tariff: str | None = None
    language: str | None = None
    reminders: Sequence[int] | None = None
    retention_days: int | None = None

    def checked(self) -> "dict[str, Any]":
        """The values in their normal form. Raises InvalidInput, naming every fault at once."""
        given = {
            each.name: value
            for each in fields(self)
            if (value := getattr(self, each.name)) is not None
        }
        faults: list[FieldError] = []
        for field, value in given.items():
            try:
                given[field] = _RULES[field](value)
            except ValueError as fault:
                faults.append(FieldError(field, "invalid", str(fault)))
        if faults:
            raise InvalidInput(faults)
        return given


def _name(text: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 1 <= len(name) <= NAME_LENGTH:
        raise ValueError(f"Has to have 1 to {NAME_LENGTH} characters.")
    # it goes into the head of mails
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in name):
        raise ValueError("May hold no control characters.")
    return name


def _time_zone(name: str) -> str:
    if name not in available_timezones() - NOT_PLACES:
        raise ValueError("Has to be a name of the IANA time zone database, as Europe/Berlin.")
    return name


def _tariff(name: str) -> Tariff:
    if name not in list(Tariff):
        raise ValueError(f"Has to be one of {', '.join(Tariff)}.")
    return Tariff(name)


def _language(name: str) -> str:
    if name not in LANGUAGES:
        raise ValueError(f"Has to be one of {', '.join(LANGUAGES)}.")
    return name


def _reminders(minutes: Sequence[int]) -> tuple[int, ...]:
    if len(minutes) > MOST_REMINDERS or any(each not in REMINDER_MINUTES for each in minutes):
        raise ValueError(
            f"Has to be {MOST_REMINDERS} at most, each of 1 to {REMINDER_MINUTES[-1]} minutes "
            "before the start."
        )
    return tuple(sorted(set(minutes), reverse=True))


def _retention_days(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError(
            f"Has to be 0 to {RETENTION_DAYS[-1]} days: patients' data goes at the latest three "
            "months after the appointment's end."
        )
    return days


_RULES: dict[str, Any] = {
    "name": _name,
    "time_zone": _time_zone,
    "tariff": _tariff,
    "language": _language,
    "reminders": _reminders,
    "retention_days": _retention_days,
}


async def create(tx: Connection, practice_id: UUID, wish: Wish, now: datetime) -> Practice:
    """Set a practice up. Raises InvalidInput, PracticeExists."""
    practice = Practice(id=practice_id, **DEFAULTS | wish.checked())
    if not practice.name:
        raise InvalidInput([FieldError("name", "missing", "The name is missing.")])
    await add(tx, practice, now)
    return practice


async def add(tx: Connection, practice: Practice, now: datetime) -> None:
    """Insert a practice. Raises PracticeExists."""
    try:
        await tx.execute(
            f"INSERT INTO practices ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)",  # noqa: S608
            practice.id,
            practice.name,
            practice.time_zone,
            practice.tariff,
            practice.language,
            list(practice.reminders),
            practice.retention_days,
        )
    except asyncpg.UniqueViolationError:
        raise PracticeExists from None
    await _note(tx, practice.id, now, list(_RULES))


async def get(tx: Connection, practice_id: UUID, *, lock: bool = False) -> Practice:
    """One practice. Raises NoSuchPractice."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM practices WHERE id = $1 {'FOR UPDATE' if lock else ''}",  # noqa: S608
        practice_id,
    )
    if row is None:
        raise NoSuchPractice
    return _practice(row)


async def change(tx: Connection, practice_id: UUID, wish: Wish, now: datetime) -> Practice:
    """Set what is wished; from then on everything reads it so. Raises as `checked` and `get`."""
    values = wish.checked()
    present = await get(tx, practice_id, lock=True)
    changed = replace(present, **values)
    names = [name for name in values if getattr(present, name) != getattr(changed, name)]
    if not names:
        return present
    await tx.execute(
        """
        UPDATE practices SET name = $2, time_zone = $3, tariff = $4, language = $5,
            reminders = $6, retention_days = $7
        WHERE id = $1
        """,
        practice_id,
        changed.name,
        changed.time_zone,
        changed.tariff,
        changed.language,
        list(changed.reminders),
        changed.retention_days,
    )
    await _note(tx, practice_id, now, names)
    return changed


async def page(tx: Connection, after: UUID | None = None, limit: int = PAGE) -> Sequence[Practice]:
    """Practices by id, those that come after `after`."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM practices WHERE $1::uuid IS NULL OR id > $1
        ORDER BY id LIMIT $2
        """,  # noqa: S608 - a constant list of columns
        after,
        limit,
    )
    return [_practice(row) for row in rows]


async def _note(tx: Connection, practice_id: UUID, now: datetime, names: Sequence[str]) -> None:
    done = audit.operator_entry(practice_id, Action.PRACTICE_CHANGED, now, changed=[*names])
    await audit_store.add(tx, done)


def _practice(row: Record) -> Practice:
    known = {"tariff": Tariff(row["tariff"]), "reminders": tuple(row["reminders"])}
    return Practice(**{**row, **known})
