"""The practice of the demo, by SQL: the image that compose sets it up from holds no service.

Who runs an installation uses `python -m services.scheduling.admin practice add`, or the API.
"""

from dataclasses import astuple, dataclass
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class Practice:
    """A row of scheduling's table of practices."""

    id: UUID
    name: str
    time_zone: str
    tariff: str
    language: str = "de"
    reminders: tuple[int, ...] = (1440, 60)
    retention_days: int = 88
    quiet_hours: bool = False  # whoever tries the demo at night has a simulated phone


DEMO_PRACTICE = Practice(
    id=UUID("01932c7e-5a00-7000-8000-000000000001"),
    name="Hausarztpraxis am Markt",
    time_zone="Europe/Berlin",
    tariff="standard",
)


async def set_up(owner_dsn: str, practice: Practice = DEMO_PRACTICE) -> None:
    """Insert it unless it is there. As the table's owner, since the service can't."""
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        await connection.execute(
            """
            INSERT INTO practices
                (id, name, time_zone, tariff, language, reminders, retention_days,
                 quiet_hours)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
            """,
            *astuple(practice),
        )
    finally:
        await connection.close()
