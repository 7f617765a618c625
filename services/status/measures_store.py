"""The SQL of the measured truth: of a practice from its events, of all from counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from chassis.together import Writer
from contracts.events import Evidence
from services.status import tick_counts
from services.status.facts import PRECEDENCE
from services.status.tick_counts import Measures, Ticked
from services.status.weeks import Counted

COUNTING_LOCK = 0x7C0  # advisory lock: one at a time sums up


async def count(tx: Writer, changes: Mapping[Ticked, int]) -> None:
    """Add to what is counted of ticks, or take away. Nobody waits for anybody in this."""
    await tx.execute(
        """
        INSERT INTO tick_changes (issued_at, step, ticks, proven_wrong)
        SELECT * FROM unnest($1::timestamptz[], $2::integer[], $3::integer[], $4::integer[])
        """,
        [each.issued_at for each in changes],
        [each.step for each in changes],
        [*changes.values()],
        [number if each.proven_wrong else 0 for each, number in changes.items()],
    )


async def sum_up(tx: Connection, since: datetime) -> None:
    """Put what was added into one row for each minute and step; forget those before `since`."""
    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", COUNTING_LOCK):
        return
    await tx.execute("DELETE FROM tick_counts WHERE issued_at < $1", since)
    await tx.execute(
        """
        WITH added AS (DELETE FROM tick_changes RETURNING *)
        INSERT INTO tick_counts AS counted (issued_at, step, ticks, proven_wrong)
        SELECT issued_at, step, sum(ticks), sum(proven_wrong) FROM added
        WHERE issued_at >= $1 GROUP BY issued_at, step
        ON CONFLICT (issued_at, step) DO UPDATE
            SET ticks = counted.ticks + excluded.ticks,
                proven_wrong = counted.proven_wrong + excluded.proven_wrong
        """,
        since,
    )


async def measures_of_all(tx: Connection, since: datetime) -> Measures:
    """Measures of attempts issued since then, to the minute, over all practices."""
    rows = await tx.fetch(
        """
        SELECT step, sum(ticks)::bigint AS ticks, sum(proven_wrong)::bigint AS proven_wrong
        FROM (SELECT step, ticks, proven_wrong FROM tick_counts WHERE issued_at >= $1
              UNION ALL
              SELECT step, ticks, proven_wrong FROM tick_changes WHERE issued_at >= $1) AS counted
        GROUP BY step
        """,
        since,
    )
    return tick_counts.measures(
        {row["step"]: row["ticks"] for row in rows}, sum(row["proven_wrong"] for row in rows)
    )


async def measures(tx: Connection, practice_id: UUID, since: datetime) -> Measures:
    """Measures of a practice's attempts issued since then.

    What waited for the morning on purpose says nothing of how fast ticks come.
    """
    row = await tx.fetchrow(
        """
        WITH requested AS (
            SELECT min(occurred_at) FILTER (WHERE kind = 'issued') AS issued_at,
                   min(occurred_at) FILTER (WHERE kind = 'delivered') AS ticked_at,
                   min(sequence) FILTER (WHERE kind = 'delivered') AS ticked,
                   max(sequence) FILTER (WHERE kind = 'failed' AND evidence IS NULL) AS failed,
                   bool_or(waits_until IS NOT NULL) AS waited
            FROM events CROSS JOIN unnest(channels) AS channel
            WHERE practice_id = $1 AND occurred_at >= $2
              AND kind IN ('issued', 'pending', 'delivered', 'failed', 'unconfirmed')
            GROUP BY appointment_id, attempt, channel
        ), measured AS (
            SELECT CASE WHEN NOT waited
                        THEN extract(epoch FROM ticked_at - issued_at)::float8 END AS seconds,
                   coalesce(failed > ticked, false) AS wrong
            FROM requested WHERE issued_at IS NOT NULL AND ticked_at IS NOT NULL
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
