"""The table of sessions. Its rows are found by the hash of a cookie's secret and no other way."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.database import Connection, affected

SEEN_EVERY = timedelta(seconds=30)  # how exactly the last activity is kept


@dataclass(frozen=True, slots=True)
class Row:
    """A session as it is stored."""

    sealed: str
    ends_at: datetime
    refresh_at: datetime


async def add(tx: Connection, session_id: bytes, person: bytes, row: Row, *, most: int) -> None:
    """Insert a session; of one person's only the newest `most` stay."""
    await tx.execute(
        """
        INSERT INTO sessions (id, person, sealed, ends_at, refresh_at) VALUES ($1, $2, $3, $4, $5)
        """,
        session_id,
        person,
        row.sealed,
        row.ends_at,
        row.refresh_at,
    )
    await tx.execute(
        """
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE person = $1 ORDER BY created_at DESC, id OFFSET $2)
        """,
        person,
        most,
    )


async def find(tx: Connection, session_id: bytes, idle: timedelta) -> Row | None:
    """The session, unless its time is over."""
    row = await tx.fetchrow(
        """
        SELECT sealed, ends_at, refresh_at FROM sessions
        WHERE id = $1 AND ends_at > now() AND seen_at > now() - $2::interval
        """,
        session_id,
        idle,
    )
    return Row(**row) if row else None


async def lasting(tx: Connection, ids: Collection[bytes], idle: timedelta) -> set[bytes]:
    """Those of these sessions whose time is not over."""
    rows = await tx.fetch(
        """
        SELECT id FROM sessions
        WHERE id = ANY($1::bytea[]) AND ends_at > now() AND seen_at > now() - $2::interval
        """,
        ids,
        idle,
    )
    return {row["id"] for row in rows}


async def touch(tx: Connection, session_id: bytes) -> None:
    """Somebody is there."""
    await tx.execute(
        "UPDATE sessions SET seen_at = now() WHERE id = $1 AND seen_at < now() - $2::interval",
        session_id,
        SEEN_EVERY,
    )


async def claim_refresh(tx: Connection, session_id: bytes, lease: timedelta) -> str | None:
    """The sealed tokens for the one who is to refresh them now; None for all others."""
    sealed: str | None = await tx.fetchval(
        """
        UPDATE sessions SET refreshing_until = now() + $2::interval
        WHERE id = $1 AND refresh_at <= now()
          AND (refreshing_until IS NULL OR refreshing_until < now())
        RETURNING sealed
        """,
        session_id,
        lease,
    )
    return sealed


async def refreshed(tx: Connection, session_id: bytes, sealed: str, refresh_at: datetime) -> bool:
    """Keep new tokens; False if the session was ended meanwhile."""
    done = await tx.execute(
        """
        UPDATE sessions SET sealed = $2, refresh_at = $3, refreshing_until = NULL WHERE id = $1
        """,
        session_id,
        sealed,
        refresh_at,
    )
    return affected(done) > 0


async def end(tx: Connection, session_id: bytes) -> str | None:
    """Forget the session; its sealed tokens."""
    sealed: str | None = await tx.fetchval(
        "DELETE FROM sessions WHERE id = $1 RETURNING sealed", session_id
    )
    return sealed


async def draft_key(tx: Connection, person: bytes, proposed: bytes) -> bytes:
    """The person's key, which is the `proposed` one if there was none; it lasts anew."""
    key: bytes = await tx.fetchval(
        """
        INSERT INTO draft_keys (person, key) VALUES ($1, $2)
        ON CONFLICT (person) DO UPDATE SET asked_at = now() RETURNING key
        """,
        person,
        proposed,
    )
    return key


async def purge(tx: Connection, idle: timedelta, keys: timedelta) -> None:
    """Forget what is over, and keys of drafts that nobody asked for within `keys`."""
    await tx.execute(
        "DELETE FROM sessions WHERE ends_at < now() OR seen_at < now() - $1::interval", idle
    )
    await tx.execute("DELETE FROM draft_keys WHERE asked_at < now() - $1::interval", keys)
