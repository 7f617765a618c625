"""The practice's way into the video room, as the one who leads the visit."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi_problem.error import Problem
from pydantic import BaseModel, Field

from chassis.auth import Caller, VisitHost
from chassis.database import Database
from chassis.problems import response
from chassis.sealing import Sealer
from services.scheduling import practice_store, store
from services.scheduling.audit import entry as audit
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action
from services.scheduling.problems import NotFound, UnknownPractice
from services.scheduling.visits.opening import link_holds
from services.scheduling.visits.rooms import Role, Rooms


class NoRooms(Problem):
    """409: this installation has no video rooms."""

    def __init__(self) -> None:
        super().__init__(
            title="No video rooms are set up.",
            type_="no-video-rooms",
            status=409,
            detail="Der Videoraum ist in dieser Installation noch nicht eingerichtet.",
        )


class LongOver(Problem):
    """409: the patient's link has run out, so nobody would come."""

    def __init__(self) -> None:
        super().__init__(
            title="The appointment is long over.",
            type_="appointment-over",
            status=409,
            detail="Der Termin ist länger als drei Monate vorbei.",
        )


class RoomView(BaseModel):
    """The way into the room: for this person alone, and for now."""

    url: str = Field(json_schema_extra={"format": "uri"})


@dataclass(frozen=True, slots=True)
class Hosting:
    """Opens rooms for those who lead visits; at any time, since date and time are guide values."""

    db: Database
    rooms: Rooms | None
    sealer: Sealer

    async def enter(self, caller: Caller, appointment_id: UUID) -> str:
        """The address of the appointment's room, as its host."""
        now = datetime.now(UTC)
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.find(tx, caller.practice_id)
            if practice is None:
                raise UnknownPractice
            appointment = await store.find(tx, self.sealer, practice.id, appointment_id)
            if appointment is None:
                raise NotFound
            if self.rooms is None:
                raise NoRooms
            if not link_holds(appointment, practice.zone, now):
                raise LongOver
            started = audit.entry(caller, Action.VISIT_STARTED, now, appointment_id)
            await audit_store.add(tx, started)
        return self.rooms.way_in(
            appointment, Role.HOST, name=practice.name, language=practice.language, now=now
        )


router = APIRouter(prefix="/v1")


@router.post(
    "/appointments/{appointment_id}/room",
    tags=["appointments"],
    responses={
        404: response("There is no such appointment"),
        409: response("It is long over, or no video rooms are set up"),
    },
)
async def enter_room(
    request: Request, caller: VisitHost, appointment_id: UUID, answer: Response
) -> RoomView:
    """„Videosprechstunde starten": the way into the video room, as the one who leads the visit."""
    hosting: Hosting = request.app.state.hosting
    answer.headers["Cache-Control"] = "no-store"
    return RoomView(url=await hosting.enter(caller, appointment_id))
