"""All replicas go by the database's time: a wrong clock of one takes nothing from the others."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import clock as own_clock
from chassis import database_clock
from chassis.database import Database
from chassis.database_clock import DatabaseClock

WRONG = timedelta(minutes=5)
CLOSE = timedelta(seconds=30)  # a busy machine's
APP = Path(__file__).parents[2] / "services" / "notification" / "app.py"


@pytest.mark.parametrize("wrong", [WRONG, -WRONG])
async def test_a_clock_that_is_wrong_does_not_count(
    notification_db: Database, monkeypatch: pytest.MonkeyPatch, wrong: timedelta
) -> None:
    monkeypatch.setattr(database_clock, "utc_now", lambda: own_clock.utc_now() + wrong)
    clock = await DatabaseClock.started(notification_db)
    async with notification_db.system() as tx:
        true = await tx.fetchval("SELECT clock_timestamp()")
    assert abs(clock() - true) < CLOSE


async def test_between_looks_it_goes_on_and_the_next_look_sets_it_right(
    notification_db: Database,
) -> None:
    passed = 0.0
    clock = DatabaseClock(notification_db, own_clock.utc_now(), monotonic=lambda: passed)
    await clock.look()
    before = clock()
    passed = 90.0
    assert clock() - before == timedelta(seconds=90)
    await clock.look()
    assert abs(clock() - before) < CLOSE


def test_no_part_of_notification_is_given_another_clock() -> None:
    tree = ast.parse(APP.read_text())
    assert "utc_now" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
