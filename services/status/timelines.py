"""Everything that happened to several appointments, for whoever has to prove it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.status import certainty_store, store
from services.status.dependencies import Db, StatusReader
from services.status.events import PARTITIONS
from services.status.timeline import starts, timeline
from services.status.views import StartView, TimelineEntryView, TimelinesView, TimelineView

MAX_IDS = 100  # an address of some 6 kB

router = APIRouter(prefix="/v1/timelines", tags=["timelines"])


@router.get("")
async def list_timelines(
    caller: StatusReader,
    db: Db,
    appointment_id: Annotated[list[UUID], Query(min_length=1, max_length=MAX_IDS)],
) -> TimelinesView:
    """What happened to these appointments, each once, in the order in which they are asked for.

    Deleted ones too, as long as their facts are kept. Those of which nothing is known are left out.
    """
    async with db.practice(caller.practice_id) as tx:
        known = await store.facts_of(tx, caller.practice_id, appointment_id)
        as_of = await certainty_store.certain_at(tx, PARTITIONS)
    told = [(each, starts(facts), timeline(facts)) for each, facts in known.items()]
    return TimelinesView(
        timelines=[
            TimelineView(
                appointment_id=each,
                starts=[StartView.of(start) for start in had],
                timeline=[TimelineEntryView.of(entry) for entry in entries],
            )
            for each, had, entries in told
            if had or entries
        ],
        as_of=as_of,
    )
