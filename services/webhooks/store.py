"""SQL of events, of what is queued of them, and of the log of calls.

The open deliveries of one subject to one endpoint are a lane. Only the first of a lane has a
`next_try_at`; `_advance` sees to it after each change, under the lock of the endpoint's row, so
that those who queue and those who end never miss each other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis import columns
from chassis.database import Connection, affected
from contracts.terms import TOMBSTONE_TERM
from services.webhooks import endpoint_store
from services.webhooks.bodies import TEST_TYPE
from services.webhooks.endpoints import DisabledReason, Endpoint
from services.webhooks.schedule import Answer, lasting, next_try

PURGED_AT_ONCE = 500
# Nothing is queued anew that is about to be forgotten.
TOO_OLD_TO_REPLAY = timedelta(hours=1)

Lane: TypeAlias = tuple[UUID, UUID]  # endpoint, subject


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it is kept and sent."""

    id: UUID
    practice_id: UUID
    subject: UUID
    type: str
    time: datetime
    received_at: datetime
    body: str
    traceparent: str | None  # of its handling


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is being tried under a lease, with all that a call needs."""

    id: UUID
    lease: UUID
    practice_id: UUID
    endpoint_id: UUID
    event_id: UUID
    subject: UUID
    tries: int  # before this one
    url: str
    secret: bytes
    old_secret: bytes | None
    old_secret_until: datetime | None
    body: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Range:
    """Which events are replayed: by their time, or by id. `after` is a position."""

    since: datetime | None = None
    until: datetime | None = None
    event_ids: Sequence[UUID] | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the log of calls."""

    id: UUID
    event_id: UUID
    event_type: str
    subject: UUID
    number: int
    at: datetime
    milliseconds: int
    result: str
    status: int | None
    next_try_at: datetime | None


_EVENT = {
    "id": "uuid",
    "practice_id": "uuid",
    "subject": "uuid",
    "type": "text",
    "time": "timestamptz",
    "received_at": "timestamptz",
    "body": "text",
    "traceparent": "text",
}
_DELIVERY = {
    "id": "uuid",
    "practice_id": "uuid",
    "endpoint_id": "uuid",
    "event_id": "uuid",
    "subject": "uuid",
    "state": "text",
}


async def keep(tx: Connection, events: Sequence[Kept]) -> None:
    """Keep events, in their order; one that is there stays."""
    await tx.execute(
        columns.insert("events", _EVENT, "ON CONFLICT (id) DO NOTHING"),
        *columns.arrays(_EVENT, map(asdict, events)),
    )


async def queue(
    tx: Connection, wanted: Sequence[tuple[Endpoint, UUID, UUID]], now: datetime
) -> None:
    """Queue (endpoint, event, subject), in this order; the endpoints are locked."""
    if not wanted:
        return
    rows = [
        {
            "id": uuid7(),
            "practice_id": endpoint.practice_id,
            "endpoint_id": endpoint.id,
            "event_id": event_id,
            "subject": subject,
            "state": "open",
        }
        for endpoint, event_id, subject in wanted
    ]
    await tx.execute(columns.insert("deliveries", _DELIVERY), *columns.arrays(_DELIVERY, rows))
    await _advance(tx, {(endpoint.id, subject) for endpoint, _, subject in wanted}, now)


