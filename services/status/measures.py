"""Measured truth: from request to tick, and the share of ticks that were later proven wrong.

Counted from the time an attempt was issued to the time at which the outcome behind its first tick
occurred, as both events say it.
"""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from prometheus_client import Gauge
from pydantic import AfterValidator

from chassis.clock import utc_now
from chassis.database import Connection
from services.status import measures_store, weeks
from services.status.dependencies import Db, StatusReader
from services.status.tick_counts import KEPT
from services.status.views import MeasuresView, WeeksView, WeekView

PUBLISH_EVERY = 60.0  # seconds
PUBLISHED = timedelta(days=1)

to_tick = Gauge("request_to_tick_seconds", "From request to tick, last 24 hours", ["quantile"])
ticks = Gauge("ticks_last_day", "Ticks of the last 24 hours")
proven_wrong = Gauge("ticks_proven_wrong_last_day", "Of these, later proven wrong")

router = APIRouter(prefix="/v1/measures", tags=["measures"])


@router.get("")
async def read_measures(
    caller: StatusReader,
    db: Db,
    days: Annotated[int, Query(ge=1, le=90)] = 30,
) -> MeasuresView:
    """What the practice's ticks were worth in the last days."""
    async with db.practice(caller.practice_id) as tx:
        since = utc_now() - timedelta(days=days)
        found = await measures_store.measures(tx, caller.practice_id, since)
    return MeasuresView(
        days=days,
        ticks=found.ticks,
        proven_wrong=found.proven_wrong,
        share_proven_wrong=found.proven_wrong / found.ticks if found.ticks else None,
        request_to_tick_ms_p50=None if found.p50 is None else found.p50 * 1000,
        request_to_tick_ms_p95=None if found.p95 is None else found.p95 * 1000,
    )


def _known(time_zone: str) -> str:
    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("no zone of the IANA database") from error
    return time_zone


@router.get("/weeks")
async def read_weeks(
    caller: StatusReader,
    db: Db,
    time_zone: Annotated[
        str,
        Query(max_length=64, description="In which weeks begin; an IANA name."),
        AfterValidator(_known),
    ] = "UTC",
) -> WeeksView:
    """What became of the practice's invitations, by ISO weeks: the present one and those before."""
    zone = ZoneInfo(time_zone)
    days = weeks.mondays(utc_now(), zone)
    async with db.practice(caller.practice_id) as tx:
        counted = await measures_store.weeks(tx, caller.practice_id, weeks.beginnings(days, zone))
    shown = [WeekView.of(week) for week in weeks.all_weeks(days, counted)]
    return WeeksView(time_zone=time_zone, weeks=shown)


async def publish(tx: Connection) -> None:
    """Set the metrics, over all practices."""
    now = utc_now()
    await measures_store.sum_up(tx, now - KEPT)
    found = await measures_store.measures_of_all(tx, now - PUBLISHED)
    ticks.set(found.ticks)
    proven_wrong.set(found.proven_wrong)
    if found.p50 is not None and found.p95 is not None:
        to_tick.labels("0.5").set(found.p50)
        to_tick.labels("0.95").set(found.p95)
