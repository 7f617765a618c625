"""FHIR's Appointment, with the patient in it, from and to what the scheduling API has. Pure.

What is mapped, and what is not and why, is told in docs/fhir.md.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.problems import FieldError, InvalidInput
from chassis.said import Said
from services.fhir.systems import (
    ACT_CODE,
    APPOINTMENT,
    CHANNEL,
    CONSENT,
    DATA_ABSENT,
    EXTERNAL_REFERENCE,
    LANGUAGE,
    LOCATION_REFERENCE,
    PATIENT_REFERENCE,
    PRACTITIONER_REFERENCE,
    TIME_ZONE,
    Json,
    Resource,
    coding,
)

YEARS = range(1900, 9001)  # that can be put on any clock
BOOKED, CANCELLED = "booked", "cancelled"
VISIT = {"coding": [coding(ACT_CODE, "VR") | {"display": "virtual"}], "text": "Videosprechstunde"}
PATIENT = "patient"  # the contained resource's id
# Who takes part beside the patient, by what another system calls them: system, type and field.
OTHERS = (
    (PRACTITIONER_REFERENCE, "Practitioner", "practitioner_reference"),
    (LOCATION_REFERENCE, "Location", "location_reference"),
)
SYSTEM_OF_PHONES = {True: "sms", False: "phone"}  # whether SMS are a channel of the appointment

# --- what goes out


def resource_of(view: Json) -> Resource:
    """An appointment of the scheduling API; with the patient where the caller may read."""
    status = CANCELLED if view.get("cancelled") or view.get("deleted") else BOOKED
    shown: Resource = {
        "resourceType": "Appointment",
        "id": view["id"],
        "identifier": [
            {"use": "official", "system": APPOINTMENT, "value": view["id"]},
            *_identifiers(EXTERNAL_REFERENCE, view.get("external_reference")),
        ],
        "status": status,
        "serviceType": [VISIT],
    }
    if meta := _meta(view):
        shown["meta"] = meta
    if "patient_name" in view:
        shown["contained"] = [_patient(view)]
        shown["extension"] = [{"url": CHANNEL, "valueCode": each} for each in view["channels"]]
    if "start" in view:
        start = moment(view["start"])
        shown |= {
            "start": instant(start),
            "_start": {"extension": [{"url": TIME_ZONE, "valueCode": view["time_zone"]}]},
            "end": instant(start + timedelta(minutes=view["duration_minutes"])),
            "minutesDuration": view["duration_minutes"],
            "created": instant(moment(view["created_at"])),
        }
    nameless = {"type": "Patient", "display": "Patient"}
    actor = {"reference": f"#{PATIENT}"} if "contained" in shown else nameless
    shown["participant"] = [
        {"actor": actor, "required": "required", "status": "needs-action"},
        *(
            {"actor": {"type": kind, "identifier": identifier}, "status": "accepted"}
            for system, kind, name in OTHERS
            for identifier in _identifiers(system, view.get(name))
        ),
    ]
    return shown


def cancelled(appointment_id: str) -> Resource:
    """What is left to say of one whose patient is already forgotten, or not to be told."""
    return resource_of({"id": appointment_id, "deleted": True})


def instant(moment: datetime) -> str:
    """As FHIR writes it, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """As an API writes it."""
    return datetime.fromisoformat(text)


def _identifiers(system: str, value: str | None) -> list[Resource]:
    return [] if value is None else [{"system": system, "value": value}]


def _meta(view: Json) -> Resource:
    meta: Resource = {}
    if view.get("version") is not None:
        meta["versionId"] = str(view["version"])
    if view.get("updated_at") is not None:
        meta["lastUpdated"] = instant(moment(view["updated_at"]))
    return meta


def _patient(view: Json) -> Resource:
    unreadable = {"extension": [{"url": DATA_ABSENT, "valueCode": "error"}]}
    patient: Resource = {
        "resourceType": "Patient",
        "id": PATIENT,
        "name": [unreadable if view.get("damaged") else {"text": view["patient_name"]}],
        "communication": [{"language": _language_concept(view["locale"]), "preferred": True}],
    }
    if identifiers := _identifiers(PATIENT_REFERENCE, view.get("patient_reference")):
        patient["identifier"] = identifiers
    telecom = []
    if view.get("email"):
        telecom.append({"system": "email", "value": view["email"]})
    if view.get("phone"):
        system = SYSTEM_OF_PHONES["sms" in view["channels"]]
        telecom.append({"system": system, "value": view["phone"], "use": "mobile"})
    if telecom:
        patient["telecom"] = telecom
    return patient


