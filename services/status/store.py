"""The SQL: what is known, what is shown, and the feed that tells of each change.

Each practice has a feed: its indicators in the order in which they last changed, numbered by
`version`. `record` locks the feeds it touches until the commit, so for one practice commits happen
in the order of versions, across all replicas. That makes `version > last` complete: once a reader
has seen a version, no smaller one can still appear (which a sequence would not give).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from chassis.database import Connection
from contracts.channels import Channel
from contracts.events import Evidence, FailureCategory, FailureEvidence, FailureReason
from services.status import erasure_store
from services.status.indicators import (
    AnyEvidence,
    Deleted,
    Erased,
    Fact,
    Indicator,
    Issued,
    Outcome,
    State,
    fold,
)

CHANGED = "status_feed_changed"  # notification channel; the payload is a practice's id

Key = tuple[UUID, UUID]  # practice, appointment
Body = dict[str, Any]

_as_json = TypeAdapter(Indicator)


@dataclass(frozen=True, slots=True)
class Known:
    """A fact with the event that told it and the appointment it is about."""

    event_id: UUID
    practice_id: UUID
    appointment_id: UUID
    fact: Fact


@dataclass(frozen=True, slots=True)
class Shown:
    """An indicator at its position in the practice's feed; `body` is None once deleted."""

    appointment_id: UUID
    version: int
    body: Body | None


@dataclass(frozen=True, slots=True)
class Moved:
    """That an appointment was moved, at its position in the practice's feed."""

    appointment_id: UUID
    version: int


async def record(
    tx: Connection, known: Sequence[Known], moved: Collection[Key] = frozenset()
) -> list[Shown]:
    """Add facts, fold the appointments they are about, and return what changed.

    Of those `moved` the feed tells, too, unless they are deleted or have no indicator yet, and
    thus are shown by nobody.

    Needs a READ COMMITTED transaction bound to the system. The facts are read only once the locks
    are held, so two replicas that hear of the same appointment never fold half of what is known.
    """
    if not known and not moved:
        return []
    practices = {each.practice_id for each in known} | {practice_id for practice_id, _ in moved}
    positions = await _lock_feeds(tx, sorted(practices))
    if known:
        await _insert_events(tx, known)
    keys = sorted({(each.practice_id, each.appointment_id) for each in known})
    facts = await _facts(tx, keys)
    before = await _bodies(tx, keys)
    changed: dict[Key, Shown] = {}
    for key in keys:
        value = fold(facts[key])
        body = _as_json.dump_python(value, mode="json") if isinstance(value, Indicator) else None
        if value is None or (key in before and before[key] == body):
            continue
        practice_id, appointment_id = key
        positions[practice_id] += 1
        changed[key] = Shown(appointment_id, positions[practice_id], body)
    places: dict[Key, int] = {}
    for key in sorted(moved):
        practice_id, _ = key
        positions[practice_id] += 1
        places[key] = positions[practice_id]
    if changed:
        await _show(tx, changed)
    if places:
        await _tell_of_moves(tx, places)
    if changed or places:
        touched = {practice_id for practice_id, _ in [*changed, *places]}
        await _move_feeds(tx, {practice_id: positions[practice_id] for practice_id in touched})
    erased = [key for key in keys if any(isinstance(fact, Erased) for fact in facts[key])]
    await erasure_store.forget(tx, erased)
    return list(changed.values())


async def position(tx: Connection, practice_id: UUID) -> int:
    """The newest version of the practice's feed; 0 before the first."""
    row = await tx.fetchrow("SELECT version FROM practice_feed WHERE practice_id = $1", practice_id)
    return 0 if row is None else int(row["version"])


