"""What goes in and out of the scheduling API."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)

from chassis.openapi import Described, without_defaults
from chassis.problems import FieldError, field_error
from contracts.channels import Channel
from contracts.events import LONGEST_REFERENCE, MOST_CAUSES, REFERENCE
from contracts.rights import Right
from contracts.tariffs import Tariff
from services.scheduling.addresses import KnownAddress
from services.scheduling.appointments import Appointment, Gone
from services.scheduling.practice import Practice

UNREADABLE = "(Name nicht lesbar)"

Json: TypeAlias = dict[str, Any]
Text = Annotated[str, Field(max_length=1000)]

MINUTES = range(5, 481)
REFERENCE_OR_NONE = rf"^[!-~]{{0,{LONGEST_REFERENCE}}}$"
TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"

MOST_LISTED = 500  # appointments of a page
Cursor = Annotated[str, Field(max_length=100, description="`next` of the page before.")]

UNASKED = (
    "Needed for its channel. Of a channel that is not among `channels` it is kept, and used only "
    "if somebody sends over that channel later."
)


REFERENCES = (
    "Of another system, opaque: 1 to 64 printable ASCII characters without space, and none of "
    "them a patient's data. Forgotten with the patient."
)


ABOUT_EXTERNAL = (
    f"Of the appointment itself. {REFERENCES} No other appointment of the practice that is not "
    "deleted may have it."
)
TAKEN_AWAY = "An empty one takes it away."

CORRECTED = "An empty one takes it away, where no invitation goes over its channel."

SEND_NOW = "An SMS does not wait for the morning, whatever the hour."


class Input(BaseModel):
    """An input of the form: its fields are checked together, in `forms`.

    What they are described as is what passes there.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_defaults)


def _with_example(**example: Any) -> Callable[[Json], None]:
    def extend(schema: Json) -> None:
        without_defaults(schema)
        schema["examples"] = [example]

    return extend


def _text(**limits: Any) -> Any:
    return Annotated[str, Field(**limits)]


_NAME = _text(min_length=1, max_length=200)
_EMAIL = _text(max_length=1000, json_schema_extra={"format": "idn-email"})
_PHONE = _text(max_length=1000, examples=["+49 171 3920001", "0171 3920001"])
_TIME = _text(pattern=TIME)
_OFFSET = _text(pattern=r"^[+-][0-9]{2}:[0-9]{2}$")
_MINUTES = Annotated[int, Field(ge=MINUTES.start, le=MINUTES.stop - 1)]
_CHANNELS = Annotated[list[Channel], Field(min_length=1, max_length=10)]

Name = Annotated[Text, Described(_NAME)]
Email = Annotated[Text | None, Described(_EMAIL | None)]
Phone = Annotated[Text | None, Described(_PHONE | None)]
Day = Annotated[Text, Described(dt.date)]
Clock = Annotated[
    Text, Described(_TIME), Field(description="Wall clock of the practice.", examples=["14:30"])
]
Offset = Annotated[Text | None, Described(_OFFSET | None)]
Reference = Annotated[Text | None, Described(_text(pattern=REFERENCE) | None)]
# Of a change: an empty one takes it away.
AnyReference = Annotated[Text | None, Described(_text(pattern=REFERENCE_OR_NONE) | None)]


# What stands for a field that is missing, or can't be read, while the others are looked at.
_NOTHING: dict[str, Any] = {"channels": [], "consent": False, "duration_minutes": None}


class Form(Input):
    """An input whose faults are all told at once, those of its reading with those of its meaning.

    What can't be read is in `unread`, and whoever takes a form in refuses it then (`forms`).
    """

    _unread: tuple[FieldError, ...] = PrivateAttr(default=())

    @property
    def unread(self) -> Sequence[FieldError]:
        """What is missing, unknown or of the wrong kind."""
        return self._unread

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, given: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return read(given)
        except ValidationError as refused:
            faults = refused.errors(include_url=False, include_context=False, include_input=False)
            if not isinstance(given, dict) or not all(fault["loc"] for fault in faults):
                raise
        bad = {fault["loc"][0] for fault in faults}
        readable = {name: value for name, value in given.items() if name not in bad}
        absent = {
            name: _NOTHING.get(name, "")
            for name, field in cls.model_fields.items()
            if field.is_required() and name not in readable
        }
        form = read(readable | absent)
        form._unread = tuple(field_error(fault) for fault in faults)
        return form


class ReferencesInput(Form):
    """What other systems call a new appointment, and those in it."""

    external_reference: Reference = Field(default=None, description=ABOUT_EXTERNAL)
    patient_reference: Reference = Field(default=None, description=REFERENCES)
    practitioner_reference: Reference = Field(default=None, description=REFERENCES)
    location_reference: Reference = Field(default=None, description=REFERENCES)


