"""API keys of clinics' own systems: high-entropy secrets of which only a hash is kept.

A key is an OAuth 2.0 client (RFC 6749): its id is the client id, its secret the client secret.
SHA-256 suffices as the hash, since nobody can guess 256 random bits.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.rights import Right

ID_PREFIX, SECRET_PREFIX = "ek_", "es_"
ID = re.compile(rf"{ID_PREFIX}[0-9a-f]{{16}}")
NOBODY = hashlib.sha256(b"nobody").digest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept."""

    id: str
    practice_id: UUID
    name: str
    secret_sha256: bytes
    scopes: frozenset[Right]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """„active", „revoked" or „expired"."""
        return state(self.expires_at, self.revoked_at, now)


class Key(Protocol):
    """Any key of which the hash of a secret is kept."""

    @property
    def secret_sha256(self) -> bytes:
        """What is kept of the secret."""
        ...

    def state(self, now: datetime) -> str:
        """„active", „revoked" or „expired"."""
        ...


def state(expires_at: datetime, revoked_at: datetime | None, now: datetime) -> str:
    """„active", „revoked" or „expired"."""
    if revoked_at is not None:
        return "revoked"
    return "active" if now < expires_at else "expired"


def make(
    practice_id: UUID, name: str, scopes: Collection[Right], *, now: datetime, until: datetime
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is shown once and kept nowhere."""
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        id=ID_PREFIX + secrets.token_hex(8),
        practice_id=practice_id,
        name=name,
        secret_sha256=digest(secret),
        scopes=frozenset(scopes),
        created_at=now,
        expires_at=until,
    )
    return key, secret


def holds(key: Key | None, secret: str, now: datetime) -> bool:
    """Whether this is the key's secret and the key is active, in the same time for any secret."""
    matches = hmac.compare_digest(digest(secret), key.secret_sha256 if key else NOBODY)
    return matches and key is not None and key.state(now) == "active"


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()
