"""The audit log as CSV (RFC 4180), in German, for whoever has to keep or to show it."""

import csv
import io
import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from services.scheduling.audit.entry import Action, AuditEntry

NUMBER, DIGEST = "Nummer", "Prüfsumme"
HEADER = (
    *("Zeit", "Wer", "Kennung", "Name", "Rollen", "Was", "Termine", "Geändert", "Vorgang"),
    *(NUMBER, DIGEST),
)
SEPARATOR = ";"
BYTE_ORDER_MARK = "\ufeff"  # or Excel takes UTF-8 for something else
KINDS = {"person": "Person", "api_key": "API-Schlüssel", "operator": "Betreiber"}
ROLES = {
    "practitioner": "Behandlung",
    "assistant": "Assistenz",
    "appointment_admin": "Terminverwaltung",
}
ACTIONS: dict[str, str] = {
    Action.CREATED: "Termin erstellt",
    Action.RESCHEDULED: "Termin verschoben oder Dauer geändert",
    Action.RESENT: "Einladung erneut gesendet",
    Action.DELETED: "Termin gelöscht",
    Action.ERASED: "Daten gelöscht",
    Action.FOLLOWED_UP: "als erledigt markiert",
    Action.READ: "Kontaktdaten gelesen",
    Action.VISIT_STARTED: "Videosprechstunde gestartet",
    Action.EXPORTED: "Protokoll exportiert",
    Action.PRACTICE_CHANGED: "Praxis geändert",
    Action.KEY_CREATED: "API-Schlüssel erstellt",
    Action.KEY_REVOKED: "API-Schlüssel widerrufen",
    Action.OPERATOR_KEY_CREATED: "Betreiberschlüssel erstellt",
    Action.OPERATOR_KEY_REVOKED: "Betreiberschlüssel widerrufen",
}
FIELDS = {
    "starts_at": "Beginn",
    "duration_minutes": "Dauer",
    "patient_name": "Vorname Nachname",
    "channels": "Kanäle",
    "email": "E-Mail-Adresse",
    "phone": "Telefonnummer",
    "name": "Absendername",
    "time_zone": "Zeitzone",
    "tariff": "Tarif",
    "language": "Sprache",
    "reply_address": "Antwortadresse",
    "postal_address": "Anschrift",
    "asks_for_answer": "Antworten aus Kalendern",
    "daily_messages": "Nachrichten je Tag",
    "daily_sms_per_country": "SMS je Land und Tag",
    "sms_countries": "Länder für SMS",
    "reminders": "Erinnerungen",
    "retention_days": "Aufbewahrung",
}
LABELS = {"kinds": KINDS, "roles": ROLES, "actions": ACTIONS, "fields": FIELDS}

# What a formula begins with, in every width; spreadsheets skip blanks and signs that can't be seen.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
_SKIPPED = r"\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
# A spreadsheet of another country takes another separator, and quotes there as they come.
_SEPARATORS = ';,|:"\t\r\n\v\f\x85\u2028\u2029'
# Begins nowhere but at the start of a run, and gives nothing back: linear.
_MAYBE_FORMULA = re.compile(
    rf"(?<![{_SKIPPED}{_SEPARATORS}])([{_SKIPPED}{_SEPARATORS}]*+)([{_SIGNS}])"
)


def head() -> str:
    """What the file begins with."""
    return BYTE_ORDER_MARK + _lines([HEADER])


def lines(entries: Iterable[AuditEntry], zone: ZoneInfo) -> str:
    """A line per entry, times on the practice's clock with their offset."""
    return _lines(_cells(entry, zone) for entry in entries)


def harmless(text: str) -> str:
    """A cell of which no spreadsheet takes a part for a formula, however it separates cells."""

    def marked(found: re.Match[str]) -> str:
        skipped, sign = found.groups()
        begins_a_cell = found.start() == 0 or any(each in _SEPARATORS for each in skipped)
        return f"{skipped}'{sign}" if begins_a_cell else found[0]

    return _MAYBE_FORMULA.sub(marked, text)


def _cells(entry: AuditEntry, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        entry.at.astimezone(zone).isoformat(timespec="seconds"),
        KINDS.get(entry.actor_kind, entry.actor_kind),
        entry.actor_id,
        entry.actor_name or "",
        ", ".join(ROLES.get(role, role) for role in entry.actor_roles),
        ACTIONS.get(entry.action, entry.action),
        " ".join(str(each) for each in entry.appointment_ids),
        ", ".join(FIELDS.get(name, name) for name in entry.changed),
        entry.trace_id or "",
        "" if entry.number is None else str(entry.number),
        entry.digest.hex() if entry.digest else "",
    )


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=SEPARATOR, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()
