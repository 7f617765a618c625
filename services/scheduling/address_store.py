"""SQL of addresses, as fingerprints: where attempts went, and what outcomes said of it."""

from collections.abc import Sequence
from uuid import UUID

from chassis.database import ENTERED, Connection
from chassis.sealing import Sealer
from chassis.together import Writer
from contracts.channels import Channel
from services.scheduling.addresses import (
    AddressVerdict,
    KnownAddress,
    Reported,
    fingerprint,
    fingerprints,
    name_fingerprint,
    name_fingerprints,
)
from services.scheduling.appointments import Appointment

# Where those went of which something is reported. A notice went where the attempt went that was the
# last when it was requested.
_ADDRESSED = """
    SELECT practice_id, appointment_id, address_fingerprint, at, number
    FROM (
        SELECT reported.*, coalesce(said_of, notices.attempt) AS attempt
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::text[],
                    $6::timestamptz[]) WITH ORDINALITY
            AS reported (practice_id, appointment_id, said_of, notice_id, channel, at, number)
        LEFT JOIN notices ON notices.id = notice_id
            AND (notices.practice_id, notices.appointment_id)
                = (reported.practice_id, reported.appointment_id)
    ) AS outcomes
    JOIN attempts USING (practice_id, appointment_id, attempt, channel)
"""


async def add_attempt(tx: Writer, sealer: Sealer, appointment: Appointment) -> None:
    """Remember where the present attempt goes."""
    addressed = [
        (
            channel,
            fingerprint(sealer, appointment.practice_id, channel, address),
            name_fingerprint(
                sealer, appointment.practice_id, channel, address, appointment.patient_name
            ),
        )
        for channel in appointment.channels
        if (address := appointment.address(channel)) is not None
    ]
    await tx.execute(
        """
        INSERT INTO attempts
            (practice_id, appointment_id, attempt, channel, address_fingerprint, name_fingerprint)
        SELECT $1, $2, $3, * FROM unnest($4::text[], $5::bytea[], $6::bytea[])
        """,
        appointment.practice_id,
        appointment.id,
        appointment.attempt,
        [channel for channel, _, _ in addressed],
        [of_address for _, of_address, _ in addressed],
        [of_name for _, _, of_name in addressed],
    )


async def unsent(
    tx: Connection, sealer: Sealer, before: Appointment, after: Appointment
) -> tuple[Channel, ...]:
    """Over which channels the newest attempt did not go to the address as it is `after`."""
    if (before.email, before.phone) == (after.email, after.phone):
        return before.unsent
    rows = await tx.fetch(
        """
        SELECT channel, address_fingerprint FROM attempts
        WHERE practice_id = $1 AND appointment_id = $2 AND attempt = $3
        """,
        after.practice_id,
        after.id,
        after.attempt,
    )
    noted = {row["channel"]: row["address_fingerprint"] for row in rows}

    def is_unsent(channel: Channel) -> bool:
        address = after.address(channel)
        if address == before.address(channel):
            return channel in before.unsent
        went_to = noted.get(channel)
        return (
            went_to is None
            or address is None
            or went_to not in fingerprints(sealer, after.practice_id, channel, address)
        )

    return tuple(channel for channel in after.channels if is_unsent(channel))


async def add_verdicts(tx: Connection, verdicts: Sequence[AddressVerdict]) -> None:
    """Store what the newest outcome says of each address; older ones change nothing."""
    if not verdicts:
        return
    await tx.execute(
        f"""
        INSERT INTO address_verdicts AS known
            (practice_id, address_fingerprint, dead, at, arrived_at, arrived_of)
        SELECT DISTINCT ON (practice_id, address_fingerprint)
               practice_id, address_fingerprint, dead, at, CASE WHEN NOT dead THEN at END,
               CASE WHEN NOT dead THEN appointment_id END
        FROM ({_ADDRESSED}) AS addressed
        JOIN unnest($7::bool[]) WITH ORDINALITY AS said (dead, number) USING (number)
        ORDER BY practice_id, address_fingerprint, at DESC, dead DESC
        ON CONFLICT (practice_id, address_fingerprint) DO UPDATE
            SET dead = excluded.dead, at = excluded.at, arrived_at = excluded.arrived_at,
                arrived_of = excluded.arrived_of
            WHERE excluded.at >= known.at
        """,  # noqa: S608 - a constant
        *_columns(verdicts),
        [each.dead for each in verdicts],
    )


async def take_back(tx: Connection, came_back: Sequence[Reported]) -> None:
    """Nobody says any more that these have arrived; what has since stays."""
    if not came_back:
        return
    await tx.execute(
        f"""
        UPDATE address_verdicts AS known SET arrived_at = NULL, arrived_of = NULL
        FROM ({_ADDRESSED}) AS addressed
        WHERE (known.practice_id, known.address_fingerprint, known.arrived_of)
                = (addressed.practice_id, addressed.address_fingerprint, addressed.appointment_id)
            AND known.arrived_at <= addressed.at
        """,  # noqa: S608 - a constant
        *_columns(came_back),
    )


def _columns(reported: Sequence[Reported]) -> list[list[object]]:
    return [
        [each.practice_id for each in reported],
        [each.appointment_id for each in reported],
        [each.attempt for each in reported],
        [each.notice_id for each in reported],
        [each.channel for each in reported],
        [each.at for each in reported],
    ]


async def is_dead(
    tx: Connection, sealer: Sealer, practice_id: UUID, channel: Channel, address: str
) -> bool:
    """Whether the newest outcome at this address was a bounce for good."""
    [found] = await are_dead(tx, sealer, [(practice_id, channel, address)])
    return found


async def are_dead(
    tx: Connection, sealer: Sealer, addresses: Sequence[tuple[UUID, Channel, str]]
) -> list[bool]:
    """As `is_dead`, of addresses of several practices."""
    if not addresses:
        return []
    rows = await tx.fetchmany(
        f"""
        SELECT (
            SELECT dead FROM address_verdicts
            WHERE practice_id = practice AND address_fingerprint = ANY($2::bytea[])
            ORDER BY at DESC, dead DESC LIMIT 1) AS dead
        FROM {ENTERED}
        """,  # noqa: S608 - a constant
        [
            (practice_id, fingerprints(sealer, practice_id, channel, address))
            for practice_id, channel, address in addresses
        ],
    )
    return [bool(row["dead"]) for row in rows]


async def known(
    tx: Connection,
    sealer: Sealer,
    practice_id: UUID,
    channel: Channel,
    address: str,
    name: str,
    *,
    besides: UUID | None,
) -> KnownAddress | None:
    """What is known of an address by attempts of appointments `besides` that one; None: nothing."""
    row = await tx.fetchrow(
        """
        SELECT name_fingerprint, (
            SELECT CASE WHEN arrived_of IS DISTINCT FROM $3 THEN arrived_at END
            FROM address_verdicts
            WHERE practice_id = $1 AND address_fingerprint = ANY($2::bytea[])
            ORDER BY at DESC, dead DESC LIMIT 1) AS last_arrived_at
        FROM attempts
        WHERE practice_id = $1 AND address_fingerprint = ANY($2::bytea[])
          AND appointment_id IS DISTINCT FROM $3
        ORDER BY created_at DESC, attempt DESC LIMIT 1
        """,
        practice_id,
        fingerprints(sealer, practice_id, channel, address),
        besides,
    )
    if row is None:
        return None
    named = name_fingerprints(sealer, practice_id, channel, address, name)
    return KnownAddress(row["last_arrived_at"], bool(name) and row["name_fingerprint"] not in named)
