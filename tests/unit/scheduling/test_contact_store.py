"""What is opened of a patient is nobody's but the caller's."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.sealing import Sealer
from services.scheduling import contact_store

AT = datetime(2026, 11, 28, 9, tzinfo=UTC)
PRACTICE, APPOINTMENT = UUID(int=1), UUID(int=2)


def test_no_parser_keeps_a_name_that_was_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a text that is kept the same object would come again."""
    opened: list[str] = []

    def take(name: str) -> str:
        opened.append(name)
        return name

    monkeypatch.setattr(contact_store, "folded", take)
    sealer = Sealer({1: bytes(32)})
    content = b'{"patient_name": "Erika Mustermann", "email": "erika@example.org", "phone": null}'
    bound_to = (contact_store.COLUMN, PRACTICE, APPOINTMENT)
    row: Any = (APPOINTMENT, AT, sealer.seal(content, bound_to))
    for _ in range(2):
        contact_store.names(sealer, PRACTICE, [row])
    one, other = opened
    assert one == other == "Erika Mustermann"
    assert one is not other
