"""What the patient's link opens. GET consumes nothing: mail scanners open links too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.database import Database
from chassis.sealing import Sealer
from services.scheduling import store
from services.scheduling.links import Links, valid_until

WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PatientPage:
    """Looks a link up when it is opened, from the appointment as it then is."""

    db: Database
    links: Links
    sealer: Sealer

    async def open(self, token: str) -> HTMLResponse:
        """Practice, day and time, or one page for every link that is not valid."""
        link = self.links.read(token)
        found = None
        if link is not None:
            async with self.db.system() as tx:
                found = await store.linked(tx, self.sealer, link.appointment_id, link.version)
        if found is not None:
            appointment, practice = found
            if datetime.now(UTC) <= valid_until(appointment.ends_at, practice.zone):
                start = appointment.starts_at.astimezone(practice.zone)
                page = _templates.get_template("visit.html.j2").render(
                    practice=practice.name,
                    day=f"{WEEKDAYS[start.weekday()]}, {start:%d.%m.%Y}",
                    time=f"{start:%H:%M}",
                    minutes=appointment.duration_minutes,
                )
                return HTMLResponse(page, headers=HEADERS)
        page = _templates.get_template("no_visit.html.j2").render()
        return HTMLResponse(page, status_code=404, headers=HEADERS)


@router.get("/besuch/{token}")
async def open_link(request: Request, token: str) -> HTMLResponse:
    """The page behind the link in the invitation."""
    page: PatientPage = request.app.state.patient_page
    return await page.open(token)