async def erased(tx: Connection, subjects: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these (practice, subject) are erased."""
    rows = await tx.fetch(
        """
        SELECT practice_id, subject FROM erased
        JOIN unnest($1::uuid[], $2::uuid[]) AS asked (practice_id, subject)
            USING (practice_id, subject)
        """,
        *_pairs(subjects),
    )
    return {(row["practice_id"], row["subject"]) for row in rows}


async def erase(tx: Connection, subjects: Collection[tuple[UUID, UUID]], now: datetime) -> None:
    """Forget all of these (practice, subject), queue and log included, but that they are erased.

    Their practices' endpoints are locked.
    """
    await tx.execute(
        """
        DELETE FROM events e USING unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, subject)
        WHERE (e.practice_id, e.subject) = (gone.practice_id, gone.subject)
        """,
        *_pairs(subjects),
    )
    await tx.execute(
        """
        INSERT INTO erased (practice_id, subject, erased_at)
        SELECT practice_id, subject, $3 FROM unnest($1::uuid[], $2::uuid[])
            AS gone (practice_id, subject)
        ON CONFLICT DO NOTHING
        """,
        *_pairs(subjects),
        now,
    )


async def claim(
    tx: Connection,
    *,
    now: datetime,
    until: datetime,
    lease: UUID,
    most: int,
    share: int,
    under_way: Mapping[UUID, int],
) -> list[Claim]:
    """Lease at most `most` that are due, until then; of an endpoint no more than `share` at once.

    `under_way` is how many calls each endpoint has here already: who has fewest comes first. To one
    whose last call failed there is one call at a time, so that the dead take few places.
    """
    rows = await tx.fetch(
        """
        WITH heads AS (
            SELECT due.id, due.next_try_at, coalesce(busy.calls, 0)
                + row_number() OVER (PARTITION BY e.id ORDER BY due.next_try_at) AS turn
            FROM endpoints e
            LEFT JOIN unnest($4::uuid[], $5::int[]) AS busy (endpoint_id, calls)
                ON busy.endpoint_id = e.id
            CROSS JOIN LATERAL (
                SELECT d.id, d.next_try_at FROM deliveries d
                WHERE d.endpoint_id = e.id AND d.state = 'open' AND d.next_try_at <= $1
                ORDER BY d.next_try_at
                LIMIT greatest(0, CASE WHEN e.failing_since IS NULL THEN $6::int ELSE 1 END
                                  - coalesce(busy.calls, 0))
                FOR UPDATE SKIP LOCKED
            ) due
            WHERE e.enabled
        ), chosen AS (SELECT id FROM heads ORDER BY turn, next_try_at LIMIT $7)
        UPDATE deliveries d SET lease = $2, next_try_at = $3
        FROM chosen, endpoints e, events v
        WHERE d.id = chosen.id AND e.id = d.endpoint_id AND v.id = d.event_id
        RETURNING d.id, d.lease, d.practice_id, d.endpoint_id, d.event_id, d.subject, d.tries,
                  e.url, e.secret, e.old_secret, e.old_secret_until, v.body, v.traceparent
        """,
        now,
        lease,
        until,
        list(under_way),
        list(under_way.values()),
        share,
        most,
    )
    return [Claim(**row) for row in rows]


async def record(
    tx: Connection,
    claimed: Claim,
    answer: Answer,
    milliseconds: int,
    *,
    now: datetime,
    jitter: float,
    limit: timedelta,
) -> DisabledReason | None:
    """What a call came to, and what follows from it; why its endpoint is disabled, if it is now.

    Of what was erased, cancelled or taken by somebody else meanwhile nothing is recorded.
    """
    if not await endpoint_store.lock_any(tx, [claimed.endpoint_id]):
        return None
    tries = claimed.tries + 1
    again = next_try(tries, answer, now, jitter)
    state = "delivered" if answer.delivered else "failed" if again is None else "open"
    done = await tx.execute(
        """
        UPDATE deliveries SET state = $3, tries = $4, next_try_at = $5, lease = NULL, ended_at = $6
        WHERE id = $1 AND lease = $2
        """,
        claimed.id,
        claimed.lease,
        state,
        tries,
        again,
        None if state == "open" else now,
    )
    if not affected(done):
        return None
    await tx.execute(
        """
        INSERT INTO attempts (id, practice_id, endpoint_id, delivery_id, number, at, milliseconds,
                              result, status, next_try_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        uuid7(),
        claimed.practice_id,
        claimed.endpoint_id,
        claimed.id,
        tries,
        now,
        milliseconds,
        answer.result,
        answer.status,
        again,
    )
    if state != "open":
        await _advance(tx, {(claimed.endpoint_id, claimed.subject)}, now)
    if answer.delivered:
        await endpoint_store.note_success(tx, claimed.endpoint_id)
        return None
    failing_since = await endpoint_store.note_failure(tx, claimed.endpoint_id, now)
    reason = DisabledReason.GONE if answer.gone else DisabledReason.FAILING
    if answer.gone or lasting(failing_since, now, limit):
        return (
            reason if await endpoint_store.disable(tx, claimed.endpoint_id, reason, now) else None
        )
    return None


async def give_back(tx: Connection, claims: Sequence[Claim], now: datetime) -> None:
    """Let others try what was claimed and not begun, or broken off."""
    await tx.execute(
        """
        UPDATE deliveries d SET next_try_at = $3, lease = NULL
        FROM unnest($1::uuid[], $2::uuid[]) AS ours (id, lease)
        WHERE d.id = ours.id AND d.lease = ours.lease
        """,
        [each.id for each in claims],
        [each.lease for each in claims],
        now,
    )


