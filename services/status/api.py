"""HTTP in: a practice asks for its indicators, for what is open, or follows them live."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from chassis import etags
from chassis.clock import utc_now
from chassis.openapi import NO_STORE, UNCHANGED, answer
from chassis.problems import NOT_VALID, FieldError, InvalidInput
from chassis.problems import response as described
from chassis.said import Said
from services.status import certainty_store, open_store, store
from services.status.dependencies import Db, State, StatusReader
from services.status.events import PARTITIONS
from services.status.feeds import Refused, Watch
from services.status.open_store import Place
from services.status.problems import BadLastEventId, NoIndicator, NoStream
from services.status.stream import EVENTS, EXAMPLE, EventStream, follow, resume_from
from services.status.timeline import history, timeline
from services.status.views import (
    HistoryEntryView,
    IndicatorsView,
    IndicatorView,
    IndicatorWithHistoryView,
    TimelineEntryView,
    is_gone,
)

MAX_IDS = 500
MAX_PAGE = 100

EITHER = FieldError(
    "appointment_id",
    "either",
    Said(
        "Bitte geben Sie entweder appointment_id oder open=true an.",
        "Please give either appointment_id or open=true.",
    ),
)
NO_PLACE = FieldError("cursor", "invalid", NOT_VALID)

BY_CONTENT = {
    "description": "Of what is shown, for If-None-Match.",
    "required": True,
    "schema": {"type": "string"},
}

router = APIRouter(prefix="/v1/indicators", tags=["indicators"])


async def watch(services: State, caller: StatusReader) -> AsyncIterator[Watch]:
    """FastAPI dependency: a place among the open streams, given back once the response ended."""
    try:
        with services.feeds.watch(caller.practice_id) as watching:
            yield watching
    except Refused:
        raise NoStream from None


@router.get("")
async def list_indicators(
    caller: StatusReader,
    db: Db,
    appointment_id: Annotated[list[UUID] | None, Query(min_length=1, max_length=MAX_IDS)] = None,
    is_open: Annotated[
        bool, Query(alias="open", description="What somebody has to do something about.")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Of what is open.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=100, description="`next` of the page before.")
    ] = None,
) -> IndicatorsView:
    """The indicators of several appointments, or those of all that is open.

    Either `appointment_id`: those that have no indicator are left out. Or `open=true`: of coming
    appointments, and those that are going on, the one that begins soonest first; deleted ones are
    among them whose patient does not know it (`cancelled`).
    """
    if is_open == (appointment_id is not None):
        raise InvalidInput([EITHER])
    now = utc_now()
    following = None
    async with db.practice(caller.practice_id) as tx:
        if appointment_id is not None:
            found = await store.indicators(tx, caller.practice_id, appointment_id)
        else:
            found = await open_store.page(
                tx, caller.practice_id, now, after=_place(cursor), limit=limit + 1
            )
            if len(found) > limit:
                found = found[:limit]
                following = Place(found[-1].starts_at, found[-1].appointment_id).cursor
        open_count = await open_store.count(tx, caller.practice_id, now)
        awaited_count = await open_store.awaited(tx, caller.practice_id, now)
        as_of = await certainty_store.certain_at(tx, PARTITIONS)
    return IndicatorsView(
        indicators=[IndicatorView.of(shown, now) for shown in found if not is_gone(shown, now)],
        next=following,
        open_count=open_count,
        awaited_count=awaited_count,
        as_of=as_of,
    )


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        return Place.of(cursor)
    except ValueError:
        raise InvalidInput([NO_PLACE]) from None


# Before the route with an id, which would otherwise take "stream" for one.
@router.get(
    "/stream",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {
            "description": "Events, until the token's term ends, and then a clean end without a "
            "closing event: come back with a new token and, as `Last-Event-ID`, the last id seen. "
            "`ready`: from here on; load what is shown now. It comes first where there is no "
            "`Last-Event-ID`, or one that the feed has never reached. `indicator`: its newest "
            "state; who comes back gets that of everything that changed since, once each. "
            "`deleted`: show nothing of it. `moved`: load the appointment anew. `open_count`: at "
            "the beginning and whenever a change changes how much is open. `beat`: at the "
            "beginning and whenever nothing else was sent for its interval_seconds; a stream that "
            "is silent for two and a half times as long is lost. The last two have no id. `retry` "
            "says how many milliseconds to wait before coming back. Others may be added: pass "
            "over what is not known. A method that waits for the whole answer never returns: "
            "read it event by event.",
            "headers": {"Cache-Control": NO_STORE},
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": EXAMPLE,
                    "x-events": {
                        name: {"$ref": f"#/components/schemas/{model.__name__}"}
                        for name, model in EVENTS.items()
                    },
                }
            },
        },
        400: described("Last-Event-ID is not an id of this stream"),
        503: described("Too many open streams; Retry-After says when to come back"),
    },
)
async def stream_indicators(
    caller: StatusReader,
    services: State,
    watching: Annotated[Watch, Depends(watch)],
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> EventStream:
    """Every change of this practice's indicators as it happens (Server-Sent Events)."""
    try:
        resume = resume_from(last_event_id)
    except ValueError:
        raise BadLastEventId from None
    async with services.db.practice(caller.practice_id) as tx:
        current = await store.position(tx, caller.practice_id)
    messages = follow(
        services.db,
        watching,
        resume=resume,
        current=current,
        until=caller.expires_at,
        heartbeat=services.settings.heartbeat_seconds,
    )
    return EventStream(messages, send_timeout=services.settings.send_timeout_seconds)


@router.get(
    "/{appointment_id}",
    responses={404: described("No indicator for this appointment")}
    | answer(200, ETag=BY_CONTENT)
    | UNCHANGED,
)
async def get_indicator(
    caller: StatusReader, db: Db, appointment_id: UUID, response: Response
) -> IndicatorWithHistoryView:
    """One appointment's indicator with its history, oldest first."""
    now = utc_now()
    async with db.practice(caller.practice_id) as tx:
        found = await store.indicators(tx, caller.practice_id, [appointment_id])
        facts = await store.facts(tx, caller.practice_id, appointment_id) if found else []
    if not found or is_gone(found[0], now):
        raise NoIndicator
    view = IndicatorWithHistoryView(
        **IndicatorView.of(found[0], now).model_dump(),
        history=[HistoryEntryView.of(entry) for entry in history(facts)],
        timeline=[TimelineEntryView.of(entry) for entry in timeline(facts)],
    )
    # What is open changes with time alone, so the version of the indicator would not do.
    response.headers["ETag"] = etags.of(view.model_dump_json())
    return view
