"""The SQL of daily mails. What one says, and to whom, is sealed until it is sent or given up."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from chassis.database import Connection, affected
from chassis.resealing import Place
from chassis.sealing import AssociatedData, Sealer
from contracts.events import DailyMailRequested
from services.notification.daily_mails.mail import DailyMail

MAIL = "daily_mails.mail"
KEPT = timedelta(days=14)  # so that no day's mail is sent twice, and what comes back is recognised
PURGE_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail that is being tried; a later claim has another number of tries."""

    id: UUID
    practice_id: UUID
    message_id: str
    not_after: datetime
    tries: int  # this one included
    unanswered: int  # copies that may have gone out, this one not included
    sealed: bytes

    def open(self, sealer: Sealer) -> DailyMail:
        """What it says. Raises NotOpened."""
        content = sealer.open(self.sealed, _associated_data(self.practice_id, self.id))
        return DailyMail(**json.loads(content))


async def take(
    tx: Connection, sealer: Sealer, request: DailyMailRequested, *, domain: str, now: datetime
) -> None:
    """Queue a mail, unless the practice has one of that day."""
    mail_id = uuid4()  # at random, as it stands in the Message-ID
    mail = DailyMail(
        recipient=request.recipient,
        practice_name=request.practice_name,
        open_count=request.open_count,
        link=request.link,
    )
    content = json.dumps(asdict(mail)).encode()
    await tx.execute(
        """
        INSERT INTO daily_mails (id, practice_id, day, message_id, requested_at, not_after, due_at,
                                 mail)
        VALUES ($1, $2, $3, $4, $5, $6, $5, $7)
        ON CONFLICT (practice_id, day) DO NOTHING
        """,
        mail_id,
        request.practice_id,
        request.day,
        f"<{mail_id}@{domain}>",
        now,
        request.not_after,
        sealer.seal(content, _associated_data(request.practice_id, mail_id)),
    )


async def claim(tx: Connection, now: datetime, until: datetime) -> ClaimedMail | None:
    """The mail that has waited longest; until then it is left alone by all others.

    The copy counts as one that may have gone out, until its end is noted.
    """
    row = await tx.fetchrow(
        """
        UPDATE daily_mails SET due_at = $2, tries = tries + 1, unanswered = unanswered + 1
        WHERE id = (
            SELECT id FROM daily_mails WHERE due_at <= $1
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, practice_id, message_id, not_after, tries, unanswered - 1 AS unanswered, mail
        """,
        now,
        until,
    )
    return None if row is None else ClaimedMail(*row)


async def again(tx: Connection, claimed: ClaimedMail, at: datetime, *, unanswered: int) -> bool:
    """It is tried again then; False if it is not ours any more."""
    done = await tx.execute(
        """
        UPDATE daily_mails SET due_at = $3, unanswered = $4
        WHERE id = $1 AND tries = $2 AND due_at IS NOT NULL
        """,
        claimed.id,
        claimed.tries,
        at,
        unanswered,
    )
    return affected(done) == 1


async def end(tx: Connection, claimed: ClaimedMail) -> bool:
    """Nothing is to be sent any more: what it says is erased. False as in `again`."""
    done = await tx.execute(
        """
        UPDATE daily_mails SET due_at = NULL, mail = NULL
        WHERE id = $1 AND tries = $2 AND due_at IS NOT NULL
        """,
        claimed.id,
        claimed.tries,
    )
    return affected(done) == 1


async def known_of(
    tx: Connection, ids: Collection[UUID], message_ids: Collection[str]
) -> set[UUID | str]:
    """Those of these ids and Message-IDs that are a daily mail's."""
    rows = await tx.fetch(
        "SELECT id, message_id FROM daily_mails WHERE id = ANY($1) OR message_id = ANY($2)",
        ids,
        message_ids,
    )
    return {each for row in rows for each in (row["id"], row["message_id"])}


async def purge(tx: Connection, now: datetime) -> bool:
    """Forget a batch that has had its time; True if there may be more."""
    done = await tx.execute(
        """
        DELETE FROM daily_mails WHERE id IN (
            SELECT id FROM daily_mails WHERE requested_at < $1 ORDER BY requested_at LIMIT $2)
        """,
        now - KEPT,
        PURGE_BATCH,
    )
    return affected(done) >= PURGE_BATCH


def _associated_data(practice_id: UUID, mail_id: UUID) -> AssociatedData:
    return (MAIL, practice_id, mail_id)


MAILS_TO_SEND = Place(
    table="daily_mails",
    column="mail",
    where="mail IS NOT NULL",
    bound_to=lambda row: _associated_data(row["practice_id"], row["id"]),
)
