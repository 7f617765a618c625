"""The FHIR REST API (https://hl7.org/fhir/R4/http.html)."""

import re
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from chassis.clock import utc_now
from chassis.problems import FieldError, InvalidInput, NotJson
from chassis.said import Said
from services.fhir import appointment, bundles, capability, communication, outcomes, search
from services.fhir.appointment import BOOKED, CANCELLED, AppointmentInput
from services.fhir.dependencies import (
    Caller,
    Services,
    State,
    is_lenient,
    json_is_spoken,
    wants_no_body,
)
from services.fhir.problems import (
    BadCondition,
    BadETag,
    BadSearch,
    NoSuchResource,
    NotRead,
    OtherResource,
)
from services.fhir.search import CURSOR, Bound, DayPlace, Query
from services.fhir.systems import (
    APPOINTMENT,
    EXTERNAL_REFERENCE,
    LOCATION_REFERENCE,
    MEDIA_TYPE,
    PATIENT_REFERENCE,
    PRACTITIONER_REFERENCE,
    Json,
    Resource,
    etag,
)
from services.fhir.upstream import Apis, Refused

READ = {MEDIA_TYPE, "application/json"}
PATCHES = {"application/json-patch+json"}
# Fields of references by the parameters that search for them, with the system of each.
REFERENCES = {
    "identifier": ("external_reference", EXTERNAL_REFERENCE),
    "patient.identifier": ("patient_reference", PATIENT_REFERENCE),
    "practitioner:identifier": ("practitioner_reference", PRACTITIONER_REFERENCE),
    "location:identifier": ("location_reference", LOCATION_REFERENCE),
}
ASK_BY = Said(
    "Bitte nach date, _lastUpdated, _id oder identifier fragen.",
    "Ask by date, _lastUpdated, _id or identifier.",
)
ALONE = Said("Er steht allein, oder mit status.", "It stands alone, or beside status.")
ASK_FOR_MESSAGES_BY = Said("Bitte nach based-on oder _id fragen.", "Ask by based-on or _id.")
_ETAG = re.compile(r'(?:W/)?"([0-9A-Za-z.-]{1,64})"')

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)
]


class FhirResponse(JSONResponse):
    """A resource."""

    media_type = MEDIA_TYPE


class Cancellation(BaseModel):
    """What is read of an Appointment that somebody puts: no more can be changed."""

    resourceType: Literal["Appointment"]  # noqa: N815
    id: str
    status: str


router = APIRouter(prefix="/fhir", dependencies=[Depends(json_is_spoken)])


@router.get("/metadata")
async def read_capabilities(services: State) -> Response:
    """What this server can do; anybody may know."""
    return FhirResponse(capability.statement(services.base))


# --- Appointment


@router.get("/Appointment")
async def search_appointments(request: Request, services: State, caller: Caller) -> Response:
    """Appointments by id, identifier or date, or those that changed since."""
    query = _query(request, "Appointment")
    statuses = _statuses(query, {BOOKED, CANCELLED})
    if "_lastUpdated" in query:
        return await _changed(services, caller, query, statuses)
    named = _named(query)
    referred = _referred(query)
    zone = await caller.zone() if "date" in query else None
    wanted = search.bounds("date", query.values["date"], zone) if zone is not None else []
    following: str | None = None
    if named is not None:
        views: Sequence[Json] = await caller.named(named)
    elif referred:
        views, following = await caller.referred(referred, limit=query.count, cursor=query.cursor)
    elif zone is None:
        raise BadSearch("date", ASK_BY)
    elif BOOKED not in statuses:  # nobody knows any more when those that are cancelled began
        views = []
    else:
        views, following = await _of_days(caller, query, wanted, zone)
    found = [
        resource
        for view in views
        for resource in [appointment.resource_of(view)]
        if resource["status"] in statuses
        and _is_within(view, wanted)
        and all(view.get(field) == value for field, value in referred.items())
    ]
    return FhirResponse(
        bundles.bundle(
            services.base,
            "Appointment",
            query,
            found,
            following=following,
            total=len(found) if named is not None else None,
        )
    )


