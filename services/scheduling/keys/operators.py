"""Keys of whoever runs the installation: for the API that sets practices up, and nothing else.

Not an API key of a practice and never exchanged for a token, so no check of a token can take one
for the other, and a revoked key is dead at once.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg import Record

from chassis.database import Connection
from services.scheduling.keys import api_keys

ID_PREFIX, SECRET_PREFIX = "eo_", "eos_"
ID = re.compile(rf"{ID_PREFIX}[0-9a-f]{{16}}")
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """A key as it is kept."""

    id: str
    name: str
    secret_sha256: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """„active", „revoked" or „expired"."""
        return api_keys.state(self.expires_at, self.revoked_at, now)


def make(name: str, *, now: datetime, until: datetime) -> tuple[OperatorKey, str]:
    """A new key and its secret, which is shown once and kept nowhere."""
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key = OperatorKey(
        id=ID_PREFIX + secrets.token_hex(8),
        name=name,
        secret_sha256=api_keys.digest(secret),
        created_at=now,
        expires_at=until,
    )
    return key, secret


async def used(tx: Connection, key_id: str, secret: str, now: datetime) -> OperatorKey | None:
    """The key, if this is its secret and it is active; its use is noted, to the minute."""
    row = None
    if ID.fullmatch(key_id):
        row = await tx.fetchrow("SELECT * FROM operator_keys WHERE id = $1", key_id)
    key = _key(row) if row else None
    if not api_keys.holds(key, secret, now):
        return None
    await tx.execute(
        """
        UPDATE operator_keys SET last_used_at = $2
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - $3::interval)
        """,
        key_id,
        now,
        USE_NOTED_EVERY,
    )
    return key


async def add(tx: Connection, key: OperatorKey) -> None:
    """Insert a new key; as the owner."""
    await tx.execute(
        """
        INSERT INTO operator_keys (id, name, secret_sha256, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        key.id,
        key.name,
        key.secret_sha256,
        key.created_at,
        key.expires_at,
    )


async def revoke(tx: Connection, key_id: str, now: datetime) -> bool:
    """Revoke for good, as the owner; False if there is no such key."""
    done = await tx.execute(
        "UPDATE operator_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1", key_id, now
    )
    return done != "UPDATE 0"


async def listed(tx: Connection) -> Sequence[OperatorKey]:
    """All keys."""
    return [_key(row) for row in await tx.fetch("SELECT * FROM operator_keys ORDER BY created_at")]


def _key(row: Record) -> OperatorKey:
    return OperatorKey(**dict(row))
