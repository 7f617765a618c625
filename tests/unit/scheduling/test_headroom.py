"""How many letters are written before those of the day are counted again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.scheduling import headroom
from services.scheduling.headroom import KNOWN_FOR, SHARE, Headroom, Scope

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
SCOPE: Scope = (UUID(int=1), None, 2000)


def taken(room: Headroom, scope: Scope = SCOPE, now: datetime = NOW) -> int:
    return next(number for number in range(10_000) if not room.take(scope, now))


def test_ten_processes_keep_the_bound_between_them() -> None:
    processes = [Headroom() for _ in range(10)]
    for each in processes:
        each.counted(SCOPE, 777, NOW)
    assert 700 < sum(map(taken, processes)) <= 777


@pytest.mark.parametrize("left", [SHARE - 1, 1, 0, -1])
def test_near_the_bound_each_letter_is_counted(left: int) -> None:
    room = Headroom()
    room.counted(SCOPE, left, NOW)
    assert taken(room) == 0


@pytest.mark.parametrize("passed", [KNOWN_FOR, -timedelta(seconds=1)], ids=["later", "earlier"])
def test_what_was_counted_is_known_for_a_minute(passed: timedelta) -> None:
    room = Headroom()
    assert taken(room) == 0  # before anything is
    room.counted(SCOPE, 1000, NOW)
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


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headroom, "MOST", 3)
    room = Headroom()
    for number in range(10):
        room.counted((UUID(int=number), None, 2000), 1000, NOW)
    known = sum(room.take((UUID(int=number), None, 2000), NOW) for number in range(10))
    assert 0 < known <= 3
