"""What is flat and what is not: leaks are found, noise and warm-ups are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.soak.flat import DEAD, MEGABYTES, QUEUE, Series, judge, slope

DICE = random.Random(1)


def series(*values: float) -> Series:
    return Series("memory", "scheduling", MEGABYTES, values)


def test_a_leak_is_found_whatever_the_noise() -> None:
    leaking = series(*(100 + 0.2 * n + DICE.gauss(0, 2) for n in range(121)))
    assert judge(leaking).rise == pytest.approx(12, abs=3)
    assert not judge(leaking).flat


def test_noise_and_single_peaks_are_flat() -> None:
    assert judge(series(*(100 + DICE.gauss(0, 2) for _ in range(121)))).flat
    assert judge(series(*[100.0] * 110, *[160.0] * 5, *[100.0] * 6)).flat


def test_the_warm_up_does_not_count() -> None:
    assert judge(series(*(n * 3.0 for n in range(60)), *[180.0] * 61)).flat


def test_what_shrinks_is_flat() -> None:
    assert judge(series(*(200.0 - n for n in range(121)))).flat


def test_a_queue_has_an_upper_bound_however_flat_it_is() -> None:
    assert judge(Series("queues", "outbox", QUEUE, (5.0,) * 20)).flat
    assert not judge(Series("queues", "outbox", QUEUE, (500.0,) * 20)).flat
    assert not judge(Series("dead rows", "outbox", DEAD, (4.0,) * 20)).flat


def test_too_few_samples_are_no_judgement() -> None:
    with pytest.raises(ValueError, match="too few"):
        judge(series(1, 2, 3, 4, 5))


@given(st.floats(-100, 100), st.floats(-1000, 1000), st.integers(2, 30))
def test_a_line_has_its_slope(rise: float, start: float, count: int) -> None:
    found = slope([start + rise * n for n in range(count)])
    assert found == pytest.approx(rise, abs=1e-6)