async def replay(
    tx: Connection,
    endpoint: Endpoint,
    wanted: Range,
    *,
    kept_since: datetime,
    limit: int,
    now: datetime,
) -> tuple[int, int | None]:
    """Queue events anew for an endpoint that is locked; how many, and the position to go on from.

    Of what is still queued for it nothing is queued twice. `kept_since`: what came before is soon
    forgotten.
    """
    rows = await tx.fetch(
        """
        SELECT e.id, e.subject, e.position FROM events e
        WHERE e.practice_id = $1 AND e.position > $2 AND e.type <> $3
          AND (e.type = ANY($4::text[]) OR cardinality($4::text[]) = 0)
          AND e.received_at >= $5
          AND ($6::timestamptz IS NULL OR e.time >= $6)
          AND ($7::timestamptz IS NULL OR e.time < $7)
          AND ($8::uuid[] IS NULL OR e.id = ANY($8))
          AND NOT EXISTS (SELECT FROM deliveries d WHERE d.event_id = e.id
                          AND d.endpoint_id = $9 AND d.state = 'open')
        ORDER BY e.position LIMIT $10
        """,
        endpoint.practice_id,
        wanted.after,
        TEST_TYPE,
        endpoint.event_types,
        kept_since + TOO_OLD_TO_REPLAY,
        wanted.since,
        wanted.until,
        wanted.event_ids,
        endpoint.id,
        limit + 1,
    )
    chosen = rows[:limit]
    await queue(tx, [(endpoint, row["id"], row["subject"]) for row in chosen], now)
    return len(chosen), chosen[-1]["position"] if len(rows) > limit else None


async def waiting(tx: Connection, endpoint_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many deliveries are open, by endpoint."""
    rows = await tx.fetch(
        """
        SELECT endpoint_id, count(*) FROM deliveries
        WHERE endpoint_id = ANY($1::uuid[]) AND state = 'open' GROUP BY endpoint_id
        """,
        endpoint_ids,
    )
    return {row["endpoint_id"]: row["count"] for row in rows}


async def attempts(
    tx: Connection, practice_id: UUID, endpoint_id: UUID, *, before: UUID | None, limit: int
) -> list[Attempt]:
    """The log of an endpoint, the newest first."""
    rows = await tx.fetch(
        """
        SELECT a.id, d.event_id, e.type AS event_type, d.subject, a.number, a.at, a.milliseconds,
               a.result, a.status, a.next_try_at
        FROM attempts a JOIN deliveries d ON d.id = a.delivery_id JOIN events e ON e.id = d.event_id
        WHERE a.practice_id = $1 AND a.endpoint_id = $2 AND ($3::uuid IS NULL OR a.id < $3)
        ORDER BY a.id DESC LIMIT $4
        """,
        practice_id,
        endpoint_id,
        before,
        limit,
    )
    return [Attempt(**row) for row in rows]


async def purge(tx: Connection, kept_since: datetime, now: datetime) -> bool:
    """Forget a batch of events that came before; True if there may be more."""
    old = [
        row["id"]
        for row in await tx.fetch(
            "SELECT id FROM events WHERE received_at < $1 ORDER BY received_at LIMIT $2",
            kept_since,
            PURGED_AT_ONCE,
        )
    ]
    lanes = await tx.fetch(
        """
        SELECT DISTINCT endpoint_id, subject FROM deliveries
        WHERE event_id = ANY($1::uuid[]) AND state = 'open'
        """,
        old,
    )
    await endpoint_store.lock_any(tx, {row["endpoint_id"] for row in lanes})
    await tx.execute("DELETE FROM events WHERE id = ANY($1::uuid[])", old)
    await _advance(tx, {(row["endpoint_id"], row["subject"]) for row in lanes}, now)
    return len(old) >= PURGED_AT_ONCE


async def purge_erased(tx: Connection) -> bool:
    """Forget a batch that no topic speaks of any more; True if there may be more."""
    done = await tx.execute(
        """
        DELETE FROM erased WHERE (practice_id, subject) IN (
            SELECT practice_id, subject FROM erased WHERE erased_at < now() - $1::interval
            ORDER BY erased_at LIMIT $2)
        """,
        TOMBSTONE_TERM,
        PURGED_AT_ONCE,
    )
    return affected(done) >= PURGED_AT_ONCE


async def _advance(tx: Connection, lanes: Collection[Lane], now: datetime) -> None:
    """Let the first of each lane be tried, if it is not being."""
    if not lanes:
        return
    await tx.execute(
        """
        UPDATE deliveries d SET next_try_at = $3
        FROM (
            SELECT DISTINCT ON (o.endpoint_id, o.subject) o.id, o.next_try_at FROM deliveries o
            JOIN unnest($1::uuid[], $2::uuid[]) AS lane (endpoint_id, subject)
                USING (endpoint_id, subject)
            WHERE o.state = 'open' ORDER BY o.endpoint_id, o.subject, o.position
        ) first
        WHERE d.id = first.id AND first.next_try_at IS NULL
        """,
        *_pairs(lanes),
        now,
    )


def _pairs(pairs: Iterable[tuple[UUID, UUID]]) -> tuple[list[UUID], list[UUID]]:
    ordered = sorted(pairs)
    return [first for first, _ in ordered], [second for _, second in ordered]
