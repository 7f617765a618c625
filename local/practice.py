"""The practice of the demo, set up as the operator does it (services.scheduling.admin)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.database import Database
from services.scheduling import practices
from services.scheduling.practices import PracticeExists, Wish


@dataclass(frozen=True, slots=True)
class Practice:
    """What has to be said of a practice."""

    id: UUID
    name: str
    time_zone: str
    tariff: str


DEMO_PRACTICE = Practice(
    id=UUID("01932c7e-5a00-7000-8000-000000000001"),
    name="Hausarztpraxis am Markt",
    time_zone="Europe/Berlin",
    tariff="standard",
)


async def set_up(owner_dsn: str, practice: Practice = DEMO_PRACTICE) -> None:
    """Set it up unless it is there. Raises what asyncpg raises."""
    wish = Wish(name=practice.name, time_zone=practice.time_zone, tariff=practice.tariff)
    db = await Database.connect(owner_dsn, connections=1)
    try:
        with suppress(PracticeExists):
            async with db.operator() as tx:
                await practices.create(tx, practice.id, wish, datetime.now(UTC))
    finally:
        await db.close()