class NewAppointment(ReferencesInput):
    """A video visit to create, with its first invitation."""

    model_config = ConfigDict(
        json_schema_extra=_with_example(
            patient_name="Erika Muster",
            channels=["email", "sms"],
            email="erika@example.org",
            phone="+491713920001",
            date="2026-12-01",
            time="14:30",
            duration_minutes=20,
            consent=True,
            external_reference="our-visit-4711",
        )
    )

    patient_name: Name
    channels: Annotated[list[Text], Field(max_length=10), Described(_CHANNELS)]
    email: Email = Field(default=None, description=UNASKED)
    phone: Phone = Field(default=None, description=UNASKED)
    date: Day
    time: Clock
    utc_offset: Offset = Field(
        default=None, description="Chooses one of a doubled hour, e.g. +02:00."
    )
    duration_minutes: Annotated[StrictInt | None, Described(_MINUTES)]
    consent: Annotated[StrictBool, Described(Literal[True])] = Field(
        description="The patient has agreed to be written to."
    )
    locale: Text | None = Field(
        default=None, description="A code of the practice's `languages`; else its own `language`."
    )
    send_anyway: StrictBool = Field(default=False, description="Also to an address known as dead.")
    send_now: StrictBool = Field(default=False, description=SEND_NOW)


class AddressLookup(Input):
    """Addresses as somebody has typed them so far, with the patient's name."""

    patient_name: Text = ""
    email: Text | None = None
    phone: Text | None = None
    appointment_id: UUID | None = Field(
        default=None, description="Whose own attempts say nothing: that it is sent again."
    )


class Change(Form):
    """What to change of an appointment without inviting again; what is left out stays.

    The time and the references need `appointments:write`, the patient's name, addresses and
    language `appointments:correct`. To an address that is corrected here nothing is sent, and what
    was still to go to the one before is withdrawn. The link stays until somebody sends it again.
    """

    model_config = ConfigDict(json_schema_extra=_with_example(date="2026-12-02", time="09:00"))

    date: Annotated[Text | None, Described(dt.date | None)] = None
    time: Annotated[Text | None, Described(_TIME | None)] = None
    utc_offset: Offset = None
    duration_minutes: Annotated[StrictInt | None, Described(_MINUTES | None)] = None
    notify: StrictBool = Field(default=True, description="Tell the patient of a new start.")
    patient_name: Annotated[Text | None, Described(_NAME | None)] = None
    email: Email = Field(default=None, description=CORRECTED)
    phone: Phone = Field(default=None, description=CORRECTED)
    locale: Text | None = Field(default=None, description="A code of the practice's `languages`.")
    external_reference: AnyReference = Field(
        default=None, description=f"{ABOUT_EXTERNAL} {TAKEN_AWAY}"
    )
    patient_reference: AnyReference = Field(default=None, description=f"{REFERENCES} {TAKEN_AWAY}")
    practitioner_reference: AnyReference = Field(
        default=None, description=f"{REFERENCES} {TAKEN_AWAY}"
    )
    location_reference: AnyReference = Field(default=None, description=f"{REFERENCES} {TAKEN_AWAY}")

    @property
    def needed(self) -> frozenset[Right]:
        """The rights that it takes."""
        said = {name for name, value in self if value is not None} - {"notify"}
        corrects = said & {"patient_name", "email", "phone", "locale"}
        found = {Right.CORRECT_APPOINTMENTS} if corrects else set()
        return frozenset(found | ({Right.WRITE_APPOINTMENTS} if said - corrects else set()))


class Resend(Form):
    """„Erneut senden": what is left out stays as it was.

    Another address, or an empty one in place of one, makes the old link void; one that was missing
    does not.
    """

    model_config = ConfigDict(json_schema_extra=_with_example(email="e.muster@example.org"))

    patient_name: Annotated[Text | None, Described(_NAME | None)] = None
    email: Email = None
    phone: Phone = None
    locale: Text | None = Field(default=None, description="A code of the practice's `languages`.")
    channels: Annotated[
        Annotated[list[Text], Field(max_length=10)] | None, Described(_CHANNELS | None)
    ] = None
    send_anyway: StrictBool = Field(default=False, description="Also to an address known as dead.")
    send_now: StrictBool = Field(default=False, description=SEND_NOW)


