"""What the patient's link opens.

GET consumes nothing: mail scanners open links too. „Beitreten" is a POST, which looks the link up
once more and sends the browser on to the video room.

Every link that is not valid, be it made up, of a deleted appointment, replaced or run out, gets
the same answer, after the same work and at the same time. Who holds a valid link may learn more.
"""

import asyncio
import base64
import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from chassis.database import Database
from chassis.sealing import Sealer
from chassis.throttle import Throttle, address_of
from chassis.wording import Wording
from contracts.languages import LANGUAGES
from services.scheduling import store
from services.scheduling.appointments import Appointment
from services.scheduling.links import NOWHERE, Links
from services.scheduling.practice import Practice
from services.scheduling.visits import page_words
from services.scheduling.visits.opening import Door, OpeningHours, link_holds
from services.scheduling.visits.rooms import Role, Rooms

REFUSAL_TAKES = 0.1  # seconds, longer than the looking up
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a valid link leads to."""

    appointment: Appointment
    practice: Practice


class Pages:
    """Renders the pages. Their style is in them, so that one request is all it takes."""

    def __init__(self, room_origins: tuple[str, ...]) -> None:
        style = (TEMPLATES / "page.css").read_text()
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )
        environment.globals |= {"style": Markup(style), "languages": list(LANGUAGES.values())}  # noqa: S704
        self._templates = {
            name: environment.get_template(f"{name}.html.j2")
            for name in ("visit", "no_visit", "busy")
        }
        # Browsers hold the redirect that answers a form against form-action as well.
        targets = " ".join(("'self'", *room_origins))
        self.headers: Mapping[str, str] = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow",
        }

    def page(self, name: str, words: Wording, status: int = 200, **values: object) -> HTMLResponse:
        """One of the pages."""
        html = self._templates[name].render(words=words, _=words.say, **values)
        headers = {**self.headers, "Content-Language": words.language.code}
        return HTMLResponse(html, status_code=status, headers=headers)


@dataclass(frozen=True, slots=True)
class PatientPage:
    """Looks a link up when it is opened, from the appointment as it then is."""

    db: Database
    links: Links
    sealer: Sealer
    rooms: Rooms | None
    hours: OpeningHours
    pages: Pages
    per_address: Throttle
    in_all: Throttle

    async def open(self, request: Request, token: str) -> Response:
        """Practice, day and time, with the way into the room when it is open."""
        now, language = datetime.now(UTC), _wish(request)
        visit = await self._admit(request, token, now)
        return visit if isinstance(visit, Response) else self._visit(visit, language, now)

    async def join(self, request: Request, token: str) -> Response:
        """„Beitreten": on to the room, or the page again with what stands against it."""
        now, language = datetime.now(UTC), _wish(request)
        visit = await self._admit(request, token, now)
        if isinstance(visit, Response):
            return visit
        appointment = visit.appointment
        if self.rooms is None or self.hours.door(appointment, now) is not Door.OPEN:
            return self._visit(visit, language, now, status=409)
        address = self.rooms.way_in(
            appointment,
            Role.PATIENT,
            name=appointment.patient_name,
            language=page_words.choose(language, appointment.locale).language.code,
            now=now,
        )
        return RedirectResponse(address, 303, headers=dict(self.pages.headers))

    async def _admit(self, request: Request, token: str, now: datetime) -> Visit | Response:
        """What a valid link leads to, else the answer to whoever asks too often or has none."""
        begun = time.monotonic()
        refused = self._throttled(request)
        if refused is not None:
            return refused
        return await self._look_up(token, now) or await self._void(request, begun)

    async def _look_up(self, token: str, now: datetime) -> Visit | None:
        link = self.links.read(token)
        sought = link or NOWHERE  # looked up for tokens that are not ours: the same work for all
        async with self.db.system() as tx:
            found = await store.linked(tx, self.sealer, sought.appointment_id, sought.version)
        if link is None or found is None:
            return None
        visit = Visit(*found)
        return visit if link_holds(visit.appointment, visit.practice.zone, now) else None

    def _throttled(self, request: Request) -> Response | None:
        # What one address has too much of takes nothing of what everybody shares.
        wait = self.per_address.wait(address_of(request)) or self.in_all.wait("")
        if not wait:
            return None
        answer = self.pages.page("busy", _words(request), 429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer

    async def _void(self, request: Request, begun: float) -> Response:
        answer = self.pages.page("no_visit", _words(request), 404)
        await asyncio.sleep(max(0.0, begun + REFUSAL_TAKES - time.monotonic()))
        return answer

    def _visit(
        self, visit: Visit, language: str | None, now: datetime, status: int = 200
    ) -> Response:
        appointment, zone = visit.appointment, visit.practice.zone
        words = page_words.choose(language, appointment.locale)
        start = appointment.starts_at.astimezone(zone)
        opens = self.hours.opens_at(appointment).astimezone(zone)
        when = page_words.time_text(opens, words)
        if opens.date() != now.astimezone(zone).date():
            when = f"{page_words.day_text(opens, words)}, {when}"
        return self.pages.page(
            "visit",
            words,
            status,
            practice=visit.practice.name,
            day=page_words.day_text(start, words),
            time=page_words.time_text(start, words),
            place=page_words.place_text(zone, words),
            duration=words.say("about %(minutes)s minutes", minutes=appointment.duration_minutes),
            door="none" if self.rooms is None else self.hours.door(appointment, now).value,
            opens=words.say(
                "You can join from %(when)s. Please open this link again then.", when=when
            ),
        )


def _wish(request: Request) -> str | None:
    return request.query_params.get("lang")


def _words(request: Request) -> Wording:
    """The language of a page that says nothing of any appointment, its patient's least of all."""
    header = request.headers.get("accept-language", "")
    return page_words.choose(_wish(request), page_words.accepted(header))


router = APIRouter(include_in_schema=False)


@router.api_route("/besuch/{token:path}", methods=["GET", "HEAD"])
async def open_link(request: Request, token: str) -> Response:
    """The page behind the link in the invitation."""
    page: PatientPage = request.app.state.patient_page
    return await page.open(request, token)


@router.post("/besuch/{token:path}")
async def join(request: Request, token: str) -> Response:
    """„Beitreten"."""
    page: PatientPage = request.app.state.patient_page
    return await page.join(request, token)


@router.get("/robots.txt")
async def robots() -> Response:
    """Nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
