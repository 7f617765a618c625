"""HTTP in: a practice asks for its indicators, or follows them live."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query

from chassis.problems import response
from services.status import store
from services.status.dependencies import Db, State, StatusReader
from services.status.feeds import Refused, Watch
from services.status.indicators import history
from services.status.problems import BadLastEventId, NoIndicator, NoStream
from services.status.stream import EventStream, follow, resume_from
from services.status.views import (
    HistoryEntryView,
    IndicatorsView,
    IndicatorView,
    IndicatorWithHistoryView,
)

MAX_IDS = 500

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
    appointment_id: Annotated[list[UUID], Query(min_length=1, max_length=MAX_IDS)],
) -> IndicatorsView:
    """The indicators of several appointments; those that have none are left out."""
    async with db.practice(caller.practice_id) as tx:
        found = await store.indicators(tx, caller.practice_id, appointment_id)
    return IndicatorsView(indicators=[IndicatorView.of(shown) for shown in found])


# Before the route with an id, which would otherwise take "stream" for one.
@router.get(
    "/stream",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {
            "description": "ready, indicator, deleted, moved and beat events, until the token's "
            "term ends. A beat comes at the beginning and whenever nothing else was sent for its "
            "interval_seconds; it has no id. Pass over events that are not known."
        },
        400: response("Last-Event-ID is not an id of this stream"),
        503: response("Too many open streams; Retry-After says when to come back"),
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


@router.get("/{appointment_id}", responses={404: response("No indicator for this appointment")})
async def get_indicator(
    caller: StatusReader, db: Db, appointment_id: UUID
) -> IndicatorWithHistoryView:
    """One appointment's indicator with its history, oldest first."""
    async with db.practice(caller.practice_id) as tx:
        found = await store.indicators(tx, caller.practice_id, [appointment_id])
        facts = await store.facts(tx, caller.practice_id, appointment_id) if found else []
    if not found:
        raise NoIndicator
    return IndicatorWithHistoryView(
        **IndicatorView.of(found[0]).model_dump(),
        history=[HistoryEntryView.of(entry) for entry in history(facts)],
    )
