"""The API that sets practices up, for operators: whoever runs the installation."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt
from uuid_utils.compat import uuid7

from chassis import problems
from chassis.clock import utc_now
from chassis.openapi import LOCATION, answer
from contracts.tariffs import Tariff
from contracts.terms import MAX_RETENTION_DAYS
from services.scheduling import practice_store
from services.scheduling.admin import registry
from services.scheduling.api.dependencies import Db, State
from services.scheduling.audit.entry import OPERATOR, Actor
from services.scheduling.keys.store import OPERATOR_KEYS
from services.scheduling.practice import (
    ADDRESS_LINES,
    DEFAULT_TARIFF,
    DEFAULT_TIME_ZONE,
    Practice,
    PracticeChange,
)
from services.scheduling.problems import NotAnOperator

Text = Annotated[str, Field(max_length=1000)]

log = structlog.get_logger(__name__)


class PracticeSettings(BaseModel):
    """What to set; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(default=None, description="The sender's name in invitations.")
    time_zone: Text | None = Field(default=None, description="As Europe/Berlin.")
    tariff: Text | None = Field(default=None, description="basic, standard, premium.")
    language: Text | None = Field(
        default=None, description="Of patients for whom no other is chosen."
    )
    reminders: Annotated[list[StrictInt], Field(max_length=100)] | None = Field(
        default=None, description="Minutes before the start; 5 at most."
    )
    retention_days: StrictInt | None = Field(
        default=None,
        description="Days after an appointment's end for which patients' data is kept; 0 to "
        f"{MAX_RETENTION_DAYS}.",
    )
    phone: Text | None = Field(
        default=None, description="On which patients reach it; empty: none is told."
    )
    reply_address: Text | None = Field(
        default=None,
        description="Where patients' answers to a mail go; empty: they are asked not to answer.",
    )
    postal_address: Text | None = Field(
        default=None, description=f"{ADDRESS_LINES} lines at most, between line feeds."
    )
    asks_for_answer: StrictBool | None = Field(
        default=None, description="Whether patients' calendars are asked to accept or decline."
    )
    quiet_hours: StrictBool | None = Field(
        default=None,
        description="Whether SMS wait for the morning: from 21 to 8, invitations on Sundays too, "
        "where the appointment's start allows.",
    )
    daily_mail_address: Text | None = Field(
        default=None,
        description="Where a daily mail of how much is open goes, without patients' data; empty: "
        "nowhere.",
    )
    daily_mail_hour: StrictInt | None = Field(
        default=None, description="From which hour of the practice's day on it is sent; 0 to 23."
    )
    daily_messages: StrictInt | None = Field(
        default=None, description="Letters to patients in 24 hours at most; 0: as the tariff has."
    )
    daily_sms_per_country: StrictInt | None = Field(
        default=None, description="SMS to one country in 24 hours at most; 0: as all practices."
    )
    sms_countries: Annotated[list[Text], Field(max_length=300)] | None = Field(
        default=None,
        description="Whose numbers SMS may go to, as DE (ISO 3166-1); none: as all practices.",
    )

    def change(self) -> PracticeChange:
        """What is named, for the rules to check."""
        return PracticeChange(
            **{name: getattr(self, name) for name in PracticeChange.__dataclass_fields__}
        )


class NewPractice(PracticeSettings):
    """A practice to set up."""

    id: UUID | None = Field(default=None, description="As the identity provider knows it.")
    name: Text
    time_zone: Text = DEFAULT_TIME_ZONE
    tariff: Text = DEFAULT_TARIFF.value


