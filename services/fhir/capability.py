"""What this server can do, as FHIR's CapabilityStatement. Pure."""

from collections.abc import Mapping

from services.fhir.systems import FHIR_VERSION, MEDIA_TYPE, Resource

SINCE = "2026-11-28"  # of the last change here

SEARCHES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Appointment": {
        "_id": ("token", "Up to 100, with commas."),
        "identifier": ("token", "As in Appointment.identifier: ours, or one other system's."),
        "patient.identifier": ("token", "As in the contained Patient.identifier."),
        "practitioner:identifier": ("token", "As in its participant's identifier."),
        "location:identifier": ("token", "As in its participant's identifier."),
        "date": ("date", "Of the start; needs a beginning. Every prefix but ap; repeats narrow."),
        "_lastUpdated": (
            "date",
            "ge or gt with an instant: what changed since, deleted ones as cancelled, in the order "
            "in which it did. Alone, or beside status.",
        ),
        "status": ("token", "booked or cancelled; beside one of the others."),
    },
    "Communication": {
        "_id": ("token", "Up to 100, with commas."),
        "based-on": ("reference", "Up to 100 appointments, with commas."),
        "status": ("token", "Beside one of the others."),
    },
}
SECURITY = (
    "A bearer token in each request: of the installation's identity provider, or exchanged for an "
    "API key at the scheduling service (POST /v1/tokens, client credentials of OAuth 2.0). The "
    "rights are those of its API: appointments:read, appointments:write, appointments:cancel, "
    "status:read."
)
INTERACTIONS = {
    "Appointment": {
        "read": "A cancelled one only while the patient may still have to be told.",
        "search-type": "By _id, an identifier or date, or what changed (_lastUpdated).",
        "create": "Invites the patient. Idempotency-Key, or If-None-Exist with the identifier of "
        "urn:einladung:external-reference, makes it safe to repeat.",
        "update": "To cancel, and nothing else: status cancelled. If-Match is heeded.",
        "patch": "JSON Patch that sets the status to cancelled, likewise.",
    },
    "Communication": {"read": "One message.", "search-type": "By _id or based-on."},
}


def statement(base: str) -> Resource:
    """The statement of the server whose resources are below `base`."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "software": {"name": "Einladung"},
        "implementation": {
            "description": "Video visits, and what became of each invitation.",
            "url": base,
        },
        "fhirVersion": FHIR_VERSION,
        "format": [MEDIA_TYPE, "json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": SECURITY},
                "resource": [_resource(kind) for kind in SEARCHES],
            }
        ],
    }


def _resource(kind: str) -> Resource:
    return {
        "type": kind,
        "interaction": [
            {"code": code, "documentation": told} for code, told in INTERACTIONS[kind].items()
        ],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": kind == "Appointment",
        "conditionalRead": "not-match",
        "searchParam": [
            {"name": name, "type": type_, "documentation": told}
            for name, (type_, told) in SEARCHES[kind].items()
        ],
    }
