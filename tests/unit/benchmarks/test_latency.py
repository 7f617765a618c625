"""Latencies count from the moment a request was due, and those that never came count too."""

import math

import pytest

from benchmarks.latency import due_times, percentile


def test_requests_are_due_at_the_rate_and_the_same_each_time() -> None:
    due = due_times(10_000, 50, seed=1)
    assert due == sorted(due)
    assert due[-1] == pytest.approx(200, rel=0.05)
    assert due == due_times(10_000, 50, seed=1) != due_times(10_000, 50, seed=2)


@pytest.mark.parametrize(("percent", "cut"), [(50, 50), (95, 95), (99, 99), (100, 100), (0.5, 1)])
def test_a_percentile_is_the_sample_of_its_rank(percent: float, cut: float) -> None:
    assert percentile([*range(100, 0, -1)], percent) == cut


def test_what_never_came_is_longer_than_everything() -> None:
    came = [*range(1, 96)]
    assert percentile(came, 95, missing=5) == 95
    assert percentile(came, 96, missing=5) == math.inf
    assert percentile([], 50, missing=1) == math.inf