async def _changed(services: Services, caller: Apis, query: Query, statuses: set[str]) -> Response:
    """A page of what changed, in the order in which it did; what was deleted is cancelled."""
    if query.values.keys() - {"_lastUpdated", "status"}:
        raise BadSearch("_lastUpdated", ALONE)
    since = search.since(query.values["_lastUpdated"])
    views, following = await caller.changed(since, limit=query.count, cursor=query.cursor)
    found = [
        resource
        for view in views
        if not view.get("erased")
        for resource in [appointment.resource_of(view)]
        if resource["status"] in statuses
    ]
    return FhirResponse(
        bundles.bundle(
            services.base,
            "Appointment",
            query,
            found,
            following=following,
            outcome=outcomes.of_erased([view["id"] for view in views if view.get("erased")]),
        )
    )


@router.get("/Appointment/{appointment_id}")
async def read_appointment(caller: Caller, appointment_id: str) -> Response:
    """One appointment."""
    return _read(appointment.resource_of(await _found(caller, appointment_id)))


@router.post("/Appointment")
async def create_appointment(
    request: Request, services: State, caller: Caller, key: IdempotencyKey = None
) -> Response:
    """Create an appointment and invite the patient, by the rules of the scheduling API."""
    _check_type(request, READ)
    sent = _parsed(await request.body(), lenient=is_lenient(request))
    once = _condition(request, sent)
    if once is not None:
        there, _ = await caller.referred({"external_reference": once}, limit=1, cursor=None)
        if there:
            return _written(request, appointment.resource_of(there[0]), 200)
    asked = appointment.new_appointment(sent, await caller.zone(), lenient=is_lenient(request))
    try:
        made = appointment.resource_of(await caller.create(asked, key))
    except Refused as refused:
        if once is None or refused.other is None:
            raise
        # Somebody else was quicker.
        return _written(request, appointment.resource_of(await _found(caller, refused.other)), 200)
    location = f"{services.base}/Appointment/{made['id']}"
    return _written(request, made, 201, {"Location": location})


@router.put("/Appointment/{appointment_id}")
async def update_appointment(request: Request, caller: Caller, appointment_id: str) -> Response:
    """Cancel: put it with this status. Nothing else of an appointment can be changed here."""
    _check_type(request, READ)
    try:
        sent = Cancellation.model_validate_json(await request.body())
    except ValidationError as error:
        raise _refused(error) from None
    if sent.id != appointment_id:
        raise OtherResource
    if sent.status != CANCELLED:
        raise _only_cancelled()
    return await _cancel(request, caller, appointment_id)


@router.patch("/Appointment/{appointment_id}")
async def patch_appointment(request: Request, caller: Caller, appointment_id: str) -> Response:
    """Cancel: a JSON Patch that sets the status."""
    _check_type(request, PATCHES)
    try:
        patch: Any = from_json(await request.body(), cache_strings="keys")
    except ValueError:  # also where it is nested too deep
        raise NotJson from None
    if not appointment.is_cancellation(patch):
        raise _only_cancelled()
    return await _cancel(request, caller, appointment_id)


async def _of_days(
    caller: Apis, query: Query, wanted: Sequence[Bound], zone: ZoneInfo
) -> tuple[list[Json], str | None]:
    """A page, and where the next one begins. Scheduling lists a year at a time."""
    between = search.days(wanted, zone, utc_now().astimezone(zone).date())
    if between is None:
        return [], None
    first, end = between
    place = DayPlace(first, None) if query.cursor is None else DayPlace.of(query.cursor)
    if not first <= place.first <= end:
        raise BadSearch(CURSOR, search.NO_LINK)
    while True:
        last = min(end, place.first + search.LONGEST)
        views, cursor = await caller.of_days(
            place.first, last, limit=query.count, cursor=place.cursor
        )
        if cursor is not None:
            return views, str(DayPlace(place.first, cursor))
        if last == end:
            return views, None
        place = DayPlace(last + search.ONE_DAY, None)
        if views:
            return views, str(place)


