"""The SQL of the measured truth."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class Measures:
    """How fast ticks came, and how many were later proven wrong. Times in seconds."""

    ticks: int
    proven_wrong: int
    p50: float | None
    p95: float | None


async def measures(tx: Connection, practice_id: UUID | None, since: datetime) -> Measures:
    """Measures of attempts issued since then, of one practice or (None) of all.

    What waited for the morning on purpose says nothing of how fast ticks come.
    """
    row = await tx.fetchrow(
        """
        WITH recent AS (
            SELECT appointment_id, attempt, kind, channels, sequence, occurred_at, evidence,
                   waits_until
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
        ), waited AS (
            SELECT DISTINCT appointment_id, attempt, channels[1] AS channel
            FROM recent WHERE waits_until IS NOT NULL
        ), measured AS (
            SELECT CASE WHEN waited.attempt IS NULL
                        THEN extract(epoch FROM ticks.at - issued.at)::float8 END AS seconds,
                   coalesce(failures.sequence > ticks.sequence, false) AS wrong
            FROM issued
            JOIN ticks USING (appointment_id, attempt, channel)
            LEFT JOIN failures USING (appointment_id, attempt, channel)
            LEFT JOIN waited USING (appointment_id, attempt, channel)
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
