"""A cursor leads back to its place, and what is none is refused."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import cursors
from services.scheduling.places import ListPlace


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_there_and_back(starts_at: datetime, appointment_id: UUID) -> None:
    place = ListPlace(starts_at, appointment_id)
    assert ListPlace.of(place.cursor) == place


def test_it_stays_as_it_was_handed_out() -> None:
    place = ListPlace(datetime(2026, 12, 1, 9, 30, tzinfo=UTC), UUID(int=1))
    assert place.cursor == "AAZhjyuaFgAAAAAAAAAAAAAAAAAAAAAB"


@pytest.mark.parametrize("text", ["", "x", "ü", "AAAA", "f" * 32, "f_" * 16, "A" * 36])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever it is
        ListPlace.of(text)


def test_here_each_start_is_known() -> None:
    with pytest.raises(ValueError, match="known"):
        ListPlace.of(cursors.pack(None, UUID(int=1)))