def _language_concept(locale: str) -> Resource:
    """Of a variant, as German in plain words, FHIR's value set knows the language alone."""
    language, variant, _ = locale.partition("-")
    return {"coding": [coding(LANGUAGE, language)]} | ({"text": locale} if variant else {})


# --- what comes in

NEW_IS_BOOKED = Said("Ein neuer Termin ist booked.", "A new appointment is booked.")
ONE_EMAIL = Said(
    "Es kann nur an eine E-Mail-Adresse geschrieben werden.", "One email alone can be written to."
)
ONE_PHONE = Said(
    "Es kann nur an eine Nummer geschrieben werden.", "One phone alone can be written to."
)
NO_START = Said("Ein Termin hat einen Beginn.", "An appointment has a start.")
OUT_OF_REACH = Said("Dann ist kein Termin.", "No appointment is then.")
FULL_MINUTE = Said(
    "Ein Termin beginnt zur vollen Minute.", "An appointment starts at a full minute."
)
UNKNOWN_EXTENSION = Said(
    "Diese Extension ist hier nicht bekannt.", "This extension is not known here."
)
OWN_IDENTIFIER = Said("Dieser Identifier wird hier vergeben.", "This identifier is given here.")
NO_PATIENT = Said(
    "Der Patient ist im Termin enthalten (contained).",
    "The patient is contained in the appointment.",
)
PATIENT_NOT_REFERRED_TO = Said(
    "Einer muss auf den enthaltenen Patienten verweisen.",
    "One has to refer to the contained patient.",
)
ONE_OF_EACH_KIND = Said("Von jeder Art nimmt einer teil.", "Of each kind one takes part.")
UNKNOWN_ACTOR = Said(
    "Er verweist auf den enthaltenen Patienten, oder hat einen Identifier eines bekannten Systems.",
    "It refers to the contained patient, or has an identifier of a system that is known.",
)
OTHER_IDENTIFIER = Said(
    "Andere Identifier werden hier nicht gespeichert.", "No other identifier is kept here."
)
ONE_OF_EACH_SYSTEM = Said("Aus jedem System wird einer gespeichert.", "One of each system is kept.")
NO_DURATION = Said("Er hat eine Dauer oder ein Ende.", "It has a duration or an end.")
OTHER_END = Said(
    "Es muss zu Beginn und Dauer passen, in vollen Minuten.",
    "It has to agree with start and duration, in full minutes.",
)

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Few: Any = Field(default=[], max_length=20)


class Element(BaseModel):
    """A part of a resource; what it may not have is refused, unless the caller is lenient.

    Of what it says nothing stays in the JSON parser's cache, which never forgets.
    """

    model_config = ConfigDict(strict=True, cache_strings="keys")

    id: Text | None = None
    # It would change what the rest means.
    modifierExtension: list[Any] = Field(default=[], max_length=0)  # noqa: N815


class Coding(Element):
    """A code of a system."""

    system: Text | None = None
    code: Text | None = None
    display: Text | None = None
    version: Text | None = None
    userSelected: bool | None = None  # noqa: N815


class CodeableConcept(Element):
    """Codes that say the same, and a text."""

    coding: list[Coding] = Few
    text: Text | None = None


class Identifier(Element):
    """A number, and whose."""

    use: Text | None = None
    type: CodeableConcept | None = None
    system: Text | None = None
    value: Text | None = None


class Extension(Element):
    """Of ours, one of two."""

    url: Text
    valueBoolean: bool | None = None  # noqa: N815
    valueCode: Text | None = None  # noqa: N815


class HumanName(Element):
    """A name, in parts or whole."""

    use: Text | None = None
    text: Text | None = None
    family: Text | None = None
    given: list[Text] = Few
    prefix: list[Text] = Few
    suffix: list[Text] = Few

    @property
    def whole(self) -> str:
        """As a letter begins."""
        parts = [*self.prefix, *self.given, *([self.family] if self.family else []), *self.suffix]
        return self.text or " ".join(parts)


