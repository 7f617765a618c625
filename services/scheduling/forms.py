"""What the form may hold: each function returns a valid value or raises InvalidInput.

Every fault of an input is named by its field in that one error. Pure but for `is_dead`, which looks
an address up once it is known to be one. The sentences are for the practice, in German, and for
whoever asks in English.
"""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias, TypeVar

from babel import Locale
from email_validator import EmailNotValidError, validate_email

from chassis.problems import FILL_IN, NOT_VALID, FieldError, InvalidInput
from chassis.said import Said
from contracts.channels import Channel
from contracts.events import LONGEST_REFERENCE, REFERENCE, References
from contracts.languages import LANGUAGES
from contracts.mailboxes import (
    LONGEST_LOCAL_PART,
    octets,
    parse_mailbox,
    with_plain_apostrophes,
)
from contracts.names import leads_elsewhere
from contracts.tariffs import Tariff
from services.scheduling import pasted
from services.scheduling.appointments import Appointment
from services.scheduling.name_search import NameSearch
from services.scheduling.phone_numbers import BadNumber, NumberFault, country_of, parse_mobile
from services.scheduling.places import ListPlace
from services.scheduling.practice import Practice
from services.scheduling.schemas import MINUTES, TIME, Change, NewAppointment, Resend
from services.scheduling.wall_clock import AmbiguousTime, NonexistentTime, offset_of, resolve

GERMAN, ENGLISH = Locale("de"), Locale("en")
NAME_LENGTH = 200
FURTHEST_AHEAD = timedelta(days=5 * 366)
YEARS = range(2000, 9001)
MAX_DAYS = 366  # of an export, or a list
FEWEST_LETTERS = 2  # that are looked for
MOST_WORDS = 10

# Whether what was last sent to this address came back for good.
IsDead: TypeAlias = Callable[[Channel, str], Awaitable[bool]]

_T = TypeVar("_T")

