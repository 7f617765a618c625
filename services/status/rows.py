"""Facts as rows of the table of events, and back. No I/O."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from contracts.channels import Channel
from contracts.events import (
    Answer,
    Evidence,
    FailureCategory,
    FailureEvidence,
    FailureReason,
    NoticeKind,
    VisitRole,
    Withheld,
)
from services.status.facts import (
    Answered,
    AnyEvidence,
    Corrected,
    Deleted,
    Erased,
    Fact,
    FollowedUp,
    Issued,
    Joined,
    Notice,
    Outcome,
    Scheduled,
    State,
)

Row = Mapping[str, Any]

NOTICE = "notice_"  # before the state in the kind of a notice's outcome
BARE: Row = {"attempt": 0, "channels": [], "sequence": 0, "late": False}


def columns(fact: Fact) -> dict[str, Any]:
    """A fact's columns, as JSON has them; those that it has nothing for are left out."""
    said: dict[str, Any]
    match fact:
        case Scheduled():
            said = {
                "kind": "scheduled",
                "version": fact.version,
                "starts_at": fact.start.isoformat(),
                "duration_minutes": fact.duration_minutes,
            }
        case Issued():
            said = {
                "kind": "issued",
                "version": fact.version,
                "attempt": fact.attempt,
                "channels": sorted(fact.channels),
            }
        case Corrected():
            said = {
                "kind": "corrected",
                "version": fact.version,
                "attempt": fact.attempt,
                "channels": sorted(fact.unsent),
            }
        case Outcome():
            said = {"kind": fact.state.value, "attempt": fact.attempt, **_told(fact)}
        case Notice():
            said = {
                "kind": NOTICE + fact.state.value,
                "version": fact.version,
                "notice_id": str(fact.notice_id),
                "notice_kind": fact.kind,
                "withheld": fact.withheld,
                **_told(fact),
            }
        case Answered():
            said = {"kind": "answered", "version": fact.version, "answer": fact.answer}
        case FollowedUp():
            said = {"kind": "followed_up", "causes": sorted(map(str, fact.causes))}
        case Joined():
            said = {"kind": "joined", "role": fact.role}
        case Deleted():
            said = {"kind": "erased" if isinstance(fact, Erased) else "deleted"}
    return {**BARE, **said, "occurred_at": fact.at.isoformat()}


def fact(row: Row | asyncpg.Record) -> Fact:
    """The fact that a row holds."""
    at = row["occurred_at"]
    found: Fact
    match row["kind"]:
        case "scheduled":
            found = Scheduled(row["version"], row["starts_at"], row["duration_minutes"], at)
        case "issued":
            channels = frozenset(map(Channel, row["channels"]))
            found = Issued(row["attempt"], channels, at, row["version"])
        case "corrected":
            channels = frozenset(map(Channel, row["channels"]))
            found = Corrected(row["version"], row["attempt"], channels, at)
        case "answered":
            found = Answered(row["version"], Answer(row["answer"]), at)
        case "followed_up":
            found = FollowedUp(frozenset(row["causes"]), at)
        case "joined":
            found = Joined(VisitRole(row["role"]), at)
        case "erased":
            found = Erased(at)
        case "deleted":
            found = Deleted(at)
        case str(kind) if kind.startswith(NOTICE):
            found = Notice(
                notice_id=row["notice_id"],
                kind=NoticeKind(row["notice_kind"]),
                version=row["version"],
                state=State(kind.removeprefix(NOTICE)),
                withheld=None if row["withheld"] is None else Withheld(row["withheld"]),
                **_as_told(row),
            )
        case kind:
            found = Outcome(attempt=row["attempt"], state=State(kind), **_as_told(row))
    return found


def _told(fact: Outcome | Notice) -> dict[str, Any]:
    return {
        "channels": [fact.channel],
        "sequence": fact.sequence,
        "evidence": fact.evidence,
        "category": fact.category,
        "reason": fact.reason,
        "status_code": fact.status_code,
        "late": fact.late,
        "waits_until": fact.waits_until and fact.waits_until.isoformat(),
    }


def _as_told(row: Row | asyncpg.Record) -> dict[str, Any]:
    return {
        "channel": Channel(row["channels"][0]),
        "sequence": row["sequence"],
        "at": row["occurred_at"],
        "evidence": _evidence(row["evidence"]),
        "category": None if row["category"] is None else FailureCategory(row["category"]),
        "reason": None if row["reason"] is None else FailureReason(row["reason"]),
        "status_code": row["status_code"],
        "late": row["late"],
        "waits_until": row["waits_until"],
    }


def _evidence(stored: str | None) -> AnyEvidence | None:
    if stored is None:
        return None
    return FailureEvidence(stored) if stored in [*FailureEvidence] else Evidence(stored)
