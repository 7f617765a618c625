"""The audit log: who did what with which appointment. Ids only, never a patient's name or address.

Pure: no I/O. An entry is stored in the transaction of what it tells of (`store`), so neither is
there without the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.auth import Caller
from chassis.tracing import trace_id
from services.scheduling.appointments import Appointment

OPERATOR = "operator"  # somebody at the command line, as the owner of the database


class Action(StrEnum):
    """What was done."""

    CREATED = "appointment_created"
    RESCHEDULED = "appointment_rescheduled"
    RESENT = "invitation_resent"
    DELETED = "appointment_deleted"
    ERASED = "appointment_erased"
    READ = "contact_data_read"
    VISIT_STARTED = "visit_started"
    EXPORTED = "audit_exported"
    PRACTICE_CHANGED = "practice_changed"
    KEY_CREATED = "api_key_created"
    KEY_REVOKED = "api_key_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry; `changed` names fields or the API key, never a field's value."""

    id: UUID
    practice_id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str | None
    actor_roles: Sequence[str]
    action: str
    appointment_ids: Sequence[UUID]
    changed: Sequence[str]
    trace_id: str | None


def entry(
    caller: Caller,
    action: Action,
    now: datetime,
    *appointment_ids: UUID,
    changed: Sequence[str] = (),
) -> AuditEntry:
    """That `caller` did this."""
    return AuditEntry(
        id=uuid7(),
        practice_id=caller.practice_id,
        at=now,
        actor_kind=caller.kind,
        actor_id=caller.subject,
        actor_name=caller.name,
        actor_roles=caller.roles,
        action=action,
        appointment_ids=appointment_ids,
        changed=changed,
        trace_id=trace_id(),
    )


def operator_entry(
    practice_id: UUID, action: Action, now: datetime, *, changed: Sequence[str] = ()
) -> AuditEntry:
    """That the operator did this to a practice."""
    return AuditEntry(
        id=uuid7(),
        practice_id=practice_id,
        at=now,
        actor_kind=OPERATOR,
        actor_id=OPERATOR,
        actor_name=None,
        actor_roles=(),
        action=action,
        appointment_ids=(),
        changed=changed,
        trace_id=trace_id(),
    )


def changes(before: Appointment, after: Appointment) -> list[str]:
    """The names of the fields that differ, of those that a practice can change."""
    fields = ("starts_at", "duration_minutes", "channels", "email", "phone")
    return [name for name in fields if getattr(before, name) != getattr(after, name)]
