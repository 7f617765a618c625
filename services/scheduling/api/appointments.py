"""The scheduling service's public HTTP API."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime

from chassis.auth import Caller, alternatives, refuse
from chassis.openapi import ETAG, LOCATION, REPLAYED, UNCHANGED, answer
from chassis.problems import Responses, response, responses
from chassis.throttle import TooManyRequests
from chassis.wording import wordings
from contracts.channels import Channel
from contracts.rights import Right
from contracts.terms import TOMBSTONE_TERM
from services.scheduling import forms
from services.scheduling.api.dependencies import (
    ALSO_DELETED,
    CANCELLING,
    CHANGING,
    AppointmentAdmin,
    AppointmentCanceller,
    AppointmentChanger,
    AppointmentReader,
    AppointmentWriter,
    LinkReader,
    State,
)
from services.scheduling.api.preconditions import IfMatch, etag
from services.scheduling.appointments import Appointment
from services.scheduling.booking import Booking
from services.scheduling.creating import Booked
from services.scheduling.links import NOWHERE
from services.scheduling.lookups import Changes, Lookups, Page
from services.scheduling.practice import Practice
from services.scheduling.problems import (
    Begun,
    Changed,
    Damaged,
    KeyReused,
    NotFound,
    ReferenceTaken,
    TooManyMessages,
)
from services.scheduling.schemas import (
    MOST_LISTED,
    AddressLookup,
    AppointmentsView,
    AppointmentView,
    BookedView,
    Change,
    ChangedView,
    ChangesView,
    Cursor,
    DayView,
    FollowUp,
    KnownAddressesView,
    KnownAddressView,
    LanguageView,
    NameQuery,
    NewAppointment,
    PageView,
    PatientLinkView,
    PracticeView,
    Reference,
    Resend,
    SmsTimeView,
    TombstoneView,
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key with the same body is carried out once, within 7 days; with "
        "another body it is refused. A repeat is answered with the present state, and "
        "Idempotent-Replayed: true.",
    ),
]


TOO_MANY: Responses = {
    TooManyRequests.status: response("Too many look-ups; Retry-After says when to come back")
}

SearchedReference = Annotated[Reference, Query(description="Instead of a day: exactly this.")]
REPEATED = {"Idempotent-Replayed": "true"}  # as Stripe calls it

MAX_IDS = 100  # an address of some 4 kB

router = APIRouter(prefix="/v1")


async def desk(request: Request) -> Booking:
    """FastAPI dependency: the practice's desk; by itself, since most requests need no other."""
    booking: Booking = request.app.state.services.booking
    return booking


Desk = Annotated[Booking, Depends(desk)]


async def lookups(services: State) -> Lookups:
    """FastAPI dependency: what looks appointments up."""
    return services.lookups


Found = Annotated[Lookups, Depends(lookups)]


def _views(found: Sequence[Appointment], practice: Practice) -> list[AppointmentView]:
    return [AppointmentView.of(appointment, practice) for appointment in found]


def _page(found: Page) -> PageView:
    return PageView(
        kind="page",
        time_zone=found.practice.time_zone,
        appointments=_views(found.appointments, found.practice),
        next=found.following.cursor if found.following else None,
    )


def _changes(found: Changes, now: dt.datetime) -> ChangesView:
    return ChangesView(
        kind="changes",
        time_zone=found.practice.time_zone,
        appointments=[
            ChangedView.of(each, found.practice)
            if isinstance(each, Appointment)
            else TombstoneView.of(each)
            for each in found.changed
        ],
        next=found.following.cursor if found.following else None,
        tombstones_since=now - TOMBSTONE_TERM,
    )


def _told(booked: Booked, caller: Caller, response: Response) -> AppointmentView | BookedView:
    """The answer to a deed: with the patient only to those who may read."""
    response.headers["ETag"] = etag(booked.appointment.version)
    if booked.replayed:
        response.headers.update(REPEATED)
    view = AppointmentView if caller.may(Right.READ_APPOINTMENTS) else BookedView
    return view.of(booked.appointment, booked.practice)


