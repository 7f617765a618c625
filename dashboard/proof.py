"""What is told in a proof: of one appointment, line by line, in the words of the practice. Pure.

Scheduling says what was sent where, status what became of it; codes that are not known here are
shown as they are. Nothing is said that neither of them knows: of an earlier address only that it
was another one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

CHANNELS = {"email": "E-Mail", "sms": "SMS"}
SUBJECTS = {
    "invitation": "Einladung",
    "reminder": "Erinnerung",
    "moved": "Mitteilung der Verschiebung",
    "cancelled": "Absage",
    "visit": "Videosprechstunde",
}
APPOINTMENT = "Termin"
ANSWER = "Antwort aus dem Kalender"
RESULTS = {
    "requested": "angefordert",
    "pending": "noch ohne Ergebnis",
    "delivered": "zugestellt",
    "failed": "nicht zugestellt",
    "unconfirmed": "nicht bestätigt",
}
NOT_SENT = "nicht gesendet"
WITHDRAWN = "zurückgezogen"

# What stands behind a result, by channel where the channel makes a difference.
EVIDENCE = {
    ("accepted", "email"): "Der Mailserver der Adresse hat die Nachricht angenommen.",
    ("accepted", "sms"): "Der SMS-Dienst hat die Nachricht angenommen.",
    ("confirmed", "email"): "Ein Zustellbericht des Mailservers meldet die Nachricht als "
    "zugestellt.",
    ("confirmed", "sms"): "Ein Zustellbericht des SMS-Dienstes meldet die SMS als zugestellt.",
}
UNSIGNED = "Eine Meldung sagt, die Nachricht kam nicht an; ihre Herkunft ist nicht gesichert."
UNCONFIRMED = (
    "Es kam weder eine Bestätigung noch eine Fehlermeldung. Ob die Nachricht ankam, ist nicht "
    "bekannt."
)
RETURNED = "Die Nachricht war angenommen und kam später als unzustellbar zurück"
CATEGORIES = {
    "permanent": "Die Nachricht wurde endgültig abgelehnt",
    "temporary": "Die Nachricht war nicht rechtzeitig zustellbar",
    "technical": "Eine technische Störung beim Versand",
    "cancelled": "Durch eine neuere Nachricht ersetzt, oder der Termin war gelöscht oder hatte "
    "schon begonnen, oder die Adresse wurde geändert",
}
REASONS = {
    "unknown_user": "Adresse unbekannt",
    "mailbox_full": "Postfach voll",
    "blocked": "als unerwünscht abgewiesen",
    "host_unknown": "Mailserver der Adresse nicht gefunden",
    "message_too_big": "Nachricht zu groß",
    "expired": "nicht rechtzeitig zustellbar",
    "policy": "von der Gegenstelle nicht erlaubt",
    "system": "Störung bei der Gegenstelle",
    "other": "ohne nähere Angabe",
}
SMS_REASONS = {  # where a phone is no mailbox
    "unknown_user": "Nummer unbekannt",
    "mailbox_full": "Speicher des Telefons voll",
    "host_unknown": "Mobilfunknetz nicht gefunden",
    "policy": "vom Mobilfunknetz abgewiesen",
    "system": "Störung im Mobilfunknetz",
}
WITHHELD = {
    "not_invited": "Die Einladung war nie angekommen; darum wurde auch dies nicht mitgeteilt.",
    "in_invitation": "Nicht eigens gesendet: Die Einladung war noch unterwegs oder nannte schon "
    "diese Zeit.",
}
ANSWERS = {
    "accepted": "zugesagt",
    "tentative": "unter Vorbehalt zugesagt",
    "declined": "abgesagt",
}
BY_CALENDAR = (
    "Eine Antwort auf die Kalenderdatei dieser Einladung. Wer geantwortet hat, ist nicht bekannt."
)
JOINED = {"patient": "beigetreten", "host": "Praxis beigetreten"}
BY_LINK = "Über den Link der Einladung. Wer den Link benutzt hat, ist nicht bekannt."
BY_LOGIN = "Aus der Praxis, nach Anmeldung."

FOLLOWED_UP = "von der Praxis als erledigt vermerkt"
CORRECTED = "Angaben geändert, ohne zu senden"
OF_THE_APPOINTMENT = {"followed_up": FOLLOWED_UP, "corrected": CORRECTED}
OTHER_ADDRESS = "andere Adresse als heute (nicht gespeichert)"
UNKNOWN_ADDRESS = "Adresse nicht mehr bekannt"
NO_NAME = "Name nicht mehr gespeichert"
UNREADABLE = "Name nicht lesbar"
CANCELLED = "abgesagt"
NOTHING_KNOWN = "Von Nachrichten zu diesem Termin ist nichts bekannt."

MEANING = (
    "„Zugestellt“ heißt: Der Mailserver der Adresse hat die E-Mail angenommen, oder ein "
    "Zustellbericht meldet die Nachricht als zugestellt. Beides heißt nicht, dass sie gelesen "
    "wurde: Eine E-Mail kann im Spamordner liegen, eine SMS ungelesen auf dem Telefon.",
    "„Nicht bestätigt“ heißt: Ob die Nachricht ankam, ist nicht bekannt.",
    "Name und Adressen sind die, die heute beim Termin gespeichert sind. Frühere Adressen werden "
    "nicht gespeichert; von ihnen ist nur bekannt, dass es andere waren. Die Zeiten sind die der "
    "Praxis, mit ihrem Abstand zur Weltzeit (UTC).",
)

HEADER = (
    *("Termin", "Beginn", "Minuten", "Vorname Nachname", "Stand", "Zeit", "Was", "Versuch"),
    *("Weg", "An", "Ergebnis", "Nachweis", "Code", "Genannter Beginn"),
)


class SentAttempt(BaseModel):
    """As scheduling tells of an attempt over one channel."""

    attempt: int
    channel: str
    address: str


class SentNotice(BaseModel):
    """As scheduling tells of a notice."""

    notice_id: UUID
    starts_at: datetime
    attempt: int


class Sent(BaseModel):
    """As scheduling tells of an appointment and of what was sent for it."""

    appointment_id: UUID
    start: datetime
    duration_minutes: int
    time_zone: str
    cancelled_at: datetime | None
    patient_name: str | None
    email: str | None
    phone: str | None
    damaged: bool
    attempts: list[SentAttempt]
    notices: list[SentNotice]

    @property
    def zone(self) -> ZoneInfo:
        """The practice's."""
        return ZoneInfo(self.time_zone)

    @property
    def name(self) -> str:
        """The patient's, or why it is missing."""
        return self.patient_name or (UNREADABLE if self.damaged else NO_NAME)


