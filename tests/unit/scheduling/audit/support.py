"""A deed, keys to prove it by, and the entry that it becomes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from services.scheduling.audit.entry import Actor, AuditEntry, Deed
from services.scheduling.audit.proving import Prover

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
DEED = Deed(
    Actor("person", "auth0|7", "Änne", ("assistant",)),
    "appointment_created",
    UUID(int=7),
    [UUID(int=9), UUID(int=8)],
    ["email"],
    "0" * 32,
)
OLD, NEW, OTHER = bytes(32), b"n" * 32, b"o" * 32


def prover(ring: Mapping[int, bytes] | None = None, now: datetime = NOW) -> Prover:
    return Prover(ring or {1: OLD}, lambda: now)


def entered(deed: Deed, proof: bytes | None, at: datetime = NOW) -> AuditEntry:
    return AuditEntry(
        id=UUID(int=1),
        practice_id=deed.practice_id,
        at=at,
        actor_kind=deed.actor.kind,
        actor_id=deed.actor.id,
        actor_name=deed.actor.name,
        actor_roles=list(deed.actor.roles),  # as the database gives it
        action=deed.action,
        appointment_ids=list(deed.appointment_ids),
        changed=list(deed.changed),
        trace_id=deed.trace_id,
        proof=proof,
    )
