"""The web process: `POST /v1/appointments` stores an appointment and queues its invitation."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, EmailStr, Field

from benchmarks.peer import settings
from benchmarks.peer.tasks import send_invitation

bearer = HTTPBearer()
claims = jwt.JWTClaimsRegistry(practice_id={"essential": True}, exp={"essential": True})
pool = AsyncConnectionPool(
    settings.DATABASE, min_size=8, max_size=settings.WEB_CONNECTIONS, open=False
)


class NewAppointment(BaseModel):
    """What a practice sends."""

    patient_name: str = Field(min_length=1, max_length=200)
    channels: list[Literal["email"]]
    email: EmailStr
    date: date
    time: time
    duration_minutes: int = Field(ge=1, le=480)
    consent: Literal[True]


class Created(BaseModel):
    """What it gets."""

    id: UUID
    starts_at: datetime
    invitation: Literal["queued"] = "queued"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await pool.open(wait=True)
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health() -> None:
    """It runs, and has its connections."""


async def practice(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> UUID:
    """Whose token it is."""
    try:
        token = jwt.decode(credentials.credentials, settings.TOKEN_KEY, algorithms=["HS256"])
        claims.validate(token.claims)
        return UUID(token.claims["practice_id"])
    except (JoseError, ValueError):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED) from None


@app.post("/v1/appointments", status_code=status.HTTP_201_CREATED)
async def create(new: NewAppointment, practice_id: Annotated[UUID, Depends(practice)]) -> Created:
    starts_at = datetime.combine(new.date, new.time, ZoneInfo(settings.TIME_ZONE))
    appointment_id = uuid4()
    async with pool.connection() as connection:
        await connection.execute(
            """
            INSERT INTO appointments (
                id, practice_id, patient_name, email, starts_at, duration_minutes, link_token
            ) VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            (
                *(appointment_id, practice_id, new.patient_name, new.email, starts_at),
                *(new.duration_minutes, secrets.token_urlsafe(32)),
            ),
        )
    # On the event loop: what it takes is less than a change of thread.
    send_invitation.delay(str(appointment_id))
    return Created(id=appointment_id, starts_at=starts_at)
