"""The URIs that tell whose words and numbers stand in a resource, ours and others'."""

from collections.abc import Mapping
from typing import Any

FHIR_VERSION = "4.0.1"
MEDIA_TYPE = "application/fhir+json"

APPOINTMENT = "urn:einladung:appointment"  # our id of it
# What other systems call it, its patient and who else takes part.
EXTERNAL_REFERENCE = "urn:einladung:external-reference"
PATIENT_REFERENCE = "urn:einladung:patient-reference"
PRACTITIONER_REFERENCE = "urn:einladung:practitioner-reference"
LOCATION_REFERENCE = "urn:einladung:location-reference"
GONE = "urn:einladung:gone"  # erased: nothing is known of it here any more
DELIVERY = "urn:einladung:delivery"  # an invitation's attempt, or a notice, over one channel
KIND = "urn:einladung:message-kind"  # invitation, reminder, moved, cancelled
PROBLEM = "urn:einladung:problem"  # as the APIs name what stands against a request
FAULT = "urn:einladung:fault"  # likewise of one field
CATEGORY = "urn:einladung:failure-category"
REASON = "urn:einladung:failure-reason"
EVIDENCE = "urn:einladung:evidence"
WITHHELD = "urn:einladung:withheld"
ADDRESS = "urn:einladung:address"  # changed: it went to another one than there is
STATUS_CODE = "urn:ietf:rfc:3463"
LANGUAGE = "urn:ietf:bcp:47"

# Extensions of an appointment.
CONSENT = "urn:einladung:fhir:consent"
CHANNEL = "urn:einladung:fhir:channel"
TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTICIPATION_MODE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
COMMUNICATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"

Json = Mapping[str, Any]  # as an API has answered
Resource = dict[str, Any]  # as FHIR has it


def coding(system: str, code: str) -> Resource:
    """A Coding."""
    return {"system": system, "code": code}


def etag(resource: Json) -> str | None:
    """The weak ETag that FHIR makes of a version, if the resource has one."""
    version = resource.get("meta", {}).get("versionId")
    return None if version is None else f'W/"{version}"'