class Entry(BaseModel):
    """A line of status' timeline."""

    at: datetime
    type: str
    about: str
    channel: str | None
    attempt: int | None
    evidence: str | None
    category: str | None
    reason: str | None
    status_code: str | None
    late: bool
    answer: str | None
    role: str | None
    withheld: str | None
    notice_id: UUID | None

    @property
    def thing(self) -> tuple[object, ...]:
        """What it tells of: an attempt or a notice, over one channel."""
        return self.about, self.notice_id, self.attempt, self.channel


class Start(BaseModel):
    """A start that the appointment had from `since` on."""

    since: datetime
    starts_at: datetime


class Timeline(BaseModel):
    """As status tells of an appointment."""

    appointment_id: UUID
    starts: list[Start]
    timeline: list[Entry]


class Timelines(BaseModel):
    """As status tells of several."""

    timelines: list[Timeline]
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened. `told` is the start that a message was about, where it is known."""

    at: datetime
    what: str
    result: str
    attempt: str = ""
    channel: str = ""
    to: str = ""
    evidence: str = ""
    code: str = ""
    told: datetime | None = None


def told(sent: Sent, timeline: Timeline | None) -> list[Line]:
    """All lines, in order of occurrence."""
    known = timeline or Timeline(appointment_id=sent.appointment_id, starts=[], timeline=[])
    lines = [*_starts(known.starts), *_messages(sent, known.timeline)]
    if sent.cancelled_at is not None:
        lines.append(Line(at=sent.cancelled_at, what=APPOINTMENT, result=CANCELLED))
    return sorted(lines, key=lambda line: line.at)


def cells(sent: Sent, lines: Sequence[Line]) -> Iterator[tuple[str, ...]]:
    """The rows of an appointment under HEADER; one without a line where nothing is known."""
    zone = sent.zone
    appointment = (
        str(sent.appointment_id),
        moment(sent.start, zone),
        str(sent.duration_minutes),
        sent.name,
        "" if sent.cancelled_at is None else CANCELLED,
    )
    if not lines:
        yield (*appointment, *("",) * 5, NOTHING_KNOWN, *("",) * 3)
    for line in lines:
        yield (
            *appointment,
            moment(line.at, zone),
            *(line.what, line.attempt, line.channel, line.to),
            *(line.result, line.evidence, line.code),
            "" if line.told is None else moment(line.told, zone),
        )


def moment(at: datetime, zone: ZoneInfo) -> str:
    """On the practice's clock with its offset, as the audit log's file has it."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def spoken(at: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """As „01.12.2026, 14:30 (UTC+01:00)“."""
    local = at.astimezone(zone)
    offset = local.isoformat(timespec="minutes")[-6:]
    return f"{local:%d.%m.%Y, %H:%M}{f':{local:%S}' if seconds else ''} (UTC{offset})"


def _starts(starts: Sequence[Start]) -> Iterator[Line]:
    for number, each in enumerate(starts):
        result = "verschoben" if number else "erstellt"
        yield Line(at=each.since, what=APPOINTMENT, result=result, told=each.starts_at)


def _messages(sent: Sent, timeline: Sequence[Entry]) -> Iterator[Line]:
    addresses = {(each.attempt, each.channel): each.address for each in sent.attempts}
    notices = {each.notice_id: each for each in sent.notices}
    ended = {entry.thing for entry in timeline if entry.type not in ("pending", "requested")}
    for entry in timeline:
        if entry.type == "pending" and entry.thing in ended:
            continue  # what became of it says more
        if entry.type == "answered":
            result = _named(ANSWERS, entry.answer)
            yield Line(at=entry.at, what=ANSWER, result=result, evidence=BY_CALENDAR)
            continue
        if entry.type == "joined":
            by = BY_LINK if entry.role == "patient" else BY_LOGIN
            result = _named(JOINED, entry.role)
            yield Line(at=entry.at, what=SUBJECTS["visit"], result=result, evidence=by)
            continue
        if entry.type in OF_THE_APPOINTMENT:
            yield Line(at=entry.at, what=APPOINTMENT, result=OF_THE_APPOINTMENT[entry.type])
            continue
        notice = None if entry.notice_id is None else notices.get(entry.notice_id)
        attempt = notice.attempt if notice else entry.attempt
        went = addresses.get((attempt, entry.channel)) if attempt and entry.channel else None
        yield Line(
            at=entry.at,
            what=_named(SUBJECTS, entry.about),
            attempt="" if entry.attempt is None else str(entry.attempt),
            channel=_named(CHANNELS, entry.channel),
            to="" if entry.withheld or not entry.channel else _to(sent, entry.channel, went),
            result=_result(entry),
            evidence=_evidence(entry),
            code=entry.status_code or "",
            # A cancellation names the start that the patient knew, which may be an older one.
            told=notice.starts_at if notice and entry.about in ("reminder", "moved") else None,
        )


def _to(sent: Sent, channel: str | None, went: str | None) -> str:
    present = sent.email if channel == "email" else sent.phone
    if went == "present" and present:
        return present
    return OTHER_ADDRESS if went == "other" else UNKNOWN_ADDRESS


def _result(entry: Entry) -> str:
    if entry.withheld:
        return NOT_SENT
    if entry.type == "failed" and entry.category == "cancelled":
        return WITHDRAWN
    return _named(RESULTS, entry.type)


def _evidence(entry: Entry) -> str:
    if entry.withheld:
        return _named(WITHHELD, entry.withheld)
    match entry.type:
        case "delivered":
            known = EVIDENCE.get((entry.evidence or "", entry.channel or ""))
            return known or entry.evidence or ""
        case "unconfirmed":
            return UNCONFIRMED
        case "failed":
            return _failure(entry)
    return ""


def _failure(entry: Entry) -> str:
    if entry.evidence == "unsigned":
        return UNSIGNED
    # A gateway takes every SMS; that is no tick which was taken back.
    late = entry.late and entry.channel == "email"
    said = RETURNED if late else _named(CATEGORIES, entry.category)
    why = ""
    if entry.category not in ("technical", "cancelled"):
        why = _named(REASONS | (SMS_REASONS if entry.channel == "sms" else {}), entry.reason)
    return f"{said}: {why}." if why else f"{said}."


def _named(words: Mapping[str, str], code: str | None) -> str:
    return words.get(code, code) if code else ""


def by_id(timelines: Iterable[Timeline]) -> dict[UUID, Timeline]:
    """Timelines by their appointments."""
    return {each.appointment_id: each for each in timelines}
