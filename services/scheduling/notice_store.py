"""SQL of notices. Who writes them has locked the appointment's row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Connection
from chassis.together import Writer
from contracts.events import NoticeKind, NoticeRequested
from services.scheduling.appointments import Appointment
from services.scheduling.notices import DueNotice, Reminder

BATCH = 200


async def plan(tx: Connection, appointment: Appointment, reminders: Sequence[Reminder]) -> None:
    """Put these reminders in place of those that wait."""
    await tx.execute(
        """
        DELETE FROM notices WHERE practice_id = $1 AND appointment_id = $2
           AND kind = 'reminder' AND done_at IS NULL
        """,
        appointment.practice_id,
        appointment.id,
    )
    await add_reminders(tx, appointment, reminders)


async def add_reminders(
    tx: Writer, appointment: Appointment, reminders: Sequence[Reminder]
) -> None:
    """Plan the reminders of an appointment that has none waiting."""
    await tx.execute(
        """
        INSERT INTO notices
            (id, practice_id, appointment_id, kind, starts_at, minutes_before, due_at)
        SELECT id, $1, $2, 'reminder', $3, minutes, due
        FROM unnest($4::uuid[], $5::int[], $6::timestamptz[]) AS planned (id, minutes, due)
        ON CONFLICT DO NOTHING
        """,
        appointment.practice_id,
        appointment.id,
        appointment.starts_at,
        [uuid7() for _ in reminders],
        [each.minutes_before for each in reminders],
        [each.due_at for each in reminders],
    )


async def take_move(tx: Connection, appointment: Appointment) -> datetime | None:
    """Take back the notice of a move that waits; returns the start that the patient knows."""
    previous: datetime | None = await tx.fetchval(
        """
        DELETE FROM notices WHERE practice_id = $1 AND appointment_id = $2
           AND kind = 'moved' AND done_at IS NULL RETURNING previous_start
        """,
        appointment.practice_id,
        appointment.id,
    )
    return previous


async def add_move(
    tx: Connection, appointment: Appointment, previous_start: datetime, due_at: datetime
) -> None:
    """The patient is to be told of the move at `due_at`."""
    await tx.execute(
        """
        INSERT INTO notices
            (id, practice_id, appointment_id, kind, starts_at, previous_start, due_at)
        VALUES ($1, $2, $3, 'moved', $4, $5, $6)
        """,
        uuid7(),
        appointment.practice_id,
        appointment.id,
        appointment.starts_at,
        previous_start,
        due_at,
    )


async def add_cancellation(
    tx: Connection, appointment: Appointment, notice: NoticeRequested, now: datetime
) -> None:
    """The patient is told that it is cancelled, over the notice's channels."""
    await tx.execute(
        """
        INSERT INTO notices (id, practice_id, appointment_id, kind, starts_at, due_at, done_at,
            attempt, awaited)
        VALUES ($1, $2, $3, 'cancelled', $4, $5, $5, $6, $7)
        """,
        notice.notice_id,
        appointment.practice_id,
        appointment.id,
        appointment.starts_at,
        now,
        None if appointment.unsent else appointment.attempt,
        notice.channels.channels,
    )


async def forget_waiting(tx: Connection, appointment: Appointment) -> None:
    """Nothing that waits is to be told of a deleted appointment."""
    await tx.execute(
        "DELETE FROM notices WHERE practice_id = $1 AND appointment_id = $2 AND done_at IS NULL",
        appointment.practice_id,
        appointment.id,
    )


async def lock_due(tx: Connection, now: datetime) -> list[DueNotice]:
    """A batch of due notices with their appointments' rows locked; locked ones are passed over."""
    # Joined by the id alone: of two columns the planner expects hardly any to match, and would read
    # all appointments.
    rows = await tx.fetch(
        """
        SELECT n.id, n.practice_id, n.appointment_id, n.kind, n.due_at, n.previous_start
        FROM notices n JOIN appointments a ON a.id = n.appointment_id
        WHERE n.done_at IS NULL AND n.due_at <= $1
        ORDER BY n.due_at LIMIT $2 FOR UPDATE SKIP LOCKED
        """,
        now,
        BATCH,
    )
    return [DueNotice(**{**row, "kind": NoticeKind(row["kind"])}) for row in rows]


async def done(
    tx: Connection, ids: Sequence[UUID], attempts: Mapping[UUID, int], now: datetime
) -> None:
    """These are requested, or it is too late for them.

    `attempts` are those, by notice, that those requested went to the same addresses as.
    """
    await tx.execute(
        """
        UPDATE notices SET done_at = $2, attempt = done.attempt
        FROM unnest($1::uuid[], $3::int[]) AS done (id, attempt) WHERE notices.id = done.id
        """,
        ids,
        now,
        [attempts.get(each) for each in ids],
    )