class PracticeRecord(BaseModel):
    """A practice as it is set up."""

    id: UUID
    name: str
    time_zone: str
    tariff: Tariff
    language: str
    reminders: list[int]
    retention_days: int
    phone: str
    reply_address: str
    postal_address: str
    asks_for_answer: bool
    quiet_hours: bool
    daily_mail_address: str
    daily_mail_hour: int
    daily_messages: int
    daily_sms_per_country: int
    sms_countries: list[str]

    @classmethod
    def of(cls, practice: Practice) -> "PracticeRecord":
        """The view of a practice."""
        return cls(
            id=practice.id,
            name=practice.name,
            time_zone=practice.time_zone,
            tariff=practice.tariff,
            language=practice.language,
            reminders=list(practice.reminders),
            retention_days=practice.retention_days,
            phone=practice.phone,
            reply_address=practice.reply_address,
            postal_address=practice.postal_address,
            asks_for_answer=practice.asks_for_answer,
            quiet_hours=practice.quiet_hours,
            daily_mail_address=practice.daily_mail_address,
            daily_mail_hour=practice.daily_mail_hour,
            daily_messages=practice.daily_messages,
            daily_sms_per_country=practice.daily_sms_per_country,
            sms_countries=list(practice.sms_countries),
        )


class PracticesView(BaseModel):
    """Practices by id. `next`, if there, is the `after` of the next page."""

    practices: list[PracticeRecord]
    next: UUID | None


_basic = HTTPBasic(
    auto_error=False,
    scheme_name="operatorKey",
    description="The id of an operator's key as user name, its secret as password.",
)


async def limit_logins(request: Request, services: State) -> None:
    """FastAPI dependency: guessing keys is slow. Raises TooManyRequests."""
    services.secrets_tried.take(request)


async def operator(
    credentials: Annotated[HTTPBasicCredentials | None, Depends(_basic)], db: Db
) -> Actor:
    """FastAPI dependency: the operator who asks. Raises NotAnOperator."""
    if credentials is None:
        raise NotAnOperator
    async with db.operator() as tx:
        key = await OPERATOR_KEYS.use(tx, credentials.username, credentials.password, utc_now())
    if key is None:
        known = OPERATOR_KEYS.is_id(credentials.username)
        log.warning("operator key refused", key=credentials.username if known else None)
        raise NotAnOperator
    return Actor(OPERATOR, key.id, key.name)


OperatorCalling = Annotated[Actor, Depends(operator)]
TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: problems.response("Too many requests; Retry-After says when to come back")
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: problems.response("There is no such practice")}
EXISTS: dict[int | str, dict[str, Any]] = {
    409: problems.response("There is a practice with this id")
}
router = APIRouter(
    prefix="/v1/admin",
    tags=["administration"],
    dependencies=[Depends(limit_logins)],
    responses=TOO_MANY,
)


@router.get("/practices")
async def list_practices(
    db: Db,
    _: OperatorCalling,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=practice_store.PAGE_SIZE)] = practice_store.PAGE_SIZE,
) -> PracticesView:
    """All practices, page by page."""
    async with db.operator() as tx:
        found = await practice_store.page(tx, after, limit)
    return PracticesView(
        practices=[PracticeRecord.of(practice) for practice in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.post("/practices", status_code=201, responses=EXISTS | answer(201, Location=LOCATION))
async def create_practice(
    db: Db, by: OperatorCalling, services: State, body: NewPractice, response: Response
) -> PracticeRecord:
    """Set a practice up."""
    async with db.operator() as tx:
        practice = await registry.create(
            tx, services.audit_log, by, body.id or uuid7(), body.change()
        )
    response.headers["Location"] = f"/v1/admin/practices/{practice.id}"
    return PracticeRecord.of(practice)


@router.get("/practices/{practice_id}", responses=NOT_FOUND)
async def read_practice_record(db: Db, _: OperatorCalling, practice_id: UUID) -> PracticeRecord:
    """One practice."""
    async with db.operator() as tx:
        return PracticeRecord.of(await practice_store.get(tx, practice_id))


@router.patch("/practices/{practice_id}", responses=NOT_FOUND)
async def change_practice(
    db: Db, by: OperatorCalling, services: State, practice_id: UUID, body: PracticeSettings
) -> PracticeRecord:
    """Change what is named; it holds from the next request on."""
    async with db.operator() as tx:
        changed = await registry.change(tx, services.audit_log, by, practice_id, body.change())
    return PracticeRecord.of(changed)