class FollowUp(Input):
    """„Erledigt": what somebody has dealt with."""

    model_config = ConfigDict(
        json_schema_extra=_with_example(causes=["0192a3c4-0000-5000-8000-000000000001"])
    )

    causes: Annotated[
        list[UUID],
        Field(
            min_length=1,
            max_length=MOST_CAUSES,
            description="`causes` of the appointment's indicator as it was seen: what came since "
            "stays open.",
        ),
    ]


class NameQuery(Input):
    """A patient's name to look for; in a body, since addresses of requests stand in logs."""

    model_config = ConfigDict(json_schema_extra=_with_example(query="mus eri"))

    query: Text = Field(
        description="Beginnings of words of the name, in any order, of two letters at least. Case "
        "and diacritics make no difference; ä is found as a and as ae."
    )
    first: dt.date | None = Field(
        default=None, alias="from", description="First day, on the practice's clock."
    )
    last: dt.date | None = Field(default=None, alias="to", description="Last day.")
    limit: int = Field(default=50, ge=1, le=MOST_LISTED)
    cursor: Cursor | None = None


class InvitationView(BaseModel):
    """Which invitation, how often it was sent, and under which version of its link."""

    id: UUID
    attempt: int
    link_version: int = Field(description="Rises when older links become void.")
    unsent: list[Channel] = Field(
        default=[],
        description="Over these it went to another address than the one that was corrected since.",
    )
    renews_link: bool = Field(
        default=False,
        description="Since an address was corrected, sending it again makes older links void.",
    )


EXAMPLE: Json = {
    "id": "01932c7e-5a00-7000-8000-00000000002a",
    "version": 1,
    "start": "2026-12-01T13:30:00Z",
    "date": "2026-12-01",
    "time": "14:30",
    "duration_minutes": 20,
    "time_zone": "Europe/Berlin",
    "invitation": {
        "id": "01932c7e-5a00-7000-8000-00000000002b",
        "attempt": 1,
        "link_version": 1,
    },
    "created_at": "2026-11-24T08:15:00Z",
    "external_reference": "our-visit-4711",
    "updated_at": "2026-11-24T08:15:00.123456Z",
    "patient_name": "Erika Muster",
    "channels": ["email", "sms"],
    "email": "erika@example.org",
    "phone": "+491713920001",
    "locale": "de",
    "cancelled": False,
    "damaged": False,
}


class BookedView(BaseModel):
    """An appointment without its patient: for whoever may write and not read."""

    id: UUID
    version: int
    start: dt.datetime
    date: dt.date
    time: str
    duration_minutes: int
    time_zone: str
    invitation: InvitationView
    created_at: dt.datetime
    updated_at: dt.datetime = Field(description="When it became this version.")
    external_reference: str | None = Field(default=None, description=REFERENCES)
    practitioner_reference: str | None = Field(default=None, description=REFERENCES)
    location_reference: str | None = Field(default=None, description=REFERENCES)

    @classmethod
    def of(cls, appointment: Appointment, practice: Practice) -> "BookedView":
        """The view of an appointment, its times in the practice's zone."""
        local = appointment.starts_at.astimezone(practice.zone)
        return cls(
            id=appointment.id,
            version=appointment.version,
            start=appointment.starts_at,
            date=local.date(),
            time=local.strftime("%H:%M"),
            duration_minutes=appointment.duration_minutes,
            time_zone=practice.time_zone,
            invitation=InvitationView(
                id=appointment.invitation_id,
                attempt=appointment.attempt,
                link_version=appointment.link_version,
                unsent=list(appointment.unsent),
                renews_link=appointment.link_outdated,
            ),
            external_reference=appointment.references.external_reference,
            practitioner_reference=appointment.references.practitioner_reference,
            location_reference=appointment.references.location_reference,
            created_at=appointment.created_at,
            updated_at=appointment.updated_at,
        )


class AppointmentView(BookedView):
    """An appointment as the practice sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    patient_name: str
    channels: list[Channel]
    email: str | None
    phone: str | None
    locale: str
    patient_reference: str | None = Field(default=None, description=REFERENCES)
    cancelled: bool = Field(
        default=False,
        description="Deleted, and the patient may not know: only asked for by its id.",
    )
    damaged: bool = Field(
        default=False,
        description="What is stored of the patient can't be read: the name says so.",
    )

    @classmethod
    def of(cls, appointment: Appointment, practice: Practice) -> "AppointmentView":
        """The view of an appointment with its patient."""
        return cls(
            **dict(BookedView.of(appointment, practice)),
            patient_name=UNREADABLE if appointment.damaged else appointment.patient_name,
            channels=list(appointment.channels),
            email=appointment.email,
            phone=appointment.phone,
            locale=appointment.locale,
            patient_reference=appointment.references.patient_reference,
            cancelled=appointment.cancelled,
            damaged=appointment.damaged,
        )


KIND = "Which list this is: what generated clients know it by where several may be the answer."


class ListView(BaseModel):
    """Appointments by start, their times in the practice's zone."""

    time_zone: str
    appointments: list[AppointmentView]


