"""Looking a patient's link up when it is opened, from the appointment as it then is.

Every link that is not valid, be it made up, of a deleted appointment, replaced or run out, is
refused after the same work and at the same time.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Database
from chassis.sealing import Sealer
from services.scheduling import store
from services.scheduling.appointments import Appointment
from services.scheduling.links import NOWHERE, Links
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
    """From a link's token to the visit."""

    db: Database
    links: Links
    sealer: Sealer

    async def find(self, token: str, now: datetime) -> Visit | None:
        """The visit that the link leads to now; None, for any reason, at a fixed time."""
        begun = time.monotonic()
        visit = await self._find(token, now)
        if visit is None:
            await asyncio.sleep(begun + REFUSAL_SECONDS - time.monotonic())
        return visit

    async def _find(self, token: str, now: datetime) -> Visit | None:
        link = self.links.read(token)
        sought = link or NOWHERE  # looked up for tokens that are not ours: the same work for all
        async with self.db.system() as tx:
            found = await store.linked(tx, self.sealer, sought.appointment_id, sought.version)
        if link is None or found is None:
            return None
        visit = Visit(*found)
        return visit if link_holds(visit.appointment, visit.practice.zone, now) else None
