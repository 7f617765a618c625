"""Practices: what is known of one, what may be set of it, and what holds where nothing is set.

Pure: no I/O.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from chassis.problems import FieldError, InvalidInput
from chassis.said import for_operators
from contracts.events import PracticeContact
from contracts.languages import DEFAULT, LANGUAGES
from contracts.tariffs import Tariff
from contracts.terms import MAX_RETENTION_DAYS, RETENTION_DAYS
from services.scheduling.phone_numbers import BadNumber, parse_telephone

NAME_LENGTH = 100
ADDRESS_LINES = 5
ADDRESS_LINE_LENGTH = 80  # characters
NOT_IN_TEXTS = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control characters, by their Unicode category
MAX_REMINDERS = 5
REMINDER_MINUTES = range(1, 20_161)  # up to two weeks
NOT_PLACES = {"Factory", "localtime"}
DAILY = range(1_000_001)
HOURS = range(24)
DEFAULT_TIME_ZONE = "Europe/Berlin"
DEFAULT_TARIFF = Tariff.BASIC


@dataclass(frozen=True, slots=True)
class Practice:
    """Who invites. Its defaults are those of a practice that is set up with a name alone."""

    id: UUID
    name: str
    time_zone: str = DEFAULT_TIME_ZONE
    tariff: Tariff = DEFAULT_TARIFF
    language: str = DEFAULT  # of patients for whom no other is chosen
    reminders: tuple[int, ...] = (1440, 60)  # minutes before the start
    retention_days: int = MAX_RETENTION_DAYS  # after the appointment's end
    # How patients reach it; empty where they can't.
    phone: str = ""  # E.164
    reply_address: str = ""
    postal_address: str = ""  # lines
    asks_for_answer: bool = True  # whether patients' calendars are asked to answer
    # Where a daily mail of how much is open goes, and at which hour of its day; empty: nowhere.
    daily_mail_address: str = ""
    daily_mail_hour: int = 7
    # Bounds of its own (`bounds`); 0 and none: the installation's.
    daily_messages: int = 0
    daily_sms_per_country: int = 0
    sms_countries: tuple[str, ...] = ()
    quiet_hours: bool = True  # whether SMS wait for the morning (`quiet_hours`)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this practice reads and writes times."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class PracticeChange:
    """What to set of a practice, as somebody typed it; None leaves it as it is."""

    name: str | None = None
    time_zone: str | None = None
    tariff: str | None = None
    language: str | None = None
    reminders: Sequence[int] | None = None
    retention_days: int | None = None
    phone: str | None = None
    reply_address: str | None = None
    postal_address: str | None = None
    asks_for_answer: bool | None = None
    quiet_hours: bool | None = None
    daily_mail_address: str | None = None
    daily_mail_hour: int | None = None
    daily_messages: int | None = None
    daily_sms_per_country: int | None = None
    sms_countries: Sequence[str] | None = None

    def checked(self) -> dict[str, Any]:
        """The values in their normal form. Raises InvalidInput, naming every fault at once."""
        given = {
            each.name: value
            for each in fields(self)
            if (value := getattr(self, each.name)) is not None
        }
        faults: list[FieldError] = []
        for field, value in given.items():
            try:
                given[field] = _RULES[field](value)
            except ValueError as fault:
                faults.append(FieldError(field, "invalid", for_operators(str(fault))))
        if faults:
            raise InvalidInput(faults)
        return given


def _name(text: str) -> str:
    name = _line(text)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise ValueError(f"Has to have 1 to {NAME_LENGTH} characters.")
    return name


def _line(text: str) -> str:
    """As it can go into the head of a mail: on one line."""
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if any(unicodedata.category(each) in NOT_IN_TEXTS for each in line):
        raise ValueError("May hold no control characters.")
    return line


def _time_zone(name: str) -> str:
    if name not in available_timezones() - NOT_PLACES:
        raise ValueError("Has to be a name of the IANA time zone database, as Europe/Berlin.")
    return name


def _tariff(name: str) -> Tariff:
    if name not in list(Tariff):
        raise ValueError(f"Has to be one of {', '.join(Tariff)}.")
    return Tariff(name)


def _language(name: str) -> str:
    if name not in LANGUAGES:
        raise ValueError(f"Has to be one of {', '.join(LANGUAGES)}.")
    return name


def _reminders(minutes: Sequence[int]) -> tuple[int, ...]:
    if len(minutes) > MAX_REMINDERS or any(each not in REMINDER_MINUTES for each in minutes):
        raise ValueError(
            f"Has to be {MAX_REMINDERS} at most, each of 1 to {REMINDER_MINUTES[-1]} minutes "
            "before the start."
        )
    return tuple(sorted(set(minutes), reverse=True))


def _retention_days(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError(
            f"Has to be 0 to {MAX_RETENTION_DAYS} days: patients' data goes at the latest three "
            "months after the appointment's end."
        )
    return days


def _phone(text: str) -> str:
    try:
        return parse_telephone(text) if text.strip() else ""
    except BadNumber:
        raise ValueError("Has to be a phone number, as +49 30 1234567.") from None


def _address(text: str) -> str:
    """In ASCII, domain included: what stands in the head of a mail has to pass every server."""
    if not text.strip():
        return ""
    try:
        address = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError("Has to be an e-mail address.") from None
    if address.ascii_email is None:
        raise ValueError("Has to be an e-mail address in plain letters.")
    return address.ascii_email


def _postal_address(text: str) -> str:
    lines = [line for each in text.splitlines() if (line := _line(each))]
    if len(lines) > ADDRESS_LINES or any(len(line) > ADDRESS_LINE_LENGTH for line in lines):
        raise ValueError(
            f"Has to have {ADDRESS_LINES} lines at most, of {ADDRESS_LINE_LENGTH} characters each."
        )
    return "\n".join(lines)


def _hour(hour: int) -> int:
    if hour not in HOURS:
        raise ValueError(f"Has to be an hour of the day, {HOURS[0]} to {HOURS[-1]}.")
    return hour


def _daily(most: int) -> int:
    if most not in DAILY:
        raise ValueError(f"Has to be 1 to {DAILY[-1]}, or 0 for the installation's own bound.")
    return most


def checked_countries(codes: Sequence[str]) -> tuple[str, ...]:
    """Countries in capitals, each once. Raises ValueError for what has no phone numbers."""
    countries = tuple(dict.fromkeys(code.strip().upper() for code in codes))
    if not phonenumbers.SUPPORTED_REGIONS.issuperset(countries):
        raise ValueError("Has to be countries by their ISO 3166-1 codes, as DE.")
    return countries


_RULES: Mapping[str, Any] = {
    "name": _name,
    "time_zone": _time_zone,
    "tariff": _tariff,
    "language": _language,
    "reminders": _reminders,
    "retention_days": _retention_days,
    "phone": _phone,
    "reply_address": _address,
    "postal_address": _postal_address,
    "asks_for_answer": bool,
    "quiet_hours": bool,
    "daily_mail_address": _address,
    "daily_mail_hour": _hour,
    "daily_messages": _daily,
    "daily_sms_per_country": _daily,
    "sms_countries": checked_countries,
}


def contact(practice: Practice) -> PracticeContact:
    """How patients reach it, as events tell."""
    return PracticeContact(
        practice_phone=practice.phone or None,
        reply_to=practice.reply_address or None,
        postal_address=practice.postal_address or None,
        asks_for_answer=practice.asks_for_answer,
    )


def new_practice(practice_id: UUID, settings: PracticeChange) -> Practice:
    """A practice with these settings, the rest by default. Raises InvalidInput."""
    values = settings.checked()
    if "name" not in values:
        raise InvalidInput([FieldError("name", "missing", for_operators("The name is missing."))])
    return Practice(id=practice_id, **values)
