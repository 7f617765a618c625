"""The tables of keys: of clinics' systems, and of operators."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

from asyncpg import Record

from chassis.database import Connection
from contracts.rights import Right
from services.scheduling.keys.key import ClinicSystem, Key, Operator, OwnerT, authenticate

USE_NOTED_EVERY = timedelta(minutes=1)

_COLUMNS = (
    *("id", "name", "secret_sha256", "created_at", "expires_at", "revoked_at", "last_used_at"),
)


@dataclass(frozen=True, slots=True)
class KeyTable(Generic[OwnerT]):
    """The keys of one kind of owner. Made and revoked as the owner of the database alone.

    The service itself can look keys up and note that they were used: those of clinics' systems
    across practices (`Database.system`), those of operators in the scope `Database.operator`.
    """

    name: str
    id_prefix: str
    owner_columns: Sequence[str]
    read_owner: Callable[[Record], OwnerT]
    owner_values: Callable[[OwnerT], Sequence[object]]

    def is_id(self, text: str) -> bool:
        """Whether a key can have this id."""
        return re.fullmatch(rf"{self.id_prefix}[0-9a-f]{{16}}", text) is not None

    async def use(
        self, tx: Connection, key_id: str, secret: str, now: datetime
    ) -> Key[OwnerT] | None:
        """The key, if this is its secret and it is active; its use is noted, to the minute."""
        key = authenticate(await self._find(tx, key_id), secret, now)
        if key is not None:
            await tx.execute(
                f"""
                UPDATE {self.name} SET last_used_at = $2 WHERE id = $1
                  AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - $3::interval)
                """,  # noqa: S608 - a constant name
                key.id,
                now,
                USE_NOTED_EVERY,
            )
        return key

    async def add(self, tx: Connection, key: Key[OwnerT]) -> None:
        """Insert a new key. Raises ForeignKeyViolationError where there is no such practice."""
        columns = (*_COLUMNS, *self.owner_columns)
        places = ", ".join(f"${number}" for number, _ in enumerate(columns, 1))
        await tx.execute(
            f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({places})",  # noqa: S608
            *(getattr(key, column) for column in _COLUMNS),
            *self.owner_values(key.owner),
        )

    async def revoke(self, tx: Connection, key_id: str, now: datetime) -> Key[OwnerT] | None:
        """Revoke for good; the key, or None if there is no such key."""
        row = await tx.fetchrow(
            f"""
            UPDATE {self.name} SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING *
            """,  # noqa: S608 - a constant name
            key_id,
            now,
        )
        return self._key(row) if row else None

    async def all(self, tx: Connection) -> Sequence[Key[OwnerT]]:
        """All keys, oldest first."""
        rows = await tx.fetch(f"SELECT * FROM {self.name} ORDER BY created_at")  # noqa: S608
        return [self._key(row) for row in rows]

    async def _find(self, tx: Connection, key_id: str) -> Key[OwnerT] | None:
        # what is no key id is not asked for: PostgreSQL takes no NUL in a text
        if not self.is_id(key_id):
            return None
        row = await tx.fetchrow(f"SELECT * FROM {self.name} WHERE id = $1", key_id)  # noqa: S608
        return self._key(row) if row else None

    def _key(self, row: Record) -> Key[OwnerT]:
        return Key(owner=self.read_owner(row), **{column: row[column] for column in _COLUMNS})


def _clinic_system(row: Record) -> ClinicSystem:
    # A scope that this version does not know gives nothing.
    scopes = frozenset(right for right in Right if right in row["scopes"])
    return ClinicSystem(row["practice_id"], scopes)


API_KEYS = KeyTable(
    "api_keys",
    ClinicSystem.ID_PREFIX,
    ("practice_id", "scopes"),
    _clinic_system,
    lambda owner: (owner.practice_id, sorted(owner.scopes)),
)
OPERATOR_KEYS = KeyTable(
    "operator_keys", Operator.ID_PREFIX, (), lambda _: Operator(), lambda _: ()
)
