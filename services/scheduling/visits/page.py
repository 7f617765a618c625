"""The patient's page: what a link shows, and whether it leads on to the room.

Every link that is not valid gets the same response (`page_lookup`). Who holds a valid link may
learn more.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from chassis.clock import utc_now
from chassis.database import DatabaseUnavailable
from chassis.wording import Wording
from services.scheduling.links import Links
from services.scheduling.visits.joining import Joining
from services.scheduling.visits.opening import Door, OpeningHours
from services.scheduling.visits.page_lookup import PageLookup, Visit
from services.scheduling.visits.page_rendering import Pages
from services.scheduling.visits.page_throttle import PageThrottle
from services.scheduling.visits.page_words import accepted_language, choose
from services.scheduling.visits.rooms import Role, Rooms

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PatientPage:
    """Answers whoever comes with a link."""

    links: Links
    lookup: PageLookup
    throttle: PageThrottle
    pages: Pages
    rooms: Rooms | None
    hours: OpeningHours
    joining: Joining

    async def open(self, request: Request, token: str) -> Response:
        """Practice, day and time, with the way into the room when it is open."""
        now = utc_now()
        visit = await self._admit(request, token, now)
        return visit if isinstance(visit, Response) else self._show(request, visit, now)

    async def join(self, request: Request, token: str) -> Response:
        """„Beitreten": on to the room, or the page again with what stands against it."""
        now = utc_now()
        visit = await self._admit(request, token, now)
        if isinstance(visit, Response):
            return visit
        appointment = visit.appointment
        if self.rooms is None or self.hours.door(appointment, now) is not Door.OPEN:
            return self._show(request, visit, now, status=409)
        address = self.rooms.way_in(
            appointment,
            Role.PATIENT,
            name=appointment.patient_name,
            language=_words_of_visit(request, visit).code,
            now=now,
        )
        await self.joining.patient(visit.practice.id, appointment.id, now)
        return RedirectResponse(address, 303, headers=dict(self.pages.headers))

    async def _admit(self, request: Request, token: str, now: datetime) -> Visit | Response:
        """What a valid link leads to, else the page for whoever asks too often or has none."""
        link = self.links.read(token)
        wait = self.throttle.wait(request, signed=link is not None)
        if wait:
            return self.pages.busy(_words_of_nobody(request), wait)
        try:
            visit = await self.lookup.find(link, now)
        except DatabaseUnavailable as error:
            log.warning("page not answered", error=type(error).__qualname__)
            return self.pages.away(_words_of_nobody(request))
        return visit or self.pages.no_visit(_words_of_nobody(request))

    def _show(
        self, request: Request, visit: Visit, now: datetime, *, status: int = 200
    ) -> Response:
        return self.pages.visit(
            visit,
            _words_of_visit(request, visit),
            door=None if self.rooms is None else self.hours.door(visit.appointment, now),
            opens_at=self.hours.opens_at(visit.appointment),
            now=now,
            status=status,
        )


def _words_of_visit(request: Request, visit: Visit) -> Wording:
    """The language chosen on the page, else the patient's."""
    return choose(request.query_params.get("lang"), visit.appointment.locale)


def _words_of_nobody(request: Request) -> Wording:
    """The language of a page that says nothing of any appointment, its patient's least of all."""
    header = request.headers.get("accept-language", "")
    return choose(request.query_params.get("lang"), accepted_language(header))
