"""Problems (RFC 9457) as FHIR's OperationOutcome: the last thing that happens to an answer.

What can go wrong is said in one way by all services; here it only gets the form that FHIR wants.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.fhir.systems import FAULT, GONE, MEDIA_TYPE, PROBLEM, Json, Resource, coding

PROBLEM_TYPE = b"application/problem+json"

# http://hl7.org/fhir/R4/valueset-issue-type.html
CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    431: "too-long",
    502: "transient",
    503: "transient",
}
# Of one field: what is missing is required; the rest has a wrong value.
MISSING = {"missing", "consent_required", "no_channel"}

# Where the fields of the scheduling API come from.
ELEMENTS = {
    "patient_name": "Appointment.contained[0].name",
    "email": "Appointment.contained[0].telecom",
    "phone": "Appointment.contained[0].telecom",
    "channels": "Appointment.contained[0].telecom",
    "locale": "Appointment.contained[0].communication",
    "date": "Appointment.start",
    "time": "Appointment.start",
    "utc_offset": "Appointment.start",
    "duration_minutes": "Appointment.minutesDuration",
    "consent": "Appointment.extension",
    "external_reference": "Appointment.identifier",
    "patient_reference": "Appointment.contained[0].identifier",
    "practitioner_reference": "Appointment.participant",
    "location_reference": "Appointment.participant",
}


def outcome(problem: Json, status: int) -> Resource:
    """The OperationOutcome of a problem, whatever the problem's body holds."""
    faults = problem.get("errors")
    issues = [
        _of_field(each, status)
        for each in (faults if isinstance(faults, list) else [])
        if isinstance(each, dict)
    ]
    return {"resourceType": "OperationOutcome", "issue": issues or [_of_all(problem, status)]}


def of_erased(appointment_ids: Sequence[str]) -> Resource | None:
    """What tells, beside what a search has found, that of these nothing is known any more.

    They are no appointments to FHIR: the visit may have taken place or not, and none of its states
    says that.
    """
    issues = [
        {
            "severity": "information",
            "code": "deleted",
            "details": {"coding": [coding(GONE, "erased")]},
            "diagnostics": f"Appointment/{each}",
        }
        for each in appointment_ids
    ]
    return {"resourceType": "OperationOutcome", "issue": issues} if issues else None


def _of_all(problem: Json, status: int) -> Resource:
    issue: Resource = {
        "severity": "fatal" if status == 500 else "error",
        "code": CODES.get(status, "exception"),
    }
    details: Resource = {}
    if name := _name(problem):
        details["coding"] = [coding(PROBLEM, name)]
    if title := _text(problem.get("title")):
        details["text"] = title
    if details:
        issue["details"] = details
    if detail := _text(problem.get("detail")):
        issue["diagnostics"] = detail
    return issue


def _of_field(fault: Json, status: int) -> Resource:
    code = _text(fault.get("code")) or "invalid"
    issue: Resource = {
        "severity": "error",
        "code": "required" if code in MISSING else "value" if status == 422 else "invalid",
        "details": {"coding": [coding(FAULT, code)]},
    }
    if message := _text(fault.get("message")):
        issue["details"]["text"] = message
    if field := _text(fault.get("field")):
        if expression := _expression(field):
            issue["expression"] = [expression]
        issue["diagnostics"] = field
    return issue


def _expression(field: str) -> str | None:
    """FHIRPath to what is wrong: of a field of the API, or a place in the resource itself."""
    if field in ELEMENTS:
        return ELEMENTS[field]
    if not field.startswith("Appointment."):
        return None  # a parameter or a header
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", field)


def _name(problem: Json) -> str | None:
    """The problem's name: `code`, or of one that is none of ours the end of its type, a URI."""
    if code := _text(problem.get("code")):
        return code
    type_ = _text(problem.get("type"))
    return re.split(r"[/#:]", type_.rstrip("/"))[-1] or None if type_ else None


def _text(found: object) -> str | None:
    """What FHIR takes as a string: not empty, and not of space alone."""
    return found if isinstance(found, str) and found.strip() else None


class Outcomes:
    """Gives every problem that leaves the service the form of an OperationOutcome (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        start: Message | None = None
        body = b""

        async def translated(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body", False):
                return
            status = start["status"]
            content = _rewritten(body, status)
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["Content-Type"] = MEDIA_TYPE
            headers["Content-Length"] = str(len(content))
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, translated)


def _is_problem(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(PROBLEM_TYPE)
        for name, value in _headers(start)
    )


def _headers(start: Message) -> Iterator[tuple[bytes, bytes]]:
    yield from start.get("headers", ())


def _rewritten(body: bytes, status: int) -> bytes:
    try:
        problem: Any = json.loads(body)
    except ValueError:
        problem = {}
    found = outcome(problem if isinstance(problem, dict) else {}, status)
    return json.dumps(found, ensure_ascii=False).encode()
