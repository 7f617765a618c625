"""The scheduling service's public HTTP API."""

import datetime as dt
import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from chassis.auth import Caller
from chassis.problems import Responses, response, responses
from contracts.languages import LANGUAGES
from contracts.rights import Right
from services.scheduling.api.dependencies import (
    AppointmentAdmin,
    AppointmentReader,
    AppointmentWriter,
    State,
)
from services.scheduling.booking import Booked, Booking
from services.scheduling.links import NOWHERE
from services.scheduling.problems import BadETag, Begun, Changed, Damaged, NotFound, TooManyMessages
from services.scheduling.schemas import (
    AppointmentView,
    BookedView,
    Change,
    DayView,
    LanguageView,
    NewAppointment,
    PracticeView,
    Resend,
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key with the same body is carried out once; "
        "with another body it is refused.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description="ETag of the appointment as last seen."),
]


# Of the two that share a status code the description names both.
BAD_REQUEST: Responses = {
    BadETag.status: response("The body is no JSON, or If-Match no ETag of ours")
}

router = APIRouter(prefix="/v1")


async def desk(services: State) -> Booking:
    """FastAPI dependency: the practice's desk."""
    return services.booking


Desk = Annotated[Booking, Depends(desk)]


def _told(booked: Booked, caller: Caller, response: Response) -> AppointmentView | BookedView:
    """The answer to a deed: with the patient only to those who may read."""
    response.headers["ETag"] = _etag(booked)
    view = AppointmentView if caller.may(Right.READ_APPOINTMENTS) else BookedView
    return view.of(booked.appointment, booked.practice)


@router.post(
    "/appointments",
    status_code=201,
    tags=["appointments"],
    responses=responses(NotFound, TooManyMessages),
)
async def create_appointment(
    booking: Desk,
    caller: AppointmentWriter,
    body: NewAppointment,
    response: Response,
    key: IdempotencyKey = None,
) -> AppointmentView | BookedView:
    """Create an appointment and invite the patient."""
    booked = await booking.create(caller, body, key)
    response.headers["Location"] = f"/v1/appointments/{booked.appointment.id}"
    return _told(booked, caller, response)


@router.get("/appointments", tags=["appointments"])
async def list_appointments(
    booking: Desk, caller: AppointmentReader, day: Annotated[dt.date, Query(alias="date")]
) -> DayView:
    """The Terminübersicht: one day in the practice's zone, by start."""
    practice, found = await booking.day(caller, day)
    return DayView(
        date=day,
        time_zone=practice.time_zone,
        appointments=[AppointmentView.of(appointment, practice) for appointment in found],
    )


@router.get("/appointments/{appointment_id}", tags=["appointments"], responses=responses(NotFound))
async def read_appointment(
    booking: Desk, caller: AppointmentReader, appointment_id: UUID, response: Response
) -> AppointmentView:
    """One appointment."""
    booked = await booking.get(caller, appointment_id)
    response.headers["ETag"] = _etag(booked)
    return AppointmentView.of(booked.appointment, booked.practice)


@router.patch(
    "/appointments/{appointment_id}",
    tags=["appointments"],
    responses=responses(NotFound, Changed, Damaged, TooManyMessages) | BAD_REQUEST,
)
async def change_appointment(
    booking: Desk,
    caller: AppointmentWriter,
    appointment_id: UUID,
    body: Change,
    response: Response,
    if_match: IfMatch = None,
) -> AppointmentView | BookedView:
    """Move, shorten or lengthen; the link stays valid."""
    booked = await booking.reschedule(caller, appointment_id, body, _version(if_match))
    return _told(booked, caller, response)


@router.delete(
    "/appointments/{appointment_id}",
    status_code=204,
    tags=["appointments"],
    responses=responses(NotFound, Changed) | BAD_REQUEST,
)
async def delete_appointment(
    booking: Desk,
    caller: AppointmentAdmin,
    appointment_id: UUID,
    if_match: IfMatch = None,
    notify: Annotated[bool, Query(description="Tell the patient that it is cancelled.")] = True,
) -> None:
    """Delete the appointment; its link is dead at once."""
    await booking.delete(caller, appointment_id, _version(if_match), notify=notify)


@router.post(
    "/appointments/{appointment_id}/erasure",
    status_code=204,
    tags=["appointments"],
    responses=responses(NotFound),
)
async def erase_appointment(booking: Desk, caller: AppointmentAdmin, appointment_id: UUID) -> None:
    """„Daten löschen": delete the appointment and all that any service holds of it.

    Also of one that was deleted before. What has been sent can't be called back.
    """
    await booking.erase(caller, appointment_id)


@router.post(
    "/appointments/{appointment_id}/invitations",
    status_code=202,
    tags=["invitations"],
    responses=responses(NotFound, Begun, Damaged, TooManyMessages),
)
async def resend_invitation(
    booking: Desk,
    caller: AppointmentWriter,
    appointment_id: UUID,
    body: Resend,
    response: Response,
    key: IdempotencyKey = None,
) -> AppointmentView | BookedView:
    """„Erneut senden": a new attempt, where needed to a corrected address."""
    booked = await booking.resend(caller, appointment_id, body, key)
    return _told(booked, caller, response)


@router.get("/practice", tags=["practice"])
async def read_practice(booking: Desk, caller: AppointmentReader) -> PracticeView:
    """The caller's practice, its channels and the languages of its invitations."""
    practice = await booking.practice(caller)
    return PracticeView(
        id=practice.id,
        name=practice.name,
        time_zone=practice.time_zone,
        tariff=practice.tariff,
        channels=[each for each in booking.channels if each in practice.tariff.channels],
        tariff_channels=list(practice.tariff.channels),
        language=practice.language,
        languages=[LanguageView(code=each.code, name=each.own_name) for each in LANGUAGES.values()],
        sample_link=booking.links.url(NOWHERE),
    )


def _etag(booked: Booked) -> str:
    return f'"{booked.appointment.version}"'


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    etag = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if etag is None:
        raise BadETag
    return int(etag[1])
