"""SQL of what was written to patients within the last day, to be counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import ENTERED, Connection
from chassis.together import Writer
from contracts.channels import Channel
from services.scheduling.bounds import Bound


@dataclass(frozen=True, slots=True)
class Message:
    """One letter to one address. `fingerprints`: the newest key's, then what it may be under."""

    practice_id: UUID
    appointment_id: UUID
    channel: Channel
    fingerprints: Sequence[bytes]
    country: str | None  # of a number


async def lock_addresses(tx: Connection, messages: Iterable[Message]) -> None:
    """Whoever writes to the same address at the same time counts one after the other."""
    await tx.execute(
        """
        SELECT pg_advisory_xact_lock(key) FROM (
            SELECT DISTINCT hashtextextended(encode(each, 'hex'), 0) AS key
            FROM unnest($1::bytea[]) AS each ORDER BY key) AS keys
        """,
        [message.fingerprints[0] for message in messages],
    )


async def reached(
    tx: Connection, messages: Sequence[tuple[Message, Mapping[Bound, int]]], since: datetime
) -> list[dict[Bound, datetime | None]]:
    """Of each by bound, when the oldest was written of as many letters as it allows.

    None stands for fewer.
    """
    if not messages:
        return []
    rows = await tx.fetchmany(
        f"""
        SELECT
            (SELECT at FROM messages
             WHERE practice_id = entered.practice AND at > $2
               AND appointment_id = $3 AND channel = $4
             ORDER BY at DESC OFFSET $7 - 1 LIMIT 1) AS appointment,
            (SELECT at FROM messages
             WHERE practice_id = entered.practice AND at > $2
               AND address_fingerprint = ANY($5::bytea[])
             ORDER BY at DESC OFFSET $8 - 1 LIMIT 1) AS address,
            (SELECT at FROM messages
             WHERE practice_id = entered.practice AND at > $2 AND country = $6
             ORDER BY at DESC OFFSET $9 - 1 LIMIT 1) AS country,
            (SELECT at FROM messages
             WHERE practice_id = entered.practice AND at > $2
             ORDER BY at DESC OFFSET $10 - 1 LIMIT 1) AS practice
        FROM {ENTERED}
        """,  # noqa: S608 - a constant
        [
            (
                message.practice_id,
                since,
                message.appointment_id,
                message.channel,
                message.fingerprints,
                message.country,
                most[Bound.APPOINTMENT],
                most[Bound.ADDRESS],
                most[Bound.COUNTRY],
                most[Bound.PRACTICE],
            )
            for message, most in messages
        ],
    )
    return [{bound: row[bound.value] for bound in Bound} for row in rows]


async def add(tx: Writer, messages: Sequence[Message], now: datetime) -> None:
    """Count these."""
    await tx.execute(
        """
        INSERT INTO messages
            (practice_id, appointment_id, channel, address_fingerprint, country, at)
        SELECT *, $6 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::text[])
        """,
        [each.practice_id for each in messages],
        [each.appointment_id for each in messages],
        [each.channel for each in messages],
        [each.fingerprints[0] for each in messages],
        [each.country for each in messages],
        now,
    )
