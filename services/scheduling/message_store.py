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


@dataclass(frozen=True, slots=True)
class Written:
    """What was written within the day, as far as the bounds reach that were asked for."""

    # When the oldest was written of as many letters as the bound allows; None stands for fewer.
    reached: Mapping[Bound, datetime | None]
    letters: Mapping[Bound, int]  # of the practice, and of it to the country


async def written(
    tx: Connection, messages: Sequence[tuple[Message, Mapping[Bound, int]]], since: datetime
) -> list[Written]:
    """Of each message. A bound of the practice or the country that is left out is not looked at."""
    if not messages:
        return []
    rows = await tx.fetchmany(
        f"""
        SELECT
            (SELECT at FROM messages
             WHERE practice_id = entered.practice AND at > $2
               AND appointment_id = $3 AND channel = $4
             ORDER BY at DESC OFFSET $7 - 1 LIMIT 1) AS appointment,
            -- Key by key: of ANY the planner would look through all that the practice has written.
            (SELECT of_key.at
             FROM (SELECT DISTINCT unnest($5::bytea[]) AS fingerprint) AS known
             CROSS JOIN LATERAL (
                SELECT at FROM messages
                WHERE practice_id = entered.practice AND at > $2
                  AND address_fingerprint = known.fingerprint
                ORDER BY at DESC LIMIT $8) AS of_key
             ORDER BY of_key.at DESC OFFSET $8 - 1 LIMIT 1) AS address,
            to_country.reached AS country, to_country.letters AS to_country,
            of_practice.reached AS practice, of_practice.letters AS of_practice
        FROM {ENTERED}
        CROSS JOIN LATERAL (
            SELECT count(*) AS letters, CASE WHEN count(*) = $9 THEN min(at) END AS reached FROM (
                SELECT at FROM messages
                WHERE practice_id = entered.practice AND at > $2 AND country = $6
                ORDER BY at DESC LIMIT $9) AS newest) AS to_country
        CROSS JOIN LATERAL (
            SELECT count(*) AS letters, CASE WHEN count(*) = $10 THEN min(at) END AS reached FROM (
                SELECT at FROM messages
                WHERE practice_id = entered.practice AND at > $2
                ORDER BY at DESC LIMIT $10) AS newest) AS of_practice
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
                most.get(Bound.COUNTRY, 0),
                most.get(Bound.PRACTICE, 0),
            )
            for message, most in messages
        ],
    )
    return [
        Written(
            {bound: row[bound.value] for bound in Bound},
            {Bound.COUNTRY: row["to_country"], Bound.PRACTICE: row["of_practice"]},
        )
        for row in rows
    ]


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