@router.post(
    "/appointments",
    status_code=201,
    tags=["appointments"],
    responses=responses(KeyReused, ReferenceTaken, TooManyMessages)
    | {404: response("The appointment of this Idempotency-Key is deleted")}
    | answer(201, ETag=ETAG, Location=LOCATION, Idempotent_Replayed=REPLAYED),
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
    booking: Desk,
    lookups: Found,
    caller: AppointmentReader,
    day: Annotated[dt.date | None, Query(alias="date")] = None,
    ids: Annotated[
        list[UUID] | None,
        Query(alias="id", max_length=MAX_IDS, description="Instead of a day; may be repeated."),
    ] = None,
    first: Annotated[
        dt.date | None,
        Query(alias="from", description="Instead of a day: the first of several, with `to`."),
    ] = None,
    last: Annotated[
        dt.date | None,
        Query(alias="to", description=f"The last one, of {forms.MAX_DAYS} days at most."),
    ] = None,
    since: Annotated[
        AwareDatetime | None,
        Query(
            alias="updated_since",
            description="What changed at this moment or later, in the order in which it did; with "
            "`from` and `to`, or of all days.",
        ),
    ] = None,
    limit: Annotated[
        int,
        Query(ge=1, le=MOST_LISTED, description="Of several days, of changes, or by reference."),
    ] = 100,
    cursor: Cursor | None = None,
    external_reference: SearchedReference = None,
    patient_reference: SearchedReference = None,
    practitioner_reference: SearchedReference = None,
    location_reference: SearchedReference = None,
) -> DayView | PageView | AppointmentsView | ChangesView:
    """The Terminübersicht, one day in the practice's zone; several days; or those with these ids.

    Or those that have all of the given references, with `from` and `to` of some days alone. By
    start; of several days and by reference page by page. Of the ids those of which there is no
    appointment, or no more, are left out. Or what changed since a moment, deleted ones as such. To
    look for a patient's name: POST /v1/appointments/search.
    """
    several = first is not None or last is not None
    references = forms.wanted(
        {
            "external_reference": external_reference,
            "patient_reference": patient_reference,
            "practitioner_reference": practitioner_reference,
            "location_reference": location_reference,
        }
    )
    forms.check_choice(
        day=day is not None,
        ids=bool(ids),
        days=several,
        referred=references is not None,
        since=since is not None,
    )
    place = forms.place(cursor)
    if since is not None:
        forms.check_since(since)
        changes = await lookups.changes(caller, since, first, last, after=place, limit=limit)
        return _changes(changes, lookups.now())
    if references is not None:
        return _page(
            await lookups.referred(caller, references, first, last, after=place, limit=limit)
        )
    if several:
        found = await lookups.between(caller, first, last, after=place, limit=limit)
        return _page(found)
    practice, listed = await (
        booking.named(caller, ids or ()) if day is None else booking.day(caller, day)
    )
    views = _views(listed, practice)
    if day is None:
        return AppointmentsView(kind="ids", time_zone=practice.time_zone, appointments=views)
    return DayView(
        kind="day",
        time_zone=practice.time_zone,
        appointments=views,
        date=day,
        next_start=None if listed else await lookups.next_start(practice, day),
    )


@router.post("/appointments/search", tags=["appointments"], responses=responses(TooManyRequests))
async def search_appointments(
    lookups: Found, services: State, caller: AppointmentReader, body: NameQuery
) -> PageView:
    """Appointments of patients with this name, the one that starts last first.

    Deleted ones are not among them. What is found is noted as read.
    """
    wanted = forms.name_search(body.query)
    services.searches.take(str(caller.practice_id))
    found = await lookups.of_name(
        caller, wanted, body.first, body.last, after=forms.place(body.cursor), limit=body.limit
    )
    return _page(found)


@router.get(
    "/appointments/{appointment_id}",
    tags=["appointments"],
    responses=responses(NotFound) | answer(200, ETag=ETAG) | UNCHANGED,
)
async def read_appointment(
    booking: Desk, caller: AppointmentReader, appointment_id: UUID, response: Response
) -> AppointmentView:
    """One appointment."""
    booked = await booking.get(caller, appointment_id)
    response.headers["ETag"] = etag(booked.appointment.version)
    return AppointmentView.of(booked.appointment, booked.practice)


@router.get(
    "/appointments/{appointment_id}/patient-link",
    tags=["appointments"],
    responses=responses(NotFound),
)
async def read_patient_link(
    booking: Desk, caller: LinkReader, appointment_id: UUID, response: Response
) -> PatientLinkView:
    """The patient's link, for a portal or a letter of the practice's own; noted in the audit log.

    Whoever has it can come in the patient's place: show it to nobody else, and write it nowhere.
    """
    found = await booking.patient_link(caller, appointment_id)
    response.headers["Cache-Control"] = "no-store"
    return PatientLinkView(
        link=found.url, link_version=found.version, valid_until=found.valid_until
    )


@router.patch(
    "/appointments/{appointment_id}",
    tags=["appointments"],
    responses=responses(NotFound, Changed, Damaged, ReferenceTaken, TooManyMessages)
    | answer(200, ETag=ETAG),
    openapi_extra=alternatives(*CHANGING),
)
async def change_appointment(
    booking: Desk,
    caller: AppointmentChanger,
    appointment_id: UUID,
    body: Change,
    response: Response,
    if_match: IfMatch = None,
) -> AppointmentView | BookedView:
    """Move, shorten or lengthen, or correct without sending; the link stays valid.

    Time and references need `appointments:write`; name, addresses and language
    `appointments:correct`.
    """
    lacking = body.needed - caller.rights
    if lacking:
        refuse(caller, lacking)
    booked = await booking.change(caller, appointment_id, body, if_match)
    return _told(booked, caller, response)


