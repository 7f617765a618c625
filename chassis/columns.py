"""SQL from columns that are listed once: name and PostgreSQL type, in one mapping per table.

Many rows go in one statement, as one array per column. What these functions put into a statement
are names and types of the program's own; values go as parameters alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Columns: TypeAlias = Mapping[str, str]


def select(table: str, columns: Columns, rest: str) -> str:
    """SELECT of these columns; `rest` is what follows the table."""
    return f"SELECT {', '.join(columns)} FROM {table} {rest}"  # noqa: S608


def insert(table: str, columns: Columns, rest: str = "") -> str:
    """INSERT of many rows in their order, for `arrays`; `rest` is an ON CONFLICT or RETURNING."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {_unnest(columns)} {rest}"  # noqa: S608


def update(table: str, columns: Columns, *, key: str = "id", also: str = "") -> str:
    """UPDATE of many rows by their key, for `arrays`.

    `also` sets further columns, from the row as it is (`old`) and as it becomes (`new`).
    """
    changes = [f"{name} = new.{name}" for name in columns if name != key]
    return (
        f"UPDATE {table} AS old SET {', '.join([*changes, *filter(None, [also])])} "  # noqa: S608
        f"FROM {_unnest(columns)} AS new ({', '.join(columns)}) WHERE old.{key} = new.{key}"
    )


def arrays(columns: Columns, rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """The parameters of `insert` and `update`. Raises ValueError for a row of other columns."""
    rows = list(rows)
    if any(row.keys() != columns.keys() for row in rows):
        raise ValueError("a row has other columns than its table")
    return [[row[name] for row in rows] for name in columns]


def _unnest(columns: Columns) -> str:
    types = [f"${at}::{kind}[]" for at, kind in enumerate(columns.values(), 1)]
    return f"unnest({', '.join(types)})"
