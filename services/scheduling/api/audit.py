"""The audit log over HTTP: to be viewed and exported by whoever may, and changed by nobody."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from chassis.auth import Caller, count_write
from chassis.clock import utc_now
from chassis.openapi import DISPOSITION
from chassis.problems import Responses, responses
from chassis.throttle import TooManyRequests
from services.scheduling import forms, practice_store, store
from services.scheduling.api.dependencies import AuditReader, Db, Services, State
from services.scheduling.audit import entry as audit
from services.scheduling.audit import export as audit_export
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action, AuditEntry
from services.scheduling.audit.proving import STANDS, Standing
from services.scheduling.audit.store import Filter
from services.scheduling.practice import Practice
from services.scheduling.store import Start
from services.scheduling.wall_clock import day_bounds

MAX_ENTRIES = 200  # of a page
EXPORT_BATCH = 1000  # entries: what an export holds in memory

router = APIRouter(prefix="/v1/audit", tags=["audit"])

OfAppointment = Annotated[
    UUID | None, Query(alias="appointment_id", description="Of this appointment only.")
]
FirstDay = Annotated[
    dt.date | None, Query(alias="from", description="First day, on the practice's clock.")
]
LastDay = Annotated[
    dt.date | None, Query(alias="to", description="Last day, on the practice's clock.")
]


class ActorView(BaseModel):
    """Who: a person by the identity provider's id, an API key by its id, or the operator."""

    kind: str
    id: str
    name: str | None
    roles: list[str]


class EntryView(BaseModel):
    """One entry of the audit log."""

    id: UUID
    at: dt.datetime
    actor: ActorView
    action: str = Field(description=", ".join(Action))
    appointment_ids: list[UUID]
    changed: list[str] = Field(
        description="Names of fields, an API key, or the days of an export; never a value."
    )
    trace_id: str | None
    number: int | None = Field(
        description="Its place in the practice's chain; null until it is sealed, some seconds."
    )
    digest: str | None = Field(description="SHA-256 over the digest before it and this entry.")
    proof: str | None = Field(description="By which the service knows it for its own.")
    proven: bool | None = Field(
        description="Whether the service has entered it; false: somebody else has made it up; "
        "null: its key is no longer known."
    )

    @classmethod
    def of(cls, entry: AuditEntry, standing: Standing) -> "EntryView":
        """The view of an entry, whose proof is worth this."""
        return cls(
            id=entry.id,
            at=entry.at,
            actor=ActorView(
                kind=entry.actor_kind,
                id=entry.actor_id,
                name=entry.actor_name,
                roles=list(entry.actor_roles),
            ),
            action=entry.action,
            appointment_ids=list(entry.appointment_ids),
            changed=list(entry.changed),
            trace_id=entry.trace_id,
            number=entry.number,
            digest=entry.digest.hex() if entry.digest else None,
            proof=entry.proof.hex() if entry.proof else None,
            proven=None if standing is Standing.KEY_RETIRED else standing in STANDS,
        )


class LabelsView(BaseModel):
    """What the codes of entries are called in German, as in the exported file."""

    kinds: dict[str, str]
    roles: dict[str, str]
    actions: dict[str, str]
    fields: dict[str, str]


class NamedAppointmentView(BaseModel):
    """When an appointment of the entries is, as it is stored now, in the practice's zone."""

    id: UUID
    start: dt.datetime
    date: dt.date
    time: str
    deleted: bool

    @classmethod
    def of(cls, start: Start, practice: Practice) -> "NamedAppointmentView":
        """The view of a start."""
        local = start.at.astimezone(practice.zone)
        return cls(
            id=start.appointment_id,
            start=start.at,
            date=local.date(),
            time=local.strftime("%H:%M"),
            deleted=start.deleted,
        )


class AuditView(BaseModel):
    """A page of the audit log, newest first."""

    time_zone: str
    entries: list[EntryView]
    appointments: list[NamedAppointmentView] = Field(
        default=[],
        description="Those that the entries name, by start. One whose data are erased is left out.",
    )
    labels: LabelsView
    next: UUID | None = Field(description="`before` of the next page; null on the last one.")


