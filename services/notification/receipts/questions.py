"""SQL of questions: which gateway is to be asked of which delivery, and when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from services.notification.deliveries.receipt_deadline import ASK_AFTER
from services.notification.receipts.receipt import MAX_PAUSE


@dataclass(frozen=True, slots=True)
class Question:
    """A delivery of which its gateway, or any where it is not known, is to be asked."""

    delivery_id: UUID
    gateway: str | None
    gateway_id: str | None


async def claim(tx: Connection, now: datetime, most: int) -> list[Question]:
    """What to ask gateways now; each is due again later, twice as late as the time before."""
    rows = await tx.fetch(
        """
        UPDATE deliveries d SET
            asked = d.asked + 1,
            ask_at = $1::timestamptz + least($3::interval * 2 ^ least(d.asked, 20), $4::interval)
        FROM (SELECT id FROM deliveries WHERE ask_at <= $1
              ORDER BY ask_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
        WHERE d.id = due.id
        RETURNING d.id, d.gateway, d.gateway_id
        """,
        now,
        most,
        ASK_AFTER,
        MAX_PAUSE,
    )
    return [Question(row["id"], row["gateway"], row["gateway_id"]) for row in rows]