def _named(query: Query) -> list[str] | None:
    """Ids of the appointments asked for; None where they are asked for by nothing of the kind."""
    found: list[str] | None = None
    if (values := query.any_of("_id")) is not None:
        found = search.ids("_id", values)
    if (named := _own_identifiers(query)) is not None:
        found = named if found is None else [each for each in found if each in named]
    return None if found is None else list(dict.fromkeys(found))


def _own_identifiers(query: Query) -> list[str] | None:
    """Ids, where that is what `identifier` has; None where it has a reference, or nothing."""
    tokens = [search.token(each) for each in query.any_of("identifier") or ()]
    named = search.ids("identifier", [value for _, value in tokens])
    systems = {system for system, _ in tokens}
    if systems == {APPOINTMENT} or (systems == {None} and len(named) == len(tokens)):
        return named
    return None


def _referred(query: Query) -> dict[str, str]:
    """References that are asked for, by the API's fields."""
    found = {}
    for parameter, (field, system) in REFERENCES.items():
        values = query.any_of(parameter)
        if values is None or (parameter == "identifier" and _own_identifiers(query) is not None):
            continue
        asked, value = search.token(values[0])
        if len(values) > 1 or asked not in {None, system}:
            raise BadSearch(
                parameter, Said(f"Es ist ein Wert, von {system}.", f"It is one value, of {system}.")
            )
        found[field] = value
    return found


def _condition(request: Request, sent: AppointmentInput) -> str | None:
    """The external reference that nothing may have yet; None where that is not asked."""
    given = request.headers.get("if-none-exist")
    if given is None:
        return None
    wanted = appointment.references(sent)["external_reference"]
    if wanted is None or parse_qsl(given) != [("identifier", f"{EXTERNAL_REFERENCE}|{wanted}")]:
        raise BadCondition
    return wanted


def _is_within(view: Json, wanted: Sequence[Bound]) -> bool:
    if not wanted:
        return True
    if "start" not in view:
        return False
    start = appointment.moment(view["start"])
    return all(each.holds(start) for each in wanted)


async def _found(caller: Apis, appointment_id: str) -> Json:
    found = await caller.named(search.ids("_id", [appointment_id]))
    if not found:
        raise NoSuchResource
    return found[0]


async def _cancel(request: Request, caller: Apis, appointment_id: str) -> Response:
    appointment_id = next(iter(search.ids("_id", [appointment_id])), "")
    if not appointment_id:
        raise NoSuchResource
    try:
        await caller.cancel(appointment_id, _if_match(request))
    except Refused as refused:
        # Who asks again, as the answer was lost, is told the same; unless it was forgotten since.
        if refused.status != NoSuchResource.status:
            raise
        view = await _found(caller, appointment_id)
        if not view.get("cancelled"):
            raise
        return _written(request, appointment.resource_of(view), 200)
    try:
        left = await caller.named([appointment_id])
    except Refused:  # may cancel, and not read
        left = []
    shown = appointment.resource_of(left[0]) if left else appointment.cancelled(appointment_id)
    return _written(request, shown, 200)


def _only_cancelled() -> InvalidInput:
    message = Said(
        "Ein Termin kann hier abgesagt werden; was ihn sonst ändert, ist in der API.",
        "An appointment can be cancelled here; whatever else changes it is in the API.",
    )
    return InvalidInput([FieldError("Appointment.status", "invalid", message)])


# --- Communication


