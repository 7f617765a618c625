"""The table of practices. Read by each practice, written in the operator's scope alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg import Record

from chassis.database import ENTERED, Connection
from contracts.tariffs import Tariff
from services.scheduling.practice import Practice
from services.scheduling.problems import NoSuchPractice, PracticeExists, UnknownPractice

PAGE_SIZE = 100

_NAMES = [field.name for field in fields(Practice)]
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f"${position}" for position, _ in enumerate(_NAMES, start=1))


async def find(tx: Connection, practice_id: UUID) -> Practice | None:
    """The practice, or None."""
    return (await find_all(tx, [practice_id])).get(practice_id)


async def of_caller(tx: Connection, practice_id: UUID) -> Practice:
    """The practice that a token names. Raises UnknownPractice."""
    practice = await find(tx, practice_id)
    if practice is None:
        raise UnknownPractice
    return practice


async def find_all(tx: Connection, ids: Collection[UUID]) -> dict[UUID, Practice]:
    """Those of these practices that there are, by id."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM practices WHERE id = ANY($1::uuid[])",  # noqa: S608 - constant
        ids,
    )
    return {row["id"]: _practice(row) for row in rows}


async def of_each(tx: Connection, ids: Sequence[UUID]) -> dict[UUID, Practice]:
    """As `find_all`, where several share a transaction."""
    rows = await tx.fetchmany(
        f"""
        SELECT practice AS id,
            (SELECT to_jsonb(practices) FROM practices WHERE id = practice) AS settings
        FROM {ENTERED}
        """,  # noqa: S608 - a constant
        [(each,) for each in ids],
    )
    return {
        row["id"]: _practice({**row["settings"], "id": row["id"]})
        for row in rows
        if row["settings"] is not None
    }


async def get(tx: Connection, practice_id: UUID, *, lock: bool = False) -> Practice:
    """One practice. Raises NoSuchPractice. `lock` serialises its writers."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM practices WHERE id = $1 {'FOR UPDATE' if lock else ''}",  # noqa: S608
        practice_id,
    )
    if row is None:
        raise NoSuchPractice
    return _practice(row)


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


async def add(tx: Connection, practice: Practice) -> None:
    """Insert a new practice. Raises PracticeExists."""
    try:
        await tx.execute(
            f"INSERT INTO practices ({_COLUMNS}) VALUES ({_VALUES})",  # noqa: S608 - constants
            *_values(practice),
        )
    except asyncpg.UniqueViolationError:
        raise PracticeExists from None


async def update(tx: Connection, practice: Practice) -> None:
    """Write what can be set of a practice that is there."""
    await tx.execute(
        """
        UPDATE practices SET name = $2, time_zone = $3, tariff = $4, language = $5,
            reminders = $6, retention_days = $7, phone = $8, reply_address = $9,
            postal_address = $10, asks_for_answer = $11, daily_mail_address = $12,
            daily_mail_hour = $13, daily_messages = $14, daily_sms_per_country = $15,
            sms_countries = $16, quiet_hours = $17
        WHERE id = $1
        """,
        *_values(practice),
    )


def _values(practice: Practice) -> list[object]:
    return [getattr(practice, name) for name in _NAMES]


def _practice(row: Record | Mapping[str, Any]) -> Practice:
    known = {
        "tariff": Tariff(row["tariff"]),
        "reminders": tuple(row["reminders"]),
        "sms_countries": tuple(row["sms_countries"]),
    }
    return Practice(**{**row, **known})
