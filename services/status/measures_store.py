"""The SQL of the measured truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from contracts.events import Evidence
from services.status.facts import PRECEDENCE
from services.status.weeks import Counted


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


async def weeks(
    tx: Connection, practice_id: UUID, beginnings: Sequence[datetime]
) -> dict[int, Counted]:
    """What became of the invitations of each week that begins then, by its place in the list.

    As `indicators.fold` shows it, of whole weeks at once: `test_weeks` compares them.
    """
    rows = await tx.fetch(
        """
        WITH recent AS MATERIALIZED (
            SELECT appointment_id, attempt, channels, sequence, occurred_at, waits_until,
                   CASE WHEN kind = 'delivered' AND (evidence = ANY($3)) IS NOT TRUE
                       THEN 'unconfirmed' ELSE kind END AS state
            FROM events
            WHERE practice_id = $1 AND occurred_at >= ($2::timestamptz[])[1]
              AND kind IN ('issued', 'pending', 'delivered', 'failed', 'unconfirmed')
        ), invited AS (
            SELECT appointment_id, width_bucket(min(occurred_at), $2::timestamptz[]) - 1 AS week
            FROM recent WHERE state = 'issued' AND attempt = 1 GROUP BY 1
        ), requested AS (
            SELECT week, appointment_id, attempt, channel,
                   min(occurred_at) FILTER (WHERE state = 'issued') AS issued_at,
                   min(occurred_at) FILTER (WHERE state = 'delivered') AS ticked_at,
                   bool_or(waits_until IS NOT NULL) AS waited
            FROM recent JOIN invited USING (appointment_id) CROSS JOIN unnest(channels) AS channel
            GROUP BY 1, 2, 3, 4
        ), last AS (
            SELECT DISTINCT ON (appointment_id, attempt, channels[1])
                   appointment_id, attempt, channels[1] AS channel, state
            FROM recent WHERE state <> 'issued'
            ORDER BY appointment_id, attempt, channels[1], sequence DESC,
                     array_position($4::text[], state)
        ), attempts AS (
            SELECT week, appointment_id, attempt,
                   min(array_position($4::text[], coalesce(state, 'pending'))) AS overall
            FROM requested LEFT JOIN last USING (appointment_id, attempt, channel)
            GROUP BY 1, 2, 3
        ), invitations AS (
            SELECT week, ($4::text[])[(array_agg(overall ORDER BY attempt DESC))[1]] AS state,
                   min(overall) < array_position($4::text[], 'delivered') AS troubled
            FROM attempts GROUP BY week, appointment_id
        ), counted AS (
            SELECT week,
                   count(*) FILTER (WHERE state = 'delivered' AND NOT troubled) AS at_once,
                   count(*) FILTER (WHERE state = 'delivered' AND troubled) AS corrected,
                   count(*) FILTER (WHERE state = 'failed') AS failed,
                   count(*) FILTER (WHERE state IN ('pending', 'unconfirmed')) AS open
            FROM invitations GROUP BY week
        ), ticks AS (
            SELECT week, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
                       ORDER BY extract(epoch FROM ticked_at - issued_at)::float8) AS seconds
            FROM requested
            WHERE ticked_at IS NOT NULL AND issued_at IS NOT NULL AND NOT waited GROUP BY week
        )
        SELECT week, at_once, corrected, failed, open, seconds[1] AS p50, seconds[2] AS p95
        FROM counted LEFT JOIN ticks USING (week)
        """,
        practice_id,
        beginnings,
        [*Evidence],
        [*PRECEDENCE],
    )
    return {row["week"]: Counted(*[*row.values()][1:]) for row in rows}
