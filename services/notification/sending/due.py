"""What is due to be sent: deliveries with their letters, a fair share of each practice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.events import Channel
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.store import delivery_of
from services.notification.letters.letter import Letter
from services.notification.letters.store import open_letter


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery to be sent with its letter as it is stored: opened only to be sent."""

    delivery: Delivery
    stored: Record

    def open(self, sealer: Sealer, delivery: Delivery) -> Letter:
        """The letter to send for what the delivery is by now. Raises NotOpened."""
        return open_letter(sealer, delivery.kind, self.stored)


async def lock_due(tx: Connection, channel: Channel, now: datetime, most: int) -> list[DueDelivery]:
    """At most `most` due deliveries, locked; rows that another worker has locked are passed over.

    Practices with something due take turns: each gets an equal share of the batch, so that one
    with a thousand invitations does not hold up another's single one.
    """
    rows = await tx.fetch(
        """
        WITH RECURSIVE practice (id) AS (
            (SELECT practice_id FROM deliveries WHERE channel = $3 AND due_at IS NOT NULL
             ORDER BY practice_id LIMIT 1)
            UNION ALL
            SELECT (SELECT practice_id FROM deliveries
                    WHERE channel = $3 AND due_at IS NOT NULL AND practice_id > practice.id
                    ORDER BY practice_id LIMIT 1)
            FROM practice WHERE practice.id IS NOT NULL
        ), waiting (id, since) AS (
            SELECT practice.id, oldest.due_at
            FROM practice CROSS JOIN LATERAL (
                SELECT due_at FROM deliveries
                WHERE channel = $3 AND practice_id = practice.id AND due_at <= $1
                ORDER BY due_at LIMIT 1
            ) AS oldest
            ORDER BY oldest.due_at LIMIT $2
        )
        SELECT d.*, a.version AS appointment_version, a.starts_at AS start, a.duration_minutes,
               a.time_zone
        FROM waiting CROSS JOIN LATERAL (
            SELECT * FROM deliveries
            WHERE channel = $3 AND practice_id = waiting.id AND due_at <= $1
            ORDER BY due_at LIMIT greatest(1, $2 / (SELECT count(*) FROM waiting))
            FOR UPDATE SKIP LOCKED
        ) AS d JOIN appointments a ON a.appointment_id = d.appointment_id
        ORDER BY d.due_at
        """,
        now,
        most,
        channel,
    )
    return [DueDelivery(delivery_of(row), row) for row in rows]


async def renew(tx: Connection, leases: Mapping[UUID, UUID], until: datetime) -> set[UUID]:
    """Let leases, by delivery id, end at `until`; the ids of those that are still held.

    One that has run out is renewed as well, unless another worker has taken the delivery since.
    """
    rows = await tx.fetch(
        """
        UPDATE deliveries SET due_at = $3
        FROM (SELECT d.id FROM deliveries d
              JOIN unnest($1::uuid[], $2::uuid[]) AS held (id, lease)
              ON d.id = held.id AND d.lease = held.lease
              ORDER BY d.id FOR UPDATE OF d) AS mine
        WHERE deliveries.id = mine.id
        RETURNING deliveries.id
        """,
        list(leases),
        list(leases.values()),
        until,
    )
    return {row["id"] for row in rows}
