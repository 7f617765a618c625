"""FHIR R4 as others read it: SMART's client, whose models are generated from FHIR 4.0.1."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from fhirclient.models import (
    appointment,
    bundle,
    capabilitystatement,
    communication,
    operationoutcome,
)

from tests.support import Json

MODELS: dict[str, Any] = {
    "Appointment": appointment.Appointment,
    "Bundle": bundle.Bundle,
    "CapabilityStatement": capabilitystatement.CapabilityStatement,
    "Communication": communication.Communication,
    "OperationOutcome": operationoutcome.OperationOutcome,
}

# The required bindings that are of use here (http://hl7.org/fhir/R4/terminologies.html).
STATUSES = {
    "Appointment": {
        *("proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow"),
        *("entered-in-error", "checked-in", "waitlist"),
    },
    "Communication": {
        *("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed"),
        *("entered-in-error", "unknown"),
    },
}
ISSUE_TYPES = {
    *("invalid", "structure", "required", "value", "invariant", "security", "login", "unknown"),
    *("expired", "forbidden", "suppressed", "processing", "not-supported", "duplicate"),
    *("multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension"),
    *("too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store"),
    *("exception", "timeout", "incomplete", "throttled", "informational"),
}

CONSENT = {"url": "urn:einladung:fhir:consent", "valueBoolean": True}


def valid(resource: Json) -> Json:
    """The resource, which FHIR has just so. Raises FHIRValidationError, AssertionError."""
    kind = resource["resourceType"]
    # Extensions of plain values, in `_start`, the models check and do not give back.
    assert MODELS[kind](resource, strict=True).as_json() == _without_extensions(resource)
    _nothing_is_empty(resource)
    if kind in STATUSES:
        assert resource["status"] in STATUSES[kind]
    if kind == "Appointment":
        assert ("start" in resource) is ("end" in resource)  # app-2
        assert "start" in resource or resource["status"] in {"proposed", "cancelled"}  # app-3
    if kind == "OperationOutcome":
        assert {issue["code"] for issue in resource["issue"]} <= ISSUE_TYPES
        severities = {issue["severity"] for issue in resource["issue"]}
        assert severities <= {"fatal", "error", "information"}
    for entry in resource.get("entry", []):
        valid(entry["resource"])
    for contained in resource.get("contained", []):
        # Whoever contains something refers to it, which contains nothing itself (dom-2, dom-3).
        assert f"'#{contained['id']}'" in repr(resource)
        assert "contained" not in contained
    return resource


def _without_extensions(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_extensions(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_extensions(each) for name, each in part.items() if name[0] != "_"}


def _nothing_is_empty(part: Any) -> None:
    """JSON in FHIR has no empty object, list or text (http://hl7.org/fhir/R4/json.html)."""
    assert part not in ({}, [], "", None)
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _nothing_is_empty(each)


def new_appointment(**changes: Any) -> Json:
    """As a clinic's system sends it, twenty minutes long; a change to None leaves something out."""
    resource = {
        "resourceType": "Appointment",
        "extension": [CONSENT],
        "contained": [patient()],
        "status": "booked",
        "start": "2026-12-01T14:30:00+01:00",
        "minutesDuration": 20,
        "participant": [{"actor": {"reference": "#p1"}, "status": "accepted"}],
    } | changes
    with suppress(TypeError, ValueError, OverflowError):
        end = datetime.fromisoformat(str(resource["start"])) + timedelta(minutes=20)
        resource.setdefault("end", end.isoformat())
    return {name: each for name, each in resource.items() if each is not None}


def patient(**changes: Any) -> Json:
    """The patient in it."""
    return {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Mustermann", "given": ["Erika"]}],
        "telecom": [{"system": "email", "value": "erika@example.org"}],
    } | changes