class ContactPoint(Element):
    """An address or a number."""

    system: Literal["phone", "fax", "email", "pager", "url", "sms", "other"] | None = None
    value: Text | None = None
    use: Text | None = None
    rank: int | None = None


class Language(Element):
    """One that the patient understands."""

    language: CodeableConcept
    preferred: bool = False


class Patient(Element):
    """The patient, in the appointment."""

    resourceType: Literal["Patient"]  # noqa: N815
    identifier: list[Identifier] = Few
    active: bool = True
    name: list[HumanName] = Few
    telecom: list[ContactPoint] = Few
    communication: list[Language] = Few


class Reference(Element):
    """To another resource."""

    reference: Text | None = None
    type: Text | None = None
    identifier: Identifier | None = None
    display: Text | None = None


class Participant(Element):
    """Who takes part."""

    type: list[CodeableConcept] = Few
    actor: Reference | None = None
    required: Text | None = None
    status: Text | None = None


class AppointmentInput(Element):
    """An Appointment as a caller sends it. Ours to say, and so read past: meta, text, created."""

    resourceType: Literal["Appointment"]  # noqa: N815
    meta: dict[str, Any] | None = None
    language: Text | None = None
    text: dict[str, Any] | None = None
    contained: list[Patient] = Field(default=[], max_length=1)
    extension: list[Extension] = Few
    identifier: list[Identifier] = Few
    status: Text
    serviceType: list[CodeableConcept] = Few  # noqa: N815
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    minutesDuration: int | None = None  # noqa: N815
    created: Text | None = None
    participant: list[Participant] = Few


def new_appointment(
    resource: AppointmentInput, zone: ZoneInfo, *, lenient: bool = False
) -> Resource:
    """What the scheduling API is asked to create, on the practice's clock. Raises InvalidInput.

    Whether it is valid (times, addresses, consent) that API says; here is only what it can't see.
    """
    faults = _Faults(lenient=lenient)
    if resource.status != BOOKED:
        faults.add("status", "invalid", NEW_IS_BOOKED)
    patient = faults.patient(resource)
    emails = [each.value for each in patient.telecom if each.system == "email" and each.value]
    phones = [
        each.value for each in patient.telecom if each.system in {"sms", "phone"} and each.value
    ]
    for found, message in ((emails, ONE_EMAIL), (phones, ONE_PHONE)):
        if len(set(found)) > 1:
            faults.add("contained.0.telecom", "invalid", message)
    start = resource.start
    if start is None:
        faults.add("start", "missing", NO_START)
    elif start.year not in YEARS:
        faults.add("start", "invalid", OUT_OF_REACH)
    elif start.second or start.microsecond:
        faults.add("start", "invalid", FULL_MINUTE)
    minutes = faults.minutes(resource)
    faults.raise_any()
    local = (start or datetime.now(UTC)).astimezone(zone)
    asked: Resource = {
        "patient_name": next((each.whole for each in patient.name if each.whole), ""),
        "channels": _channels(resource, emails, phones),
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "utc_offset": f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:5],
        "duration_minutes": minutes,
        "consent": any(each.url == CONSENT and each.valueBoolean for each in resource.extension),
    }
    chosen = references(resource) | {
        "email": next(iter(emails), None),
        "phone": next(iter(phones), None),
        "locale": _language(patient.communication),
    }
    return asked | {name: value for name, value in chosen.items() if value is not None}


def references(resource: AppointmentInput) -> dict[str, str | None]:
    """What another system calls it, and those in it, by the API's fields."""
    identifiers = [
        *resource.identifier,
        *(each for patient in resource.contained for each in patient.identifier),
        *(
            each.actor.identifier
            for each in resource.participant
            if each.actor is not None and each.actor.identifier is not None
        ),
    ]
    values = {each.system: each.value for each in identifiers}
    fields = {EXTERNAL_REFERENCE: "external_reference", PATIENT_REFERENCE: "patient_reference"}
    fields |= {system: field for system, _, field in OTHERS}
    return {field: values.get(system) for system, field in fields.items()}


