"""How many letters are written before those of the day are counted again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.scheduling import headroom
from services.scheduling.headroom import KNOWN_FOR, Headroom, Scope

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
SCOPE: Scope = (UUID(int=1), None, 2000)


def taken(room: Headroom, scope: Scope = SCOPE, now: datetime = NOW) -> int:
    return next(number for number in range(10_000) if not room.take(scope, now))


@pytest.mark.parametrize(
    ("left", "free"), [(777, 77), (10, 1), (9, 0), (1, 0), (0, 0), (-1, 0), (-20, 0)]
)
def test_a_tenth_of_what_is_left_so_ten_processes_keep_the_bound(left: int, free: int) -> None:
    room = Headroom()
    room.counted(SCOPE, left, NOW)
    assert taken(room) == free


@pytest.mark.parametrize("passed", [timedelta(minutes=1), -timedelta(seconds=1)], ids=str)
def test_what_was_counted_is_known_for_a_minute(passed: timedelta) -> None:
    room = Headroom()
    assert taken(room) == 0  # before anything is
    room.counted(SCOPE, 1000, NOW)
    assert room.take(SCOPE, NOW)
    assert not room.take(SCOPE, NOW + passed)
    assert room.take(SCOPE, NOW + KNOWN_FOR - timedelta(seconds=1))


def test_each_practice_country_and_bound_has_its_own() -> None:
    room = Headroom()
    room.counted(SCOPE, 1000, NOW)
    others: list[Scope] = [
        (UUID(int=2), None, 2000),
        (UUID(int=1), "DE", 2000),
        (UUID(int=1), None, 1500),  # as an operator has just lowered it
    ]
    for other in others:
        assert not room.take(other, NOW)
    assert room.take(SCOPE, NOW)


@pytest.mark.parametrize(("practices", "known"), [(3, 3), (4, 1)])
def test_memory_is_bounded(practices: int, known: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headroom, "MOST", 3)
    room = Headroom()
    scopes: list[Scope] = [(UUID(int=number), None, 2000) for number in range(practices)]
    for scope in scopes:
        room.counted(scope, 1000, NOW)
    assert sum(room.take(scope, NOW) for scope in scopes) == known
