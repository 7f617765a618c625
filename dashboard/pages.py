"""Pages that say one thing and offer one way on, in German, without scripts."""

from dataclasses import dataclass
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    status: int
    title: str
    text: str
    action: str = "Neu anmelden"
    href: str = "/login"


EXPIRED = Page(
    401,
    "Ihre Sitzung ist abgelaufen",
    "Zum Schutz der Daten Ihrer Patientinnen und Patienten endet die Sitzung nach einiger Zeit. "
    "Bitte melden Sie sich neu an.",
)
LOGGED_OUT = Page(200, "Sie sind abgemeldet", "Sie können dieses Fenster jetzt schließen.")
NO_ACCESS = Page(
    403,
    "Kein Zugang",
    "Ihr Konto gehört zu keiner Praxis, die hier eingerichtet ist, oder hat dort keine Aufgabe. "
    "Bitte wenden Sie sich an die Leitung Ihrer Praxis.",
    action="Mit einem anderen Konto anmelden",
    href="/login?konto=anderes",
)
CANCELLED = Page(
    403, "Anmeldung abgebrochen", "Sie wurden nicht angemeldet.", action="Noch einmal versuchen"
)
FAILED = Page(
    400,
    "Die Anmeldung hat nicht geklappt",
    "Sie hat zu lange gedauert oder wurde in einem anderen Fenster begonnen. "
    "Es ist nichts weiter geschehen.",
    action="Noch einmal versuchen",
)
NO_PROVIDER = Page(
    503,
    "Die Anmeldung ist gerade nicht möglich",
    "Der Anmeldedienst Ihrer Einrichtung antwortet nicht. Bitte versuchen Sie es gleich noch "
    "einmal.",
    action="Noch einmal versuchen",
)
AWAY = Page(
    503,
    "Das System ist gerade nicht verfügbar",
    "Was schon erstellt ist, geht nicht verloren. Diese Seite versucht es von selbst wieder; Sie "
    "müssen nichts tun.",
    action="Noch einmal versuchen",
    href="",
)
TOO_MANY = Page(
    429,
    "Zu viele Anmeldungen auf einmal",
    "Von Ihrem Anschluss kamen gerade sehr viele Anmeldungen. Bitte versuchen Sie es in einer "
    "Minute noch einmal.",
    action="Noch einmal versuchen",
)

NO_APPOINTMENT = Page(
    404,
    "Diesen Termin gibt es nicht",
    "Vielleicht wurden seine Daten gelöscht, oder die Frist, für die sie aufbewahrt werden, ist "
    "vorbei.",
    action="Zur Terminübersicht",
    href="/#/termine",
)
NO_RIGHT = Page(
    403,
    "Das dürfen Sie nicht sehen",
    "Ihr Konto darf keine Termine und Zustellungen lesen. Bitte wenden Sie sich an die Leitung "
    "Ihrer Praxis.",
    action="Zur Terminübersicht",
    href="/#/termine",
)

_TEMPLATE = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
).get_template("page.html.j2")


def render(page: Page, *, href: str | None = None) -> HTMLResponse:
    """The page; `href` leads elsewhere than the page says."""
    return HTMLResponse(_TEMPLATE.render(page=page, href=href or page.href), page.status)
