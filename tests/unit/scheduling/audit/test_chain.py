"""A change to any entry, or to their order or number, shows in the chain."""

import dataclasses
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.audit import chain, export
from services.scheduling.audit.chain import Place
from services.scheduling.audit.entry import AuditEntry
from services.scheduling.audit.proving import Standing

PRACTICE = UUID(int=7)
BEGIN = Place(PRACTICE, 0, bytes(32))
FIELDS = [each.name for each in dataclasses.fields(AuditEntry) if each.name != "digest"]


def sealed(many: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    previous = BEGIN.digest
    for number in range(1, many + 1):
        entry = AuditEntry(
            id=UUID(int=number),
            practice_id=PRACTICE,
            at=datetime(2026, 11, 28, tzinfo=UTC) + timedelta(microseconds=number),
            actor_kind="person",
            actor_id="auth0|7",
            actor_name=None,
            actor_roles=["assistant"],
            action="appointment_created",
            appointment_ids=[UUID(int=9)],
            changed=[],
            trace_id=None,
            number=number,
        )
        previous = chain.digest(previous, number, entry)
        entries.append(dataclasses.replace(entry, digest=previous))
    return entries


def fault(entries: Sequence[AuditEntry], head: Place) -> str | None:
    check = chain.Check(BEGIN)
    for entry in entries:
        check.follow(entry)
    check.finish(head)
    return check.fault


def head_of(entries: Sequence[AuditEntry]) -> Place:
    last = entries[-1]
    assert last.number is not None
    assert last.digest is not None
    return Place(PRACTICE, last.number, last.digest)


def test_a_whole_chain_has_no_fault() -> None:
    entries = sealed(5)
    assert fault(entries, head_of(entries)) is None
    assert fault([], BEGIN) is None


OTHER: dict[str, Any] = {
    "id": UUID(int=99),
    "practice_id": None,
    "at": datetime(2026, 11, 27, tzinfo=UTC),
    "actor_kind": "api_key",
    "actor_id": "x",
    "actor_name": "x",
    "actor_roles": [],
    "action": "appointment_deleted",
    "appointment_ids": [],
    "changed": ["email"],
    "trace_id": "0" * 32,
    "proof": b"x",
    "number": 9,
}


@pytest.mark.parametrize("field", FIELDS)
def test_another_value_in_any_field_shows(field: str) -> None:
    entries = sealed(5)
    head = head_of(entries)
    entries[2] = dataclasses.replace(entries[2], **{field: OTHER[field]})
    assert fault(entries, head) in {"entry 3 was changed", "entry 3 is missing"}


def test_what_is_left_out_or_cut_off_shows() -> None:
    entries = sealed(5)
    head = head_of(entries)
    assert fault(entries[:2] + entries[3:], head) == "entry 3 is missing"
    assert fault(entries[1:], head) == "entry 1 is missing"
    assert fault(entries[:4], head) == "it ends with entry 4 instead of 5"
    assert fault([entries[1], entries[0], *entries[2:]], head) == "entry 1 is missing"


def test_what_was_printed_and_what_was_exported_is_read_again() -> None:
    entries = sealed(3)
    places = [Place(PRACTICE, each.number or 0, each.digest or b"") for each in entries]
    printed = [*map(str, places), "", "The audit log was changed:", "a b c"]
    assert list(chain.kept_heads(printed)) == places
    unsealed = dataclasses.replace(entries[0], number=None, digest=None)
    exported = (
        export.head()
        + export.lines([(each, Standing.PROVEN) for each in [*entries, unsealed]], ZoneInfo("UTC"))
    ).lstrip("\ufeff")
    assert list(chain.exported_places(io.StringIO(exported), PRACTICE)) == places
    with pytest.raises(ValueError, match="no exported audit log"):
        list(chain.exported_places(["a;b\n", "1;2\n"], PRACTICE))
