"""What the form may hold: every fault of an input is found at once and named by its field.

Pure but for the clock that is passed in. The sentences are for the practice, in German.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from email_validator import EmailNotValidError, validate_email

from chassis.problems import FieldError, InvalidInput
from contracts.events import Channel, Tariff
from contracts.languages import LANGUAGES
from services.scheduling.appointments import Appointment
from services.scheduling.phone_numbers import BadNumber, NumberFault, parse_mobile
from services.scheduling.practice import Practice
from services.scheduling.wall_clock import AmbiguousTime, NonexistentTime, resolve

NAME_LENGTH = 200
MINUTES = range(5, 481)
FURTHEST_AHEAD = timedelta(days=5 * 366)
YEARS = range(2000, 9001)

_T = TypeVar("_T")

MISSING = "Bitte füllen Sie dieses Feld aus."
NUMBER_FAULTS = {
    NumberFault.EMPTY: "Bitte geben Sie die Mobilnummer an.",
    NumberFault.NOT_A_NUMBER: "Das ist keine Telefonnummer.",
    NumberFault.TOO_SHORT: "Diese Nummer ist zu kurz.",
    NumberFault.TOO_LONG: "Diese Nummer ist zu lang.",
    NumberFault.UNKNOWN_COUNTRY: "Diese Ländervorwahl gibt es nicht.",
    NumberFault.LANDLINE: "Das ist eine Festnetznummer. Für SMS wird eine Mobilnummer gebraucht.",
    NumberFault.NOT_MOBILE: "Das ist keine Mobilnummer.",
    NumberFault.INVALID: "Diese Nummer ist nicht vergeben.",
}


@dataclass(frozen=True, slots=True)
class Slot:
    """When, and for how long."""

    starts_at: datetime
    duration_minutes: int


@dataclass(frozen=True, slots=True)
class Contact:
    """Over which channels, and the addresses in their normal form."""

    channels: tuple[Channel, ...]
    email: str | None
    phone: str | None

    def address(self, channel: Channel) -> str | None:
        """Where this channel reaches the patient."""
        return self.email if channel is Channel.EMAIL else self.phone


class Faults:
    """Collects what is wrong, so that all of it is told in one answer."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, field: str, code: str, message: str, options: Sequence[str] = ()) -> None:
        """Note one fault of one field."""
        self._errors.append(FieldError(field, code, message, options))

    def dead_address(self, channel: Channel) -> None:
        """Note that what was last sent there came back for good."""
        field, name = ("email", "Adresse") if channel is Channel.EMAIL else ("phone", "Nummer")
        self.add(
            field,
            "dead_address",
            f"Die letzte Einladung an diese {name} war unzustellbar. Bitte prüfen Sie die {name}.",
        )

    def raise_if_any(self) -> None:
        """Raise InvalidInput with everything noted."""
        if self._errors:
            raise InvalidInput(self._errors)


