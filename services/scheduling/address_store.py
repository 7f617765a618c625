"""SQL of addresses, as fingerprints: where attempts went, and what outcomes said of it."""

from collections.abc import Sequence
from uuid import UUID

from chassis.database import Connection
from chassis.sealing import Sealer
from chassis.together import Writer
from contracts.channels import Channel
from services.scheduling.addresses import AddressVerdict, fingerprint, fingerprints
from services.scheduling.appointments import Appointment


async def add_attempt(tx: Writer, sealer: Sealer, appointment: Appointment) -> None:
    """Remember where the present attempt goes."""
    addressed = [
        (channel, fingerprint(sealer, appointment.practice_id, channel, address))
        for channel in appointment.channels
        if (address := appointment.address(channel)) is not None
    ]
    await tx.execute(
        """
        INSERT INTO attempts (practice_id, appointment_id, attempt, channel, address_fingerprint)
        SELECT $1, $2, $3, * FROM unnest($4::text[], $5::bytea[])
        """,
        appointment.practice_id,
        appointment.id,
        appointment.attempt,
        [channel for channel, _ in addressed],
        [address_fingerprint for _, address_fingerprint in addressed],
    )


async def add_verdicts(tx: Connection, verdicts: Sequence[AddressVerdict]) -> None:
    """Store what the newest outcome says of each address; older ones change nothing.

    A notice went where the attempt went that was the last when it was requested.
    """
    if not verdicts:
        return
    await tx.execute(
        """
        INSERT INTO address_verdicts AS known (practice_id, address_fingerprint, dead, at)
        SELECT DISTINCT ON (practice_id, address_fingerprint)
               practice_id, address_fingerprint, dead, at
        FROM (
            SELECT reported.*, coalesce(said_of, notices.attempt) AS attempt
            FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::bool[],
                        $7::timestamptz[])
                AS reported (practice_id, appointment_id, said_of, notice_id, channel, dead, at)
            LEFT JOIN notices ON notices.id = notice_id
                AND (notices.practice_id, notices.appointment_id)
                    = (reported.practice_id, reported.appointment_id)
        ) AS outcomes
        JOIN attempts USING (practice_id, appointment_id, attempt, channel)
        ORDER BY practice_id, address_fingerprint, at DESC, dead DESC
        ON CONFLICT (practice_id, address_fingerprint) DO UPDATE
            SET dead = excluded.dead, at = excluded.at WHERE excluded.at >= known.at
        """,
        [each.practice_id for each in verdicts],
        [each.appointment_id for each in verdicts],
        [each.attempt for each in verdicts],
        [each.notice_id for each in verdicts],
        [each.channel for each in verdicts],
        [each.dead for each in verdicts],
        [each.at for each in verdicts],
    )


async def is_dead(
    tx: Connection, sealer: Sealer, practice_id: UUID, channel: Channel, address: str
) -> bool:
    """Whether the newest outcome at this address was a bounce for good."""
    found = await tx.fetchval(
        """
        SELECT dead FROM address_verdicts
        WHERE practice_id = $1 AND address_fingerprint = ANY($2::bytea[])
        ORDER BY at DESC, dead DESC LIMIT 1
        """,
        practice_id,
        fingerprints(sealer, practice_id, channel, address),
    )
    return bool(found)
