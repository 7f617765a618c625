"""Proofs: a page of one appointment that prints well, and a file of all of some days.

Scheduling knows what was sent where, status what became of it; here the two are put together, a
batch at a time, however many there are.
"""

import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis import spreadsheets
from chassis.clock import utc_now
from chassis.problems import KnownProblem
from chassis.said import Said
from chassis.upstreams import UpstreamNoAnswer, UpstreamUnavailable
from dashboard import pages, proof
from dashboard.dependencies import LoggedIn, Services, State
from dashboard.problems import LoginUnavailable, NotLoggedIn
from dashboard.proof import Sent, Timeline, Timelines
from dashboard.proxy import Relayed, open_download

BATCH = 100  # appointments: what a file holds in memory, and as many as status tells of at once
UNCERTAIN_AFTER = dt.timedelta(minutes=2)  # of status, which is a few seconds old otherwise

router = APIRouter(include_in_schema=False)

_TEMPLATE = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("proof.html.j2")

Tell = Callable[[Sequence[UUID]], Awaitable[Timelines]]


@router.get("/nachweis/{appointment_id:uuid}")
async def proof_page(request: Request, services: State, appointment_id: UUID) -> Response:
    """What was sent for one appointment, when, where, and what became of it."""
    try:
        session = await services.sessions.find(services.session_cookie(request))
        sent = await _get(services, "scheduling", f"/v1/proofs/{appointment_id}", request)
        known = await _timelines(services, request)([appointment_id])
        practice = await _get(services, "scheduling", "/v1/practice", request)
    except NotLoggedIn:
        return RedirectResponse("/abgelaufen", 303)
    except _Refused as refused:
        return _refusal(refused.status, request)
    except (UpstreamUnavailable, UpstreamNoAnswer, LoginUnavailable):
        return pages.render(pages.AWAY, href=request.url.path)
    shown = _shown(Sent.model_validate_json(sent), known)
    named = {"practice": json.loads(practice)["name"], "reader": session.name}
    return HTMLResponse(_TEMPLATE.render(**shown, **named))


@router.post("/api/nachweis")
async def proof_file(
    request: Request,
    services: State,
    session: LoggedIn,
    first: Annotated[dt.date, Query(alias="from")],
    last: Annotated[dt.date, Query(alias="to")],
) -> Response:
    """The same of all appointments that start on these days, as CSV."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="nachweis-{first}-{last}.csv"',
    }
    async with AsyncExitStack() as held:
        target = f"/v1/proofs/export?from={first}&to={last}"
        response = await open_download(services, session, "scheduling", target, held)
        if response.status_code != 200:
            return Relayed(response, response.aiter_raw(), held.pop_all())
        chunks = table(response.aiter_lines(), _timelines(services, request))
        begun = await anext(chunks)  # what fails at once is told as a problem
        return Relayed(response, _behind(begun, chunks), held.pop_all(), headers)


async def table(lines: AsyncIterator[str], tell: Tell) -> AsyncIterator[bytes]:
    """The file, a batch at a time: scheduling's lines, each with what status tells of it.

    What breaks off raises: a file that ends as it should is whole.
    """
    begin = spreadsheets.head(proof.HEADER)
    batch: list[Sent] = []
    async for line in lines:
        batch.append(Sent.model_validate_json(line))
        if len(batch) == BATCH:
            yield (begin + await _rows(batch, tell)).encode()
            begin, batch = "", []
    rows = await _rows(batch, tell) if batch else ""
    if begin or rows:
        yield (begin + rows).encode()


async def _rows(batch: Sequence[Sent], tell: Tell) -> str:
    told = await tell([sent.appointment_id for sent in batch])
    known = proof.by_id(told.timelines)
    return spreadsheets.lines(
        row
        for sent in batch
        for row in proof.cells(sent, proof.told(sent, known.get(sent.appointment_id)))
    )


async def _behind(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for chunk in rest:
        yield chunk


def _timelines(services: Services, request: Request) -> Tell:
    async def tell(ids: Sequence[UUID]) -> Timelines:
        query = "&".join(f"appointment_id={each}" for each in ids)
        answer = await _get(services, "status", f"/v1/timelines?{query}", request)
        return Timelines.model_validate_json(answer)

    return tell


class _Refused(KnownProblem):
    """A service said no, or that it can't now."""

    type_ = "upstream-refused"
    title = Said("Der Dienst hat die Anfrage abgelehnt.", "The service refused the request.")
    advice = Said("Später noch einmal versuchen.", "Try again later.")

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        super().__init__()


async def _get(services: Services, service: str, target: str, request: Request) -> bytes:
    """With the token as it is by now: a long file outlasts one. Raises _Refused and others."""
    session = await services.sessions.find(services.session_cookie(request))
    response = await services.upstreams.request(
        service, "GET", target, token=session.access_token, headers={}, body=b""
    )
    if response.status_code >= 500:
        raise UpstreamUnavailable
    if response.status_code != 200:
        raise _Refused(response)
    return response.content


def _refusal(status: int, request: Request) -> Response:
    if status == 404:
        return pages.render(pages.NO_APPOINTMENT)
    if status in (401, 403):
        return pages.render(pages.NO_RIGHT)
    return pages.render(pages.AWAY, href=request.url.path)


def _shown(sent: Sent, known: Timelines) -> dict[str, object]:
    now, zone = utc_now(), sent.zone
    timeline: Timeline | None = proof.by_id(known.timelines).get(sent.appointment_id)
    certain = known.as_of is not None and now - known.as_of < UNCERTAIN_AFTER
    until = known.as_of and proof.spoken(known.as_of, zone)
    return {
        "name": sent.name,
        "start": proof.spoken(sent.start, zone),
        "minutes": sent.duration_minutes,
        "cancelled": sent.cancelled_at and proof.spoken(sent.cancelled_at, zone),
        "appointment_id": sent.appointment_id,
        "addresses": [each for each in (sent.email, sent.phone) if each],
        "lines": [
            {
                "at": proof.spoken(line.at, zone, seconds=True),
                "told": line.told and proof.spoken(line.told, zone),
                "line": line,
            }
            for line in proof.told(sent, timeline)
        ],
        "meaning": proof.MEANING,
        "nothing": proof.NOTHING_KNOWN,
        "printed": proof.spoken(now, zone, seconds=True),
        "uncertain_since": None if certain else until or "Beginn",
    }