def patient_name(text: str, faults: Faults) -> str:
    """The name in one line, without control characters."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name:
        faults.add("patient_name", "missing", MISSING)
    elif len(name) > NAME_LENGTH:
        faults.add("patient_name", "invalid", f"Höchstens {NAME_LENGTH} Zeichen, bitte.")
    elif any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in name):
        faults.add("patient_name", "invalid", "Der Name enthält unerlaubte Zeichen.")
    return name


def consent(given: bool, faults: Faults) -> None:
    """Nothing is sent without it."""
    if not given:
        faults.add(
            "consent",
            "consent_required",
            "Ohne Einwilligung kann keine Einladung versendet werden.",
        )


def locale(code: str | None, practice: Practice, faults: Faults) -> str:
    """The patient's language; the practice's own where none is chosen."""
    chosen = practice.language if code is None else code
    if chosen not in LANGUAGES:
        faults.add("locale", "invalid", "Diese Sprache gibt es nicht.")
    return chosen


def contact(
    names: Sequence[str],
    email: str | None,
    phone: str | None,
    available: Sequence[Channel],
    tariff: Tariff,
    faults: Faults,
) -> Contact:
    """The chosen channels, each with its address."""
    channels: list[Channel] = []
    for name in names:
        try:
            channel = Channel(name)
        except ValueError:
            faults.add("channels", "invalid", "Diesen Kanal gibt es nicht.")
            continue
        if channel not in available:
            faults.add(
                "channels", "channel_unavailable", "Dieser Kanal ist hier nicht eingerichtet."
            )
        elif channel not in tariff.channels:
            faults.add(
                "channels", "not_in_tariff", "SMS gibt es in den Tarifen Standard und Premium."
            )
        elif channel not in channels:
            channels.append(channel)
    if not names:
        faults.add("channels", "no_channel", "Bitte wählen Sie mindestens einen Kanal.")
    return Contact(
        channels=tuple(channels),
        email=_email(email or "", Channel.EMAIL in channels, faults),
        phone=_phone(phone or "", Channel.SMS in channels, faults),
    )


def _email(text: str, needed: bool, faults: Faults) -> str | None:
    text = text.strip()
    if not text:
        if needed:
            faults.add("email", "missing", "Bitte geben Sie die E-Mail-Adresse an.")
        return None
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        faults.add("email", "invalid", "Das ist keine gültige E-Mail-Adresse.")
        return None


def _phone(text: str, needed: bool, faults: Faults) -> str | None:
    text = text.strip()
    if not text:
        if needed:
            faults.add("phone", "missing", "Bitte geben Sie die Mobilnummer an.")
        return None
    try:
        return parse_mobile(text)
    except BadNumber as error:
        faults.add("phone", error.fault, NUMBER_FAULTS[error.fault])
        return None


def slot(
    day_text: str,
    time_text: str,
    utc_offset: str | None,
    duration_minutes: int | None,
    *,
    practice: Practice,
    now: datetime,
    faults: Faults,
    present: Appointment | None = None,
) -> Slot | None:
    """When it shall be; None where a fault was noted.

    `present` is the appointment as it is: its start may stay although it has passed by now.
    """
    if duration_minutes is None:
        faults.add("duration_minutes", "missing", MISSING)
    elif duration_minutes not in MINUTES:
        faults.add(
            "duration_minutes", "out_of_range", "Die Dauer liegt zwischen 5 und 480 Minuten."
        )
    day = _parse(date.fromisoformat, day_text, "date", "Das ist kein gültiges Datum.", faults)
    at = _parse(time.fromisoformat, time_text, "time", "Das ist keine gültige Uhrzeit.", faults)
    if day is None or at is None:
        return None
    if at.tzinfo is not None:
        faults.add("time", "invalid", "Das ist keine gültige Uhrzeit.")
        return None
    if not calendar_day(day, faults):
        return None
    try:
        starts_at = resolve(day, at.replace(microsecond=0), practice.zone, utc_offset)
    except NonexistentTime:
        faults.add(
            "time",
            "nonexistent_time",
            "Diese Uhrzeit gibt es an diesem Tag nicht (Beginn der Sommerzeit).",
        )
        return None
    except AmbiguousTime as ambiguous:
        faults.add(
            "time",
            "ambiguous_time",
            "Diese Uhrzeit gibt es an diesem Tag zweimal (Ende der Sommerzeit).",
            ambiguous.offsets,
        )
        return None
    moved = present is None or starts_at != present.starts_at
    if moved and starts_at <= now:
        past_day = starts_at.astimezone(practice.zone).date() < now.astimezone(practice.zone).date()
        faults.add("date" if past_day else "time", "past", "Der Termin muss in der Zukunft liegen.")
    elif starts_at > now + FURTHEST_AHEAD:
        faults.add("date", "out_of_range", "Das Datum liegt zu weit entfernt.")
    return Slot(starts_at, duration_minutes or 0)


def calendar_day(day: date, faults: Faults, field: str = "date") -> bool:
    """Whether the day lies where times can be reckoned with in any zone."""
    if day.year in YEARS:
        return True
    faults.add(field, "out_of_range", "Das Datum liegt zu weit entfernt.")
    return False


def _parse(
    read: Callable[[str], _T], text: str, field: str, message: str, faults: Faults
) -> _T | None:
    if not text.strip():
        faults.add(field, "missing", MISSING)
        return None
    try:
        return read(text.strip())
    except ValueError:
        faults.add(field, "invalid", message)
        return None
