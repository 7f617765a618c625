"""FHIR's Communication: one message over one channel, from the status API's timelines. Pure.

An attempt of an invitation, or a notice, is one resource for each channel. Its state is that of the
line with the highest sequence, as the indicator's is; a bounce that comes late changes it, and is a
new version, not a new resource. So does a correction of the address: of the present one nothing is
known, unless it is corrected back.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from services.fhir.appointment import instant, moment
from services.fhir.systems import (
    ADDRESS,
    CATEGORY,
    COMMUNICATION_CATEGORY,
    DELIVERY,
    EVIDENCE,
    KIND,
    PARTICIPATION_MODE,
    REASON,
    STATUS_CODE,
    WITHHELD,
    Json,
    Resource,
    coding,
)

MEDIA: dict[str, Resource] = {
    "email": {"coding": [coding(PARTICIPATION_MODE, "EMAILWRIT")], "text": "E-Mail"},
    "sms": {"text": "SMS"},  # FHIR R4's code system has none for it
}
CATEGORIES = {"reminder": "reminder"}  # of FHIR's; all else notifies
STATUSES = (
    "preparation",
    "in-progress",
    "completed",
    "stopped",
    "not-done",
    "unknown",
)
# From the most cautious on: of two lines that wrongly claim one place the first counts, as it does
# for the indicator.
_STATES = ("failed", "pending", "unconfirmed", "delivered", "requested")


def communications(timeline: Json) -> list[Resource]:
    """All messages of one appointment, the first one first."""
    messages: dict[str, list[Json]] = {}
    for line in timeline["timeline"]:
        if (key := _delivery(line)) is not None:
            messages.setdefault(key, []).append(line)
    corrected = _corrected(timeline["timeline"])
    return [
        _resource(timeline["appointment_id"], key, lines, corrected.get(key))
        for key, lines in messages.items()
    ]


def appointment_of(communication_id: str) -> UUID | None:
    """Whose message has this id; None for what is no id of ours."""
    try:
        return UUID(communication_id.partition(".")[0])
    except ValueError:
        return None


def _delivery(line: Json) -> str | None:
    """The part of the id that tells messages of one appointment apart; None: not a message.

    Of a notice's id, which would make it too long, the last group does.
    """
    if line["type"] not in _STATES or line["channel"] is None:
        return None
    which = line["attempt"] if line.get("notice_id") is None else line["notice_id"][-12:]
    return None if which is None else f"{which}.{line['channel']}"


def _corrected(lines: Sequence[Json]) -> dict[str, Json]:
    """By the same key: what says that this went to another address than there is now.

    Of the corrections since an attempt the one of the highest sequence counts; of two that wrongly
    claim one the later.
    """
    last: dict[int, Json] = {}
    for line in lines:
        if line["type"] == "corrected" and line.get("unsent") is not None:
            known = last.setdefault(line["attempt"], line)
            last[line["attempt"]] = max(known, line, key=_age)
    return {f"{at}.{each}": line for at, line in last.items() for each in line["unsent"]}


def _age(line: Json) -> tuple[int, datetime, list[str]]:
    return line["sequence"], moment(line["at"]), line["unsent"]


def _resource(
    appointment_id: str, key: str, lines: Sequence[Json], corrected: Json | None
) -> Resource:
    told = max(lines, key=_rank)
    # It failed where it went, which somebody has to know in any case; as the indicator has it.
    if told["type"] == "failed" and told["category"] != "cancelled":
        corrected = None
    about = told["about"]
    reference = {"reference": f"Appointment/{appointment_id}"}
    message: Resource = {
        "resourceType": "Communication",
        "id": f"{appointment_id}.{key}",
        "identifier": [{"system": DELIVERY, "value": _identifier(appointment_id, told)}],
        "basedOn": [reference],
        "status": status(lines, told) if corrected is None else "unknown",
        "category": [
            {
                "coding": [
                    coding(COMMUNICATION_CATEGORY, CATEGORIES.get(about, "notification")),
                    coding(KIND, about),
                ]
            }
        ],
        "medium": [MEDIA.get(told["channel"], {"text": told["channel"]})],
        "about": [reference],
    }
    changed = [] if corrected is None else [coding(ADDRESS, "changed")]
    if why := [*changed, *_reasons(told)]:
        message["statusReason"] = {"coding": why}
    arrived = [line for line in lines if line["type"] == "delivered"]
    if arrived:
        message["sent"] = instant(min(moment(each["at"]) for each in arrived))
    if corrected is None and told["type"] == "delivered" and told["evidence"] == "confirmed":
        message["received"] = instant(moment(told["at"]))
    last = max(moment(line["at"]) for line in (*lines, *([corrected] if corrected else [])))
    return message | {"meta": {"versionId": _version(message), "lastUpdated": instant(last)}}


def _rank(line: Json) -> tuple[int, int]:
    """Which line counts, in whichever order they stand."""
    return line.get("sequence") or 0, -_STATES.index(line["type"])


def _identifier(appointment_id: str, told: Json) -> str:
    which = told["notice_id"] or f"{appointment_id}/{told['attempt']}"
    return f"{which}/{told['channel']}"


def status(lines: Sequence[Json], told: Json) -> str:
    """FHIR's word for what became of a message (http://hl7.org/fhir/R4/valueset-event-status.html).

    It is being prepared until something was tried: also while it waits for the morning.
    """
    match told["type"]:
        case "delivered":
            return "completed"
        case "failed":
            return "not-done" if told["category"] == "cancelled" else "stopped"
        case "unconfirmed":
            return "unknown"
    pending = [line for line in lines if line["type"] == "pending"]
    tried = len(pending) > 1 and told.get("waits_until") is None
    return "in-progress" if tried else "preparation"


def _reasons(told: Json) -> Iterator[Resource]:
    """Why it is so; each in its own system."""
    for system, member in (
        (CATEGORY, "category"),
        (REASON, "reason"),
        (STATUS_CODE, "status_code"),
        (WITHHELD, "withheld"),
        (EVIDENCE, "evidence"),
    ):
        if told.get(member) is not None:
            yield coding(system, told[member])


def _version(message: Resource) -> str:
    """Of just this content: nobody keeps versions here."""
    text = json.dumps(message, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
