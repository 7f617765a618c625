"""What operations see: calls and what they came to, endpoints, and how late deliveries are."""

from prometheus_client import Counter, Gauge, Histogram

from chassis.database import Connection
from services.webhooks.endpoints import DisabledReason
from services.webhooks.schedule import Answer

PUBLISH_EVERY = 15.0  # seconds
ENABLED = "enabled"

calls = Counter("webhook_calls_total", "Calls of receivers, by what they came to", ["result"])
seconds = Histogram(
    "webhook_call_seconds",
    "How long calls of receivers take",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60),
)
endpoints = Gauge("webhook_endpoints", "Endpoints: enabled, or why they are not", ["state"])
late = Gauge(
    "webhook_late_seconds", "How long the delivery waits that has been due for longest, not tried"
)


def count(answer: Answer, milliseconds: int) -> None:
    """Count a call."""
    calls.labels(answer.result).inc()
    seconds.observe(milliseconds / 1000)


async def publish(tx: Connection) -> None:
    """Look at the tables. Retries that wait for their time are not late."""
    rows = await tx.fetch(
        """
        SELECT coalesce(disabled_reason, $1) AS state, count(*) FROM endpoints GROUP BY 1
        """,
        ENABLED,
    )
    found = {row["state"]: row["count"] for row in rows}
    for state in (ENABLED, *DisabledReason):
        endpoints.labels(state).set(found.get(state, 0))
    overdue = await tx.fetchval(
        """
        SELECT extract(epoch FROM max(now() - due.next_try_at))::float FROM endpoints e
        CROSS JOIN LATERAL (
            SELECT next_try_at FROM deliveries d
            WHERE d.endpoint_id = e.id AND d.state = 'open' AND d.next_try_at <= now()
            ORDER BY next_try_at LIMIT 1
        ) due
        WHERE e.enabled AND e.failing_since IS NULL
        """
    )
    late.set(overdue or 0)