@router.delete(
    "/appointments/{appointment_id}",
    status_code=204,
    tags=["appointments"],
    responses=responses(NotFound, Changed),
    openapi_extra=alternatives(*CANCELLING),
)
async def delete_appointment(
    booking: Desk,
    caller: AppointmentCanceller,
    appointment_id: UUID,
    if_match: IfMatch = None,
    notify: Annotated[bool, Query(description="Tell the patient that it is cancelled.")] = True,
) -> None:
    """Delete the appointment; its link is dead at once.

    Without telling the patient it needs `appointments:delete`.
    """
    if not notify and not caller.may(Right.DELETE_APPOINTMENTS):
        refuse(caller, [Right.DELETE_APPOINTMENTS])
    await booking.delete(caller, appointment_id, if_match, notify=notify)


@router.post(
    "/appointments/{appointment_id}/erasure",
    status_code=204,
    tags=["appointments"],
    responses=responses(Changed) | ALSO_DELETED,
)
async def erase_appointment(
    booking: Desk, caller: AppointmentAdmin, appointment_id: UUID, if_match: IfMatch = None
) -> None:
    """„Daten löschen": delete the appointment and all that any service holds of it.

    Also of one that was deleted before. What has been sent can't be called back.
    """
    await booking.erase(caller, appointment_id, if_match)


@router.post(
    "/appointments/{appointment_id}/invitations",
    status_code=202,
    tags=["invitations"],
    responses=responses(NotFound, Begun, Changed, Damaged, KeyReused, TooManyMessages)
    | answer(202, ETag=ETAG, Idempotent_Replayed=REPLAYED),
)
async def resend_invitation(
    booking: Desk,
    caller: AppointmentWriter,
    appointment_id: UUID,
    body: Resend,
    response: Response,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> AppointmentView | BookedView:
    """„Erneut senden": a new attempt, where needed to a corrected address or name.

    The link stays, unless an address changed or was taken out: then older ones are void.
    """
    booked = await booking.resend(caller, appointment_id, body, key, if_match)
    return _told(booked, caller, response)


@router.post(
    "/appointments/{appointment_id}/follow-ups",
    status_code=204,
    tags=["appointments"],
    responses=responses(Changed, KeyReused)
    | ALSO_DELETED
    | answer(204, Idempotent_Replayed=REPLAYED),
)
async def follow_up_appointment(
    booking: Desk,
    caller: AppointmentWriter,
    appointment_id: UUID,
    body: FollowUp,
    response: Response,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> None:
    """„Erledigt": what was seen of this appointment in „Offen" is dealt with, as by a call.

    Also of a deleted one whose patient had to be told. What the indicator shows does not change:
    that takes evidence. What fails afterwards, or another start, opens it again.
    """
    if await booking.follow_up(caller, appointment_id, body, key, if_match):
        response.headers.update(REPEATED)


@router.post(
    "/appointments/{appointment_id}/send-now",
    status_code=202,
    tags=["invitations"],
    responses=ALSO_DELETED,
)
async def send_sms_now(booking: Desk, caller: AppointmentWriter, appointment_id: UUID) -> None:
    """„Jetzt senden": what waits for the morning goes out, also of a deleted appointment.

    Where nothing waits nothing happens.
    """
    await booking.send_now(caller, appointment_id)


@router.post("/addresses/lookup", tags=["appointments"], responses=TOO_MANY)
async def look_addresses_up(
    booking: Desk, services: State, caller: AppointmentReader, body: AddressLookup
) -> KnownAddressesView:
    """What this practice knows of addresses that it is about to write to; hints, no refusals.

    By fingerprints alone: nobody's name is told. No address stands in the URL.
    """
    services.address_lookups.take(f"{caller.practice_id} {caller.subject}")
    practice, found = await booking.known_addresses(caller, body)
    return KnownAddressesView(
        email=KnownAddressView.of(found.get(Channel.EMAIL), practice),
        phone=KnownAddressView.of(found.get(Channel.SMS), practice),
    )


@router.get("/sms-time", tags=["invitations"])
async def read_sms_time(
    booking: Desk,
    caller: AppointmentReader,
    day: Annotated[str, Query(alias="date", max_length=100)],
    at: Annotated[str, Query(alias="time", max_length=100, description="As 14:30.")],
    utc_offset: Annotated[str | None, Query(max_length=100)] = None,
) -> SmsTimeView:
    """When the SMS goes out that would now invite to an appointment at this time.

    At night it waits for the morning, from Saturday evening for Monday, where the start allows.
    """
    return SmsTimeView(waits_until=await booking.sms_time(caller, day, at, utc_offset))


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
        languages=[
            LanguageView(code=each.code, name=each.own_name) for each in wordings().values()
        ],
        quiet_hours=practice.quiet_hours,
        phone=practice.phone,
        sample_link=booking.links.url(NOWHERE),
    )
