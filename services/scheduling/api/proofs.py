"""Proofs over HTTP: of one appointment, and of all that start on some days, line by line."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from chassis.auth import Caller
from chassis.problems import Responses
from contracts.channels import Channel
from contracts.events import NoticeKind
from contracts.terms import ATTEMPT_RETENTION
from services.scheduling.addresses import Whereabouts
from services.scheduling.api.dependencies import ALSO_DELETED, AppointmentReader, State
from services.scheduling.forms import MAX_DAYS
from services.scheduling.practice import Practice
from services.scheduling.proof_store import Proof
from services.scheduling.proofs import Proofs, Range

JSON_LINES = "application/x-ndjson"

router = APIRouter(prefix="/v1/proofs", tags=["proofs"])


class SentAttemptView(BaseModel):
    """An attempt of the invitation over one channel."""

    attempt: int
    channel: Channel
    requested_at: dt.datetime
    address: Whereabouts = Field(
        description="Whether it went to the appointment's address as it is now, `email` or "
        "`phone`. Earlier addresses are not kept."
    )


class SentNoticeView(BaseModel):
    """A notice that was requested, to the addresses of that attempt."""

    notice_id: UUID
    kind: NoticeKind
    starts_at: dt.datetime = Field(description="The start that it was about.")
    attempt: int


class ProofView(BaseModel):
    """What was sent for one appointment, and where; what became of it is status' to say.

    Name and addresses are those of now; null where they are not kept any more.
    """

    appointment_id: UUID
    start: dt.datetime
    duration_minutes: int
    time_zone: str
    created_at: dt.datetime
    cancelled_at: dt.datetime | None
    patient_name: str | None
    email: str | None
    phone: str | None
    damaged: bool = Field(description="What is stored of the patient can't be read.")
    attempts: list[SentAttemptView] = Field(
        description=f"Those of the last {ATTEMPT_RETENTION.days} days."
    )
    notices: list[SentNoticeView]

    @classmethod
    def of(cls, proof: Proof, practice: Practice) -> "ProofView":
        """The view of a proof."""
        return cls(
            appointment_id=proof.appointment_id,
            start=proof.starts_at,
            duration_minutes=proof.duration_minutes,
            time_zone=practice.time_zone,
            created_at=proof.created_at,
            cancelled_at=proof.cancelled_at,
            patient_name=proof.patient_name,
            email=proof.email,
            phone=proof.phone,
            damaged=proof.damaged,
            attempts=[
                SentAttemptView.model_validate(each, from_attributes=True)
                for each in proof.attempts
            ],
            notices=[
                SentNoticeView.model_validate(each, from_attributes=True) for each in proof.notices
            ],
        )


async def proofs(services: State) -> Proofs:
    """FastAPI dependency: where proofs are found."""
    return services.proofs


Found = Annotated[Proofs, Depends(proofs)]


@router.get("/{appointment_id}", responses=ALSO_DELETED)
async def read_proof(proofs: Found, caller: AppointmentReader, appointment_id: UUID) -> ProofView:
    """What was sent for one appointment, deleted or not; that it was read is noted."""
    practice, found = await proofs.get(caller, appointment_id)
    return ProofView.of(found, practice)


LINES: Responses = {
    200: {
        "description": "A ProofView in each line, by start",
        "content": {JSON_LINES: {"schema": {"type": "string"}}},
    }
}


@router.post("/export", response_class=Response, responses=LINES)
async def export_proofs(
    proofs: Found,
    caller: AppointmentReader,
    first: Annotated[
        dt.date, Query(alias="from", description="First day, on the practice's clock.")
    ],
    last: Annotated[
        dt.date, Query(alias="to", description=f"Last day; of {MAX_DAYS} days at most.")
    ],
) -> Response:
    """Of all appointments that start on these days; an entry in the audit log names the days.

    Only what ends as HTTP says it does is the whole of it.
    """
    wanted = await proofs.begin(caller, first, last)
    return StreamingResponse(_lines(proofs, caller, wanted), media_type=JSON_LINES)


async def _lines(proofs: Proofs, caller: Caller, wanted: Range) -> AsyncIterator[str]:
    async for batch in proofs.batches(caller, wanted):
        views = (ProofView.of(proof, wanted.practice) for proof in batch)
        yield "".join(f"{view.model_dump_json()}\n" for view in views)
