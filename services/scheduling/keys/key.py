"""Keys: high-entropy secrets of which only a hash is stored, each with an owner.

SHA-256 suffices as the hash, since nobody can guess 256 random bits.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from contracts.rights import Right

NAME_LENGTH = 200  # characters
NO_SECRET = hashlib.sha256(b"nobody").digest()


@dataclass(frozen=True, slots=True)
class ClinicSystem:
    """A clinic's own system, for one practice: a client of OAuth 2.0 (RFC 6749).

    The key's id is its client id, the key's secret its client secret.
    """

    ID_PREFIX: ClassVar = "ek_"
    SECRET_PREFIX: ClassVar = "es_"  # noqa: S105 - what secrets begin with

    practice_id: UUID
    scopes: frozenset[Right]


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever runs the installation: sets practices up over the API, and nothing else.

    Such a key is never exchanged for a token, so no check of a token can take one for the other,
    and a revoked one is dead at once.
    """

    ID_PREFIX: ClassVar = "eo_"
    SECRET_PREFIX: ClassVar = "eos_"  # noqa: S105 - likewise


OwnerT = TypeVar("OwnerT", bound=ClinicSystem | Operator)


class KeyState(StrEnum):
    """Whether a key opens anything."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Generic[OwnerT]):
    """A key as it is stored."""

    id: str
    owner: OwnerT
    name: str
    secret_sha256: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """Revoked is revoked for good, expired or not."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.ACTIVE if now < self.expires_at else KeyState.EXPIRED


def checked_name(text: str) -> str:
    """The name of whoever will use a key, without space around it. Raises ValueError."""
    if not text.strip() or len(text) > NAME_LENGTH:
        raise ValueError(f"a name of 1 to {NAME_LENGTH} characters")
    return text.strip()


def create(
    owner: OwnerT, name: str, *, now: datetime, expires_at: datetime
) -> tuple[Key[OwnerT], str]:
    """A new key and its secret, which is shown once and stored nowhere."""
    secret = owner.SECRET_PREFIX + secrets.token_urlsafe(32)
    key = Key(
        id=owner.ID_PREFIX + secrets.token_hex(8),
        owner=owner,
        name=name,
        secret_sha256=_digest(secret),
        created_at=now,
        expires_at=expires_at,
    )
    return key, secret


def authenticate(key: Key[OwnerT] | None, secret: str, now: datetime) -> Key[OwnerT] | None:
    """The key if this is its secret and it is active, in the same time for any secret."""
    matches = hmac.compare_digest(_digest(secret), key.secret_sha256 if key else NO_SECRET)
    if key is None or not matches or key.state(now) is not KeyState.ACTIVE:
        return None
    return key


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
