"""The table of API keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from contracts.rights import Right
from services.scheduling.keys.api_keys import ApiKey

USE_NOTED_EVERY = timedelta(minutes=1)

_COLUMNS = """id, practice_id, name, secret_sha256, scopes, created_at, expires_at, revoked_at,
    last_used_at"""


async def find(tx: Connection, key_id: str) -> ApiKey | None:
    """The key, across practices: its secret, checked next, is the permission."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM api_keys WHERE id = $1",  # noqa: S608 - a constant
        key_id,
    )
    return _key(row) if row else None


async def note_use(tx: Connection, key: ApiKey, now: datetime) -> None:
    """Remember that the key was used, to the minute."""
    await tx.execute(
        """
        UPDATE api_keys SET last_used_at = $3
        WHERE practice_id = $1 AND id = $2
          AND (last_used_at IS NULL OR last_used_at < $3::timestamptz - $4::interval)
        """,
        key.practice_id,
        key.id,
        now,
        USE_NOTED_EVERY,
    )


async def add(tx: Connection, key: ApiKey) -> None:
    """Insert a new key; as the owner."""
    await tx.execute(
        """
        INSERT INTO api_keys (id, practice_id, name, secret_sha256, scopes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        key.id,
        key.practice_id,
        key.name,
        key.secret_sha256,
        sorted(key.scopes),
        key.created_at,
        key.expires_at,
    )


async def revoke(tx: Connection, key_id: str, now: datetime) -> UUID | None:
    """Revoke for good, as the owner; the key's practice, or None if there is no such key."""
    practice_id: UUID | None = await tx.fetchval(
        """
        UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1
        RETURNING practice_id
        """,
        key_id,
        now,
    )
    return practice_id


async def listed(tx: Connection, practice_id: UUID | None) -> Sequence[ApiKey]:
    """The keys of a practice, or of all; as the owner."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM api_keys WHERE $1::uuid IS NULL OR practice_id = $1
        ORDER BY practice_id, created_at
        """,  # noqa: S608 - a constant list of columns
        practice_id,
    )
    return [_key(row) for row in rows]


def _key(row: Record) -> ApiKey:
    # A scope that this version does not know gives nothing.
    scopes = frozenset(right for right in Right if right in row["scopes"])
    return ApiKey(**{**row, "scopes": scopes})