@router.get("")
async def list_entries(
    db: Db,
    caller: AuditReader,
    services: State,
    appointment_id: OfAppointment = None,
    first: FirstDay = None,
    last: LastDay = None,
    before: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ENTRIES)] = 50,
) -> AuditView:
    """Who did what, newest first."""
    async with db.practice(caller.practice_id) as tx:
        practice = await practice_store.of_caller(tx, caller.practice_id)
        wanted = _filter(practice, appointment_id, first, last)
        found = await audit_store.page(tx, practice.id, wanted, before=before, limit=limit + 1)
        shown = found[:limit]
        ids = {each for entry in shown for each in entry.appointment_ids}
        starts = await store.starts(tx, practice.id, ids)
    return AuditView(
        time_zone=practice.time_zone,
        entries=[EntryView.of(entry, services.prover.standing(entry)) for entry in shown],
        appointments=[NamedAppointmentView.of(start, practice) for start in starts],
        labels=LabelsView.model_validate(audit_export.LABELS),
        next=shown[-1].id if len(found) > limit else None,
    )


CSV: Responses = {
    200: {
        "description": "A file, the newest entry first; its head names the columns, in German",
        "headers": {"Content-Disposition": DISPOSITION},
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


@router.post("/export", response_class=Response, responses=CSV)
async def export_entries(
    caller: AuditReader,
    services: State,
    appointment_id: OfAppointment = None,
    first: FirstDay = None,
    last: LastDay = None,
) -> Response:
    """The audit log as a file; that it was exported is an entry itself."""
    return await _export(services, caller, appointment_id, first, last)


@router.get(
    "/export",
    response_class=Response,
    responses=CSV | responses(TooManyRequests),
    deprecated=True,
)
async def export_entries_by_get(
    request: Request,
    caller: AuditReader,
    services: State,
    appointment_id: OfAppointment = None,
    first: FirstDay = None,
    last: LastDay = None,
) -> Response:
    """The same, as before; since it writes, it counts as writing."""
    count_write(request, caller)
    return await _export(services, caller, appointment_id, first, last)


async def _export(
    services: Services,
    caller: Caller,
    appointment_id: UUID | None,
    first: dt.date | None,
    last: dt.date | None,
) -> Response:
    now = utc_now()
    async with services.db.practice(caller.practice_id) as tx:
        practice = await practice_store.of_caller(tx, caller.practice_id)
        wanted = _filter(practice, appointment_id, first, last)
        await services.audit_log.enter(tx, audit.deed(caller, Action.EXPORTED))
    name = f"protokoll-{now.astimezone(practice.zone):%Y-%m-%d}.csv"
    return StreamingResponse(
        _file(services, practice, wanted),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _file(services: Services, practice: Practice, wanted: Filter) -> AsyncIterator[str]:
    """The lines batch by batch, each read in a transaction of its own."""
    db, more = services.db, True
    while more:  # so that each line has its digest
        async with db.practice(practice.id) as tx:
            more = await audit_store.seal(tx)
    yield audit_export.head()
    before = None
    while True:
        async with db.practice(practice.id) as tx:
            found = await audit_store.page(
                tx, practice.id, wanted, before=before, limit=EXPORT_BATCH
            )
        judged = [(entry, services.prover.standing(entry)) for entry in found]
        yield audit_export.lines(judged, practice.zone)
        if len(found) < EXPORT_BATCH:
            return
        before = found[-1].id


def _filter(
    practice: Practice, appointment_id: UUID | None, first: dt.date | None, last: dt.date | None
) -> Filter:
    forms.check_days({"from": first, "to": last})
    return Filter(
        appointment_id,
        None if first is None else day_bounds(first, practice.zone)[0],
        None if last is None else day_bounds(last, practice.zone)[1],
    )
