"""SQL of mailbox positions: how far each IMAP mailbox has been read."""

from dataclasses import dataclass

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class MailboxPosition:
    """The last message of a mailbox that was read (RFC 9051 section 2.3.1.1)."""

    uid_validity: int
    last_uid: int


async def find(tx: Connection, mailbox: str) -> MailboxPosition | None:
    """How far a mailbox has been read; None before the first time."""
    row = await tx.fetchrow(
        "SELECT uid_validity, last_uid FROM mailbox_positions WHERE mailbox = $1", mailbox
    )
    return None if row is None else MailboxPosition(row["uid_validity"], row["last_uid"])


async def advance(tx: Connection, mailbox: str, position: MailboxPosition) -> None:
    """Note how far a mailbox has been read; never back, unless its UIDs were given anew."""
    await tx.execute(
        """
        INSERT INTO mailbox_positions AS known (mailbox, uid_validity, last_uid)
        VALUES ($1, $2, $3)
        ON CONFLICT (mailbox) DO UPDATE SET
            uid_validity = excluded.uid_validity,
            last_uid = CASE WHEN known.uid_validity = excluded.uid_validity
                THEN greatest(known.last_uid, excluded.last_uid) ELSE excluded.last_uid END
        """,
        mailbox,
        position.uid_validity,
        position.last_uid,
    )
