"""The model of replicas says what it was made of, and what more of them cost."""

import pytest

from benchmarks.capacity import Capacity, Replicas, model, tables
from benchmarks.replicas import Turn, gathered
from benchmarks.system import Run

WITHOUT = {"Kafka": 30.0}  # milliseconds a second
TWICE = 1.25


def run(per_second: float, replicas: int) -> Run:
    """A service that takes 10 ms a second in each replica, and Kafka, which takes 6 for it."""
    return Run(
        per_second=per_second,
        processor={
            "status": 10 * replicas / per_second + 1,
            "PostgreSQL": 1.0,
            "Kafka": (30 + 6 * replicas) / per_second + 0.5,
            "sink": 0.1,
        },
        clients=0.4,
        answered=[0.01] * 50,
        ticked=[0.02] * 50,
        missing=0,
    )


def replicated(replicas: int, *rates: float) -> Replicas:
    read = {f"status-{n + 1}": (1 + n) / sum(range(1, replicas + 1)) for n in range(replicas)}
    turn = Turn(
        idle={"status": 4.0 * replicas, "PostgreSQL": 2.0, "Kafka": 30 + 5.0 * replicas, "sink": 0},
        runs=[run(rate, replicas) for rate in rates],
        saturated=run(200, replicas),
        connections=5 * replicas,
        done={"status: events read": read, "tries to send": {"": TWICE}},
    )
    return gathered(replicas, [turn, turn], rates)


def test_a_model_of_one_replica_says_what_three_cost() -> None:
    parts = model(replicated(1, 100, 50, 33), WITHOUT)
    assert (parts["status"].base, parts["Kafka"].base) == (0, 30)
    assert (parts["status"].second, parts["Kafka"].second) == pytest.approx((10, 6), rel=0.01)
    assert (parts["status"].each, parts["Kafka"].each) == pytest.approx((1, 0.5), rel=0.01)
    three = run(100, 3)
    for name, part in parts.items():
        assert part.predicted(3, 100) == pytest.approx(three.processor[name], rel=0.01)


def test_shares_and_what_was_done_twice_are_shown() -> None:
    shown = tables(
        Capacity(
            day="2026-11-28",
            commit="0123456",
            processors=2,
            load=[0.1, 2.0],
            invitations=50,
            seconds=10,
            without=WITHOUT,
            measured=[replicated(1, 100, 50, 33), replicated(3, 100)],
        )
    )
    assert "| for an invitation, status: events read | 1.000 | 1.000, 50% by one |" in shown
    assert "| for an invitation, tries to send | 1.250 | 1.250 |" in shown
    assert "| idle, milliseconds a second: status | 4.0 | 12.0 |" in shown
    assert "| 3, half load | 3.28 | 3.28 | 1.00 | 1.00 | 1.00 | 1.00 |" in shown, "without the sink"
