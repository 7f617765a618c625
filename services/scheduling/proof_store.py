"""SQL of proofs: of appointments, deleted ones too, what was sent where, as far as it is kept.

Of one that is deleted the patient is known only while somebody may have to call. Of one that is
erased nothing is told.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Record

from chassis.database import Connection
from chassis.sealing import NotOpened, Sealer
from contracts.channels import Channel
from contracts.events import NoticeKind
from services.scheduling import contact_store
from services.scheduling.addresses import Whereabouts, whereabouts
from services.scheduling.places import ListPlace

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SentAttempt:
    """One attempt over one channel."""

    attempt: int
    channel: Channel
    requested_at: datetime
    address: Whereabouts


@dataclass(frozen=True, slots=True)
class SentNotice:
    """One notice that was requested; it went to the addresses of that attempt.

    `starts_at` is the start that it was about.
    """

    notice_id: UUID
    kind: NoticeKind
    starts_at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known here of one appointment; without a contact nothing is kept of its patient."""

    appointment_id: UUID
    starts_at: datetime
    duration_minutes: int
    created_at: datetime
    cancelled_at: datetime | None
    patient_name: str | None
    email: str | None
    phone: str | None
    damaged: bool
    attempts: Sequence[SentAttempt]
    notices: Sequence[SentNotice]

    @property
    def known(self) -> bool:
        """Whether it names its patient."""
        return self.patient_name is not None


_FOUND = """SELECT id, practice_id, starts_at, duration_minutes, created_at, deleted_at,
        CASE WHEN deleted_at IS NULL OR contact_until > $2 THEN contact END AS contact
    FROM appointments WHERE practice_id = $1 AND erased_at IS NULL"""
PAGE = f"""{_FOUND}
    AND starts_at < $3 AND (starts_at, id) > ($4, $5) ORDER BY starts_at, id LIMIT $6"""


async def find(
    tx: Connection, sealer: Sealer, practice_id: UUID, appointment_id: UUID, now: datetime
) -> Proof | None:
    """Of one appointment, unless it is erased or its term is over."""
    rows = await tx.fetch(f"{_FOUND} AND id = $3", practice_id, now, appointment_id)
    proofs = await _proofs(tx, sealer, practice_id, rows)
    return proofs[0] if proofs else None


async def page(
    tx: Connection,
    sealer: Sealer,
    practice_id: UUID,
    first: datetime,
    until: datetime,
    now: datetime,
    *,
    after: ListPlace | None,
    limit: int,
) -> Sequence[Proof]:
    """Of appointments that start in [first, until), by start, behind a place in that list."""
    begin = after or ListPlace(first, UUID(int=0))
    rows = await tx.fetch(
        PAGE,
        practice_id,
        now,
        until,
        begin.at,
        begin.appointment_id,
        limit,
    )
    return await _proofs(tx, sealer, practice_id, rows)


async def _proofs(
    tx: Connection, sealer: Sealer, practice_id: UUID, rows: Sequence[Record]
) -> list[Proof]:
    ids = [row["id"] for row in rows]
    contacts = {row["id"]: _contact(sealer, row) for row in rows}
    attempts = await _attempts(tx, sealer, practice_id, contacts)
    notices = await _notices(tx, practice_id, ids)
    return [
        Proof(
            appointment_id=row["id"],
            starts_at=row["starts_at"],
            duration_minutes=row["duration_minutes"],
            created_at=row["created_at"],
            cancelled_at=row["deleted_at"],
            patient_name=contacts[row["id"]].get("patient_name"),
            email=contacts[row["id"]].get("email"),
            phone=contacts[row["id"]].get("phone"),
            damaged=row["contact"] is not None and not contacts[row["id"]],
            attempts=attempts[row["id"]],
            notices=notices[row["id"]],
        )
        for row in rows
    ]


def _contact(sealer: Sealer, row: Record) -> dict[str, Any]:
    """Empty where there is none, or it can't be opened, which must not stop the others."""
    if row["contact"] is None:
        return {}
    try:
        return contact_store.read(sealer, row)
    except NotOpened:
        log.error("contact can't be opened", appointment_id=str(row["id"]))
        return {}


async def _attempts(
    tx: Connection, sealer: Sealer, practice_id: UUID, contacts: dict[UUID, dict[str, Any]]
) -> dict[UUID, list[SentAttempt]]:
    rows = await tx.fetch(
        """
        SELECT appointment_id, attempt, channel, address_fingerprint, created_at FROM attempts
        WHERE practice_id = $1 AND appointment_id = ANY($2::uuid[]) ORDER BY attempt, channel
        """,
        practice_id,
        list(contacts),
    )
    found: dict[UUID, list[SentAttempt]] = defaultdict(list)
    for row in rows:
        channel, contact = Channel(row["channel"]), contacts[row["appointment_id"]]
        went = Whereabouts.UNKNOWN
        if contact:
            present = contact["email" if channel is Channel.EMAIL else "phone"]
            went = whereabouts(sealer, practice_id, channel, row["address_fingerprint"], present)
        found[row["appointment_id"]].append(
            SentAttempt(row["attempt"], channel, row["created_at"], went)
        )
    return found


async def _notices(
    tx: Connection, practice_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, list[SentNotice]]:
    rows = await tx.fetch(
        """
        SELECT appointment_id, id, kind, starts_at, attempt FROM notices
        WHERE practice_id = $1 AND appointment_id = ANY($2::uuid[]) AND attempt IS NOT NULL
        ORDER BY done_at, id
        """,
        practice_id,
        ids,
    )
    found: dict[UUID, list[SentNotice]] = defaultdict(list)
    for row in rows:
        found[row["appointment_id"]].append(
            SentNotice(row["id"], NoticeKind(row["kind"]), row["starts_at"], row["attempt"])
        )
    return found
