"""The table of audit entries: to be added to and read. The database refuses any other change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from chassis.together import Writer
from services.scheduling.audit.chain import Place
from services.scheduling.audit.entry import OPERATOR, AuditEntry, Deed

_ENTERED = """practice_id, actor_kind, actor_id, actor_name, actor_roles, action,
    appointment_ids, changed, trace_id, proof"""
# The database alone says these.
_STAMPED = "id, at, number, digest"
_COLUMNS = f"{_ENTERED}, {_STAMPED}"
SEALED_AT_ONCE = 1000  # entries
CLOCKS_APART = 3600.0  # seconds, at most: those of the service and of the database


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: of one appointment, in [first, until). None leaves out nothing."""

    appointment_id: UUID | None = None
    first: datetime | None = None
    until: datetime | None = None


async def add(tx: Writer, deed: Deed, proof: bytes | None) -> None:
    """Enter a deed; use cases do it by `AuditLog`."""
    await tx.execute(
        f"""
        INSERT INTO audit_entries ({_ENTERED}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,  # noqa: S608 - a constant list of columns
        deed.practice_id,
        deed.actor.kind,
        deed.actor.id,
        deed.actor.name,
        [*deed.actor.roles],
        deed.action,
        [*deed.appointment_ids],
        [*deed.changed],
        deed.trace_id,
        proof,
    )


async def alike_this_hour(tx: Connection, deed: Deed) -> Sequence[AuditEntry]:
    """That the same actor did the same with any of these, in this hour of the clock.

    Ids tell when they were made, and are in an index with the practice: so only the practice's own
    entries of the hour are read. (An index of `appointment_ids` would not be used under row-level
    security: its operators are not leakproof.)
    """
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM audit_entries
        WHERE practice_id = $1 AND appointment_ids && $5::uuid[]
          AND actor_kind = $2 AND actor_id = $3 AND action = $4
          AND at >= date_trunc('hour', now())
          AND id >= (SELECT uuidv7(date_trunc('hour', now()) - now() - interval '1 minute'))
        """,  # noqa: S608 - a constant list of columns
        deed.practice_id,
        deed.actor.kind,
        deed.actor.id,
        deed.action,
        [*deed.appointment_ids],
    )
    return [_entry(row) for row in rows]


async def page(
    tx: Connection, practice_id: UUID, wanted: Filter, *, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """The newest entries, or those that come after the entry `before` in a list of the newest."""
    oldest, beyond = _ids(wanted)
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM audit_entries
        WHERE practice_id = $1
          AND ($2::uuid IS NULL OR appointment_ids @> ARRAY[$2])
          AND ($3::timestamptz IS NULL OR at >= $3)
          AND ($4::timestamptz IS NULL OR at < $4)
          AND id >= $5 AND id < $6
        ORDER BY id DESC LIMIT $7
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        wanted.appointment_id,
        wanted.first,
        wanted.until,
        oldest,
        min(before, beyond) if before else beyond,
        limit,
    )
    return [_entry(row) for row in rows]


def _ids(wanted: Filter) -> tuple[UUID, UUID]:
    """From which id on to look, and before which: they tell when they were made (RFC 9562, 5.7).

    So only these are read of the index of a practice's entries. An appointment's entries are made
    after it.
    """
    oldest, beyond = 0, 2**128 - 1
    if wanted.first is not None:
        oldest = _id_at(wanted.first.timestamp() - CLOCKS_APART)
    if wanted.until is not None:
        beyond = _id_at(wanted.until.timestamp() + CLOCKS_APART)
    appointment_id = wanted.appointment_id
    if appointment_id is not None and appointment_id.version == 7:
        oldest = max(oldest, _id_at((appointment_id.int >> 80) / 1000 - CLOCKS_APART))
    return UUID(int=oldest), UUID(int=beyond)


def _id_at(timestamp: float) -> int:
    """The smallest UUIDv7 of this moment (Unix time), as a number."""
    return max(0, round(timestamp * 1000)) << 80


async def forget(tx: Connection, days: int) -> None:
    """Let entries go that are older than this many days, of every practice."""
    await tx.execute("SELECT forget_audit_entries($1)", days)


async def operator_deeds(
    tx: Connection, *, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """What operators did, in every practice and to the installation: the newest, page by page."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM audit_entries
        WHERE actor_kind = '{OPERATOR}' AND ($1::uuid IS NULL OR id < $1)
        ORDER BY id DESC LIMIT $2
        """,  # noqa: S608 - constants
        before,
        limit,
    )
    return [_entry(row) for row in rows]


async def seal(tx: Connection) -> bool:
    """Give unsealed entries their places in their chains; whether there may be more."""
    sealed: int = await tx.fetchval("SELECT seal_audit_entries($1)", SEALED_AT_ONCE)
    return sealed == SEALED_AT_ONCE


async def sealed_before_today(tx: Connection) -> int:
    """The place of the last entry that was sealed before those of the last 24 hours."""
    first: int | None = await tx.fetchval(
        # OFFSET 0: read the day's entries, and not all of them in the order of `sealing`
        """
        SELECT min(sealing) FROM (
            SELECT sealing FROM audit_entries WHERE at >= now() - interval '1 day' OFFSET 0
        ) AS of_the_day
        """
    )
    if first is not None:
        return first - 1
    last: int | None = await tx.fetchval("SELECT max(sealing) FROM audit_entries")
    return last or 0


async def sealed_after(
    tx: Connection, place: int, *, limit: int
) -> Sequence[tuple[int, AuditEntry]]:
    """Entries of all chains in the order of their sealing, with their places in it."""
    rows = await tx.fetch(
        f"""
        SELECT sealing, {_COLUMNS} FROM audit_entries
        WHERE sealing > $1 ORDER BY sealing LIMIT $2
        """,  # noqa: S608 - a constant list of columns
        place,
        limit,
    )
    found = []
    for row in rows:
        values = dict(row)
        found.append((values.pop("sealing"), AuditEntry(**values)))
    return found


async def chains(tx: Connection) -> Sequence[tuple[Place, Place]]:
    """Of every chain the last entry that was let go, and the newest. For the owner alone."""
    rows = await tx.fetch("SELECT * FROM audit_chains ORDER BY chain")
    return [
        (
            Place(row["chain"], row["forgotten_number"], row["forgotten_digest"]),
            Place(row["chain"], row["number"], row["digest"]),
        )
        for row in rows
    ]


async def sealed(tx: Connection, chain: UUID, *, after: int, limit: int) -> Sequence[AuditEntry]:
    """The entries of a chain in their order, those that come after number `after`."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM audit_entries
        WHERE audit_chain(practice_id) = $1 AND number > $2 ORDER BY number LIMIT $3
        """,  # noqa: S608 - a constant list of columns
        chain,
        after,
        limit,
    )
    return [_entry(row) for row in rows]


async def digest_of(tx: Connection, chain: UUID, number: int) -> bytes | None:
    """The digest of an entry of a chain, if it is there."""
    found: bytes | None = await tx.fetchval(
        "SELECT digest FROM audit_entries WHERE audit_chain(practice_id) = $1 AND number = $2",
        chain,
        number,
    )
    return found


def _entry(row: Record) -> AuditEntry:
    return AuditEntry(**dict(row))
