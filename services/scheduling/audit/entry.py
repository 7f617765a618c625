"""The audit log: who did what with which appointment. Ids only, never a patient's name or address.

Pure: no I/O. A deed is entered in the transaction of what it tells of (`store`), so neither is
there without the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.auth import Caller
from chassis.tracing import trace_id
from contracts.events import References
from services.scheduling.appointments import Appointment

OPERATOR = "operator"


class Action(StrEnum):
    """What was done."""

    CREATED = "appointment_created"
    RESCHEDULED = "appointment_rescheduled"
    CORRECTED = "appointment_corrected"
    RESENT = "invitation_resent"
    DELETED = "appointment_deleted"
    ERASED = "appointment_erased"
    FOLLOWED_UP = "appointment_followed_up"
    SENT_NOW = "sms_sent_now"
    READ = "contact_data_read"
    LINK_READ = "patient_link_read"
    VISIT_STARTED = "visit_started"
    EXPORTED = "audit_exported"
    PROOF_EXPORTED = "proof_exported"
    PRACTICE_CHANGED = "practice_changed"
    KEY_CREATED = "api_key_created"
    KEY_REVOKED = "api_key_revoked"
    OPERATOR_KEY_CREATED = "operator_key_created"
    OPERATOR_KEY_REVOKED = "operator_key_revoked"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who: a person or an API key as its token says, or an operator."""

    kind: str
    id: str
    name: str | None = None
    roles: Sequence[str] = ()


# Somebody at the command line, as the owner of the database: the database lets nobody else say so.
COMMAND_LINE = Actor(OPERATOR, "operator:cli")


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does. When it was, and which entry it becomes, the database alone says.

    Without a practice it is of the installation. `changed` names fields, a key, or the days that an
    export is of, never a patient's value.
    """

    actor: Actor
    action: str
    practice_id: UUID | None
    appointment_ids: Sequence[UUID]
    changed: Sequence[str]
    trace_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A deed as it was entered. `number` and `digest` are there once it is sealed (`chain`).

    `proof` says that a process with the key has entered it (`proving`).
    """

    id: UUID
    practice_id: UUID | None
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str | None
    actor_roles: Sequence[str]
    action: str
    appointment_ids: Sequence[UUID]
    changed: Sequence[str]
    trace_id: str | None
    proof: bytes | None = None
    number: int | None = None
    digest: bytes | None = None

    @property
    def deed(self) -> Deed:
        """What was entered."""
        actor = Actor(self.actor_kind, self.actor_id, self.actor_name, self.actor_roles)
        return Deed(
            actor,
            self.action,
            self.practice_id,
            self.appointment_ids,
            self.changed,
            self.trace_id,
        )


def deed(
    caller: Caller, action: Action, *appointment_ids: UUID, changed: Sequence[str] = ()
) -> Deed:
    """That `caller` did this."""
    actor = Actor(caller.kind, caller.subject, caller.name, caller.roles)
    return Deed(actor, action, caller.practice_id, appointment_ids, changed, trace_id())


def operator_deed(
    operator: Actor, practice_id: UUID | None, action: Action, *, changed: Sequence[str] = ()
) -> Deed:
    """That the operator did this to a practice, or to the installation."""
    return Deed(operator, action, practice_id, (), changed, trace_id())


# What a practice can change of an appointment, and what the log calls it.
_FIELDS = {
    "starts_at": "starts_at",
    "duration_minutes": "duration_minutes",
    "patient_name": "patient_name",
    "channels": "channels",
    "email": "email",
    "phone": "phone",
    "locale": "language",  # as a practice's own is called
}


def changes(before: Appointment, after: Appointment) -> list[str]:
    """The names of the fields that differ, of those that a practice can change."""
    fields = [
        called
        for field, called in _FIELDS.items()
        if getattr(before, field) != getattr(after, field)
    ]
    references = [
        name
        for name in References.model_fields
        if getattr(before.references, name) != getattr(after.references, name)
    ]
    return fields + references
