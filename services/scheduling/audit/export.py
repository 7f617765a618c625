"""The audit log as CSV (RFC 4180), in German, for whoever has to keep or to show it."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from chassis import spreadsheets
from services.scheduling.audit.entry import Action, AuditEntry
from services.scheduling.audit.proving import STANDS, Standing

NUMBER, DIGEST = "Nummer", "Prüfsumme"
HEADER = (
    *("Zeit", "Wer", "Kennung", "Name", "Rollen", "Was", "Termine", "Geändert", "Vorgang"),
    *(NUMBER, DIGEST, "Belegt"),
)
KINDS = {"person": "Person", "api_key": "API-Schlüssel", "operator": "Betreiber"}
ROLES = {
    "practitioner": "Behandlung",
    "assistant": "Assistenz",
    "appointment_admin": "Terminverwaltung",
}
ACTIONS: dict[str, str] = {
    Action.CREATED: "Termin erstellt",
    Action.RESCHEDULED: "Termin verschoben oder Dauer geändert",
    Action.CORRECTED: "Angaben geändert, ohne zu senden",
    Action.RESENT: "Einladung erneut gesendet",
    Action.DELETED: "Termin gelöscht",
    Action.ERASED: "Daten gelöscht",
    Action.FOLLOWED_UP: "als erledigt markiert",
    Action.SENT_NOW: "SMS sofort senden lassen",
    Action.READ: "Kontaktdaten gelesen",
    Action.LINK_READ: "Link des Patienten gelesen",
    Action.VISIT_STARTED: "Videosprechstunde gestartet",
    Action.EXPORTED: "Protokoll exportiert",
    Action.PROOF_EXPORTED: "Zustellnachweis exportiert",
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
    "external_reference": "Referenz des Termins",
    "patient_reference": "Referenz des Patienten",
    "practitioner_reference": "Referenz der behandelnden Person",
    "location_reference": "Referenz des Ortes",
    "name": "Absendername",
    "time_zone": "Zeitzone",
    "tariff": "Tarif",
    "language": "Sprache",
    "reply_address": "Antwortadresse",
    "postal_address": "Anschrift",
    "asks_for_answer": "Antworten aus Kalendern",
    "quiet_hours": "Nachtruhe der SMS",
    "daily_mail_address": "Adresse der täglichen E-Mail",
    "daily_mail_hour": "Stunde der täglichen E-Mail",
    "daily_messages": "Nachrichten je Tag",
    "daily_sms_per_country": "SMS je Land und Tag",
    "sms_countries": "Länder für SMS",
    "reminders": "Erinnerungen",
    "retention_days": "Aufbewahrung",
}
LABELS = {"kinds": KINDS, "roles": ROLES, "actions": ACTIONS, "fields": FIELDS}


def head() -> str:
    """What the file begins with."""
    return spreadsheets.head(HEADER)


def lines(entries: Iterable[tuple[AuditEntry, Standing]], zone: ZoneInfo) -> str:
    """A line per entry and what its proof is worth, times on the practice's clock with offset."""
    return spreadsheets.lines(_cells(entry, standing, zone) for entry, standing in entries)


def _cells(entry: AuditEntry, standing: Standing, zone: ZoneInfo) -> tuple[str, ...]:
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
        _proven(standing),
    )


def _proven(standing: Standing) -> str:
    if standing is Standing.KEY_RETIRED:
        return "nicht mehr prüfbar"
    return "ja" if standing in STANDS else "nein"
