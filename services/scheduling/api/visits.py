"""The practice's way into the video room, as the one who leads the visit."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from chassis import problems
from chassis.openapi import NO_STORE, answer
from services.scheduling.api.dependencies import State, VisitHost
from services.scheduling.visits.hosting import Hosting


class RoomView(BaseModel):
    """The way into the room: for this person alone, and for now."""

    url: str = Field(json_schema_extra={"format": "uri"})


async def hosting(services: State) -> Hosting:
    """FastAPI dependency: what opens rooms to hosts."""
    return services.hosting


router = APIRouter(prefix="/v1")


@router.post(
    "/appointments/{appointment_id}/room",
    tags=["appointments"],
    responses=answer(200, Cache_Control=NO_STORE)
    | {
        404: problems.response("There is no such appointment"),
        409: problems.response("It is long over, or no video rooms are set up"),
    },
)
async def enter_room(
    hosting: Annotated[Hosting, Depends(hosting)],
    caller: VisitHost,
    appointment_id: UUID,
    response: Response,
) -> RoomView:
    """„Videosprechstunde starten": the way into the video room, as the one who leads the visit."""
    response.headers["Cache-Control"] = "no-store"
    return RoomView(url=await hosting.enter(caller, appointment_id))
