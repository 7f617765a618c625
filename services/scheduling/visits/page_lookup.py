"""Looking a patient's link up when it is opened, from the appointment as it then is.

Every link that is not valid, be it made up, of a deleted appointment, replaced or run out, is
refused at the same time. Only one that we signed is looked for in the database: what strangers make
up costs patients no connection to it.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Database
from chassis.sealing import Sealer
from services.scheduling import store
from services.scheduling.appointments import Appointment
from services.scheduling.links import Link
from services.scheduling.practice import Practice
from services.scheduling.visits.opening import link_holds

REFUSAL_SECONDS = 0.1  # longer than the look-up takes


@dataclass(frozen=True, slots=True)
class Visit:
    """What a valid link leads to."""

    appointment: Appointment
    practice: Practice


@dataclass(frozen=True, slots=True)
class PageLookup:
    """From a link to the visit."""

    db: Database
    sealer: Sealer

    async def find(self, link: Link | None, now: datetime) -> Visit | None:
        """The visit that the link leads to now; None, for any reason, at a fixed time."""
        begun = time.monotonic()
        visit = None if link is None else await self._find(link, now)
        if visit is None:
            await asyncio.sleep(begun + REFUSAL_SECONDS - time.monotonic())
        return visit

    async def _find(self, link: Link, now: datetime) -> Visit | None:
        async with self.db.system() as tx:
            found = await store.linked(tx, self.sealer, link.appointment_id, link.version)
        if found is None:
            return None
        visit = Visit(*found)
        return visit if link_holds(visit.appointment, visit.practice.zone, now) else None
