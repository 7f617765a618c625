"""The table of practices. Read by each practice, written in the operator's scope alone."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from uuid import UUID

import asyncpg
from asyncpg import Record

from chassis.database import Connection
from contracts.events import Tariff
from services.scheduling.audit import entry as audit
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action
from services.scheduling.practice import Practice, PracticeChange
from services.scheduling.problems import NoSuchPractice, PracticeExists

PAGE_SIZE = 100

_NAMES = [field.name for field in fields(Practice)]
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f"${position}" for position, _ in enumerate(_NAMES, start=1))


async def find(tx: Connection, practice_id: UUID) -> Practice | None:
    """The practice, or None."""
    return (await find_all(tx, [practice_id])).get(practice_id)


async def find_all(tx: Connection, ids: Collection[UUID]) -> dict[UUID, Practice]:
    """Those of these practices that there are, by id."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM practices WHERE id = ANY($1::uuid[])",  # noqa: S608 - constant
        ids,
    )
    return {row["id"]: _practice(row) for row in rows}


async def get(tx: Connection, practice_id: UUID) -> Practice:
    """One practice. Raises NoSuchPractice."""
    practice = await find(tx, practice_id)
    if practice is None:
        raise NoSuchPractice
    return practice


async def page(
    tx: Connection, after: UUID | None = None, limit: int = PAGE_SIZE
) -> Sequence[Practice]:
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


async def add(tx: Connection, practice: Practice, now: datetime) -> None:
    """Insert a new practice. Raises PracticeExists."""
    try:
        await tx.execute(
            f"INSERT INTO practices ({_COLUMNS}) VALUES ({_VALUES})",  # noqa: S608 - constants
            *_values(practice),
        )
    except asyncpg.UniqueViolationError:
        raise PracticeExists from None
    await _note(tx, practice.id, now, _NAMES[1:])


async def change(
    tx: Connection, practice_id: UUID, settings: PracticeChange, now: datetime
) -> Practice:
    """Set what is named; it holds from the next reading on. Raises InvalidInput, NoSuchPractice."""
    values = settings.checked()
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM practices WHERE id = $1 FOR UPDATE",  # noqa: S608 - a constant
        practice_id,
    )
    if row is None:
        raise NoSuchPractice
    present = _practice(row)
    changed = replace(present, **values)
    names = [name for name in values if getattr(present, name) != getattr(changed, name)]
    if names:
        await tx.execute(
            """
            UPDATE practices SET name = $2, time_zone = $3, tariff = $4, language = $5,
                reminders = $6, retention_days = $7
            WHERE id = $1
            """,
            *_values(changed),
        )
        await _note(tx, practice_id, now, names)
    return changed


async def _note(tx: Connection, practice_id: UUID, now: datetime, names: Sequence[str]) -> None:
    done = audit.operator_entry(practice_id, Action.PRACTICE_CHANGED, now, changed=names)
    await audit_store.add(tx, done)


def _values(practice: Practice) -> list[object]:
    return [getattr(practice, name) for name in _NAMES]


def _practice(row: Record) -> Practice:
    known = {"tariff": Tariff(row["tariff"]), "reminders": tuple(row["reminders"])}
    return Practice(**{**row, **known})