@router.get("/Communication")
async def search_communications(request: Request, services: State, caller: Caller) -> Response:
    """Messages by id, or of appointments."""
    query = _query(request, "Communication")
    statuses = _statuses(query, set(communication.STATUSES))
    named, of = query.any_of("_id"), query.any_of("based-on")
    if named is None and of is None:
        raise BadSearch("based-on", ASK_FOR_MESSAGES_BY)
    appointments: list[str] = []
    if of is not None:
        appointments = search.ids("based-on", of, "Appointment")
    elif named is not None:
        if len(named) > search.MOST:
            raise BadSearch("_id", search.TOO_MANY)
        found_of = (communication.appointment_of(each) for each in named)
        appointments = [str(each) for each in found_of if each is not None]
    found = [
        each
        for each in await _messages(caller, list(dict.fromkeys(appointments)))
        if each["status"] in statuses and (named is None or each["id"] in named)
    ]
    begin = _offset(query.cursor)
    page = found[begin : begin + query.count]
    following = str(begin + len(page)) if begin + len(page) < len(found) else None
    return FhirResponse(
        bundles.bundle(
            services.base, "Communication", query, page, following=following, total=len(found)
        )
    )


@router.get("/Communication/{communication_id}")
async def read_communication(caller: Caller, communication_id: str) -> Response:
    """One message."""
    about: UUID | None = communication.appointment_of(communication_id)
    messages = [] if about is None else await _messages(caller, [str(about)])
    for each in messages:
        if each["id"] == communication_id:
            return _read(each)
    raise NoSuchResource


async def _messages(caller: Apis, appointment_ids: Sequence[str]) -> list[Resource]:
    return [
        each
        for timeline in await caller.timelines(appointment_ids)
        for each in communication.communications(timeline)
    ]


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit():
        raise BadSearch(CURSOR, search.NO_LINK)
    return int(cursor[:9])


# --- both


def _query(request: Request, kind: str) -> Query:
    parameters = request.query_params.multi_items()
    return search.parse(parameters, capability.SEARCHES[kind], lenient=is_lenient(request))


def _statuses(query: Query, known: set[str]) -> set[str]:
    """Those that are asked for; all where none are."""
    values = query.any_of("status")
    if values is None:
        return known
    asked = {search.token(each)[1] for each in values}
    if not asked <= known:
        either = ", ".join(sorted(known))
        raise BadSearch("status", Said(f"Es ist eins von {either}.", f"It is one of {either}."))
    return asked


def _read(resource: Resource) -> Response:
    """The resource with its version; who has just this one gets 304 (`chassis.reading`)."""
    tag = etag(resource)
    headers = {} if tag is None else {"ETag": tag}
    if last := resource.get("meta", {}).get("lastUpdated"):
        headers["Last-Modified"] = format_datetime(appointment.moment(last), usegmt=True)
    return FhirResponse(resource, headers=headers)


def _written(
    request: Request, resource: Resource, status: int, headers: dict[str, str] | None = None
) -> Response:
    carried = dict(headers or {})
    if tag := etag(resource):
        carried["ETag"] = tag
    if wants_no_body(request):
        return Response(status_code=status, headers=carried)
    return FhirResponse(resource, status, carried)


def _if_match(request: Request) -> str | None:
    """What the scheduling API compares strongly: its versions are states, ours are called weak."""
    given = ",".join(request.headers.getlist("if-match")).strip()
    if not given or given == "*":
        return given or None
    tag = _ETAG.fullmatch(given)
    if tag is None:
        raise BadETag
    return f'"{tag[1]}"'


def _check_type(request: Request, taken: set[str]) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in taken:
        raise NotRead


def _parsed(body: bytes, *, lenient: bool) -> AppointmentInput:
    try:
        return AppointmentInput.model_validate_json(body, extra="ignore" if lenient else "forbid")
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> Exception:
    """What is wrong with a body, by the places in it."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if any(each["type"] == "json_invalid" for each in faults):
        return NotJson()
    return RequestValidationError(
        [{**each, "loc": ("body", "Appointment", *each["loc"])} for each in faults]
    )