CHANNEL_NAMES = {Channel.EMAIL: Said("E-Mail", "E-mail"), Channel.SMS: Said("SMS", "SMS")}
NO_DATE = Said(
    "Bitte geben Sie das Datum an, zum Beispiel 01.12.2026.",
    "Please give the date, as 2026-12-01.",
)
NO_TIME = Said(
    "Bitte geben Sie die Uhrzeit an, zum Beispiel 14:30.", "Please give the time, as 14:30."
)
NO_DURATION = Said(
    "Bitte geben Sie die Dauer in ganzen Minuten an, von 5 bis 480.",
    "Please give the duration in whole minutes, from 5 to 480.",
)
NO_ADDRESS = Said(
    "Das ist keine E-Mail-Adresse. Sie sieht so aus: name@beispiel.de",
    "This is no e-mail address. One looks like name@example.org.",
)
NAME_WITH_ADDRESS = Said(
    "Im Namen steht etwas, das in der Nachricht zum Link würde. Bitte ohne @ und "
    "Internetadressen, und nach einem Punkt mit Leerzeichen.",
    "There is something in the name that would become a link in the message. Please leave out @ "
    "and web addresses, and put a space after a full stop.",
)
NO_REFERENCE = Said(
    f"Eine Referenz hat 1 bis {LONGEST_REFERENCE} Zeichen: Buchstaben ohne Umlaute, Ziffern und "
    "Zeichen wie - . : /, ohne Leerzeichen.",
    f"A reference has 1 to {LONGEST_REFERENCE} characters: printable ASCII without space.",
)
TOO_FAR = Said("Das Datum liegt zu weit entfernt.", "The date is too far away.")
NUMBER_FAULTS = {
    NumberFault.EMPTY: Said(
        "Bitte geben Sie die Mobilnummer an.", "Please give the mobile number."
    ),
    NumberFault.NOT_A_NUMBER: Said(
        "Bitte geben Sie eine Mobilnummer an, zum Beispiel 0171 3920001.",
        "Please give a mobile number, as +49 171 3920001.",
    ),
    NumberFault.TOO_SHORT: Said(
        "Diese Nummer ist zu kurz. Bitte prüfen Sie, ob Ziffern fehlen.",
        "This number is too short. Please look whether digits are missing.",
    ),
    NumberFault.TOO_LONG: Said(
        "Diese Nummer ist zu lang. Bitte prüfen Sie die Ziffern.",
        "This number is too long. Please look at its digits.",
    ),
    NumberFault.UNKNOWN_COUNTRY: Said(
        "Diese Ländervorwahl gibt es nicht. Deutschland hat +49.",
        "There is no such country code. Germany has +49.",
    ),
    NumberFault.LANDLINE: Said(
        "Das ist eine Festnetznummer. Für SMS wird eine Mobilnummer gebraucht.",
        "This is a landline. Text messages need a mobile number.",
    ),
    NumberFault.NOT_MOBILE: Said(
        "Das ist keine Mobilnummer. Für SMS wird eine gebraucht.",
        "This is no mobile number. Text messages need one.",
    ),
    NumberFault.INVALID: Said(
        "Diese Nummer gibt es nicht. Bitte prüfen Sie die Ziffern.",
        "There is no such number. Please look at its digits.",
    ),
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


@dataclass(frozen=True, slots=True)
class ValidAppointment:
    """What a new appointment begins with."""

    patient_name: str
    contact: Contact
    slot: Slot
    locale: str
    references: References


@dataclass(frozen=True, slots=True)
class ValidChange:
    """An appointment as it is to be, without inviting again."""

    slot: Slot
    references: References
    patient_name: str
    email: str | None
    phone: str | None
    locale: str


@dataclass(frozen=True, slots=True)
class ValidResend:
    """Who is invited again, where, and in which language."""

    patient_name: str
    contact: Contact
    locale: str


async def new_appointment(
    request: NewAppointment,
    practice: Practice,
    *,
    available: Sequence[Channel],
    countries: Collection[str],
    now: datetime,
    is_dead: IsDead,
) -> ValidAppointment:
    """A new appointment, over channels that this installation has `available`.

    SMS go to numbers of these `countries` alone.
    """
    faults = _Faults(request.unread)
    name = faults.patient_name(request.patient_name)
    contact = faults.contact(
        request.channels, request.email, request.phone, available, countries, practice
    )
    slot = faults.slot(
        request.date, request.time, request.utc_offset, request.duration_minutes, practice, now
    )
    locale = faults.locale(request.locale, practice)
    faults.consent(request.consent)
    references = faults.references(request, References())
    if not request.send_anyway:
        await faults.dead_addresses(contact, is_dead)
    return ValidAppointment(name, contact, faults.checked(slot), locale, references)


async def resend(
    request: Resend,
    present: Appointment,
    practice: Practice,
    *,
    available: Sequence[Channel],
    countries: Collection[str],
    is_dead: IsDead,
) -> ValidResend:
    """Whom to send it again, and where: what is left out stays as it was."""
    faults = _Faults(request.unread)
    name = (
        present.patient_name
        if request.patient_name is None
        else faults.patient_name(request.patient_name)
    )
    contact = faults.contact(
        [*present.channels] if request.channels is None else request.channels,
        present.email if request.email is None else request.email,
        present.phone if request.phone is None else request.phone,
        available,
        countries,
        practice,
    )
    locale = present.locale if request.locale is None else faults.locale(request.locale, practice)
    if not request.send_anyway:
        await faults.dead_addresses(contact, is_dead)
    return ValidResend(name, faults.checked(contact), locale)


def change(
    request: Change,
    present: Appointment,
    practice: Practice,
    *,
    countries: Collection[str],
    now: datetime,
) -> ValidChange:
    """As it is to be: what is left out stays, and so may a start that has passed by now.

    Nothing is sent, so nobody asks whether an address is dead.
    """
    local = present.starts_at.astimezone(practice.zone)
    same_time = request.date is None and request.time is None
    faults = _Faults(request.unread)
    slot = faults.slot(
        local.date().isoformat() if request.date is None else request.date,
        local.time().isoformat() if request.time is None else request.time,
        offset_of(local) if same_time else request.utc_offset,
        present.duration_minutes if request.duration_minutes is None else request.duration_minutes,
        practice,
        now,
        present.starts_at,
    )
    name, email, phone, locale = (
        present.patient_name,
        present.email,
        present.phone,
        present.locale,
    )
    if request.patient_name is not None:
        name = faults.patient_name(request.patient_name)
    if request.email is not None:
        email = faults.email(request.email, Channel.EMAIL in present.channels)
    if request.phone is not None:
        phone = faults.phone(request.phone, Channel.SMS in present.channels, countries)
    if request.locale is not None:
        locale = faults.locale(request.locale, practice)
    references = faults.references(request, present.references)
    return ValidChange(faults.checked(slot), references, name, email, phone, locale)


def wanted(given: Mapping[str, str | None]) -> References | None:
    """The references, by field, that appointments are looked for by; None where there are none."""
    if not any(value is not None for value in given.values()):
        return None
    faults = _Faults()
    read = {
        name: faults.reference(name, value) for name, value in given.items() if value is not None
    }
    return References(**faults.checked(read))


def readable(email: str | None, phone: str | None) -> dict[Channel, str]:
    """Of addresses that are still being typed those that are ones, in their normal form."""
    faults = _Faults()
    read = {
        Channel.EMAIL: faults.email(email or "", needed=False),
        Channel.SMS: faults.phone(phone or "", needed=False, countries=()),
    }
    return {channel: address for channel, address in read.items() if address is not None}


def start(day: str, at: str, utc_offset: str | None, practice: Practice) -> datetime:
    """When an appointment would begin, be it past."""
    faults = _Faults()
    return faults.checked(faults.start(day, at, utc_offset, practice))


def check_choice(*, day: bool, ids: bool, days: bool, referred: bool, since: bool) -> None:
    """A list of appointments is asked for by one of: a day, ids, a range of days, references.

    Or what changed since a moment. References and changes may be asked for in a range of days.
    """
    if since and (day or ids or referred):
        message = Said(
            "Bitte fragen Sie Änderungen ohne Tag, Termine und Referenzen ab.",
            "Please ask for changes without a day, ids and references.",
        )
        raise InvalidInput([FieldError("updated_since", "not_with_date", message)])
    if day + ids + (days or referred or since) > 1:
        message = Said(
            "Bitte geben Sie entweder einen Tag, einen Zeitraum oder Termine an.",
            "Please give either a day, a range of days or ids.",
        )
        raise InvalidInput([FieldError("id" if ids else "from", "not_with_date", message)])
    if not (day or ids or days or referred or since):
        raise InvalidInput([FieldError("date", "missing", FILL_IN)])


def name_search(text: str) -> NameSearch:
    """Whom to look for: enough letters to mean somebody, and no more words than names have."""
    wanted = NameSearch.of(text)
    if wanted.letters < FEWEST_LETTERS:
        message = Said(
            "Bitte geben Sie mindestens zwei Buchstaben des Namens ein.",
            "Please give two letters of the name at least.",
        )
        raise InvalidInput([FieldError("query", "too_short", message)])
    if len(wanted.words) > MOST_WORDS or len(text) > NAME_LENGTH:
        message = Said("Bitte geben Sie nur den Namen ein.", "Please give the name alone.")
        raise InvalidInput([FieldError("query", "too_long", message)])
    return wanted


def place(cursor: str | None) -> ListPlace | None:
    """Where a list goes on."""
    try:
        return None if cursor is None else ListPlace.of(cursor)
    except ValueError:
        raise InvalidInput([FieldError("cursor", "invalid", NOT_VALID)]) from None


def check_since(moment: datetime) -> None:
    """The moment since when changes are asked for has to be one that can be reckoned with."""
    if moment.year not in range(1970, YEARS.stop):
        raise InvalidInput([FieldError("updated_since", "out_of_range", TOO_FAR)])


def check_days(days: Mapping[str, date | None]) -> None:
    """Days, by field, have to lie where times can be reckoned with in any zone."""
    faults = _Faults()
    for field, day in days.items():
        if day is not None:
            faults.calendar_day(day, field)
    faults.checked(days)


def check_order(first: date | None, last: date | None) -> None:
    """The days between which something is looked for; None: no bound."""
    check_days({"from": first, "to": last})
    if first is not None and last is not None and last < first:
        raise InvalidInput(
            [
                FieldError(
                    "to",
                    "before_from",
                    Said("Das Ende liegt vor dem Beginn.", "The end is before the beginning."),
                )
            ]
        )


def range_of(first: date | None, last: date | None) -> tuple[date, date]:
    """The days of a list: both are needed."""
    if first is None or last is None:
        field = "from" if first is None else "to"
        raise InvalidInput([FieldError(field, "missing", FILL_IN)])
    check_range(first, last)
    return first, last


def check_range(first: date, last: date) -> None:
    """The days of an export, or a list: in their order, and not more than a year of them."""
    check_order(first, last)
    if (last - first).days >= MAX_DAYS:
        message = Said(
            f"Bitte wählen Sie höchstens {MAX_DAYS} Tage.",
            f"Please choose {MAX_DAYS} days at most.",
        )
        raise InvalidInput([FieldError("to", "too_long", message)])


_JOINERS = frozenset({pasted.ZWNJ, pasted.ZWJ})


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _day(text: str) -> date:
    """As 2026-12-01 (RFC 3339, full-date), and in no other way of ISO 8601's."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return date.fromisoformat(text)


def _time(text: str) -> time:
    """As 14:30, or with seconds."""
    if not re.fullmatch(TIME, text):
        raise ValueError
    return time.fromisoformat(text)


class _Faults:
    """Reads the fields of one input and collects what is wrong, so that all of it is told at once.

    What a method returns counts for nothing until it went through `checked`.
    """

    def __init__(self, unread: Sequence[FieldError] = ()) -> None:
        """Begin with what could not be read at all, of which nothing else is said."""
        self._errors = list(unread)
        self._unread = {error.field.partition(".")[0] for error in unread}

    def checked(self, value: _T | None) -> _T:
        """The value; raises InvalidInput where anything was wrong."""
        if self._errors or value is None:
            raise InvalidInput(self._errors)
        return value

    def patient_name(self, text: str) -> str:
        """The name in one line, without control characters."""
        name = pasted.name(text)
        if not name:
            self._add(
                "patient_name",
                "missing",
                Said("Bitte geben Sie Vorname und Nachname an.", "Please give the full name."),
            )
        elif len(name) > NAME_LENGTH:
            self._add(
                "patient_name",
                "invalid",
                Said(
                    f"Höchstens {NAME_LENGTH} Zeichen, bitte.",
                    f"{NAME_LENGTH} characters at most, please.",
                ),
            )
        elif any(_is_control(each) and each not in _JOINERS for each in name):
            self._add(
                "patient_name",
                "invalid",
                Said(
                    "Im Namen sind Zeichen, die nicht zu sehen sind. Bitte tippen Sie ihn neu ein.",
                    "There are characters in the name that can't be seen. Please type it anew.",
                ),
            )
        elif leads_elsewhere(name):
            self._add("patient_name", "name_with_address", NAME_WITH_ADDRESS)
        return name

    def references(self, request: NewAppointment | Change, present: References) -> References:
        """What other systems call it: what is left out stays; of a change, empty takes away."""
        changes: dict[str, str | None] = {}
        for name in References.model_fields:
            text: str | None = getattr(request, name)
            if text is not None:
                takes_away = text == "" and isinstance(request, Change)
                changes[name] = None if takes_away else self.reference(name, text)
        return present.model_copy(update=changes)

    def reference(self, field: str, text: str) -> str:
        """One of them."""
        if not re.fullmatch(REFERENCE, text):
            self._add(field, "invalid", NO_REFERENCE)
        return text

    def consent(self, given: bool) -> None:
        """Nothing is sent without it."""
        if not given:
            self._add(
                "consent",
                "consent_required",
                Said(
                    "Ohne Einwilligung kann keine Einladung versendet werden. "
                    "Bitte setzen Sie den Haken, wenn sie vorliegt.",
                    "No invitation can be sent without consent.",
                ),
            )

    def locale(self, code: str | None, practice: Practice) -> str:
        """The patient's language; the practice's own where none is chosen."""
        chosen = practice.language if code is None else code
        if chosen not in LANGUAGES:
            self._add(
                "locale",
                "invalid",
                Said("Diese Sprache gibt es nicht.", "There is no such language."),
            )
        return chosen

    def contact(
        self,
        names: Sequence[str],
        email: str | None,
        phone: str | None,
        available: Sequence[Channel],
        countries: Collection[str],
        practice: Practice,
    ) -> Contact:
        """The chosen channels, each with its address.

        An address of a channel that is not chosen has to be one as well, since it may be sent to
        later. Which countries SMS may go to, and whether it is dead, is asked then.
        """
        channels: list[Channel] = []
        for each in names:
            try:
                channel = Channel(each)
            except ValueError:
                self._add(
                    "channels",
                    "invalid",
                    Said("Diesen Kanal gibt es nicht.", "There is no such channel."),
                )
                continue
            if channel not in available:
                self._add(
                    "channels",
                    "channel_unavailable",
                    Said(
                        "Dieser Kanal ist hier nicht eingerichtet.",
                        "This channel is not set up here.",
                    ),
                )
            elif channel not in practice.tariff.channels:
                tariffs = [each.title() for each in Tariff if channel in each.channels]
                name = CHANNEL_NAMES[channel]
                self._add(
                    "channels",
                    "not_in_tariff",
                    Said(
                        f"{name} gibt es in den Tarifen {' und '.join(tariffs)}.",
                        f"{name.english} is in the tariffs {' and '.join(tariffs)}.",
                    ),
                )
            elif channel not in channels:
                channels.append(channel)
        if not names:
            self._add(
                "channels",
                "no_channel",
                Said(
                    "Bitte wählen Sie mindestens einen Kanal.", "Please choose a channel at least."
                ),
            )
        return Contact(
            channels=tuple(channels),
            email=self.email(email or "", Channel.EMAIL in channels),
            phone=self.phone(phone or "", Channel.SMS in channels, countries),
        )

    async def dead_addresses(self, contact: Contact, is_dead: IsDead) -> None:
        """Where an invitation came back for good, nothing is sent unasked."""
        for channel in contact.channels:
            address = contact.address(channel)
            if address is None or not await is_dead(channel, address):
                continue
            email = channel is Channel.EMAIL
            field, name = (
                ("email", Said("Adresse", "address"))
                if email
                else ("phone", Said("Nummer", "number"))
            )
            self._add(
                field,
                "dead_address",
                Said(
                    f"Die letzte Einladung an diese {name} war unzustellbar. "
                    f"Bitte prüfen Sie die {name}.",
                    f"The last invitation to this {name.english} could not be delivered. "
                    f"Please look at the {name.english}.",
                ),
            )

    def slot(
        self,
        day_text: str,
        time_text: str,
        utc_offset: str | None,
        duration_minutes: int | None,
        practice: Practice,
        now: datetime,
        present_start: datetime | None = None,
    ) -> Slot | None:
        """When it shall be, `present_start` even if it has passed; None only with a fault."""
        minutes = self._duration(duration_minutes)
        starts_at = self.start(day_text, time_text, utc_offset, practice)
        if starts_at is None:
            return None
        if starts_at != present_start and starts_at <= now:
            today = now.astimezone(practice.zone).date()
            past_day = starts_at.astimezone(practice.zone).date() < today
            field = "date" if past_day else "time"
            self._add(
                field,
                "past",
                Said(
                    "Der Termin muss in der Zukunft liegen.",
                    "The appointment has to be in the future.",
                ),
            )
        elif starts_at > now + FURTHEST_AHEAD:
            self._add("date", "out_of_range", TOO_FAR)
        return None if minutes is None else Slot(starts_at, minutes)

    def calendar_day(self, day: date, field: str = "date") -> bool:
        """Whether times can be reckoned with on this day in any zone."""
        if day.year in YEARS:
            return True
        self._add(field, "out_of_range", TOO_FAR)
        return False

    def _duration(self, minutes: int | None) -> int | None:
        if minutes is None:
            self._add("duration_minutes", "missing", NO_DURATION)
        elif minutes not in MINUTES:
            self._add("duration_minutes", "out_of_range", NO_DURATION)
        return minutes

    def start(
        self, day_text: str, time_text: str, utc_offset: str | None, practice: Practice
    ) -> datetime | None:
        """The moment that the practice's clock shows so; None only with a fault."""
        day = self._read(_day, day_text, "date", NO_DATE)
        at = self._read(_time, time_text, "time", NO_TIME)
        if day is None or at is None:
            return None
        if not self.calendar_day(day):
            return None
        try:
            return resolve(day, at.replace(microsecond=0), practice.zone, utc_offset)
        except NonexistentTime:
            self._add(
                "time",
                "nonexistent_time",
                Said(
                    "Diese Uhrzeit gibt es an diesem Tag nicht (Beginn der Sommerzeit).",
                    "There is no such time on this day (summer time begins).",
                ),
            )
        except AmbiguousTime as ambiguous:
            self._add(
                "time",
                "ambiguous_time",
                Said(
                    "Diese Uhrzeit gibt es an diesem Tag zweimal (Ende der Sommerzeit).",
                    "This time comes twice on this day (summer time ends).",
                ),
                ambiguous.offsets,
            )
        return None

    def email(self, text: str, needed: bool) -> str | None:
        """The address in its normal form; None only with a fault, or where none is needed."""
        text = pasted.line(text)
        if not text:
            if needed:
                self._add(
                    "email",
                    "missing",
                    Said(
                        "Bitte geben Sie die E-Mail-Adresse an.", "Please give the e-mail address."
                    ),
                )
            return None
        try:
            address = validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError:
            self._add("email", "invalid", NO_ADDRESS)
            return None
        if parse_mailbox(address) is None:
            self._unsendable(address)
            return None
        return address

    def _unsendable(self, address: str) -> None:
        """It looks like an address, and no mail can be sent to it."""
        meant = with_plain_apostrophes(address)
        local, _, _ = address.rpartition("@")
        if meant != address and parse_mailbox(meant) is not None:
            message = Said(
                "An eine Adresse mit einem typografischen Apostroph kann nichts gesendet werden.",
                "Nothing can be sent to an address with a typographic apostrophe.",
            )
            self._add("email", "typographic_apostrophe", message, [meant])
        elif octets(local) > LONGEST_LOCAL_PART:
            self._add(
                "email",
                "local_part_too_long",
                Said(
                    f"Vor dem @ stehen mehr als {LONGEST_LOCAL_PART} Zeichen; dorthin kann nichts "
                    "gesendet werden. Bitte prüfen Sie die Adresse, oder laden Sie per SMS ein.",
                    f"There are more than {LONGEST_LOCAL_PART} characters before the @; nothing "
                    "can "
                    "be sent there. Please look at the address, or invite by SMS.",
                ),
            )
        else:
            self._add("email", "invalid", NO_ADDRESS)

    def phone(self, text: str, needed: bool, countries: Collection[str]) -> str | None:
        """As `email`, of a number."""
        text = pasted.line(text)
        if not text:
            if needed:
                self._add("phone", "missing", NUMBER_FAULTS[NumberFault.EMPTY])
            return None
        try:
            number = parse_mobile(text)
        except BadNumber as error:
            self._add("phone", error.fault, NUMBER_FAULTS[error.fault])
            return None
        if needed and country_of(number) not in countries:
            names = ", ".join(GERMAN.territories.get(each, each) for each in countries)
            self._add(
                "phone",
                "country_not_allowed",
                Said(
                    f"SMS gehen von hier nur an Nummern aus: {names}.",
                    "Text messages go from here to numbers of these countries alone: "
                    f"{', '.join(ENGLISH.territories.get(each, each) for each in countries)}.",
                ),
            )
        return number

    def _read(self, read: Callable[[str], _T], text: str, field: str, message: Said) -> _T | None:
        if not text.strip():
            self._add(field, "missing", message)
            return None
        try:
            return read(text.strip())
        except ValueError:
            self._add(field, "invalid", message)
            return None

    def _add(self, field: str, code: str, message: Said, options: Sequence[str] = ()) -> None:
        if field not in self._unread:
            self._errors.append(FieldError(field, code, message, options))