async def positions(tx: Connection, practice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The newest versions of several feeds; practices without a feed are left out."""
    rows = await tx.fetch(
        "SELECT practice_id, version FROM practice_feed WHERE practice_id = ANY($1::uuid[])",
        practice_ids,
    )
    return {row["practice_id"]: row["version"] for row in rows}


async def changes(
    tx: Connection, practice_id: UUID, *, after: int, limit: int
) -> list[Shown | Moved]:
    """What changed after a version, in order: of each appointment its newest state and move."""
    rows = await tx.fetch(
        """
        SELECT appointment_id, version, body, false AS moved FROM indicators
        WHERE practice_id = $1 AND version > $2
        UNION ALL
        SELECT appointment_id, moved_at, NULL, true FROM indicators
        WHERE practice_id = $1 AND moved_at > $2
        ORDER BY version LIMIT $3
        """,
        practice_id,
        after,
        limit,
    )
    return [
        Moved(row["appointment_id"], row["version"])
        if row["moved"]
        else Shown(row["appointment_id"], row["version"], row["body"])
        for row in rows
    ]


async def indicators(
    tx: Connection, practice_id: UUID, appointment_ids: Sequence[UUID]
) -> list[Shown]:
    """The indicators of these appointments; those without one and deleted ones are left out."""
    rows = await tx.fetch(
        """
        SELECT appointment_id, version, body FROM indicators
        WHERE practice_id = $1 AND appointment_id = ANY($2::uuid[]) AND body IS NOT NULL
        ORDER BY appointment_id
        """,
        practice_id,
        appointment_ids,
    )
    return [Shown(**row) for row in rows]


async def facts(tx: Connection, practice_id: UUID, appointment_id: UUID) -> list[Fact]:
    """Everything known of one appointment, in no particular order."""
    return (await _facts(tx, [(practice_id, appointment_id)]))[practice_id, appointment_id]


async def _lock_feeds(tx: Connection, practice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock in the order of ids, so that two transactions never wait for each other."""
    await tx.execute(
        """
        INSERT INTO practice_feed (practice_id, version)
        SELECT practice_id, 0 FROM unnest($1::uuid[]) AS touched (practice_id) ORDER BY 1
        ON CONFLICT DO NOTHING
        """,
        practice_ids,
    )
    rows = await tx.fetch(
        """
        SELECT practice_id, version FROM practice_feed
        WHERE practice_id = ANY($1::uuid[]) ORDER BY practice_id FOR UPDATE
        """,
        practice_ids,
    )
    return {row["practice_id"]: row["version"] for row in rows}


async def _insert_events(tx: Connection, known: Sequence[Known]) -> None:
    """Repeats were filtered by the inbox; one it has forgotten since changes nothing either."""
    rows = [_row(each) for each in known]
    await tx.execute(
        """
        INSERT INTO events (event_id, practice_id, appointment_id, kind, attempt, channels,
                            sequence, occurred_at, evidence, category, reason, status_code, late)
        SELECT event_id, practice_id, appointment_id, kind, attempt,
               string_to_array(channels, ','),
               sequence, occurred_at, evidence, category, reason, status_code, late
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[],
                    $7::bigint[], $8::timestamptz[], $9::text[], $10::text[], $11::text[],
                    $12::text[], $13::boolean[])
            AS event (event_id, practice_id, appointment_id, kind, attempt, channels,
                      sequence, occurred_at, evidence, category, reason, status_code, late)
        ON CONFLICT (event_id) DO NOTHING
        """,
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def _facts(tx: Connection, keys: Sequence[Key]) -> dict[Key, list[Fact]]:
    rows = await tx.fetch(
        """
        SELECT events.* FROM events
        JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (practice_id, appointment_id)
            USING (practice_id, appointment_id)
        """,
        *_columns(keys),
    )
    found: dict[Key, list[Fact]] = {key: [] for key in keys}
    for row in rows:
        found[row["practice_id"], row["appointment_id"]].append(_fact(row))
    return found


async def _bodies(tx: Connection, keys: Sequence[Key]) -> dict[Key, Body | None]:
    rows = await tx.fetch(
        """
        SELECT practice_id, appointment_id, body FROM indicators
        JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (practice_id, appointment_id)
            USING (practice_id, appointment_id)
        """,
        *_columns(keys),
    )
    return {(row["practice_id"], row["appointment_id"]): row["body"] for row in rows}


async def _show(tx: Connection, changed: Mapping[Key, Shown]) -> None:
    await tx.execute(
        """
        INSERT INTO indicators (practice_id, appointment_id, version, body)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::jsonb[])
        ON CONFLICT (practice_id, appointment_id)
            DO UPDATE SET version = excluded.version, body = excluded.body,
                moved_at = CASE WHEN excluded.body IS NOT NULL THEN indicators.moved_at END
        """,
        *_columns(list(changed)),
        [shown.version for shown in changed.values()],
        [shown.body for shown in changed.values()],
    )


async def _tell_of_moves(tx: Connection, places: Mapping[Key, int]) -> None:
    await tx.execute(
        """
        UPDATE indicators i SET moved_at = place.version
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
            AS place (practice_id, appointment_id, version)
        WHERE (i.practice_id, i.appointment_id) = (place.practice_id, place.appointment_id)
          AND i.body IS NOT NULL
        """,
        *_columns(list(places)),
        list(places.values()),
    )


async def _move_feeds(tx: Connection, moved: Mapping[UUID, int]) -> None:
    """Number the feeds anew and wake their readers once this commits."""
    await tx.execute(
        """
        WITH moved AS (
            UPDATE practice_feed SET version = target.version
            FROM unnest($1::uuid[], $2::bigint[]) AS target (practice_id, version)
            WHERE practice_feed.practice_id = target.practice_id
            RETURNING practice_feed.practice_id
        )
        SELECT pg_notify($3, practice_id::text) FROM moved
        """,
        list(moved),
        list(moved.values()),
        CHANGED,
    )


def _columns(keys: Sequence[Key]) -> tuple[list[UUID], list[UUID]]:
    return [practice_id for practice_id, _ in keys], [appointment_id for _, appointment_id in keys]


Row = tuple[
    UUID,
    UUID,
    UUID,
    str,
    int,
    str,
    int,
    datetime,
    str | None,
    str | None,
    str | None,
    str | None,
    bool,
]


def _row(known: Known) -> Row:
    subject = (known.event_id, known.practice_id, known.appointment_id)
    match known.fact:
        case Issued(attempt=attempt, channels=channels, at=at):
            listed = ",".join(sorted(channels))
            return (*subject, "issued", attempt, listed, 0, at, None, None, None, None, False)
        case Erased(at=at):
            return (*subject, "erased", 0, "", 0, at, None, None, None, None, False)
        case Deleted(at=at):
            return (*subject, "deleted", 0, "", 0, at, None, None, None, None, False)
        case Outcome() as outcome:
            return (
                *subject,
                outcome.state.value,
                outcome.attempt,
                outcome.channel.value,
                outcome.sequence,
                outcome.at,
                outcome.evidence,
                outcome.category,
                outcome.reason,
                outcome.status_code,
                outcome.late,
            )


def _fact(row: asyncpg.Record) -> Fact:
    match row["kind"]:
        case "issued":
            return Issued(
                row["attempt"], frozenset(map(Channel, row["channels"])), row["occurred_at"]
            )
        case "erased":
            return Erased(row["occurred_at"])
        case "deleted":
            return Deleted(row["occurred_at"])
        case state:
            return Outcome(
                attempt=row["attempt"],
                channel=Channel(row["channels"][0]),
                sequence=row["sequence"],
                state=State(state),
                at=row["occurred_at"],
                evidence=_evidence(row["evidence"]),
                category=None if row["category"] is None else FailureCategory(row["category"]),
                reason=None if row["reason"] is None else FailureReason(row["reason"]),
                status_code=row["status_code"],
                late=row["late"],
            )


def _evidence(stored: str | None) -> AnyEvidence | None:
    if stored is None:
        return None
    return FailureEvidence(stored) if stored in [*FailureEvidence] else Evidence(stored)


@dataclass(frozen=True, slots=True)
class Measures:
    """How fast ticks came, and how many were later proven wrong. Times in seconds."""

    ticks: int
    proven_wrong: int
    p50: float | None
    p95: float | None


async def measures(tx: Connection, practice_id: UUID | None, since: datetime) -> Measures:
    """Measures of attempts issued since then, of one practice or (None) of all."""
    row = await tx.fetchrow(
        """
        WITH recent AS (
            SELECT appointment_id, attempt, kind, channels, sequence, occurred_at, evidence
            FROM events
            WHERE occurred_at >= $2 AND ($1::uuid IS NULL OR practice_id = $1)
        ), issued AS (
            SELECT appointment_id, attempt, channel, min(occurred_at) AS at
            FROM recent CROSS JOIN unnest(channels) AS channel
            WHERE kind = 'issued' GROUP BY 1, 2, 3
        ), ticks AS (
            SELECT appointment_id, attempt, channels[1] AS channel,
                   min(occurred_at) AS at, min(sequence) AS sequence
            FROM recent WHERE kind = 'delivered' GROUP BY 1, 2, 3
        ), failures AS (
            SELECT appointment_id, attempt, channels[1] AS channel, max(sequence) AS sequence
            FROM recent WHERE kind = 'failed' AND evidence IS NULL GROUP BY 1, 2, 3
        ), measured AS (
            SELECT extract(epoch FROM ticks.at - issued.at)::float8 AS seconds,
                   coalesce(failures.sequence > ticks.sequence, false) AS wrong
            FROM issued
            JOIN ticks USING (appointment_id, attempt, channel)
            LEFT JOIN failures USING (appointment_id, attempt, channel)
        )
        SELECT count(*) AS ticks, count(*) FILTER (WHERE wrong) AS proven_wrong,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
        FROM measured
        """,
        practice_id,
        since,
    )
    return Measures(**dict(row)) if row else Measures(0, 0, None, None)
