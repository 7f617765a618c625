"""What is due to be sent: deliveries with their letters, practice after practice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.channels import Channel
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.retries import RETRY_WITHIN
from services.notification.deliveries.store import delivery_of
from services.notification.letters.letter import Letter, LetterKind
from services.notification.letters.store import open_letter

NOBODY = UUID(int=0)  # before the first practice

# While an invitation is being sent, nobody knows whether a notice is to follow it (`told`).
READY = """(kind = 'invitation' OR NOT EXISTS (
    SELECT FROM deliveries AS invitation
    WHERE invitation.appointment_id = deliveries.appointment_id
      AND invitation.channel = deliveries.channel
      AND invitation.kind = 'invitation' AND invitation.state = 'sending'))"""

# Past its deadline, as `Delivery` has it.
OVERDUE = "least(coalesce(held_until, requested_at) + $9::interval, starts_at) <= $1"

DUE = f"due_at <= $1 AND {READY} AND (NOT $8 OR {OVERDUE})"


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery to be sent with its letter as it is stored: opened only to be sent."""

    delivery: Delivery
    stored: Record

    @property
    def start(self) -> datetime | None:
        """When the letter says that the appointment is; a notice has words of its own."""
        of_notice = self.delivery.kind is not LetterKind.INVITATION
        return self.delivery.named_start if of_notice else self.stored["start"]

    def open(self, sealer: Sealer, delivery: Delivery) -> Letter:
        """The letter to send for what the delivery is by now. Raises NotOpened."""
        return open_letter(sealer, delivery.kind, self.stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Whose turn it is: practices in the order of their ids, round and round.

    `after` was served last. No practice is to have more than `share` tries under way at the same
    time; `under_way` are those of today, by practice.
    """

    after: UUID
    share: int
    under_way: Mapping[UUID, int]


async def lock_due(
    tx: Connection, channel: Channel, now: datetime, most: int, turns: Turns | None
) -> tuple[list[DueDelivery], bool]:
    """At most `most` due deliveries, locked, and whether more are due beside them.

    Rows that another worker has locked are passed over, and may count as more.

    Practices with something due take turns, and each gets an equal part of `most`, so that one with
    a thousand invitations does not hold up another's single one. In the order of the turns.

    Without `turns` it is of what is past its deadline alone.

    What their letters say is read once they are locked, in a statement of its own: the one that
    locks finds them as they are by then, and everything else as it was when it began.
    """
    overdue_only = turns is None
    turns = turns or Turns(after=NOBODY, share=most, under_way={})
    rows = await tx.fetch(
        f"""
        WITH RECURSIVE turn (place, practice_id, around) AS (
            SELECT 0, $4::uuid, false
            UNION ALL
            SELECT turn.place + 1, following.practice_id, following.around
            FROM turn CROSS JOIN LATERAL (
                (SELECT practice_id, turn.around AS around FROM deliveries
                 WHERE channel = $2 AND due_at IS NOT NULL AND practice_id > turn.practice_id
                       AND (NOT turn.around OR practice_id <= $4)
                 ORDER BY practice_id LIMIT 1)
                UNION ALL
                (SELECT practice_id, true FROM deliveries
                 WHERE channel = $2 AND due_at IS NOT NULL AND practice_id <= $4
                       AND NOT turn.around
                 ORDER BY practice_id LIMIT 1)
                ORDER BY around LIMIT 1
            ) AS following
        ), waiting AS MATERIALIZED (
            SELECT place, turn.practice_id, room
            FROM turn CROSS JOIN LATERAL (
                SELECT $5 - coalesce(($7::int[])[array_position($6::uuid[], practice_id)], 0)
            ) AS share (room) CROSS JOIN LATERAL (
                SELECT FROM deliveries
                WHERE channel = $2 AND practice_id = turn.practice_id AND {DUE}
                ORDER BY due_at LIMIT 1
            ) AS something
            WHERE place > 0 AND room > 0
            LIMIT $3
        ), parts AS MATERIALIZED (
            SELECT place, practice_id, least(room, greatest(1, $3 / count(*) OVER ())) AS part
            FROM waiting
        ), others AS MATERIALIZED (
            SELECT count(*) >= $3 OR bool_or(EXISTS (
                SELECT FROM deliveries
                WHERE channel = $2 AND practice_id = parts.practice_id AND {DUE}
                ORDER BY due_at OFFSET part
            )) AS more
            FROM parts
        )
        SELECT d.id, others.more
        FROM parts CROSS JOIN others CROSS JOIN LATERAL (
            SELECT id, due_at FROM deliveries
            WHERE channel = $2 AND practice_id = parts.practice_id AND {DUE}
            ORDER BY due_at
            LIMIT part
            FOR UPDATE SKIP LOCKED
        ) AS d
        ORDER BY parts.place, d.due_at
        """,  # noqa: S608 - constant conditions
        now,
        channel,
        most,
        turns.after,
        turns.share,
        list(turns.under_way),
        list(turns.under_way.values()),
        overdue_only,
        RETRY_WITHIN,
    )
    locked = [row["id"] for row in rows]
    return await _with_letters(tx, locked) if locked else [], any(row["more"] for row in rows)


async def _with_letters(tx: Connection, locked: Sequence[UUID]) -> list[DueDelivery]:
    """These deliveries, which are locked, in this order, with what their letters say by now."""
    rows = await tx.fetch(
        """
        SELECT d.*, a.version AS appointment_version, a.starts_at AS start, a.duration_minutes,
               a.time_zone, given.version AS answered_version, given.answer
        FROM unnest($1::uuid[]) WITH ORDINALITY AS locked (id, place)
        JOIN deliveries d ON d.id = locked.id
        JOIN appointments a ON a.appointment_id = d.appointment_id
        LEFT JOIN LATERAL (
            SELECT version, answer FROM answers
            WHERE appointment_id = d.appointment_id AND organizer = d.organizer
            ORDER BY version DESC LIMIT 1
        ) AS given ON true
        ORDER BY locked.place
        """,
        locked,
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
