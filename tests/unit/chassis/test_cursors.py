"""A cursor leads back to its place, and what is none is refused."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import cursors


@given(st.none() | st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_there_and_back(starts_at: datetime | None, appointment_id: UUID) -> None:
    assert cursors.unpack(cursors.pack(starts_at, appointment_id)) == (starts_at, appointment_id)


def test_it_stays_as_it_was_handed_out() -> None:
    handed_out = cursors.pack(datetime(2026, 12, 1, 9, 30, tzinfo=UTC), UUID(int=1))
    assert handed_out == "AAZhjyuaFgAAAAAAAAAAAAAAAAAAAAAB"
    assert cursors.pack(None, UUID(int=1)) == "f_________8AAAAAAAAAAAAAAAAAAAAB"


@pytest.mark.parametrize("text", ["", "x", "ü", "AAAA", "f" * 32, "f_" * 16, "A" * 36])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no cursor of ours"):
        cursors.unpack(text)
