"""When something is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhooks.schedule import (
    JITTER,
    LONGEST_ASKED,
    MOST_TRIES,
    WAITS,
    Answer,
    CallResult,
    lasting,
    next_try,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILURES = [Answer(result) for result in CallResult if result is not CallResult.DELIVERED]


def test_the_waits_are_those_that_are_documented() -> None:
    hours = [0.5, 2, 5, 10, 14, 20, 24]
    assert [each.total_seconds() for each in WAITS] == [5, 300, *(each * 3600 for each in hours)]
    assert timedelta(days=1) == LONGEST_ASKED
    assert [*map(str, CallResult)] == [
        *("delivered", "status", "timeout", "connection", "name", "address", "response")
    ]


def test_ten_tries_take_little_more_than_three_days() -> None:
    assert MOST_TRIES == 10
    assert timedelta(days=3) < sum(WAITS, timedelta()) * (1 + JITTER) < timedelta(days=3.5)
    assert list(WAITS) == sorted(WAITS)


@given(tries=st.integers(1, 30), answer=st.sampled_from(FAILURES), jitter=st.floats(0, 1))
def test_a_failure_waits_longer_each_time_and_ends(
    tries: int, answer: Answer, jitter: float
) -> None:
    again = next_try(tries, answer, NOW, jitter)
    if tries >= MOST_TRIES:
        assert again is None
    else:
        assert again is not None
        assert WAITS[tries - 1] <= again - NOW <= WAITS[tries - 1] * (1 + JITTER)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_every_2xx_is_a_delivery(status: int) -> None:
    assert Answer.of_status(status).delivered
    assert next_try(1, Answer.of_status(status), NOW, 0) is None


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 400, 404, 429, 500, 503])
def test_every_other_status_is_tried_again_redirects_included(status: int) -> None:
    answer = Answer.of_status(status)
    assert answer == Answer(CallResult.STATUS, status)
    assert (answer.delivered, answer.gone) == (False, False)
    assert next_try(1, answer, NOW, 0) == NOW + WAITS[0]


def test_410_is_the_end() -> None:
    assert Answer.of_status(410).gone
    assert next_try(1, Answer.of_status(410), NOW, 0) is None


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("600", timedelta(minutes=10)),
        ("1", WAITS[0]),
        ("86401", LONGEST_ASKED),
        ("9" * 5000, LONGEST_ASKED),
        ("-1", WAITS[0]),
        ("١٢٣٤", WAITS[0]),
        ("Fri, 31 Dec 1999 23:59:59 GMT", WAITS[0]),
        ("", WAITS[0]),
        (None, WAITS[0]),
    ],
)
def test_who_asks_for_time_has_it_within_bounds(asked: str | None, wait: timedelta) -> None:
    assert next_try(1, Answer.of_status(503, asked), NOW, 0) == NOW + wait


def test_lasting_is_from_the_limit_on() -> None:
    limit = timedelta(hours=72)
    assert lasting(NOW - limit, NOW, limit)
    assert not lasting(NOW - limit + timedelta(seconds=1), NOW, limit)
