"""The patient's page as HTML, with a policy under which it can load nothing."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from chassis.telephone import readable
from chassis.wording import Wording, wordings
from services.scheduling.visits.opening import Door
from services.scheduling.visits.page_lookup import Visit
from services.scheduling.visits.page_words import day_text, moment_text, place_text, time_text

RELOAD = 10  # seconds

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Renders the pages. Their style is in them, so that one request is all it takes."""

    def __init__(self, room_origins: Sequence[str]) -> None:
        style = (TEMPLATES / "page.css").read_text()
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )
        environment.globals |= {"style": Markup(style), "languages": list(wordings().values())}  # noqa: S704
        self._templates = {
            name: environment.get_template(f"{name}.html.j2")
            for name in ("visit", "no_visit", "busy", "away")
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

    def visit(
        self,
        visit: Visit,
        words: Wording,
        *,
        door: Door | None,
        opens_at: datetime,
        now: datetime,
        status: int = 200,
    ) -> HTMLResponse:
        """Practice, day and time, with the way in where the door is open; None: no rooms."""
        appointment, zone = visit.appointment, visit.practice.zone
        start, opens = appointment.starts_at.astimezone(zone), opens_at.astimezone(zone)
        today = opens.date() == now.astimezone(zone).date()
        return self._page(
            "visit",
            words,
            status,
            practice=visit.practice.name,
            postal_address=visit.practice.postal_address.splitlines(),
            phone=visit.practice.phone,
            phone_shown=readable(visit.practice.phone),
            day=day_text(start, words),
            time=time_text(start, words),
            place=place_text(zone, words),
            duration=words.say(
                "about %(duration)s", duration=words.minutes(appointment.duration_minutes)
            ),
            door="none" if door is None else door.value,
            opens=words.say(
                "You can join from %(when)s. Please open this link again then.",
                when=time_text(opens, words) if today else moment_text(opens, words),
            ),
        )

    def no_visit(self, words: Wording) -> HTMLResponse:
        """The link is not valid, for whatever reason."""
        return self._page("no_visit", words, 404)

    def busy(self, words: Wording, wait: float) -> HTMLResponse:
        """Too many requests; `wait` in seconds."""
        response = self._page("busy", words, 429)
        response.headers["Retry-After"] = str(math.ceil(wait))
        return response

    def away(self, words: Wording) -> HTMLResponse:
        """We can't say anything now; the page asks again by itself."""
        response = self._page("away", words, 503)
        response.headers["Retry-After"] = response.headers["Refresh"] = str(RELOAD)
        return response

    def _page(self, name: str, words: Wording, status: int, **values: object) -> HTMLResponse:
        html = self._templates[name].render(words=words, _=words.say, **values)
        headers = {**self.headers, "Content-Language": words.code}
        return HTMLResponse(html, status_code=status, headers=headers)