def _channels(
    resource: AppointmentInput, emails: Sequence[str], phones: Sequence[str]
) -> list[str]:
    """Those that are named, or one for each address."""
    named = [each.valueCode for each in resource.extension if each.url == CHANNEL]
    if named:
        return [each or "" for each in named]
    return [*(["email"] if emails else []), *(["sms"] if phones else [])]


def _language(languages: Sequence[Language]) -> str | None:
    by_preference = sorted(languages, key=lambda one: not one.preferred)
    for language in (one.language for one in by_preference):
        for code in (each.code for each in language.coding if each.code):
            text = language.text or ""
            return text if text.startswith(f"{code}-") else code
    return None


class _Faults:
    """Collects what is wrong with a resource, by the place in it."""

    def __init__(self, *, lenient: bool) -> None:
        self._lenient = lenient
        self._found: list[FieldError] = []
        self._patient_id: str | None = None

    def add(self, place: str, code: str, message: Said) -> None:
        """One more; what is only not known here a lenient caller wants passed over."""
        if code == "unknown" and self._lenient:
            return
        self._found.append(FieldError(f"Appointment.{place}", code, message))

    def raise_any(self) -> None:
        """Raise InvalidInput for all of them, if there are any."""
        if self._found:
            raise InvalidInput(self._found)

    def patient(self, resource: AppointmentInput) -> Patient:
        """The contained one, whom a participant refers to; nobody else takes part."""
        for at, each in enumerate(resource.extension):
            if each.url not in {CONSENT, CHANNEL}:
                self.add(f"extension.{at}", "unknown", UNKNOWN_EXTENSION)
        for at, known in enumerate(resource.identifier):
            if known.system == APPOINTMENT:
                self.add(f"identifier.{at}", "invalid", OWN_IDENTIFIER)
        self._identifiers("identifier", resource.identifier, EXTERNAL_REFERENCE)
        if not resource.contained:
            self.add("contained", "missing", NO_PATIENT)
            return Patient(resourceType="Patient")
        patient = resource.contained[0]
        self._patient_id = patient.id
        self._identifiers("contained.0.identifier", patient.identifier, PATIENT_REFERENCE)
        taking_part = [self._participant(at, one) for at, one in enumerate(resource.participant)]
        if PATIENT_REFERENCE not in taking_part:
            self.add("participant", "missing", PATIENT_NOT_REFERRED_TO)
        if len(set(taking_part)) != len(taking_part):
            self.add("participant", "invalid", ONE_OF_EACH_KIND)
        return patient

    def _participant(self, at: int, one: Participant) -> str | None:
        """As what somebody takes part."""
        known = {system for system, _, _ in OTHERS}
        if one.actor is not None:
            if one.actor.reference is not None:
                if one.actor.reference == f"#{self._patient_id}":
                    return PATIENT_REFERENCE
            elif one.actor.identifier is not None and one.actor.identifier.system in known:
                return one.actor.identifier.system
        self.add(f"participant.{at}.actor", "invalid", UNKNOWN_ACTOR)
        return None

    def _identifiers(self, place: str, given: Sequence[Identifier], system: str) -> None:
        """One of this system at most, and none of others, which are not kept."""
        for at, each in enumerate(given):
            if each.system not in {system, APPOINTMENT}:
                self.add(f"{place}.{at}", "unknown", OTHER_IDENTIFIER)
        if sum(each.system == system for each in given) > 1:
            self.add(place, "invalid", ONE_OF_EACH_SYSTEM)

    def minutes(self, resource: AppointmentInput) -> int | None:
        """How long, as the duration or the end say, which may not contradict each other."""
        if resource.end is None or resource.start is None:
            if resource.minutesDuration is None:
                self.add("minutesDuration", "missing", NO_DURATION)
            return resource.minutesDuration
        until_end = (resource.end - resource.start) / timedelta(minutes=1)
        if resource.minutesDuration not in {None, until_end} or until_end % 1:
            self.add("end", "invalid", OTHER_END)
        return round(until_end)


def is_cancellation(patch: Any) -> bool:
    """Whether a JSON Patch (RFC 6902) does just that: it sets the status to cancelled."""
    return (
        isinstance(patch, list)
        and len(patch) == 1
        and isinstance(patch[0], Mapping)
        and patch[0].get("op") in {"replace", "add"}
        and patch[0].get("path") == "/status"
        and patch[0].get("value") == CANCELLED
    )
