"""What goes to the APIs and comes from them, as contracts/openapi has it.

Only what is described there for good; what is added later is passed over. Codes are texts, so that
a new one breaks nobody; the values known today stand beside them.
"""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


class _Told(BaseModel):
    """What a service tells."""

    model_config = ConfigDict(extra="ignore", frozen=True)


_Clock = Annotated[dt.time, PlainSerializer(lambda at: f"{at:%H:%M}")]


class NewAppointment(BaseModel):
    """A video visit to create, with its first invitation. Times are the practice's wall clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patient_name: str = Field(min_length=1, max_length=200)
    channels: list[Literal["email", "sms"]] = Field(min_length=1)
    email: str | None = None
    phone: str | None = None
    date: dt.date
    time: _Clock
    utc_offset: str | None = None  # e.g. +02:00: one of a doubled hour
    duration_minutes: int = Field(default=20, ge=5, le=480)
    consent: bool  # nothing is sent without it
    locale: str | None = None
    send_anyway: bool = False
    send_now: bool = False


class Invitation(_Told):
    """Which invitation, how often it was sent, and under which version of its link."""

    id: UUID
    attempt: int
    link_version: int


class Booked(_Told):
    """An appointment without its patient: what a key sees that may write and not read."""

    id: UUID
    version: int
    start: dt.datetime
    duration_minutes: int
    time_zone: str
    invitation: Invitation
    created_at: dt.datetime

    @property
    def etag(self) -> str:
        """For If-Match."""
        return f'"{self.version}"'


class Appointment(Booked):
    """An appointment with its patient."""

    patient_name: str
    channels: list[str]
    email: str | None
    phone: str | None
    locale: str
    cancelled: bool = False


class Channel(_Told):
    """What became of the newest attempt over one channel."""

    state: str  # pending, delivered, failed, unconfirmed
    evidence: str | None = None
    category: str | None = None
    reason: str | None = None
    status_code: str | None = None  # RFC 3463
    late: bool = False
    occurred_at: dt.datetime | None = None


class Indicator(_Told):
    """What to show for an appointment: the newest attempt, overall and by channel."""

    appointment_id: UUID
    version: int
    overall: str  # as Channel.state
    attempt: int
    channels: dict[str, Channel]
    updated_at: dt.datetime
    starts_at: dt.datetime | None = None
    open: list[str] = []  # why somebody has to do something; empty: nothing to do
    causes: list[UUID] = []  # by which `follow_up` says what is dealt with
    waiting_since: dt.datetime | None = None
    cancelled: bool = False


class Ready(_Told):
    """The live stream begins, or had to begin anew: load what is shown."""

    version: int


class Deleted(_Told):
    """The appointment is deleted; show nothing of it."""

    appointment_id: UUID
    version: int


class Moved(_Told):
    """The appointment has another start or end; load it anew where it is shown."""

    appointment_id: UUID
    version: int


class OpenCount(_Told):
    """How much is open."""

    open_count: int


class FieldError(_Told):
    """One thing wrong with one field."""

    field: str
    code: str
    message: str
    options: list[str] = []