class AppointmentsView(ListView):
    """Appointments that were asked for by their ids."""

    kind: Literal["ids"] = Field(description=KIND)


class PatientLinkView(BaseModel):
    """The patient's link: whoever has it can come to the visit in the patient's place."""

    link: str
    link_version: int = Field(description="Another one means that this link is void.")
    valid_until: dt.datetime = Field(
        description="As the appointment is now; at once where it is deleted."
    )


class PageView(ListView):
    """A page of a list of appointments."""

    kind: Literal["page"] = Field(description=KIND)
    next: str | None = Field(
        description="`cursor` of the next page; null on the last one. Of a search, a page that is "
        "short may not be the last one."
    )


class TombstoneView(BaseModel):
    """An appointment that is deleted, or of which nothing is left here."""

    id: UUID
    version: int
    deleted: Literal[True]
    erased: bool = Field(
        description="Nothing is known of its patient here any more: its term is over, or somebody "
        "asked for it. Else it was deleted, and does not take place."
    )
    updated_at: dt.datetime

    @classmethod
    def of(cls, gone: Gone) -> "TombstoneView":
        """The view of what is left."""
        return cls(
            id=gone.id,
            version=gone.version,
            deleted=True,
            erased=gone.erased,
            updated_at=gone.updated_at,
        )


class ChangedView(AppointmentView):
    """An appointment that is there. By `deleted` a program in any language knows it from others."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"deleted": False}]})

    deleted: Literal[False]

    @classmethod
    def of(cls, appointment: Appointment, practice: Practice) -> "ChangedView":
        """The view of an appointment with its patient."""
        return cls(**dict(AppointmentView.of(appointment, practice)), deleted=False)


class ChangesView(BaseModel):
    """A page of what changed, in the order in which it did."""

    kind: Literal["changes"] = Field(description=KIND)
    time_zone: str
    appointments: list[ChangedView | TombstoneView] = Field(description="Each once, as it now is.")
    next: str | None = Field(
        description="`cursor` of the next page; null on the last one: go on with the newest "
        "`updated_at` as `updated_since`."
    )
    tombstones_since: dt.datetime = Field(
        description="What is gone is told for so long. Whoever last asked before reads all anew, "
        "and drops what does not come."
    )


class DayView(ListView):
    """The Terminübersicht of one day."""

    kind: Literal["day"] = Field(description=KIND)
    date: dt.date
    next_start: dt.datetime | None = Field(
        default=None,
        description="Of a day without appointments: when the next one starts, if there is one.",
    )


class KnownAddressView(BaseModel):
    """What this practice knows of an address that it has written to before."""

    last_arrived_on: dt.date | None = Field(
        description="The day on which something last arrived there; null where nothing did, or it "
        "came back."
    )
    other_name: bool = Field(
        description="What was last sent there was for somebody of another name, which is not told."
    )

    @classmethod
    def of(cls, found: KnownAddress | None, practice: Practice) -> "KnownAddressView | None":
        """The view of what is known, if anything is; the day is the practice's."""
        if found is None:
            return None
        arrived = found.last_arrived_at
        return cls(
            last_arrived_on=arrived and arrived.astimezone(practice.zone).date(),
            other_name=found.other_name,
        )


class KnownAddressesView(BaseModel):
    """By field; null of what is no address, or one that nothing is known of."""

    email: KnownAddressView | None
    phone: KnownAddressView | None


class SmsTimeView(BaseModel):
    """When the SMS of an invitation goes out that is requested now."""

    waits_until: dt.datetime | None = Field(
        description="It waits for this morning unless `send_now` is given; null: it goes at once."
    )


class LanguageView(BaseModel):
    """A language in which patients can be invited, with its name for itself."""

    code: str
    name: str


class PracticeView(BaseModel):
    """The caller's practice, the channels it can invite over and the languages it can invite in."""

    id: UUID
    name: str
    time_zone: str
    tariff: Tariff
    channels: list[Channel]
    tariff_channels: list[Channel] = Field(
        description="What the tariff includes, also where the installation lacks it."
    )
    language: str = Field(description="Of invitations for which no other is chosen.")
    languages: list[LanguageView]
    quiet_hours: bool = Field(description="Whether SMS wait for the morning.")
    phone: str = Field(description="On which patients reach it, E.164; empty: none is told.")
    sample_link: str = Field(description="As long as the links of invitations; leads nowhere.")
