"""Seals anew what is under older keys, and tells operations when those can go.

Row by row through a table, in batches: what can't be opened is logged and passed, however much of
it there is, and met again in the next round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from asyncpg import Record

from chassis import sealing
from chassis.database import Connection
from chassis.sealing import AssociatedData, NotOpened, Sealer

log = structlog.get_logger(__name__)

BATCH = 200  # rows
BEGINNING = UUID(int=0)
NUMBERS = range(256)  # of keys: a byte


@dataclass(frozen=True, slots=True)
class Place:
    """A column of sealed values. The names are constants of the code."""

    table: str
    column: str
    where: str  # which rows have one
    bound_to: Callable[[Record], AssociatedData]  # of a row with `columns`
    columns: str = "id, practice_id"
    batch: int = BATCH
    key: str = ""  # a column with the key's number, which has an index; where there are very many

    @property
    def key_number(self) -> str:
        """SQL of the number of the key that a value is sealed under."""
        return self.key or f"get_byte({self.column}, 0)"

    @property
    def under_others(self) -> str:
        """SQL that counts those under the keys of these numbers: named, so that an index serves."""
        return f"""
            SELECT count(*) FROM {self.table}
            WHERE {self.where} AND {self.key_number} = ANY($1::int[])
            """  # noqa: S608 - constant names

    @property
    def name(self) -> str:
        """What it is called in metrics."""
        return f"{self.table}.{self.column}"


class Resealing:
    """Goes through a place, again and again, a batch each time."""

    def __init__(self, sealer: Sealer, place: Place) -> None:
        self._sealer = sealer
        self._place = place
        self._after = BEGINNING

    async def batch(self, tx: Connection) -> bool:
        """Seal a batch that is under older keys; False at the end of a round."""
        place = self._place
        rows = await self._next(tx) if self._sealer.older else []
        resealed: list[tuple[UUID, bytes]] = []
        for row in rows:
            bound_to = place.bound_to(row)
            try:
                content = self._sealer.open(row["sealed"], bound_to)
            except NotOpened:
                log.error("sealed value can't be opened", place=place.name, row=str(row["id"]))
                continue
            resealed.append((row["id"], self._sealer.seal(content, bound_to)))
        if resealed:
            await tx.execute(
                f"""
                UPDATE {place.table} t SET {place.column} = new.sealed
                FROM unnest($1::uuid[], $2::bytea[]) AS new (id, sealed) WHERE t.id = new.id
                """,  # noqa: S608 - constant names
                [row_id for row_id, _ in resealed],
                [sealed for _, sealed in resealed],
            )
        more = len(rows) >= place.batch
        self._after = rows[-1]["id"] if more else BEGINNING
        if not more:
            await self._measure(tx)
        return more

    async def _next(self, tx: Connection) -> list[Record]:
        place = self._place
        return await tx.fetch(
            f"""
            SELECT {place.columns}, {place.column} AS sealed FROM {place.table}
            WHERE {place.where} AND {place.key_number} = ANY($1::int[]) AND id > $2
            ORDER BY id LIMIT $3 FOR UPDATE
            """,  # noqa: S608 - constant names
            self._sealer.older,
            self._after,
            place.batch,
        )

    async def _measure(self, tx: Connection) -> None:
        """Tell operations whether an older key is still needed, and whether one is missing."""
        place = self._place
        current = (self._sealer.newest, *self._sealer.waiting)
        older = await tx.fetchval(
            place.under_others,
            [number for number in NUMBERS if number not in current],
        )
        sealing.older.labels(place.name).set(older)
